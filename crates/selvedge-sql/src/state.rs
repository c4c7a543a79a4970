//! A table's state as SQL destinations store it: one row of the table `_sdc_tables`, written in the load's transaction.

use std::error::Error;

use selvedge_core::{Column, Counts, Epoch, LoadError, LoadErrorKind, Position, QueueId, TableName, TableState};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

/// Makes the table of states unless it stands: one a database, in the schema `main`.
pub const CREATE_STATE_TABLE: &str = "\
CREATE TABLE IF NOT EXISTS main._sdc_tables (
    integration TEXT NOT NULL DEFAULT '',
    table_name TEXT NOT NULL,
    format INTEGER NOT NULL,
    columns TEXT NOT NULL,
    keys TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    epoch TEXT NOT NULL,
    batch BIGINT NOT NULL,
    record BIGINT NOT NULL,
    loaded BIGINT NOT NULL,
    superseded BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    live_rows BIGINT NOT NULL,
    PRIMARY KEY (integration, table_name)
)";

/// Selects the fields of a [`StateRow`], in their order. Parameters: [`integration_key`], then the table's own name.
pub const SELECT_STATE: &str = "\
SELECT format, columns, keys, queue_id, epoch, batch, record, loaded, superseded, rejected, live_rows
FROM main._sdc_tables WHERE integration = ? AND table_name = ?";

/// Inserts or replaces a state. Parameters: [`integration_key`], the table's own name, then the fields of a [`StateRow`]
/// in their order.
pub const UPSERT_STATE: &str = "\
INSERT INTO main._sdc_tables (integration, table_name, format, columns, keys, queue_id, epoch, batch, record, loaded, superseded,
    rejected, live_rows)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (integration, table_name) DO UPDATE SET
    format = excluded.format, columns = excluded.columns, keys = excluded.keys, queue_id = excluded.queue_id,
    epoch = excluded.epoch, batch = excluded.batch, record = excluded.record, loaded = excluded.loaded, superseded = excluded.superseded,
    rejected = excluded.rejected, live_rows = excluded.live_rows";

/// What stands in the column `integration` of a table's state: the integration's name, empty without one.
pub fn integration_key(table: &TableName) -> &str {
    table.integration().map_or("", |integration| integration.as_str())
}

/// A [`TableState`] in the types SQL stores, in the order of the statements of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    /// [`TableState::FORMAT`] of the selvedge that wrote it.
    pub format: i64,
    /// The columns, as a JSON array of objects with `name`, `path` and `type`.
    pub columns: String,
    /// The names of the key columns, as a JSON array.
    pub keys: String,
    /// The queue of the position, as a UUID's text.
    pub queue_id: String,
    /// The epoch of the position, as a UUID's text.
    pub epoch: String,
    /// The batch of the position.
    pub batch: i64,
    /// The record of the position.
    pub record: i64,
    /// Records loaded.
    pub loaded: i64,
    /// Records superseded.
    pub superseded: i64,
    /// Records rejected.
    pub rejected: i64,
    /// Rows in the table.
    pub live_rows: i64,
}

impl StateRow {
    /// The row [`SELECT_STATE`] found, given how a text and how a number is read from its columns, counted from 0.
    ///
    /// # Errors
    /// The first error of reading a column.
    pub fn read<E>(
        text: impl Fn(usize) -> Result<String, E>,
        number: impl Fn(usize) -> Result<i64, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            format: number(0)?,
            columns: text(1)?,
            keys: text(2)?,
            queue_id: text(3)?,
            epoch: text(4)?,
            batch: number(5)?,
            record: number(6)?,
            loaded: number(7)?,
            superseded: number(8)?,
            rejected: number(9)?,
            live_rows: number(10)?,
        })
    }

    /// The row to store for a state.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when a number does not fit in SQL's 64 bits with a sign.
    pub fn from_state(table: &TableName, state: &TableState) -> Result<Self, LoadError> {
        Self::encode(state).map_err(|cause| {
            LoadError::new(
                LoadErrorKind::Refused,
                format!("the state of table {table} cannot be stored; report this as a defect of selvedge"),
            )
            .with_source(cause)
        })
    }

    /// The state a stored row stands for.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when another version of selvedge wrote it, or something else changed it.
    pub fn into_state(self, table: &TableName) -> Result<TableState, LoadError> {
        if self.format != i64::from(TableState::FORMAT) {
            let message = format!(
                "table {table} was written by another version of selvedge (format {}, this one reads {}); use that version",
                self.format,
                TableState::FORMAT
            );
            return Err(LoadError::new(LoadErrorKind::Refused, message));
        }
        self.decode().map_err(|cause| {
            LoadError::new(
                LoadErrorKind::Refused,
                format!("the state of table {table} in _sdc_tables is damaged; restore the destination from a backup"),
            )
            .with_source(cause)
        })
    }

    fn encode(state: &TableState) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let TableState { columns, keys, position, counts } = state;
        Ok(Self {
            format: i64::from(TableState::FORMAT),
            columns: serde_json::to_string(columns)?,
            keys: serde_json::to_string(keys)?,
            queue_id: position.queue.to_string(),
            epoch: position.epoch.to_string(),
            batch: position.batch.try_into()?,
            record: position.record.try_into()?,
            loaded: counts.loaded.try_into()?,
            superseded: counts.superseded.try_into()?,
            rejected: counts.rejected.try_into()?,
            live_rows: counts.live_rows.try_into()?,
        })
    }

    fn decode(self) -> Result<TableState, Box<dyn Error + Send + Sync>> {
        let columns: Vec<Column> = serde_json::from_str(&self.columns)?;
        let keys: Vec<String> = serde_json::from_str(&self.keys)?;
        Ok(TableState {
            columns,
            keys,
            position: Position {
                queue: QueueId::deserialize(uuid(&self.queue_id))?,
                epoch: Epoch::deserialize(uuid(&self.epoch))?,
                batch: self.batch.try_into()?,
                record: self.record.try_into()?,
            },
            counts: Counts {
                loaded: self.loaded.try_into()?,
                superseded: self.superseded.try_into()?,
                rejected: self.rejected.try_into()?,
                live_rows: self.live_rows.try_into()?,
            },
        })
    }
}

fn uuid(text: &str) -> StrDeserializer<'_, serde::de::value::Error> {
    text.into_deserializer()
}
