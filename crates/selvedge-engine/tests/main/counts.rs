//! The accounting while senders and loaders work at once, records are rejected, and a table is paused now and then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use selvedge_engine::{BadRecords, Batch, Engine, Tally};
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{flush, schema, table, tally};

const SENDERS: i64 = 4;
/// Of each sender; every fifth of them is sent twice, and every fourth has a bad record more.
const BATCHES: i64 = 40;
const RECORDS: i64 = 25;
const TABLES: [&str; 3] = ["a", "b", "c"];
const KEYS: i64 = 90;

#[test]
fn the_counts_add_up_at_every_moment() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let builder = Engine::builder(folder.path()).bad_records(BadRecords::RejectEach);
    let engine = builder.destination("left", left.clone()).destination("right", right.clone()).start().unwrap();
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
            // It is refused as long as there was no batch of the table.
            let paused = engine.pause(&table(TABLES[0]), "now and then");
            check_sample(&engine, &receipted);
            if paused.is_ok() {
                engine.resume(&table(TABLES[0])).unwrap();
            }
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
        receipted.fetch_add(RECORDS.unsigned_abs() + bad_records(number), Ordering::SeqCst);
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
    let good = records(sender, number).fold(Batch::new(table_of(number), &["id"], &schema()), add);
    (0..bad_records(number)).fold(good, |batch, _| batch.upsert(1, &serde_json::json!({"id": "none", "name": "bad"})))
}

fn bad_records(number: i64) -> u64 {
    u64::from(number % 4 == 0)
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
    let rejected = batches().map(|(_, number)| bad_records(number)).sum::<u64>();
    let all = |batches: &mut dyn Iterator<Item = (i64, i64)>| {
        batches.map(|(_, number)| RECORDS.unsigned_abs() + bad_records(number)).sum()
    };
    let expected = Tally {
        accepted: all(&mut batches()),
        loaded: counts.loaded,
        superseded: counts.superseded,
        rejected,
        waiting: 0,
        repeated: all(&mut batches().filter(|(_, number)| number % 5 == 0)),
    };
    assert_eq!(tally(engine, destination, name), expected, "{name} in {destination}");
    assert_eq!(counts.loaded + counts.superseded + rejected, expected.accepted);
    assert_eq!((counts.rejected, table.rejects.len() as u64), (rejected, rejected));
    assert!(counts.loaded >= counts.live_rows, "{counts:?}");
    assert_eq!(counts.live_rows, newest.len() as u64);
}
