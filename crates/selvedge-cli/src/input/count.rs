//! How many records a file holds, for one that is not loaded again.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::input::batches;
use crate::input::lines::{Lines, Place};
use crate::input::piece::Trouble;
use crate::input::snapshot::Snapshot;

/// Records by table.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What is counted of a batch.
#[derive(Deserialize)]
struct Outline {
    table_name: String,
    messages: Vec<IgnoredAny>,
}

/// Counts the records of a file of batches. What is no batch is not counted: it never was loaded either.
pub(crate) fn batches(snapshot: &Snapshot) -> io::Result<Counts> {
    let mut lines = Lines::new(snapshot.open_at(Place::START)?, Place::START)?;
    let mut counts = Counts::new();
    loop {
        match batches::next_piece(&mut lines) {
            Ok(Some(piece)) => {
                if let Ok(Outline { table_name, messages }) = serde_json::from_slice(&piece.body) {
                    *counts.entry(table_name).or_default() += messages.len() as u64;
                }
            }
            Ok(None) | Err(Trouble::Bad(_)) => return Ok(counts),
            Err(Trouble::Unreadable(cause)) => return Err(cause),
        }
    }
}

/// Counts the plain records of a file.
pub(crate) fn records(snapshot: &Snapshot, table: &str) -> io::Result<Counts> {
    let mut lines = Lines::new(snapshot.open_at(Place::START)?, Place::START)?;
    let mut records = 0;
    while lines.peek().is_some() {
        records += 1;
        lines.advance()?;
    }
    Ok(Counts::from([(table.to_owned(), records)]))
}
