//! The queue as the engine sees it: the trait and the values that pass through it.

use std::collections::BTreeMap;

use selvedge_core::{Epoch, QueueId, TableName};

use crate::{QueueError, SealedBody};

/// A durable queue of batches, one sequence for all tables.
///
/// Every method blocks and may be called from any thread. Batch numbers begin at 1, grow in the order of appending, and are
/// never used twice, even when every batch has been deleted.
///
/// Any method may return an error of kind [`Io`](crate::QueueErrorKind::Io) or [`Corrupt`](crate::QueueErrorKind::Corrupt).
/// After the first write that failed, every method that writes returns [`Stopped`](crate::QueueErrorKind::Stopped), until the
/// queue is opened again; reading goes on.
pub trait Queue: Send + Sync {
    /// The identity of this queue, made with it.
    fn id(&self) -> QueueId;

    /// The epoch in which the queue gave the number `batch`, whether that batch was deleted since or not. `None` for a number
    /// it has not given.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn epoch(&self, batch: u64) -> Result<Option<Epoch>, QueueError>;

    /// Appends in the given order, all or nothing, and answers in the same order. Durable when it returns; calls from
    /// several threads share one commit.
    ///
    /// # Errors
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed: the batches may or may not be in the queue, so the
    /// sender must send them again after the restart, as a repeat. [`Refused`](crate::QueueErrorKind::Refused) when a body is
    /// larger than [`MAX_STORED_BYTES`](crate::MAX_STORED_BYTES); nothing is appended then.
    fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, QueueError>;

    /// Commits a cursor alone, as when a source ended without a last batch. Durable when it returns.
    ///
    /// # Errors
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn set_cursor(&self, cursor: Cursor) -> Result<(), QueueError>;

    /// The last state committed for this source, if any.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn cursor(&self, source: &str) -> Result<Option<String>, QueueError>;

    /// The batches of `table` whose numbers are greater than `after`, oldest first, at most `limit` of them, without their
    /// bodies. Empty for a table the queue never saw.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn read(&self, table: &TableName, after: u64, limit: usize) -> Result<Vec<Stored>, QueueError>;

    /// The body of a batch as it was sealed, verified against its content hash; also of one that was deleted and is
    /// [kept for replay](Self::keep_for_replay).
    ///
    /// # Errors
    /// [`Corrupt`](crate::QueueErrorKind::Corrupt) when it is not what was appended, [`Refused`](crate::QueueErrorKind::Refused)
    /// when the queue holds no such batch, because it was deleted or never appended.
    fn body(&self, batch: u64) -> Result<Vec<u8>, QueueError>;

    /// What the queue holds of each table it ever saw, in the order of their first batches.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn tables(&self) -> Result<Vec<TableBounds>, QueueError>;

    /// Makes `destination` one of those that every batch is kept for, from now on, and tells since when it is complete. For
    /// a destination already registered it changes nothing and tells the same again. `registered_at` is the present moment,
    /// in microseconds since 1970 UTC. Durable when it returns.
    ///
    /// # Errors
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn register(&self, destination: &str, registered_at: i64) -> Result<Registration, QueueError>;

    /// Forgets `destination` and what it acknowledged. Batches that only it lacked are deleted some time after; without any
    /// destination nothing is deleted. Registered anew, it begins at the oldest batch kept then. Durable when it returns.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when it is not registered, naming those that are;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn unregister(&self, destination: &str) -> Result<(), QueueError>;

    /// The registered destinations, in the order in which they came.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn destinations(&self) -> Result<Vec<Registered>, QueueError>;

    /// The newest batch number that `destination` acknowledged for `table`; 0 if it did for none, or is not registered.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn acknowledged(&self, destination: &str, table: &TableName) -> Result<u64, QueueError>;

    /// Says that `destination` durably has every record of `table` up to and including batch number `batch`. What every
    /// registered destination has is deleted, some time after.
    ///
    /// Returns before it is committed: a crash may lose it, and then batches are merely kept until the destination
    /// acknowledges again. Acknowledging less than before changes nothing.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the destination is not registered, or `batch` is newer than the newest
    /// of that table: nothing may be deleted that a destination cannot have loaded.
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn acknowledge(&self, destination: &str, table: &TableName, batch: u64) -> Result<(), QueueError>;

    /// Notes that `table` is paused and why, or with `None` that it no longer is. The queue itself goes on as before: this is
    /// for those who load. Durable when it returns.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the queue never saw the table;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn set_paused(&self, table: &TableName, reason: Option<&str>) -> Result<(), QueueError>;

    /// Makes the bodies of these batches of `table` outlive their batches, until they are [pruned](Self::prune_kept): a record
    /// of them was rejected, and may be sent again. Batches that the queue no longer holds are not kept. Durable when it
    /// returns, so what is acknowledged afterwards is not deleted without being kept.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the queue never saw the table;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn keep_for_replay(&self, table: &TableName, batches: &[u64]) -> Result<(), QueueError>;

    /// The batches kept for replay, oldest first: those of one table, or all. [`body`](Self::body) gives their bodies.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn kept_for_replay(&self, table: Option<&TableName>) -> Result<Vec<Kept>, QueueError>;

    /// Keeps no batch for replay any longer that was received before this moment, in microseconds since 1970 UTC. Bodies that
    /// wait for a destination stay as long as they do. Durable when it returns.
    ///
    /// # Errors
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn prune_kept(&self, received_before: i64) -> Result<(), QueueError>;

