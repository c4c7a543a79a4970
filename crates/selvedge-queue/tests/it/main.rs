//! The queue through its public surface, on real files.

#![cfg(test)]

mod append;
mod crash;
mod destinations;
mod epochs;
mod folder;
mod kept;
mod model;
mod reader;
mod tables;
mod trim;

use std::path::Path;

use selvedge_core::TableName;
use selvedge_queue::{Append, EmbeddedQueue, Queue, QueueError, QueueErrorKind, Repeats, SealedBody, TableBounds};

fn open(folder: &Path) -> EmbeddedQueue {
    EmbeddedQueue::open(folder).unwrap()
}

fn table(name: &str) -> TableName {
    TableName::new(None, name).unwrap()
}

/// One record received at the beginning of 1970.
fn batch(table_name: &str, body: &[u8]) -> Append {
    Append {
        table: table(table_name),
        body: SealedBody::seal(body),
        records: 1,
        received_at: 0,
        repeats: Repeats::Acknowledge,
        cursor: None,
    }
}

/// Appends and returns the number of the batch.
fn append(queue: &EmbeddedQueue, append: Append) -> u64 {
    queue.append(vec![append]).unwrap()[0].batch
}

/// The numbers of the batches of a table.
fn numbers(queue: &EmbeddedQueue, name: &str) -> Vec<u64> {
    queue.read(&table(name), 0, usize::MAX).unwrap().iter().map(|stored| stored.batch).collect()
}

fn bounds(queue: &EmbeddedQueue, name: &str) -> TableBounds {
    queue.tables().unwrap().into_iter().find(|bounds| bounds.table == table(name)).unwrap()
}

/// Whether the error is of this kind and its message holds each of these words.
#[track_caller]
fn check_error<T: std::fmt::Debug>(result: Result<T, QueueError>, kind: QueueErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "`{word}` is not in: {error}");
    }
}

/// Bytes that do not compress, different for each seed.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(|_| next()).collect()
}
