//! The queue in a folder, as its callers see it.

use std::path::Path;

use selvedge_core::{Epoch, QueueId, TableName};

use crate::body::MAX_STORED_BYTES;
use crate::error::{QueueError, QueueErrorKind};
use crate::folder::{self, LockedFolder};
use crate::queue::{Append, Appended, Cursor, Queue, Registered, Registration, Stored, TableBounds};
use crate::read::{Readers, connect_beside_writer};
use crate::schema;
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

    fn not_registered(&self, destination: &str) -> Result<QueueError, QueueError> {
        let names: Vec<String> = self.destinations()?.into_iter().map(|registered| registered.name).collect();
        let known = if names.is_empty() { "no destination is".to_owned() } else { names.join(", ") };
        let message = format!(
            "{destination} is not registered in {}, so it cannot be removed; registered there: {known}",
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
        if let Some(append) = appends.iter().find(|append| append.body.stored_bytes() > MAX_STORED_BYTES) {
            let message = format!(
                "a batch of {} has {} bytes compressed, more than the {MAX_STORED_BYTES} a queue takes: send smaller batches",
                append.table,
                append.body.stored_bytes()
            );
            return Err(QueueError::new(QueueErrorKind::Refused, message));
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
        if removed { Ok(()) } else { Err(self.not_registered(destination)?) }
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
}
