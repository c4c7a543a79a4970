//! One table on its way into one destination.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use selvedge_core::Counts;
use selvedge_queue::TableBounds;

use crate::progress::Tally;

/// What is known of a table in a destination, kept by the backlog.
#[derive(Debug, Default)]
pub(crate) struct Track {
    accepted: u64,
    /// About what the bodies of the records that wait take.
    waiting_bytes: u64,
    repeated: u64,
    /// What the destination committed since the engine was started.
    committed: Counts,
    /// The newest batch there is.
    newest: u64,
    /// A batch number: the destination has all of every batch up to it.
    pub(crate) loaded_to: u64,
    /// A batch number: every batch up to it was taken up for a load, which may have failed since.
    taken_to: u64,
    acquaintance: Acquaintance,
    /// Since when there is something to do without a break.
    waiting_since: Option<Instant>,
    condition: Condition,
    /// Why the table is paused in every destination, if it is.
    held: Option<String>,
    warnings: VecDeque<String>,
    /// How often loading failed since it last succeeded.
    failures: u32,
}

/// Whether the loader has looked at the table in its destination. It does so for every table the queue knows, also when
/// nothing waits: a destination that was removed or restored is to be noticed at once.
#[derive(Debug, Default, PartialEq, Eq)]
enum Acquaintance {
    Due,
    #[default]
    Made,
}

/// Whether loading goes on.
#[derive(Debug, Default)]
enum Condition {
    #[default]
    Running,
    /// To be tried again, not before the moment given.
    PutOff { reason: String, until: Instant },
    /// Until somebody acts, and resumes the table or starts the engine again.
    Paused { reason: String },
}

/// The first pause after a failure; each further one is twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How many warnings are kept: the last ones.
const WARNINGS: usize = 5;

impl Track {
    /// Takes in what the queue held when the engine was started. Batches it had deleted are in the destination, or are none
    /// of its business.
    pub(crate) fn inherit(&mut self, bounds: &TableBounds) {
        self.loaded_to = bounds.deleted_to;
        self.acquaintance = Acquaintance::Due;
        self.hold(bounds.paused.clone());
        self.accept(bounds.newest, bounds.kept_records, bounds.kept_bytes);
    }

    /// Takes in records of a batch that is in the queue now.
    pub(crate) fn accept(&mut self, batch: u64, records: u64, body_bytes: u64) {
        self.newest = self.newest.max(batch);
        self.accepted += records;
        // A loader that was ahead has it already.
        self.waiting_bytes = if self.waiting() == 0 { 0 } else { self.waiting_bytes + body_bytes };
        if self.has_work() {
            self.waiting_since.get_or_insert_with(Instant::now);
        }
    }

    /// Forgets records that turned out to have been loaded before the engine was started.
    pub(crate) fn forget(&mut self, records: u64, loaded_to: u64) {
        let waited = self.waiting();
        self.accepted = self.accepted.saturating_sub(records);
        self.keep_bytes(waited);
        self.loaded_to = loaded_to;
        self.acquaintance = Acquaintance::Made;
        self.mark_progress();
    }

    /// Notes that the batches up to `batch` were taken up for a load.
    pub(crate) fn take(&mut self, batch: u64) {
        self.taken_to = self.taken_to.max(batch);
    }

    /// Whether a batch is still to be taken up. One that was is not kept in memory for another try: that decodes it again.
    pub(crate) fn awaits(&self, batch: u64) -> bool {
        self.taken_up() < batch
    }

    /// A batch number: no batch up to it is going to be asked for.
    pub(crate) fn taken_up(&self) -> u64 {
        self.taken_to.max(self.loaded_to)
    }

    pub(crate) fn repeat(&mut self, records: u64) {
        self.repeated += records;
    }

    /// Takes in what a load committed: the difference of the counts before and after it.
    pub(crate) fn commit(&mut self, before: Counts, after: Counts, loaded_to: u64) {
        let waited = self.waiting();
        self.committed.loaded += after.loaded - before.loaded;
        self.committed.superseded += after.superseded - before.superseded;
        self.committed.rejected += after.rejected - before.rejected;
        self.keep_bytes(waited);
        self.loaded_to = loaded_to;
        self.mark_progress();
    }

    /// Of the bytes of so many records, keeps the share of those that still wait.
    fn keep_bytes(&mut self, waited: u64) {
        self.waiting_bytes = part_of(self.waiting_bytes, self.waiting(), waited);
    }

