//! Commands that are cut short at each of their steps, as by a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use selvedge_core::{
    Capabilities, Destination, Epoch, LoadError, LoadErrorKind, QueueId, Removal, TableLoad, TableName, TableState,
};
use selvedge_engine::{
    Cursor, EmbeddedQueue, Kept, Queue, QueueError, Registered, Registration, SealedBody, TableBounds,
};
use selvedge_queue::{Append, Appended, Stored};

/// What of the step at which a command is cut is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    NotDone,
    /// It is, but whoever asked for it is told that it failed, or that nobody knows.
    Done,
}

/// Counts the calls that change something, and has one of them fail, and all after it: who crashed does nothing more.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    at: usize,
    step: Step,
    calls: Arc<AtomicUsize>,
}

/// Has `command` cut at its first call that changes something, then at its second, and so on until it comes to its end; each
/// time before the call takes effect, and after.
pub(crate) fn at_every_step(command: impl Fn(&Cut)) {
    for step in [Step::NotDone, Step::Done] {
        let cuts = (1..).map(|at| Cut::new(at, step));
        let ends = |cut: &Cut| {
            command(cut);
            !cut.fell()
        };
        let last = cuts.into_iter().find(ends).map_or(0, |cut| cut.at);
        assert!(last > 1, "the command has no step to be cut at");
    }
}

impl Cut {
    /// At the call of this number, from 1.
    pub(crate) fn new(at: usize, step: Step) -> Self {
        Self { at, step, calls: Arc::default() }
    }

    pub(crate) fn never() -> Self {
        Self::new(usize::MAX, Step::NotDone)
    }

    /// Whether the command was cut.
    pub(crate) fn fell(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }

    pub(crate) fn queue(&self, queue: EmbeddedQueue) -> CutQueue {
        CutQueue { queue, cut: self.clone() }
    }

    pub(crate) fn destination(&self, destination: impl Destination + 'static) -> Box<dyn Destination> {
        Box::new(CutDestination { destination, cut: self.clone() })
    }

    fn change<T, E>(&self, change: impl FnOnce() -> Result<T, E>, failed: impl FnOnce() -> E) -> Result<T, E> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call < self.at {
            return change();
        }
        if call == self.at && self.step == Step::Done {
            change()?;
        }
        Err(failed())
    }
}

/// A queue whose changes are cut.
pub(crate) struct CutQueue {
    queue: EmbeddedQueue,
    cut: Cut,
}

impl CutQueue {
    fn change<T>(&self, change: impl FnOnce(&EmbeddedQueue) -> Result<T, QueueError>) -> Result<T, QueueError> {
        // There is no batch of this number, and an error is what is wanted.
        self.cut.change(|| change(&self.queue), || self.queue.body(u64::MAX).unwrap_err())
    }
}

impl Queue for CutQueue {
    fn id(&self) -> QueueId {
        self.queue.id()
    }

    fn epoch(&self, batch: u64) -> Result<Option<Epoch>, QueueError> {
        self.queue.epoch(batch)
    }

    fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, QueueError> {
        self.change(|queue| queue.append(appends))
    }

    fn set_cursor(&self, cursor: Cursor) -> Result<(), QueueError> {
        self.change(|queue| queue.set_cursor(cursor))
    }

    fn cursor(&self, source: &str) -> Result<Option<String>, QueueError> {
        self.queue.cursor(source)
    }

    fn read(&self, table: &TableName, after: u64, limit: usize) -> Result<Vec<Stored>, QueueError> {
        self.queue.read(table, after, limit)
    }

    fn body(&self, batch: u64) -> Result<Vec<u8>, QueueError> {
        self.queue.body(batch)
    }

    fn tables(&self) -> Result<Vec<TableBounds>, QueueError> {
        self.queue.tables()
    }

    fn register(&self, destination: &str, registered_at: i64) -> Result<Registration, QueueError> {
        self.change(|queue| queue.register(destination, registered_at))
    }

    fn unregister(&self, destination: &str) -> Result<(), QueueError> {
        self.change(|queue| queue.unregister(destination))
    }

    fn destinations(&self) -> Result<Vec<Registered>, QueueError> {
        self.queue.destinations()
    }

    fn acknowledged(&self, destination: &str, table: &TableName) -> Result<u64, QueueError> {
        self.queue.acknowledged(destination, table)
    }

    fn acknowledge(&self, destination: &str, table: &TableName, batch: u64) -> Result<(), QueueError> {
        self.change(|queue| queue.acknowledge(destination, table, batch))
    }

    fn set_paused(&self, table: &TableName, reason: Option<&str>) -> Result<(), QueueError> {
        self.change(|queue| queue.set_paused(table, reason))
    }

    fn keep_for_replay(&self, table: &TableName, batches: &[u64]) -> Result<(), QueueError> {
        self.change(|queue| queue.keep_for_replay(table, batches))
    }

    fn kept_for_replay(&self, table: Option<&TableName>) -> Result<Vec<Kept>, QueueError> {
        self.queue.kept_for_replay(table)
    }

    fn prune_kept(&self, received_before: i64) -> Result<(), QueueError> {
        self.change(|queue| queue.prune_kept(received_before))
    }

    fn restart_table(&self, destination: &str, table: &TableName, registered_at: i64) -> Result<(), QueueError> {
        self.change(|queue| queue.restart_table(destination, table, registered_at))
    }

    fn drop_table(&self, table: &TableName, dropped_at: i64) -> Result<(), QueueError> {
        self.change(|queue| queue.drop_table(table, dropped_at))
    }

    fn forget_repeats(&self, table: &TableName) -> Result<(), QueueError> {
        self.change(|queue| queue.forget_repeats(table))
    }

    fn replace_body(&self, batch: u64, body: SealedBody) -> Result<(), QueueError> {
        self.change(|queue| queue.replace_body(batch, body))
    }

    fn wipe_deleted(&self) -> Result<(), QueueError> {
        self.change(EmbeddedQueue::wipe_deleted)
    }
}

/// A destination whose changes are cut.
struct CutDestination<D> {
    destination: D,
    cut: Cut,
}

impl<D: Destination> Destination for CutDestination<D> {
    fn capabilities(&self) -> &Capabilities {
        self.destination.capabilities()
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        self.destination.state(table)
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        self.cut.change(|| self.destination.load(load), lost)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.cut.change(|| self.destination.remove(table, found, removal), lost)
    }
}

fn lost() -> LoadError {
    LoadError::new(LoadErrorKind::Unavailable, "the test lost the answer").possibly_applied()
}
