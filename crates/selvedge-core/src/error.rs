//! What can go wrong at the seam.

use std::error::Error;
use std::fmt;

/// Why a destination could not be read or loaded.
///
/// The message says what the destination was doing and what to do next; [`source`](Error::source) holds the cause. Neither
/// holds a record's content.
#[derive(Debug)]
pub struct LoadError {
    kind: LoadErrorKind,
    applied: Applied,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What the engine does about a [`LoadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The table is not as the load was planned on: the engine reads the state, and pauses the table if it is somebody
    /// else's.
    Stale,
    /// The destination cannot be reached or is busy: the engine tries again later.
    Unavailable,
    /// There is no room: the engine tries again later and says so.
    Full,
    /// A row stands in the way, as when somebody put a constraint on the table that it violates: the engine tries smaller loads
    /// until the record is alone, rejects it, and loads the rest.
    BadRow,
    /// Trying again would end the same way: the engine pauses the table until somebody acts.
    Refused,
}

/// Whether a failed load may have taken effect all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Certainly not.
    No,
    /// Nobody knows: the engine reads the state before it goes on.
    Unknown,
}

impl LoadError {
    /// An error of `kind` whose load certainly had no effect.
    pub fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, applied: Applied::No, message: message.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error for a load that may have taken effect, as when a commit fails, or a rename that commits.
    #[must_use]
    pub fn possibly_applied(mut self) -> Self {
        self.applied = Applied::Unknown;
        self
    }

    /// What the engine does about it.
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    /// Whether the load may have taken effect.
    pub fn applied(&self) -> Applied {
        self.applied
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
