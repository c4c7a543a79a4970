//! The records of a batch that are still to be loaded.

use std::collections::BTreeMap;

use crate::prepare::Pending;
use crate::records::Records;

/// A batch of which the records from `first` on are to be loaded, but for those that are rejected.
pub(crate) struct Part<'p> {
    pub(crate) batch: u64,
    pub(crate) received_at: i64,
    /// The index of the first record here. Those before it were loaded by an earlier load.
    pub(crate) first: usize,
    /// All of the batch.
    pub(crate) records: &'p Records,
    /// What is wrong with records that cannot be loaded, by their index in the batch.
    pub(crate) rejected: BTreeMap<usize, Fault>,
}

/// What is wrong with a record.
pub(crate) struct Fault {
    /// Where in it, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) reason: String,
}

impl<'p> Part<'p> {
    /// What is pending, without the records that were found to be wrong when it was decoded.
    pub(crate) fn new(pending: &'p Pending) -> Self {
        let records = &*pending.records;
        let first = usize::try_from(pending.applied).unwrap_or(usize::MAX).min(records.len());
        let mut part =
            Self { batch: pending.batch, received_at: pending.received_at, first, records, rejected: BTreeMap::new() };
        for rejection in &pending.records.rejected {
            let fault = || Fault { pointer: rejection.pointer.clone(), reason: rejection.reason.clone() };
            part.reject(usize::try_from(rejection.record).unwrap_or(usize::MAX), fault);
        }
        part
    }

    /// Rejects a record, unless it was loaded before, or is rejected already.
    pub(crate) fn reject(&mut self, record: usize, fault: impl FnOnce() -> Fault) {
        if (self.first..self.records.len()).contains(&record) {
            self.rejected.entry(record).or_insert_with(fault);
        }
    }

    /// The indices of the records to load.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        (self.first..self.records.len()).filter(|row| !self.is_rejected(*row))
    }

    pub(crate) fn is_rejected(&self, row: usize) -> bool {
        !self.rejected.is_empty() && self.rejected.contains_key(&row)
    }
}
