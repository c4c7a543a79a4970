//! How far a queue has been loaded.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of a queue: random, made with it, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueueId(Uuid);

impl QueueId {
    /// A new identity, for a new queue.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The identity as the queue stored it.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The identity as the queue stores it.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which opening of a queue gave a batch its number: random, made each time a queue is opened.
///
/// An older copy of a queue that is restored gives the same numbers again, to other batches, but under another epoch: a
/// destination that is at one of the first is told from one that is at one of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(Uuid);

impl Epoch {
    /// A new epoch, for a queue that is being opened.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The epoch as the queue stored it.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The epoch as the queue stores it.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far one queue has been applied to one table of one destination.
///
/// All batches of the table below `batch` are applied, and of `batch` itself the first `record` records. Within a queue
/// positions only grow, by (`batch`, `record`); they may skip, because batches of other tables lie between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The queue counted in.
    pub queue: QueueId,
    /// The epoch of that queue in which the batch got its number.
    pub epoch: Epoch,
    /// The number of the batch in the queue; the first is 1.
    pub batch: u64,
    /// How many of that batch's records are applied.
    pub record: u64,
}

/// `batch 7, record 120 of queue …`
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "batch {}, record {} of queue {}", self.batch, self.record, self.queue)
    }
}
