//! Finding the record that stands in the way of a load.
//!
//! A destination that refuses a load because of a row does not say which one, and need not know. Loads of half as many records are
//! tried until one fits or one record is left alone: that one is rejected, and from there on loads grow again. So all that is
//! sound goes in, in the order of the queue, and bisection is nothing but smaller loads.

use std::mem;
use std::sync::Arc;

use selvedge_prepare::{Pending, Rejection};

use crate::source::Trouble;

/// So many records one after the other that a destination takes none of are not the fault of each of them.
const REJECTED_IN_A_ROW_MAX: u32 = 100;

/// What is known of the records in the way of a table's loads.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    /// The most records that the next load takes; all that wait, if there is none.
    limit: Option<u64>,
    /// Why the first record that waits is to be rejected, if it is.
    verdict: Option<String>,
    rejected_in_a_row: u32,
}

impl Isolation {
    /// The most records that the next load takes.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.unwrap_or(u64::MAX)
    }

    /// What is pending, as far as the next load takes it.
    pub(crate) fn part_of(&self, mut pending: Vec<Pending>) -> Vec<Pending> {
        let Some(mut left) = self.limit else { return pending };
        pending.retain_mut(|batch| {
            batch.until = batch.until.min(batch.applied.saturating_add(left));
            left -= batch.until - batch.applied;
            batch.applied < batch.until
        });
        if let (Some(first), Some(reason)) = (pending.first_mut(), &self.verdict) {
            reject(first, reason);
        }
        pending
    }

    /// Notes that the destination took a load of so many records.
    pub(crate) fn passed(&mut self, records: u64) {
        self.rejected_in_a_row = if self.verdict.take().is_some() { self.rejected_in_a_row + 1 } else { 0 };
        // One that did not reach the limit took all that one load takes.
        self.limit = self.limit.filter(|limit| *limit <= records).map(|limit| limit.saturating_mul(2));
    }

    /// Notes that the destination refused a load of so many records because of a row.
    ///
    /// # Errors
    /// When that is no matter of single records.
    pub(crate) fn refused(&mut self, records: u64, reason: String) -> Result<(), Trouble> {
        if self.verdict.is_some() || (records <= 1 && self.rejected_in_a_row >= REJECTED_IN_A_ROW_MAX) {
            let rejected = mem::take(self).rejected_in_a_row;
            return Err(Trouble::Pause(format!(
                "{reason}. {rejected} records in a row were rejected for that, and the next one would be: look at what keeps rows out \
                 of the table, remove it, then resume the table, and replay those records"
            )));
        }
        self.limit = Some(records.div_ceil(2));
        self.verdict = (records <= 1).then_some(reason);
        Ok(())
    }
}

/// How many records are pending.
pub(crate) fn records(pending: &[Pending]) -> u64 {
    pending.iter().map(|batch| batch.until - batch.applied).sum()
}

/// Rejects the first record that is pending, unless it is rejected already.
fn reject(pending: &mut Pending, reason: &str) {
    let record = pending.applied;
    let rejected = &mut Arc::make_mut(&mut pending.records).rejected;
    if let Err(at) = rejected.binary_search_by_key(&record, |rejection| rejection.record) {
        rejected.insert(at, Rejection { record, pointer: String::new(), reason: reason.to_owned() });
    }
}
