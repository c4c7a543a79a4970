//! The engine's word that a batch is durable.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use selvedge_core::TableName;

use crate::backlog::Backlog;
use crate::error::EngineError;

/// Says that a batch is in the queue and survives a crash from here on.
#[derive(Clone)]
pub struct Receipt {
    pub(crate) batch: u64,
    pub(crate) table: TableName,
    pub(crate) records: u64,
    pub(crate) rejected: u64,
    pub(crate) repeated: bool,
    pub(crate) backlog: Arc<Backlog>,
}

impl Receipt {
    /// The batch's number in the queue; for a repeat, of the batch that brought it first.
    pub fn batch(&self) -> u64 {
        self.batch
    }

    /// The table it is for.
    pub fn table(&self) -> &TableName {
        &self.table
    }

    /// How many records it holds.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many of them are rejected: they violate the schema, or cannot be loaded. What depends on the table as it stands may
    /// reject more later.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Whether the same batch was there before, so that this one has no effect.
    pub fn repeated(&self) -> bool {
        self.repeated
    }

    /// Waits until every destination has loaded the batch.
    ///
    /// # Errors
    /// Of kind [`NotLoaded`](crate::EngineErrorKind::NotLoaded) when `timeout` is over first or the table is paused, with
    /// the reason. The batch stays durable and is loaded later.
    pub fn wait_loaded(&self, timeout: Duration) -> Result<(), EngineError> {
        self.backlog.wait_loaded(&self.table, self.batch, timeout)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, table, records, rejected, repeated, backlog: _ } = self;
        write!(
            f,
            "Receipt {{ batch: {batch}, table: {table}, records: {records}, rejected: {rejected}, repeated: {repeated} }}"
        )
    }
}
