//! The engine as a program holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::bounded;
use selvedge_core::TableName;
use selvedge_queue::{Cursor, Queue, Registration};

use crate::backlog::{Backlog, Sending};
use crate::batch::Batch;
use crate::builder::EngineBuilder;
use crate::error::{EngineError, EngineErrorKind};
use crate::intake::{self, Intake};
use crate::progress::{Progress, Waiting};
use crate::receipt::Receipt;

/// Takes batches, makes them durable, and loads them into every destination, exactly once.
///
/// It may be shared between threads. Dropping it ends the loads under way; what is left in the queue is loaded when an
/// engine is started on the same folder again.
pub struct Engine {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) intake: Intake,
    pub(crate) backlog: Arc<Backlog>,
    /// Held while records are replayed.
    pub(crate) replaying: Mutex<()>,
    /// Since when each destination gets everything, by its name.
    pub(crate) registrations: BTreeMap<String, Registration>,
    pub(crate) loaders: Vec<JoinHandle<()>>,
}

/// The most that is appended together by [`Engine::push_many`], decoded and sealed: enough for one fsync to be nothing beside it.
const GROUP_BYTES_MAX: usize = 16 << 20;

impl Engine {
    /// Begins to build an engine whose queue stands in `folder`, which is made if need be.
    pub fn builder(folder: impl Into<PathBuf>) -> EngineBuilder {
        EngineBuilder::new(folder.into())
    }

    /// Takes a batch. When it returns, the batch is durable. Blocks while the budget is used up by other batches on their
    /// way.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when a record or the batch itself is not acceptable: nothing of it is queued.
    /// [`Paused`](EngineErrorKind::Paused) when the table is paused and as much waits for it as
    /// [may](EngineBuilder::paused_limit_bytes): nothing of it is queued.
    /// [`Stopped`](EngineErrorKind::Stopped) when a write to the queue failed: whether the batch is durable is not known;
    /// send it again after a restart.
    pub fn push(&self, batch: Batch) -> Result<Receipt, EngineError> {
        let sending = self.backlog.send(batch.body_bytes());
        self.push_one(batch, &sending)
    }

    /// As [`push`](Self::push), but never waits for room.
    ///
    /// # Errors
    /// As [`push`](Self::push), and [`Full`](EngineErrorKind::Full) when the budget is used up at the moment.
    pub fn try_push(&self, batch: Batch) -> Result<Receipt, EngineError> {
        let full =
            || EngineError::new(EngineErrorKind::Full, "the budget is used up; push the batch again in a moment");
        let sending = self.backlog.try_send(batch.body_bytes()).ok_or_else(full)?;
        self.push_one(batch, &sending)
    }

    fn push_one(&self, batch: Batch, _sending: &Sending) -> Result<Receipt, EngineError> {
        let accepted = self.intake.accept(batch)?;
        let receipts = intake::append(vec![accepted], &*self.queue, &self.backlog)?;
        receipts
            .into_iter()
            .next()
            .ok_or_else(|| EngineError::new(EngineErrorKind::Stopped, "the queue gave no receipt"))
    }

