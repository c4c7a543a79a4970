//! Giving values a wider type, which holds each of them exactly.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, PrimitiveArray, StringArray};
use arrow_schema::ArrowError;
use selvedge_core::{ColumnType, DECIMAL_PRECISION, Value};

/// The values of a column with another type.
///
/// # Errors
/// When the type is not one that a column may be widened to, or does not hold one of the values exactly.
pub(crate) fn widen(values: &ArrayRef, from: ColumnType, to: ColumnType) -> Result<ArrayRef, ArrowError> {
    if *values.data_type() != from.arrow() {
        return Err(ArrowError::SchemaError(format!("a column is not of type {from}")));
    }
    Ok(match (from, to) {
        _ if from == to => values.clone(),
        (ColumnType::Integer, ColumnType::Double) => doubles(values.as_primitive())?,
        (ColumnType::Integer, ColumnType::Decimal { scale }) => {
            let digits = values.as_primitive::<Int64Type>();
            decimals(digits.unary(i128::from), scale, scale)?
        }
        (ColumnType::Decimal { scale: from }, ColumnType::Decimal { scale: to }) if from < to => {
            decimals(values.as_primitive().clone(), to - from, to)?
        }
        (ColumnType::Integer | ColumnType::Decimal { .. }, ColumnType::DecimalText) => texts(values, from),
        _ => return Err(ArrowError::CastError(format!("a column of type {from} cannot be widened to {to}"))),
    })
}

fn doubles(integers: &PrimitiveArray<Int64Type>) -> Result<ArrayRef, ArrowError> {
    #[expect(clippy::cast_precision_loss, reason = "a loss is an error")]
    let exact = |integer: i64| {
        let double = integer as f64;
        if double as i128 == i128::from(integer) { Ok(double) } else { Err(too_narrow(ColumnType::Double)) }
    };
    Ok(Arc::new(integers.try_unary::<_, Float64Type, _>(exact)?))
}

/// Decimals of `scale` digits after the point, of which the last `added` are new.
fn decimals(digits: Decimal128Array, added: u8, scale: u8) -> Result<ArrayRef, ArrowError> {
    let exact = |digits: i128| {
        let power = 10_i128.checked_pow(u32::from(added));
        power.and_then(|power| digits.checked_mul(power)).ok_or_else(|| too_narrow(ColumnType::Decimal { scale }))
    };
    let decimals = digits.try_unary::<_, Decimal128Type, _>(exact)?;
    let decimals = decimals.with_precision_and_scale(DECIMAL_PRECISION, scale.cast_signed())?;
    decimals.validate_decimal_precision(DECIMAL_PRECISION).map_err(|_| too_narrow(ColumnType::Decimal { scale }))?;
    Ok(Arc::new(decimals))
}

/// Decimals as text, without superfluous zeros.
fn texts(values: &ArrayRef, column_type: ColumnType) -> ArrayRef {
    let text = |row| match Value::of(column_type, values, row)? {
        Value::Integer(integer) => Some(integer.to_string()),
        Value::Decimal(digits) => Some(digits),
        _ => None,
    };
    Arc::new((0..values.len()).map(text).collect::<StringArray>())
}

/// Does not quote the value, as Arrow's own errors do.
fn too_narrow(column_type: ColumnType) -> ArrowError {
    ArrowError::CastError(format!("a value cannot be held exactly as {column_type}"))
}
