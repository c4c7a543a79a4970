//! The changes a load makes to the columns of a table, applied to the rows that stand.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Float64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use selvedge_core::{Change, Column, ColumnType, DECIMAL_PRECISION, LoadError, Value, schema};

use super::{refused, unfit};

/// The rows that stand, with their columns, after `changes`, which have to lead to `columns`.
pub(super) fn apply(
    changes: &[Change],
    stands: Option<(&[Column], &RecordBatch)>,
    columns: &[Column],
) -> Result<RecordBatch, LoadError> {
    let rows = stands.map_or(0, |(_, rows)| rows.num_rows());
    let mut table = stands.map(|(columns, rows)| columns.iter().cloned().zip(rows.columns().iter().cloned()).collect());
    for change in changes {
        let changed = apply_one(change, table, rows);
        let message = "the table cannot be changed like this; report this as a defect of selvedge";
        table = Some(changed.ok_or_else(|| refused(message))?);
    }
    let (found, values): (Vec<Column>, Vec<ArrayRef>) = table.unwrap_or_default().into_iter().unzip();
    if found.len() != columns.len() || !found.iter().zip(columns).all(|(found, column)| found.is_like(column)) {
        return Err(refused("the changes do not lead to the columns of the load; report this as a defect of selvedge"));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema(columns), values, &options).map_err(unfit)
}

/// Columns and their values.
type Table = Vec<(Column, ArrayRef)>;

/// The table after a change; `None` when it cannot be changed like this.
fn apply_one(change: &Change, table: Option<Table>, rows: usize) -> Option<Table> {
    let empty = |column: &Column| (column.clone(), new_null_array(&column.column_type.arrow(), rows));
    let at = |table: &Table, name: &str| table.iter().position(|(column, _)| column.name == name);
    match (change, table) {
        (Change::CreateTable(columns), None) => Some(columns.iter().map(empty).collect()),
        (Change::AddColumn(new), Some(mut table)) if at(&table, &new.name).is_none() => {
            table.push(empty(new));
            Some(table)
        }
        (Change::WidenColumn(wider), Some(mut table)) => {
            let at = at(&table, &wider.name)?;
            let (column, values) = table.get_mut(at)?;
            *values = widened(column.column_type, values, wider.column_type)?;
            *column = wider.clone();
            Some(table)
        }
        (Change::RenameColumn { from, to }, Some(mut table)) if at(&table, to).is_none() => {
            let at = at(&table, from)?;
            table.get_mut(at)?.0.name.clone_from(to);
            Some(table)
        }
        _ => None,
    }
}

/// The same values in a type that holds them all exactly; `None` if it does not.
fn widened(from: ColumnType, values: &ArrayRef, to: ColumnType) -> Option<ArrayRef> {
    let digits = |row| Value::of(from, values, row).map(|value| value.to_string());
    Some(match (from, to) {
        (ColumnType::Integer, ColumnType::Double) => {
            let integers = values.as_primitive_opt::<Int64Type>()?;
            Arc::new(integers.iter().map(|integer| integer.map(|integer| integer as f64)).collect::<Float64Array>())
        }
        (ColumnType::Integer, ColumnType::Decimal { scale }) => {
            let integers = values.as_primitive_opt::<Int64Type>()?;
            Arc::new(rescaled(&integers.unary(i128::from), scale, scale)?)
        }
        (ColumnType::Decimal { scale: before }, ColumnType::Decimal { scale }) => {
            Arc::new(rescaled(values.as_primitive_opt()?, scale.checked_sub(before)?, scale)?)
        }
        (ColumnType::Integer | ColumnType::Decimal { .. }, ColumnType::DecimalText) => {
            Arc::new((0..values.len()).map(digits).collect::<StringArray>())
        }
        _ => return None,
    })
}

/// Decimals with so many digits more after the point, which then are `scale`.
fn rescaled(decimals: &Decimal128Array, more: u8, scale: u8) -> Option<Decimal128Array> {
    let unit = 10_i128.pow(more.into());
    let values = decimals.iter().map(|value| value.map_or(Some(None), |value| value.checked_mul(unit).map(Some)));
    let values: Decimal128Array = values.collect::<Option<Vec<_>>>()?.into();
    values.with_precision_and_scale(DECIMAL_PRECISION, scale.cast_signed()).ok()
}
