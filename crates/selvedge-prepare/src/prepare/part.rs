//! The records of a batch that are still to be loaded.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;

use crate::prepare::Pending;
use crate::prepare::policy::{Deletes, Loading};
use crate::records::{Action, Records};

/// A batch of which a range of records is to be loaded, but for those that are rejected.
///
/// Its messages that activate a version are among its records, but are never rows.
pub(crate) struct Part<'p> {
    pub(crate) batch: u64,
    pub(crate) received_at: i64,
    /// The indices of the records to load. Those before were loaded by an earlier load, those after are by a later one.
    pub(crate) range: Range<usize>,
    /// The properties by which its records replace others.
    pub(crate) keys: &'p [String],
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
    pub(crate) fn new(pending: &'p Pending, loading: Loading) -> Self {
        let Pending { batch, received_at, .. } = *pending;
        let records = &*pending.records;
        let keys = match loading {
            Loading::Upsert => &*records.keys,
            Loading::Append => &[],
        };
        let mut part = Self { batch, received_at, range: pending.range(), keys, records, rejected: BTreeMap::new() };
        for rejection in &pending.records.rejected {
            let fault = || Fault { pointer: rejection.pointer.clone(), reason: rejection.reason.clone() };
            part.reject(usize::try_from(rejection.record).unwrap_or(usize::MAX), fault);
        }
        part
    }

    /// Rejects a record, if it is one of those to load and not rejected already.
    pub(crate) fn reject(&mut self, record: usize, fault: impl FnOnce() -> Fault) {
        if self.range.contains(&record) {
            self.rejected.entry(record).or_insert_with(fault);
        }
    }

    /// The indices of the records to load as rows or deletes.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        let is_record = |row: &usize| self.records.action(*row) != Action::ActivateVersion;
        self.range.clone().filter(is_record).filter(|row| !self.is_rejected(*row))
    }

    /// Whether its deletes leave no row behind. Without keys there is no row that they could take away.
    pub(crate) fn erases(&self, deletes: Deletes) -> bool {
        deletes == Deletes::Hard && !self.keys.is_empty()
    }

    /// When a record was deleted, if it is a delete: in microseconds since 1970 (UTC).
    pub(crate) fn deleted_at(&self, row: usize) -> Option<i64> {
        let extracted_at = || {
            let moments = self.records.extracted_at.as_ref()?.as_primitive_opt::<TimestampMicrosecondType>()?;
            (row < moments.len() && moments.is_valid(row)).then(|| moments.value(row))
        };
        (self.records.action(row) == Action::Delete).then(|| extracted_at().unwrap_or(self.received_at))
    }

    /// Whether any of these records is a delete.
    pub(crate) fn has_deletes(&self) -> bool {
        self.records.actions.is_some() && self.rows().any(|row| self.records.action(row) == Action::Delete)
    }

    pub(crate) fn is_rejected(&self, row: usize) -> bool {
        !self.rejected.is_empty() && self.rejected.contains_key(&row)
    }
}
