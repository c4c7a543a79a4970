//! How many digits numbers have before the point.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use selvedge_core::ColumnType;

/// The most of any value in a column of integers or decimals; 0 in any other.
pub(crate) fn most(values: &ArrayRef, column_type: ColumnType) -> u8 {
    match column_type {
        ColumnType::Integer => of_integer(largest::<Int64Type, u64>(values, i64::unsigned_abs)),
        ColumnType::Decimal { scale } => of_decimal(largest::<Decimal128Type, u128>(values, i128::unsigned_abs), scale),
        _ => 0,
    }
}

/// Those of the value in a row; 0 for null, and for what is neither integer nor decimal.
pub(crate) fn of_value(values: &ArrayRef, column_type: ColumnType, row: usize) -> u8 {
    match column_type {
        ColumnType::Integer => of_integer(value::<Int64Type>(values, row).unwrap_or_default().unsigned_abs()),
        ColumnType::Decimal { scale } => {
            of_decimal(value::<Decimal128Type>(values, row).unwrap_or_default().unsigned_abs(), scale)
        }
        _ => 0,
    }
}

fn value<T: ArrowPrimitiveType>(values: &ArrayRef, row: usize) -> Option<T::Native> {
    values.as_primitive_opt::<T>().filter(|values| values.is_valid(row)).map(|values| values.value(row))
}

fn largest<T: ArrowPrimitiveType, M: Ord + Default>(values: &ArrayRef, magnitude: fn(T::Native) -> M) -> M {
    let Some(values) = values.as_primitive_opt::<T>() else { return M::default() };
    let largest = if values.null_count() == 0 {
        values.values().iter().copied().map(magnitude).max()
    } else {
        values.iter().flatten().map(magnitude).max()
    };
    largest.unwrap_or_default()
}

fn of_integer(magnitude: u64) -> u8 {
    magnitude.checked_ilog10().map_or(0, |log| log as u8 + 1)
}

fn of_decimal(magnitude: u128, scale: u8) -> u8 {
    magnitude.checked_ilog10().map_or(0, |log| log as u8 + 1).saturating_sub(scale)
}
