//! Loads by hand, as preparation would plan them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray, UInt32Array,
    new_null_array,
};
use arrow_select::take::take_record_batch;
use selvedge_core::{
    Change, Column, ColumnType, Epoch, Key, Path, Position, QueueId, RowOrder, TableLoad, TableName, TableState,
    rejected, schema, system,
};

use crate::failure::Failure;

/// A column and its values, one for each row.
pub(crate) type Values = (Column, ArrayRef);

/// The load of a table that comes after `planned_on`, one batch further. Columns that stand and are not brought hold null.
pub(crate) fn next(
    table: &TableName,
    planned_on: Option<&TableState>,
    keys: &[&str],
    brought: Vec<Values>,
) -> Result<TableLoad, Failure> {
    let known = planned_on.map_or(&[][..], |state| &state.columns);
    let new: Vec<Column> = brought.iter().map(|(column, _)| column.clone()).filter(|c| !known.contains(c)).collect();
    let changes = match planned_on {
        None => vec![Change::CreateTable(new.clone())],
        Some(_) => new.iter().cloned().map(Change::AddColumn).collect(),
    };
    let columns: Vec<Column> = known.iter().chain(&new).cloned().collect();
    let load = TableLoad {
        table: table.clone(),
        planned_on: planned_on.cloned(),
        changes,
        rows: rows(&columns, brought)?,
        columns,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        subtables: Vec::new(),
        superseded: 0,
        rejects: rejected::none(),
        counts: planned_on.map(|state| state.counts).unwrap_or_default(),
        to: after(planned_on),
    };
    Ok(load)
}

/// The position one batch further.
fn after(planned_on: Option<&TableState>) -> Position {
    let first =
        Position { queue: QueueId::from_bytes([7; 16]), epoch: Epoch::from_bytes([9; 16]), batch: 0, record: 5 };
    let at = planned_on.map_or(first, |state| state.position);
    Position { batch: at.batch + 1, ..at }
}

fn rows(columns: &[Column], brought: Vec<Values>) -> Result<RecordBatch, Failure> {
    let rows = brought.first().map_or(0, |(_, values)| values.len());
    let values = columns.iter().map(|column| {
        let brought = brought.iter().find(|(brought, _)| brought == column);
        brought.map_or_else(|| new_null_array(&column.column_type.arrow(), rows), |(_, values)| Arc::clone(values))
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema(columns), values.collect(), &options)?)
}

/// The same load with its rows in the order the destination asks for.
pub(crate) fn in_order(mut load: TableLoad, order: RowOrder) -> Result<TableLoad, Failure> {
    if order == RowOrder::Key && !load.keys.is_empty() {
        let keys = Key::of(&load)?.contestants(&load.rows)?;
        let mut rows: Vec<u32> = (0..u32::try_from(keys.len())?).collect();
        rows.sort_by(|left, right| keys.key(*left as usize).cmp(&keys.key(*right as usize)));
        load.rows = take_record_batch(&load.rows, &UInt32Array::from(rows))?;
    }
    Ok(load)
}

pub(crate) fn table(name: &str) -> Result<TableName, Failure> {
    Ok(TableName::new(None, name)?)
}

/// A column of that name, filled from the property of that name unless it is selvedge's own.
pub(crate) fn column(name: &str, column_type: ColumnType) -> Column {
    let own = name.starts_with("_sdc") || name.starts_with("__sdc");
    Column::new(name, (!own).then(|| Path(vec![name.to_owned()])), column_type)
}

pub(crate) fn integers(name: &str, values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> Values {
    let values: Int64Array = values.into_iter().map(Into::into).collect();
    (column(name, ColumnType::Integer), Arc::new(values))
}

pub(crate) fn texts<T: AsRef<str>>(name: &str, values: impl IntoIterator<Item = T>) -> Values {
    let values: StringArray = values.into_iter().map(Some).collect();
    (column(name, ColumnType::String), Arc::new(values))
}

/// The generated keys of a keyless table, made of numbers.
pub(crate) fn generated_keys(numbers: impl IntoIterator<Item = i64>) -> Values {
    texts(system::PRIMARY_KEY, numbers.into_iter().map(|number| format!("00000000-0000-8000-8000-{number:012}")))
}

/// Rejected records of a table, one for each number.
pub(crate) fn rejects(table: &TableName, numbers: &[i64]) -> Result<RecordBatch, Failure> {
    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(numbers.iter().map(|number| Some(text(*number))).collect::<StringArray>())
    };
    let moments = numbers.iter().map(|number| Some(1_700_000_000_000_000 + number));
    let moments = moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    let integers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
    let columns = vec![
        texts(&|number| format!("00000000-0000-8000-8000-{number:012}")),
        Arc::new(moments),
        texts(&|_| table.table().to_owned()),
        texts(&|number| format!("field collision on `a \"quoted\" {number}`")),
        texts(&|_| "/a~1b/0".to_owned()),
        texts(&|number| format!("{{\"id\": {number}, \"text\": \"line\\nline 'ü' \u{1f9f5}\"}}")),
        Arc::clone(&integers),
        integers,
    ];
    Ok(RecordBatch::try_new(rejected::none().schema(), columns)?)
}
