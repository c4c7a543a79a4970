//! How long batches with rejected records are kept for replay.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use selvedge_queue::{Queue, QueueError};

use crate::intake::now;

/// How long is waited at least before what is too old is looked for again.
const PRUNED_EVERY: Duration = Duration::from_secs(3600);

pub(crate) struct Retention {
    kept: Duration,
    pruned: Mutex<Option<Instant>>,
}

impl Retention {
    pub(crate) fn new(kept: Duration) -> Self {
        Self { kept, pruned: Mutex::new(None) }
    }

    /// Lets go of what was kept long enough, unless that was done a short time ago or is being done.
    pub(crate) fn prune(&self, queue: &dyn Queue) -> Result<(), QueueError> {
        let Ok(mut pruned) = self.pruned.try_lock() else { return Ok(()) };
        if pruned.is_none_or(|at| at.elapsed() >= PRUNED_EVERY) {
            let kept = i64::try_from(self.kept.as_micros()).unwrap_or(i64::MAX);
            queue.prune_kept(now().saturating_sub(kept))?;
            *pruned = Some(Instant::now());
        }
        Ok(())
    }
}
