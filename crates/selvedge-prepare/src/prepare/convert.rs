//! Values of one type as values of another that holds them exactly.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, StringArray};
use selvedge_core::{ColumnType, DECIMAL_PRECISION};

use crate::prepare::decimal;

/// The most digits of a whole number that a double holds exactly, whatever they are.
const DOUBLE_DIGITS: u8 = 15;

/// A type of numbers, and how many digits before the point they have at most.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) column_type: ColumnType,
    pub(crate) digits: u8,
}

/// The type that holds decimals of both kinds exactly, with a fixed number of digits after the point.
pub(crate) fn common_decimal(left: Numbers, right: Numbers) -> Option<ColumnType> {
    let scale = scale_of(left)?.max(scale_of(right)?);
    let digits = left.digits.max(right.digits);
    (digits + scale <= DECIMAL_PRECISION).then_some(ColumnType::Decimal { scale })
}

fn scale_of(numbers: Numbers) -> Option<u8> {
    match numbers.column_type {
        ColumnType::Integer => Some(0),
        ColumnType::Decimal { scale } => Some(scale),
        _ => None,
    }
}

/// The double, if one of the two is a column of doubles and the other one of integers that doubles hold exactly.
pub(crate) fn common_double(left: Numbers, right: Numbers) -> Option<ColumnType> {
    let integers = match (left.column_type, right.column_type) {
        (ColumnType::Integer, ColumnType::Double) => left,
        (ColumnType::Double, ColumnType::Integer) => right,
        _ => return None,
    };
    (integers.digits <= DOUBLE_DIGITS).then_some(ColumnType::Double)
}

/// The type that holds numbers of both kinds exactly, if they are integers or decimals of any size.
pub(crate) fn common_number(left: Numbers, right: Numbers) -> Option<ColumnType> {
    let is_exact = |numbers: Numbers| scale_of(numbers).is_some() || numbers.column_type == ColumnType::DecimalText;
    let text = (is_exact(left) && is_exact(right)).then_some(ColumnType::DecimalText);
    common_double(left, right).or_else(|| common_decimal(left, right)).or(text)
}

/// The values of an array of the type `from` in one of the type `to`. Those that the other type does not hold mean nothing
/// afterwards: they are of records that are not loaded.
pub(crate) fn convert(array: &ArrayRef, from: ColumnType, to: ColumnType) -> ArrayRef {
    use ColumnType::{Decimal, DecimalText, Double, Integer};
    match (from, to) {
        (Integer, Double) => {
            let doubles: Float64Array = array.as_primitive::<Int64Type>().unary::<_, Float64Type>(|value| value as f64);
            Arc::new(doubles)
        }
        (Integer, Decimal { scale }) => {
            let unit = power_of_ten(scale);
            let scaled = |value| i128::from(value).wrapping_mul(unit);
            let decimals = array.as_primitive::<Int64Type>().unary::<_, Decimal128Type>(scaled);
            Arc::new(decimals.with_data_type(to.arrow()))
        }
        (Decimal { scale: from }, Decimal { scale }) => {
            let unit = power_of_ten(scale.saturating_sub(from));
            let decimals = array.as_primitive::<Decimal128Type>();
            let decimals = decimals.unary::<_, Decimal128Type>(|value| value.wrapping_mul(unit));
            Arc::new(decimals.with_data_type(to.arrow()))
        }
        (Integer, DecimalText) => {
            let text = |value: Option<i64>| value.map(|value| value.to_string());
            Arc::new(StringArray::from_iter(array.as_primitive::<Int64Type>().iter().map(text)))
        }
        (Decimal { scale }, DecimalText) => {
            let text = |value: Option<i128>| value.map(|value| decimal::text(value, scale));
            Arc::new(StringArray::from_iter(array.as_primitive::<Decimal128Type>().iter().map(text)))
        }
        _ => Arc::clone(array),
    }
}

fn power_of_ten(exponent: u8) -> i128 {
    10_i128.wrapping_pow(exponent.into())
}
