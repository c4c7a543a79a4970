//! The engine through its public surface: a real queue on disk, real threads, destinations in memory.

#![cfg(test)]

mod adopt;
mod bad_records;
mod budget;
mod columns;
mod counts;
mod cut;
mod destinations;
mod failure;
mod isolation;
mod json_rules;
mod keyless;
mod meeting;
mod memory;
mod pause;
mod place;
mod policy;
mod purge;
mod push;
mod rejects;
mod rekey;
mod replay;
mod restart;
mod retention;
mod start;
mod tables;
mod versions;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use selvedge_core::TableName;
use selvedge_engine::{Batch, Engine, EngineBuilder, EngineError, EngineErrorKind, Tally};
use serde_json::{Value, json};

use crate::memory::Memory;

/// Longer than anything here takes; who waits as long has found a defect.
const LONG: Duration = Duration::from_secs(60);

fn table(name: &str) -> TableName {
    TableName::new(None, name).unwrap()
}

fn start(folder: &Path, destinations: &[(&str, &Memory)]) -> Engine {
    let builder = Engine::builder(folder);
    let add =
        |builder: EngineBuilder, (name, memory): &(&str, &Memory)| builder.destination(*name, Memory::clone(memory));
    destinations.iter().fold(builder, add).start().unwrap()
}

fn schema() -> Value {
    json!({"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}})
}

/// A batch with the key `id`, of records (id, sequence, name).
fn batch(table: &str, records: &[(i64, i64, &str)]) -> Batch {
    let add = |batch: Batch, (id, sequence, name): &(i64, i64, &str)| {
        batch.upsert(*sequence, &json!({"id": id, "name": name}))
    };
    records.iter().fold(Batch::new(table, &["id"], &schema()), add)
}

/// A batch without a key, of one record for each id.
fn keyless(table: &str, ids: impl IntoIterator<Item = i64>) -> Batch {
    let add = |batch: Batch, id: i64| batch.upsert(id, &json!({"id": id}));
    ids.into_iter().fold(Batch::new(table, &[], &schema()), add)
}

/// A batch with the key `id` whose second record does not conform.
fn refused(table: &str) -> Batch {
    batch(table, &[(1, 1, "good")]).upsert(2, &json!({"id": "two", "name": "bad"}))
}

/// Waits until everything is loaded.
#[track_caller]
fn flush(engine: &Engine) {
    assert_eq!(engine.flush(LONG).unwrap(), []);
}

/// The names in the order of the keys.
#[track_caller]
fn check_names(memory: &Memory, table: &str, names: &[&str]) {
    assert_eq!(memory.column(table, "name"), names);
}

/// The ids in the order of arrival, or of the keys as text.
#[track_caller]
fn check_ids(memory: &Memory, table: &str, ids: impl IntoIterator<Item = i64>) {
    assert_eq!(memory.column(table, "id"), ids.into_iter().map(|id| id.to_string()).collect::<Vec<_>>());
}

fn tally(engine: &Engine, destination: &str, name: &str) -> Tally {
    let tables = engine.progress().tables;
    let of_table = tables.iter().find(|entry| entry.destination == destination && entry.table == table(name));
    of_table.map(|entry| entry.tally).unwrap_or_default()
}

/// Whether the error is of this kind and its messages, with the causes, hold each of these words.
#[track_caller]
fn check_error<T: std::fmt::Debug>(result: Result<T, EngineError>, kind: EngineErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let first: &dyn Error = &error;
    let causes = std::iter::successors(Some(first), |error| (*error).source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    check_words(&text, words);
}

#[track_caller]
fn check_words(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

/// Waits until loading has stopped at something that only a person can mend: in one table of one destination, for a reason
/// that holds each of these words.
#[track_caller]
fn check_paused(engine: &Engine, destination: &str, name: &str, words: &[&str]) {
    let left = engine.flush(LONG).unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].destination.as_str(), &left[0].table), (destination, &table(name)));
    check_words(left[0].reason.as_deref().unwrap(), words);
}
