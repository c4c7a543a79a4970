//! The queue in a folder, as its callers see it.

use std::path::Path;

use selvedge_core::{Epoch, QueueId, TableName};

use crate::body::{MAX_STORED_BYTES, SealedBody};
use crate::error::{QueueError, QueueErrorKind};
use crate::folder::{self, LockedFolder};
use crate::queue::{Append, Appended, Cursor, Kept, Queue, Registered, Registration, Stored, TableBounds};
use crate::read::{Readers, connect_beside_writer, not_held};
use crate::schema;
use crate::tables::TableChange;
use crate::writer::{Request, Writer};

/// A queue in a folder of its own, which one process at a time may open.
///
/// The folder holds `queue.db` with SQLite's files beside it, and `queue.lock`, which is locked while the queue is open.
/// Dropping the queue finishes what was handed to it, and unlocks.
#[derive(Debug)]
pub struct EmbeddedQueue {
    id: QueueId,
    // Fields are dropped in this order: the lock is the last to go.
    readers: Readers,
    writer: Writer,
    _lock: LockedFolder,
}

impl EmbeddedQueue {
    /// Opens the queue in `folder`, and makes both if they are not there.
    ///
    /// # Errors
    /// [`InUse`](QueueErrorKind::InUse) when another process, or this one, has it open; [`Format`](QueueErrorKind::Format)
    /// when the folder holds something else or another version; [`Corrupt`](QueueErrorKind::Corrupt) when it is damaged;
    /// [`Io`](QueueErrorKind::Io) when the folder or its files cannot be made, read or written.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, QueueError> {
        let folder = folder.as_ref();
        folder::create(folder)?;
        let lock = LockedFolder::take(folder)?;
        schema::create(&folder::file_in(folder))?;
        Self::start(folder, lock)
    }

    /// Opens the queue in `folder`, and makes nothing: for those who change who a queue is for, and may have mistaken its
    /// path. Who only looks takes a [`QueueReader`](crate::QueueReader).
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Format`](QueueErrorKind::Format) when there is no queue in the folder, or no folder.
    pub fn open_existing(folder: impl AsRef<Path>) -> Result<Self, QueueError> {
        let folder = folder.as_ref();
        folder::existing_file(folder)?;
        Self::start(folder, LockedFolder::take(folder)?)
    }

    fn start(folder: &Path, lock: LockedFolder) -> Result<Self, QueueError> {
        let file = folder::file_in(folder);
        let connection = schema::open(&file)?;
        let id = schema::queue_id(&connection).map_err(|error| schema::read_error(&file, error))?;
        schema::begin_epoch(&connection).map_err(|error| schema::read_error(&file, error))?;
        folder::sync(folder)?;
        let writer = Writer::start(connection).map_err(|error| schema::read_error(&file, error))?;
        Ok(Self { id, readers: Readers::new(file, connect_beside_writer), writer, _lock: lock })
    }

    /// Changes a table that the queue knows.
    fn change(&self, table: &TableName, change: TableChange) -> Result<(), QueueError> {
        let known = self.writer.ask(|reply| Request::ChangeTable { table: table.clone(), change, reply })?;
        if known {
            return Ok(());
        }
        let message = format!(
            "there never was a batch of {table} in {}: check the names of the table and its integration",
            self.readers.file().display()
        );
        Err(QueueError::new(QueueErrorKind::Refused, message))
    }

    fn not_registered(&self, destination: &str, cannot: &str) -> Result<QueueError, QueueError> {
        let names: Vec<String> = self.destinations()?.into_iter().map(|registered| registered.name).collect();
        let known = if names.is_empty() { "no destination is".to_owned() } else { names.join(", ") };
        let message = format!(
            "{destination} is not registered in {}, so it cannot {cannot}; registered there: {known}",
            self.readers.file().display()
        );
        Ok(QueueError::new(QueueErrorKind::Refused, message))
    }
}

impl Queue for EmbeddedQueue {
    fn id(&self) -> QueueId {
        self.id
    }

    fn epoch(&self, batch: u64) -> Result<Option<Epoch>, QueueError> {
        self.readers.epoch(batch)
    }

    fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, QueueError> {
        for append in &appends {
            check_size(&append.body, &format!("a batch of {}", append.table))?;
        }
        self.writer.ask(|reply| Request::Append { appends, reply })
    }

    fn set_cursor(&self, cursor: Cursor) -> Result<(), QueueError> {
        self.writer.ask(|reply| Request::SetCursor { cursor, reply })
    }

    fn cursor(&self, source: &str) -> Result<Option<String>, QueueError> {
        self.readers.cursor(source)
    }

    fn read(&self, table: &TableName, after: u64, limit: usize) -> Result<Vec<Stored>, QueueError> {
        self.readers.read(table, after, limit)
    }

    fn body(&self, batch: u64) -> Result<Vec<u8>, QueueError> {
        self.readers.body(batch)
    }

    fn tables(&self) -> Result<Vec<TableBounds>, QueueError> {
        self.readers.tables()
    }

    fn register(&self, destination: &str, registered_at: i64) -> Result<Registration, QueueError> {
        let destination = destination.to_owned();
        self.writer.ask(|reply| Request::Register { destination, registered_at, reply })
    }

    fn unregister(&self, destination: &str) -> Result<(), QueueError> {
        let name = destination.to_owned();
        let removed = self.writer.ask(|reply| Request::Unregister { destination: name, reply })?;
        if removed { Ok(()) } else { Err(self.not_registered(destination, "be removed")?) }
    }

    fn destinations(&self) -> Result<Vec<Registered>, QueueError> {
        self.readers.destinations()
    }

    fn acknowledged(&self, destination: &str, table: &TableName) -> Result<u64, QueueError> {
        self.readers.acknowledged(destination, table)
    }

    fn acknowledge(&self, destination: &str, table: &TableName, batch: u64) -> Result<(), QueueError> {
        let acknowledgement = self.readers.acknowledgement(destination, table, batch)?.ok_or_else(|| {
            let message = format!(
                "{destination} cannot acknowledge batch {batch} of {table} in {}: it is not registered there, or the queue has \
                 no such batch; register the destination, and check that it was loaded from this queue",
                self.readers.file().display()
            );
            QueueError::new(QueueErrorKind::Refused, message)
        })?;
        self.writer.tell(Request::Acknowledge(acknowledgement))
    }

    fn set_paused(&self, table: &TableName, reason: Option<&str>) -> Result<(), QueueError> {
        self.change(table, TableChange::Pause(reason.map(str::to_owned)))
    }

    fn keep_for_replay(&self, table: &TableName, batches: &[u64]) -> Result<(), QueueError> {
        self.change(table, TableChange::KeepForReplay(batches.to_vec()))
    }

    fn kept_for_replay(&self, table: Option<&TableName>) -> Result<Vec<Kept>, QueueError> {
        self.readers.kept_for_replay(table)
    }

    fn prune_kept(&self, received_before: i64) -> Result<(), QueueError> {
        while self.writer.ask(|reply| Request::PruneKept { received_before, reply })? > 0 {}
        Ok(())
    }

    fn restart_table(&self, destination: &str, table: &TableName, registered_at: i64) -> Result<(), QueueError> {
        if self.destinations()?.iter().all(|registered| registered.name != destination) {
            return Err(self.not_registered(destination, "begin a table anew")?);
        }
        self.change(table, TableChange::Restart { destination: destination.to_owned(), registered_at })
    }

    fn drop_table(&self, table: &TableName, dropped_at: i64) -> Result<(), QueueError> {
        self.change(table, TableChange::Drop { dropped_at })
    }

    fn forget_repeats(&self, table: &TableName) -> Result<(), QueueError> {
        self.change(table, TableChange::ForgetRepeats)
    }

    fn replace_body(&self, batch: u64, body: SealedBody) -> Result<(), QueueError> {
        check_size(&body, &format!("the new body of batch {batch}"))?;
        let replaced = self.writer.ask(|reply| Request::ReplaceBody { batch, body, reply })?;
        if replaced { Ok(()) } else { Err(not_held(batch, self.readers.file())) }
    }

    fn erase_deleted(&self) -> Result<(), QueueError> {
        if self.writer.ask(|reply| Request::EraseDeleted { reply })? {
            return Ok(());
        }
        let message = format!(
            "somebody reads {}, so its log, which may hold what was deleted, could not be emptied: end what reads it, and do \
             the same again",
            self.readers.file().display()
        );
        Err(QueueError::new(QueueErrorKind::Io, message))
    }
}

fn check_size(body: &SealedBody, what: &str) -> Result<(), QueueError> {
    if body.stored_bytes() <= MAX_STORED_BYTES {
        return Ok(());
    }
    let message = format!(
        "{what} has {} bytes compressed, more than the {MAX_STORED_BYTES} a queue takes: send smaller batches",
        body.stored_bytes()
    );
    Err(QueueError::new(QueueErrorKind::Refused, message))
}
