//! A table's state in the types SQL stores.

use std::error::Error;

use selvedge_core::{
    Column, Counts, Epoch, LoadError, LoadErrorKind, Position, QueueId, Subtable, TableName, TableState,
};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;

use crate::state_key;

/// A [`TableState`] in the types SQL stores.
///
/// Between reading the state and committing the next, no other transaction may write one: a load begins with a lock, or runs
/// at the isolation `SERIALIZABLE`. At `READ COMMITTED` two loads planned on one state would both be applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateRow {
    format: i64,
    columns: String,
    keys: String,
    subtables: String,
    queue_id: String,
    epoch: String,
    active_version: Option<i64>,
    batch: i64,
    record: i64,
    loaded: i64,
    superseded: i64,
    rejected: i64,
    live_rows: i64,
}

/// A value of a [`StateRow`], for a driver to make a parameter of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// A `TEXT`.
    Text(&'a str),
    /// A `BIGINT`.
    Integer(i64),
    /// Null, of a `BIGINT`.
    Null,
}

impl StateRow {
    /// The row [`Dialect::select_state`](crate::Dialect::select_state) found, given how a text and how a number is read from
    /// its columns, by their names.
    ///
    /// # Errors
    /// The first error of reading a column.
    pub fn read<E>(
        text: impl Fn(&'static str) -> Result<String, E>,
        number: impl Fn(&'static str) -> Result<Option<i64>, E>,
    ) -> Result<Self, E> {
        // Only one of them may be null. What is null all the same is out of range, which `into_state` refuses.
        let optional = &number;
        let number = |column| optional(column).map(|number| number.unwrap_or(-1));
        let format = number("format")?;
        if format != i64::from(TableState::FORMAT) {
            // Another version may have other columns. `into_state` refuses it.
            return Ok(Self { format, ..Self::default() });
        }
        Ok(Self {
            format,
            columns: text("columns")?,
            keys: text("keys")?,
            subtables: text("subtables")?,
            queue_id: text("queue_id")?,
            epoch: text("epoch")?,
            active_version: optional("active_version")?,
            batch: number("batch")?,
            record: number("record")?,
            loaded: number("loaded")?,
            superseded: number("superseded")?,
            rejected: number("rejected")?,
            live_rows: number("live_rows")?,
        })
    }

    /// The parameters of [`Dialect::upsert_state`](crate::Dialect::upsert_state), in order.
    pub fn parameters<'a>(&'a self, table: &'a TableName) -> [Field<'a>; 15] {
        let [integration, table] = state_key(table);
        [
            Field::Text(integration),
            Field::Text(table),
            Field::Integer(self.format),
            Field::Text(&self.columns),
            Field::Text(&self.keys),
            Field::Text(&self.subtables),
            Field::Text(&self.queue_id),
            Field::Text(&self.epoch),
            self.active_version.map_or(Field::Null, Field::Integer),
            Field::Integer(self.batch),
            Field::Integer(self.record),
            Field::Integer(self.loaded),
            Field::Integer(self.superseded),
            Field::Integer(self.rejected),
            Field::Integer(self.live_rows),
        ]
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
        let TableState { columns, keys, subtables, active_version, position, counts } = state;
        Ok(Self {
            format: i64::from(TableState::FORMAT),
            columns: serde_json::to_string(columns)?,
            keys: serde_json::to_string(keys)?,
            subtables: serde_json::to_string(subtables)?,
            queue_id: position.queue.to_string(),
            epoch: position.epoch.to_string(),
            active_version: *active_version,
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
        let subtables: Vec<Subtable> = serde_json::from_str(&self.subtables)?;
        Ok(TableState {
            columns,
            keys,
            subtables,
            active_version: self.active_version,
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
