//! How long rejected records are kept: their rows in the destinations, and their batches in the queue for replay.

use std::time::{Duration, Instant};

use selvedge_core::{Removal, TableName};

use crate::error::with_causes;
use crate::intake::now;
use crate::loader::{Loader, Standing};

/// How long is waited at least before what is too old is looked for again, however short it is kept.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// How long is waited at most.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// The setting, and when what is too old is looked for next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    kept: Duration,
    due: Instant,
}

impl Retention {
    pub(crate) fn new(kept: Duration) -> Self {
        Self { kept, due: Instant::now() + kept.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL) }
    }

    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// What is from before this moment is too old, in microseconds since 1970 (UTC).
    pub(crate) fn begins(&self) -> i64 {
        let kept = i64::try_from(self.kept.as_micros()).unwrap_or(i64::MAX);
        now().saturating_sub(kept).max(0)
    }
}

impl Loader {
    /// Removes what was rejected too long ago, from all tables and from the queue.
    pub(crate) fn prune(&mut self) {
        self.retention = Retention::new(self.retention.kept);
        let before = self.retention.begins();
        // A queue that cannot be written says so to all who push, and to the loads.
        let _ = self.source.queue.prune_kept(before);
        let tables: Vec<TableName> = self.standing.keys().cloned().collect();
        tables.iter().for_each(|table| self.prune_table(table, before));
    }

    /// Removes a table's records that were rejected before a moment, in microseconds since 1970 (UTC). They stay counted. What is
    /// in the way of that is in the way of nothing else.
    pub(crate) fn prune_table(&mut self, table: &TableName, before: i64) {
        let Some(Standing::Known(Some(found))) = self.standing.get(table) else { return };
        // Where none was counted none stands; and what another queue loaded is its own until this one does.
        let may_stand = found.counts.rejected > 0 && found.position.queue == self.source.queue.id();
        if !may_stand || self.source.backlog.is_paused(self.follower, table) {
            return;
        }
        let found = found.clone();
        match self.destination.remove(table, &found, Removal::RejectsBefore(before)) {
            Ok(left) => drop(self.standing.insert(table.clone(), Standing::Known(left))),
            Err(error) => {
                let warning = format!(
                    "records of {table} that were rejected long ago could not be removed, which is tried again later: {}",
                    with_causes(&error)
                );
                self.source.backlog.warn(self.follower, table, warning);
            }
        }
    }
}
