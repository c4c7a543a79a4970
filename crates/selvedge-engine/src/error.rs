//! What can go wrong with an engine.

use std::error::Error;
use std::fmt;

use selvedge_core::LoadError;
use selvedge_prepare::Refusal;
use selvedge_queue::{QueueError, QueueErrorKind};

/// Why the engine could not do something. The message says what to do next; [`source`](Error::source) holds the cause.
#[derive(Debug)]
pub struct EngineError {
    kind: EngineErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller does about an [`EngineError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineErrorKind {
    /// The batch is not acceptable, and nothing of it was queued: mend it before sending it again. Or the call is not, as when
    /// it names a table that there never was.
    Refused,
    /// The budget is used up for now; send the batch again in a moment.
    Full,
    /// The table is paused, and as much waits in the queue as a paused table may have there; nothing of the batch was queued.
    /// Resume the table, then send the batch again.
    Paused,
    /// The batch is durable, but was not loaded in the time given, or its table is paused.
    NotLoaded,
    /// The queue stopped after a failed write; the process must be started again. What was not acknowledged must be sent
    /// again.
    Stopped,
    /// The engine cannot run like this: the queue cannot be opened or read, or the settings do not fit together.
    Unusable,
}

impl EngineError {
    pub(crate) fn new(kind: EngineErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            kind: EngineErrorKind::Refused,
            message: "the batch was refused and nothing of it was queued".to_owned(),
            source: Some(Box::new(refusal)),
        }
    }

    /// The batch conforms to its schema, but what is stored of it would not.
    pub(crate) fn refused_redacted(refusal: Refusal) -> Self {
        Self {
            message:
                "the batch conforms to its schema, but would not without the columns that are excluded or hashed, and \
                      nothing of it was queued; declare them directly among the properties of their object"
                    .to_owned(),
            ..Self::refused(refusal)
        }
    }

    /// A key does not fit its table.
    pub(crate) fn refused_key(refusal: Refusal) -> Self {
        Self { message: "the key does not fit the table's; nothing was done".to_owned(), ..Self::refused(refusal) }
    }

    /// A body in the queue is none that was ever accepted.
    pub(crate) fn refused_stored(refusal: Refusal) -> Self {
        let message =
            "a body in the queue cannot be read; it was accepted by another version of selvedge, use that one";
        Self { kind: EngineErrorKind::Unusable, message: message.to_owned(), ..Self::refused(refusal) }
    }

    /// A destination did not do what was asked by hand.
    pub(crate) fn unchanged(message: String, cause: LoadError) -> Self {
        Self { kind: EngineErrorKind::Unusable, message, source: Some(Box::new(cause)) }
    }

    /// What a caller does about it.
    pub fn kind(&self) -> EngineErrorKind {
        self.kind
    }

    /// What is wrong with the batch, when its content was refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.source.as_deref()?.downcast_ref()
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<QueueError> for EngineError {
    fn from(error: QueueError) -> Self {
        let (kind, message) = match error.kind() {
            QueueErrorKind::Stopped => (EngineErrorKind::Stopped, "the queue stopped taking batches"),
            QueueErrorKind::Refused => (EngineErrorKind::Refused, "the queue refused it"),
            _ => (EngineErrorKind::Unusable, "the queue cannot be used"),
        };
        Self { kind, message: message.to_owned(), source: Some(Box::new(error)) }
    }
}

/// An error with its causes on one line, for people.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
