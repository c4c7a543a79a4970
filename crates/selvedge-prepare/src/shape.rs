//! The rows of a load, laid out as the table is.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_select::interleave::interleave;
use selvedge_core::{Column, QueueId, schema, system};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use crate::prepare::{Blocked, Part};

/// What a row needs to know besides its record.
pub(crate) struct Moment {
    pub(crate) queue: QueueId,
    /// In microseconds since 1970 (UTC).
    pub(crate) batched_at: i64,
}

/// The records at `rows`, as (part, row in it), with the columns of the table.
pub(crate) fn shape(
    columns: &[Column],
    parts: &[Part],
    rows: &[(usize, usize)],
    moment: &Moment,
) -> Result<RecordBatch, Blocked> {
    let values = columns.iter().map(|column| values(column, parts, rows, moment)).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(schema(columns), values, &options)?)
}

fn values(column: &Column, parts: &[Part], rows: &[(usize, usize)], moment: &Moment) -> Result<ArrayRef, Blocked> {
    if let Some(path) = &column.path {
        return gather(column, parts, rows, |part| part.records.column(path, column.column_type).cloned());
    }
    let part_of = |row: &(usize, usize)| parts.get(row.0);
    match column.name.as_str() {
        system::SEQUENCE => {
            gather(column, parts, rows, |part| Some(Arc::new(part.records.sequences.clone()) as ArrayRef))
        }
        system::EXTRACTED_AT => gather(column, parts, rows, |part| part.records.extracted_at.clone()),
        system::TABLE_VERSION => {
            let version = |row| part_of(row).and_then(|part| part.records.table_version);
            Ok(Arc::new(Int64Array::from_iter(rows.iter().map(version))))
        }
        system::RECEIVED_AT => Ok(timestamps(rows.iter().map(|row| part_of(row).map(|part| part.received_at)))),
        system::BATCHED_AT => Ok(timestamps(rows.iter().map(|_| Some(moment.batched_at)))),
        system::PRIMARY_KEY => {
            let key = |row: &(usize, usize)| part_of(row).map(|part| generated_key(moment.queue, part, row.1));
            Ok(Arc::new(StringArray::from_iter(rows.iter().map(key))))
        }
        _ => Ok(new_null_array(&column.column_type.arrow(), rows.len())),
    }
}

/// Values from an array of each part, null where a part has none.
fn gather(
    column: &Column,
    parts: &[Part],
    rows: &[(usize, usize)],
    array_of: impl Fn(&Part) -> Option<ArrayRef>,
) -> Result<ArrayRef, Blocked> {
    let arrow = column.column_type.arrow();
    let found: Vec<Option<ArrayRef>> = parts.iter().map(array_of).collect();
    if found.iter().all(Option::is_none) {
        return Ok(new_null_array(&arrow, rows.len()));
    }
    let or_nulls =
        |(array, part): (Option<ArrayRef>, &Part)| array.unwrap_or_else(|| new_null_array(&arrow, part.records.len()));
    let arrays: Vec<ArrayRef> = found.into_iter().zip(parts).map(or_nulls).collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&arrays, rows)?)
}

fn timestamps(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}

/// The key of a row without one: made from where its record stands in the queue, so that it is the same in every
/// destination and on every retry.
fn generated_key(queue: QueueId, part: &Part, row: usize) -> String {
    let mut place = [0; 32];
    let record = part.first + row as u64;
    let numbers = [part.batch.to_le_bytes(), record.to_le_bytes()];
    for (byte, value) in place.iter_mut().zip(queue.as_bytes().iter().chain(numbers.as_flattened())) {
        *byte = *value;
    }
    Uuid::new_v8(xxh3_128(&place).to_le_bytes()).to_string()
}