    /// Begins a table anew in one destination: it counts as if it had been registered for this table at `registered_at`, in
    /// microseconds since 1970 UTC, and what it acknowledged of the table is forgotten. Once the table is removed there, it is
    /// loaded from the oldest batch that the queue still holds. Durable when it returns.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the destination is not registered, or the queue never saw the table;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn restart_table(&self, destination: &str, table: &TableName, registered_at: i64) -> Result<(), QueueError>;

    /// Forgets what the queue holds of a table: its batches, also those kept for replay, the hashes of their content, what was
    /// acknowledged, its counts, and that it is paused. To every destination it is as if it had been registered for this table
    /// at `dropped_at`, in microseconds since 1970 UTC. Only batch numbers go on growing. Durable when it returns.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the queue never saw the table;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn drop_table(&self, table: &TableName, dropped_at: i64) -> Result<(), QueueError>;

    /// Forgets the hashes of a table's bodies, so that one that comes once more is not taken for a repeat. Durable when it
    /// returns.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the queue never saw the table;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn forget_repeats(&self, table: &TableName) -> Result<(), QueueError>;

    /// Puts another body in the place of one that waits or is kept for replay, as when records in it have to be erased. It
    /// must hold as many records, so that the counts stay true. The body that first came is still known as a
    /// [repeat](Repeats). Durable when it returns; [`erase_deleted`](Self::erase_deleted) then leaves nothing of the old one.
    ///
    /// # Errors
    /// [`Refused`](crate::QueueErrorKind::Refused) when the queue holds no such body, or the new one is larger than
    /// [`MAX_STORED_BYTES`](crate::MAX_STORED_BYTES); [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn replace_body(&self, batch: u64, body: SealedBody) -> Result<(), QueueError>;

    /// Sees to it that nothing of what was deleted or replaced before is in the queue's files. Done when it returns.
    ///
    /// # Errors
    /// [`Io`](crate::QueueErrorKind::Io) when something may still be in the log: call it again;
    /// [`Stopped`](crate::QueueErrorKind::Stopped) when a write failed.
    fn erase_deleted(&self) -> Result<(), QueueError>;
}

/// A batch to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// The table its records are for.
    pub table: TableName,
    /// What was sent.
    pub body: SealedBody,
    /// How many records it holds.
    pub records: u64,
    /// When it was received, in microseconds since 1970 UTC.
    pub received_at: i64,
    /// What to do if the table had the same body before.
    pub repeats: Repeats,
    /// How far its source is with this batch.
    pub cursor: Option<Cursor>,
}

/// What to do with a body the table had before.
///
/// Content hashes are remembered for [`REPEATS_KEPT_DAYS`](crate::REPEATS_KEPT_DAYS) at least, also of batches deleted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Acknowledge it again, without a second effect: for senders that repeat a request they had no answer to.
    Acknowledge,
    /// Append it again: for senders that know by their cursor that it is new.
    Append,
}

/// How far a source has been read: committed together with the batch that brought it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The name of the source.
    pub source: String,
    /// Its state, in the sender's own words.
    pub state: String,
}

/// The receipt of one [`Append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of the batch; for a repeated body, of the batch that first brought it, which may be deleted by now.
    pub batch: u64,
    /// Whether the body was there before, so that nothing was appended.
    pub repeated: bool,
}

/// A batch in the queue, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub batch: u64,
    /// The epoch in which it got that number.
    pub epoch: Epoch,
    /// How many records it holds.
    pub records: u64,
    /// When it was received, in microseconds since 1970 UTC.
    pub received_at: i64,
    /// The length of its body in bytes, as [`Queue::body`] returns it.
    pub body_bytes: u64,
}

/// What the queue holds of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableBounds {
    /// The table.
    pub table: TableName,
    /// How many records were ever accepted for it.
    pub accepted: u64,
    /// How many of them are still in the queue.
    pub kept_records: u64,
    /// The number of its newest batch ever, deleted or not.
    pub newest: u64,
    /// The number of its newest batch that was deleted, 0 if none was.
    pub deleted_to: u64,
    /// The length of the bodies of its batches in the queue, in bytes, without those only kept for replay.
    pub kept_bytes: u64,
    /// Why it is paused, if it is.
    pub paused: Option<String>,
}

/// A batch whose body is kept for replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The table it is for.
    pub table: TableName,
    /// Its number.
    pub batch: u64,
    /// How many records it holds, rejected or not.
    pub records: u64,
    /// When it was received, in microseconds since 1970 UTC.
    pub received_at: i64,
}

/// Since when a destination gets everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// The tables that had lost batches when the destination was registered. All others it gets from their beginning.
    pub since: BTreeMap<TableName, Since>,
}

/// Since when a destination gets everything of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The number of the newest batch that was deleted before the destination was registered. None after it is deleted
    /// without the destination's acknowledgement.
    pub batch: u64,
    /// How many records the batches up to that one held: those the queue cannot give the destination.
    pub records: u64,
    /// Everything received from this moment on it gets: when the oldest batch kept was received, or, if none was kept, when
    /// the destination was registered. In microseconds since 1970 UTC.
    pub received_at: i64,
}

/// A destination that batches are kept for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its name.
    pub name: String,
    /// Since when it gets everything.
    pub registration: Registration,
    /// How many records wait for it, by table: they are kept, and it has not acknowledged them. Tables without any are left
    /// out.
    pub waiting: BTreeMap<TableName, u64>,
}