    /// Takes batches in order, several decoded at once: the fast way for many. `on_receipt` is called, in order, for each
    /// batch once it is durable.
    ///
    /// # Errors
    /// As [`push`](Self::push), for the first batch that fails. Every batch before it is durable and got its receipt; none
    /// after it was taken.
    pub fn push_many(
        &self,
        batches: impl IntoIterator<Item = Batch>,
        on_receipt: impl FnMut(&Receipt) + Send,
    ) -> Result<(), EngineError> {
        let _sending = self.backlog.send(0);
        thread::scope(|scope| {
            let (decoded, to_append) = bounded(1);
            let appender = scope.spawn(|| self.append_all(to_append, on_receipt));
            let mut batches = batches.into_iter();
            let mut refused = None;
            while refused.is_none() {
                let group = self.accept_group(&mut batches, &mut refused);
                if group.is_empty() || decoded.send(group).is_err() {
                    break;
                }
            }
            drop(decoded);
            match appender.join() {
                Ok(appended) => appended.and(refused.map_or(Ok(()), Err)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Checks the next batches, up to the first that is refused or to what is appended together.
    fn accept_group(
        &self,
        batches: &mut impl Iterator<Item = Batch>,
        refused: &mut Option<EngineError>,
    ) -> Vec<intake::Accepted> {
        let mut group = Vec::new();
        let mut bytes = 0;
        // One group is decoded, one waits, and one is appended.
        let bytes_max = GROUP_BYTES_MAX.min(self.backlog.arriving_bytes_max() / 3);
        while (group.is_empty() || bytes < bytes_max) && refused.is_none() {
            let few = few(batches, bytes_max);
            if few.is_empty() {
                break;
            }
            let (accepted, error) = self.intake.accept_all(few);
            bytes += accepted.iter().map(intake::Accepted::memory_bytes).sum::<usize>();
            group.extend(accepted);
            *refused = error;
        }
        group
    }

    fn append_all(
        &self,
        groups: crossbeam_channel::Receiver<Vec<intake::Accepted>>,
        mut on_receipt: impl FnMut(&Receipt),
    ) -> Result<(), EngineError> {
        for group in groups {
            intake::append(group, &*self.queue, &self.backlog)?.iter().for_each(&mut on_receipt);
        }
        Ok(())
    }

    /// Pauses a table in every destination, until it is [resumed](Self::resume), through restarts as well. A load of it that is
    /// under way is finished; its batches wait, and the other tables go on. Durable when it returns.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when there never was a batch of this table;
    /// [`Stopped`](EngineErrorKind::Stopped) when a write to the queue failed.
    pub fn pause(&self, table: &TableName, reason: &str) -> Result<(), EngineError> {
        self.queue.set_paused(table, Some(reason))?;
        self.backlog.hold(table, reason);
        Ok(())
    }

    /// Lets a paused table go on: one that was [paused](Self::pause), and one that the engine paused because it could not be
    /// loaded, which is tried again. Durable when it returns.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub fn resume(&self, table: &TableName) -> Result<(), EngineError> {
        self.queue.set_paused(table, None)?;
        self.backlog.resume(table);
        Ok(())
    }

    /// Waits until every destination has loaded everything, at most `timeout`, and tells what still waits and why.
    /// Paused tables are not waited for.
    ///
    /// # Errors
    /// [`Stopped`](EngineErrorKind::Stopped) when a loading thread died of a defect; nothing is lost.
    pub fn flush(&self, timeout: Duration) -> Result<Vec<Waiting>, EngineError> {
        self.backlog.flush(timeout)
    }

    /// How far every table is in every destination, since the engine was started.
    pub fn progress(&self) -> Progress {
        self.backlog.progress()
    }

    /// Since when a destination gets everything: from the beginning, but for the tables the registration names. `None` when
    /// the engine has no destination of this name.
    pub fn registration(&self, destination: &str) -> Option<&Registration> {
        self.registrations.get(destination)
    }

    /// The last state committed for `source`, by a batch's [`cursor`](Batch::cursor) or [`set_cursor`](Self::set_cursor).
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn cursor(&self, source: &str) -> Result<Option<String>, EngineError> {
        Ok(self.queue.cursor(source)?)
    }

    /// Commits how far a source is, without a batch. Durable when it returns.
    ///
    /// # Errors
    /// When the queue has stopped.
    pub fn set_cursor(&self, cursor: Cursor) -> Result<(), EngineError> {
        Ok(self.queue.set_cursor(cursor)?)
    }
}

/// The next batches to decode side by side: as many as threads are busy with, of not much more than so many bytes of bodies. How
/// much memory a batch takes is known only when it is decoded.
fn few(batches: &mut impl Iterator<Item = Batch>, body_bytes_max: usize) -> Vec<Batch> {
    let mut few = Vec::new();
    let mut bytes = 0;
    while few.len() < 2 * rayon::current_num_threads() && (few.is_empty() || bytes < body_bytes_max) {
        let Some(batch) = batches.next() else { break };
        bytes += batch.body_bytes();
        few.push(batch);
    }
    few
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.backlog.stop();
        for loader in self.loaders.drain(..) {
            // A loader that died has said so to all who waited; there is nothing left to say here.
            drop(loader.join());
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Engine {{ queue: {}, destinations: {} }}", self.queue.id(), self.loaders.len())
    }
}
