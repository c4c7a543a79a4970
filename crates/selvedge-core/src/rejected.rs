//! Rejected records: what is kept of them, and how a load carries them.

use arrow_array::RecordBatch;

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
