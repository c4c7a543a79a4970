//! What can go wrong with a queue.

use std::error::Error;
use std::fmt;

/// Why the queue could not do something.
///
/// The message says what it was doing and what to do next; [`source`](Error::source) holds the cause. Neither holds a
/// record's content.
#[derive(Debug)]
pub struct QueueError {
    kind: QueueErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller does about a [`QueueError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueErrorKind {
    /// Another process has the queue open: stop it or use another folder.
    InUse,
    /// The folder holds no queue of this format: use another folder or another version of selvedge.
    Format,
    /// What was read is not what was written: somebody must look at the disk and restore.
    Corrupt,
    /// A write failed; nothing more is written until the queue is opened again.
    Stopped,
    /// The call cannot be carried out, and trying again would end the same way; the queue is unharmed.
    Refused,
    /// The folder cannot be opened or read, and trying again may help.
    Io,
}

impl QueueError {
    pub(crate) fn new(kind: QueueErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller does about it.
    pub fn kind(&self) -> QueueErrorKind {
        self.kind
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for QueueError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