    fn mark_progress(&mut self) {
        self.failures = 0;
        self.go_on();
    }

    fn go_on(&mut self) {
        self.condition = Condition::Running;
        self.waiting_since = self.has_work().then(Instant::now);
    }

    /// Puts loading off, longer with every failure in a row.
    pub(crate) fn put_off(&mut self, reason: String) {
        let delay = FIRST_DELAY.saturating_mul(1 << self.failures.min(16)).min(LONGEST_DELAY);
        let delay = delay.mul_f64(jitter());
        self.failures += 1;
        self.condition = Condition::PutOff { reason, until: Instant::now() + delay };
    }

    pub(crate) fn pause(&mut self, reason: String) {
        self.condition = Condition::Paused { reason };
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.held.is_some() || matches!(self.condition, Condition::Paused { .. })
    }

    /// Pauses the table for this reason, in every destination alike; without one, that is over.
    pub(crate) fn hold(&mut self, reason: Option<String>) {
        self.held =
            reason.map(|reason| format!("the table is paused: {reason}; `selvedge table resume` lets it go on"));
    }

    /// Lets it go on, whatever it was paused or put off for.
    pub(crate) fn resume(&mut self) {
        self.hold(None);
        self.failures = 0;
        self.go_on();
    }

    /// Notes what somebody may want to know, once.
    pub(crate) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push_back(warning);
        }
        if self.warnings.len() > WARNINGS {
            self.warnings.pop_front();
        }
    }

    pub(crate) fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter()
    }

    /// Whether the destination lacks a batch. The numbers decide, not the counts: those of a load that was ahead of a
    /// sender's thread would hide a batch that waits.
    pub(crate) fn is_behind(&self) -> bool {
        self.loaded_to < self.newest
    }

    fn has_work(&self) -> bool {
        self.is_behind() || self.acquaintance == Acquaintance::Due
    }

    /// Whether there is work that a pause by hand leaves: what the destination has is found out all the same, so that what waits
    /// is counted.
    fn may_work(&self) -> bool {
        if self.held.is_some() { self.acquaintance == Acquaintance::Due } else { self.has_work() }
    }

    /// Whether loading has something to do, now or later.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.may_work() && !matches!(self.condition, Condition::Paused { .. })
    }

    /// Whether there was anything to do, or to tell, since the engine was started.
    pub(crate) fn is_of_interest(&self) -> bool {
        self.tally() != Tally::default() || !self.is_running() || !self.warnings.is_empty()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.held.is_none() && matches!(self.condition, Condition::Running)
    }

    /// Why loading does not go on at the moment.
    pub(crate) fn reason(&self) -> Option<&str> {
        match (&self.held, &self.condition) {
            (Some(reason), _) => Some(reason),
            (None, Condition::Running) => None,
            (None, Condition::PutOff { reason, .. } | Condition::Paused { reason }) => Some(reason),
        }
    }

    /// Since when something could be loaded, if anything can be at this moment.
    pub(crate) fn ready_since(&self, now: Instant) -> Option<Instant> {
        match &self.condition {
            Condition::Paused { .. } => None,
            Condition::PutOff { until, .. } if *until > now => None,
            _ => self.waiting_since.filter(|_| self.may_work()),
        }
    }

    pub(crate) fn waiting(&self) -> u64 {
        let Counts { loaded, superseded, rejected, .. } = self.committed;
        self.accepted.saturating_sub(loaded + superseded + rejected)
    }

    /// About how many bytes of bodies wait.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    pub(crate) fn tally(&self) -> Tally {
        let Counts { loaded, superseded, rejected, .. } = self.committed;
        let waiting = self.waiting();
        // A loader can be ahead of the sender's thread, which counts a batch only after it is durable.
        let accepted = loaded + superseded + rejected + waiting;
        Tally { accepted, loaded, superseded, rejected, waiting, repeated: self.repeated }
    }
}

/// A random share between a half and all of a delay, so that those who were turned away together do not come back together.
fn jitter() -> f64 {
    // What a hasher begins with is random, and nothing else here needs more than that.
    let random = RandomState::new().build_hasher().finish() >> 32;
    0.5 + 0.5 * random as f64 / f64::from(u32::MAX)
}

/// What so many of all records take of their bytes.
fn part_of(bytes: u64, records: u64, all: u64) -> u64 {
    let part = u128::from(bytes) * u128::from(records.min(all)) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(bytes)
}
