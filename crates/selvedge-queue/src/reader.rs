//! A queue as one sees it who only looks.

use std::path::Path;

use selvedge_core::{QueueId, TableName};

use crate::error::QueueError;
use crate::folder;
use crate::queue::{Kept, Registered, TableBounds};
use crate::read::{Readers, connect_beside_nobody};

/// Looks at a queue, also while a process has it open: it takes no lock, changes nothing, and sees what was committed last.
#[derive(Debug)]
pub struct QueueReader(Readers);

impl QueueReader {
    /// Looks at the queue in `folder`.
    ///
    /// # Errors
    /// [`Format`](crate::QueueErrorKind::Format) when there is no queue, or one of another version;
    /// [`Corrupt`](crate::QueueErrorKind::Corrupt) or [`Io`](crate::QueueErrorKind::Io) when it cannot be read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, QueueError> {
        let readers = Readers::new(folder::existing_file(folder.as_ref())?, connect_beside_nobody);
        readers.check_format()?;
        Ok(Self(readers))
    }

    /// What [`Queue::id`](crate::Queue::id) tells.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn id(&self) -> Result<QueueId, QueueError> {
        self.0.id()
    }

    /// What [`Queue::tables`](crate::Queue::tables) tells.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn tables(&self) -> Result<Vec<TableBounds>, QueueError> {
        self.0.tables()
    }

    /// What [`Queue::destinations`](crate::Queue::destinations) tells.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn destinations(&self) -> Result<Vec<Registered>, QueueError> {
        self.0.destinations()
    }

    /// What [`Queue::kept_for_replay`](crate::Queue::kept_for_replay) tells.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn kept_for_replay(&self, table: Option<&TableName>) -> Result<Vec<Kept>, QueueError> {
        self.0.kept_for_replay(table)
    }
}
