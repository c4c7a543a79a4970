//! Rejected records: what is kept of them, and how a load carries them.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};

use crate::{Column, ColumnType, schema, system};

/// What the rejected records are called in a destination: a table of each integration in SQL, a folder of each table in Parquet.
pub const TABLE: &str = "_sdc_rejected";

/// When the record was rejected.
pub const REJECTED_AT: &str = "_sdc_rejected_at";
/// The table the record was for.
pub const TABLE_NAME: &str = "table_name";
/// What is wrong with it.
pub const REASON: &str = "reason";
/// Where in the record, as a JSON pointer; empty for the whole of it.
pub const POINTER: &str = "pointer";
/// The record, as the JSON text it came as.
pub const RECORD: &str = "record";
/// The number of its batch in the queue.
pub const BATCH: &str = "_sdc_batch";
/// Its index in the batch, from 0.
pub const BATCH_RECORD: &str = "_sdc_batch_record";

/// The columns of [`TableLoad::rejects`](crate::TableLoad::rejects), the same in every destination. The first is a key: it is
/// made of the queue, the batch and the record, so the same record has the same one in every destination.
pub fn columns() -> [Column; 8] {
    let column = |name: &str, column_type| Column::new(name, None, column_type);
    [
        column(system::PRIMARY_KEY, ColumnType::String),
        column(REJECTED_AT, ColumnType::Timestamp),
        column(TABLE_NAME, ColumnType::String),
        column(REASON, ColumnType::String),
        column(POINTER, ColumnType::String),
        column(RECORD, ColumnType::String),
        column(BATCH, ColumnType::Integer),
        column(BATCH_RECORD, ColumnType::Integer),
    ]
}

/// No rejected records.
pub fn none() -> RecordBatch {
    RecordBatch::new_empty(schema(&columns()))
}

/// A rejected record, read back from a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its generated key, the same in every destination.
    pub id: String,
    /// When it was rejected, in microseconds since 1970 (UTC).
    pub rejected_at: i64,
    /// What is wrong with it.
    pub reason: String,
    /// Where in it, as a JSON pointer; empty for the whole of it.
    pub pointer: String,
    /// The record, as the JSON text it came as.
    pub record: String,
    /// The number of its batch in the queue.
    pub batch: u64,
    /// Its index in the batch, from 0.
    pub batch_record: u64,
}

/// The rejected records in a batch that [`Inspect::read`](crate::Inspect::read) handed out for
/// [`Part::Rejects`](crate::Part::Rejects). What is no such record, as when somebody edited it, is left out.
pub fn read(batch: &RecordBatch) -> impl Iterator<Item = Rejected> + '_ {
    (0..batch.num_rows()).filter_map(|row| read_row(batch, row))
}

fn read_row(batch: &RecordBatch, row: usize) -> Option<Rejected> {
    let column = |name: &str| batch.column_by_name(name).filter(|column| column.is_valid(row));
    let text = |name: &str| Some(column(name)?.as_string_opt::<i32>()?.value(row).to_owned());
    let number = |name: &str| column(name)?.as_primitive_opt::<Int64Type>()?.value(row).try_into().ok();
    Some(Rejected {
        id: text(system::PRIMARY_KEY)?,
        rejected_at: column(REJECTED_AT)?.as_primitive_opt::<TimestampMicrosecondType>()?.value(row),
        reason: text(REASON)?,
        pointer: text(POINTER)?,
        record: text(RECORD)?,
        batch: number(BATCH)?,
        batch_record: number(BATCH_RECORD)?,
    })
}
