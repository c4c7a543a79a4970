//! The accounting while senders and loaders work at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use selvedge_engine::{Batch, Engine, Tally};
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{flush, schema, start, tally};

const SENDERS: i64 = 4;
/// Of each sender; every fifth of them is sent twice.
const BATCHES: i64 = 40;
const RECORDS: i64 = 25;
const TABLES: [&str; 3] = ["a", "b", "c"];
const KEYS: i64 = 90;

#[test]
fn the_counts_add_up_at_every_moment() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    let receipted = AtomicU64::new(0);
    thread::scope(|scope| {
        let senders = (0..SENDERS).map(|sender| {
            scope.spawn({
                let (engine, receipted) = (&engine, &receipted);
                move || send(engine, sender, receipted)
            })
        });
        let senders: Vec<_> = senders.collect();
        while !senders.iter().all(ScopedJoinHandle::is_finished) {
            check_sample(&engine, &receipted);
        }
    });
    flush(&engine);
    check_sample(&engine, &receipted);
    for (name, memory) in [("left", &left), ("right", &right)] {
        TABLES.iter().for_each(|table| check_final(&engine, name, memory, table));
    }
}

fn send(engine: &Engine, sender: i64, receipted: &AtomicU64) {
    for number in 0..BATCHES {
        let batch = batch(sender, number);
        engine.push(batch.clone()).unwrap();
        receipted.fetch_add(RECORDS.unsigned_abs(), Ordering::SeqCst);
        if number % 5 == 0 {
            assert!(engine.push(batch).unwrap().repeated());
        }
    }
}

/// The records (key, sequence) of a batch. No two records have one sequence, so no order of arrival changes who wins.
fn records(sender: i64, number: i64) -> impl Iterator<Item = (i64, i64)> {
    let first = (sender * BATCHES + number) * RECORDS;
    (first..first + RECORDS).map(|record| ((record * 7_919) % KEYS, (record * 31) % 100_003))
}

fn table_of(number: i64) -> &'static str {
    TABLES[usize::try_from(number).unwrap() % TABLES.len()]
}

fn batch(sender: i64, number: i64) -> Batch {
    let add = |batch: Batch, (key, sequence)| {
        batch.upsert(sequence, &serde_json::json!({"id": key, "name": sequence.to_string()}))
    };
    records(sender, number).fold(Batch::new(table_of(number), &["id"], &schema()), add)
}

/// Everything that has a receipt is counted in every destination, and each count has its place.
fn check_sample(engine: &Engine, receipted: &AtomicU64) {
    let at_least = receipted.load(Ordering::SeqCst);
    let mut accepted: BTreeMap<String, u64> = BTreeMap::new();
    for entry in engine.progress().tables {
        let Tally { accepted: all, loaded, superseded, rejected, waiting, .. } = entry.tally;
        assert_eq!(all, loaded + superseded + rejected + waiting, "{entry:?}");
        *accepted.entry(entry.destination).or_default() += all;
    }
    for name in ["left", "right"] {
        let accepted = accepted.get(name).copied().unwrap_or_default();
        assert!(accepted >= at_least, "{accepted} accepted for {name}, {at_least} have a receipt");
    }
}

/// The table and its counts are those of a model that knows nothing of batches and loads.
fn check_final(engine: &Engine, destination: &str, memory: &Memory, name: &str) {
    let batches = || (0..SENDERS).flat_map(|sender| (0..BATCHES).map(move |number| (sender, number)));
    let batches = || batches().filter(|(_, number)| table_of(*number) == name);
    let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
    for (key, sequence) in batches().flat_map(|(sender, number)| records(sender, number)) {
        let newest = newest.entry(key).or_insert(sequence);
        *newest = sequence.max(*newest);
    }
    let table = memory.table(name);
    let rows: BTreeMap<i64, i64> =
        table.rows.values().map(|row| (row["id"].parse().unwrap(), row["name"].parse().unwrap())).collect();
    assert_eq!(rows, newest, "{name} in {destination}");

    let counts = table.state.unwrap().counts;
    let expected = Tally {
        accepted: batches().count() as u64 * RECORDS.unsigned_abs(),
        loaded: counts.loaded,
        superseded: counts.superseded,
        rejected: 0,
        waiting: 0,
        repeated: batches().filter(|(_, number)| number % 5 == 0).count() as u64 * RECORDS.unsigned_abs(),
    };
    assert_eq!(tally(engine, destination, name), expected, "{name} in {destination}");
    assert_eq!(counts.loaded + counts.superseded, expected.accepted);
    assert!(counts.loaded >= counts.live_rows, "{counts:?}");
    assert_eq!(counts.live_rows, newest.len() as u64);
}
