//! Decoded batches that ride along in memory until they are loaded.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use selvedge_core::TableName;
use selvedge_prepare::Records;

/// Decoded batches by table and number, up to a number of bytes. What does not fit is decoded again from the queue:
/// loaders begin with the oldest batches, so those are the ones to keep.
#[derive(Debug)]
pub(crate) struct Cache {
    tables: HashMap<TableName, BTreeMap<u64, Arc<Records>>>,
    bytes: usize,
    bytes_max: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { tables: HashMap::new(), bytes: 0, bytes_max }
    }

    /// Keeps a batch if there is room.
    pub(crate) fn offer(&mut self, table: &TableName, batch: u64, records: Arc<Records>) {
        let bytes = self.bytes + records.memory_bytes();
        if bytes <= self.bytes_max {
            self.bytes = bytes;
            self.tables.entry(table.clone()).or_default().insert(batch, records);
        }
    }

    pub(crate) fn get(&self, table: &TableName, batch: u64) -> Option<Arc<Records>> {
        self.tables.get(table)?.get(&batch).cloned()
    }

    /// Lets go of the table's batches up to and including `batch`.
    pub(crate) fn release(&mut self, table: &TableName, batch: u64) {
        let Some(batches) = self.tables.get_mut(table) else { return };
        let kept = batches.split_off(&batch.saturating_add(1));
        let released = std::mem::replace(batches, kept);
        self.bytes -= released.values().map(|records| records.memory_bytes()).sum::<usize>();
        if batches.is_empty() {
            self.tables.remove(table);
        }
    }
}
