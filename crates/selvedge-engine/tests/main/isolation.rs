//! Records that a destination does not take: found by smaller loads, and rejected; the rest goes in.

use selvedge_core::LoadErrorKind::Unavailable;
use selvedge_engine::{Engine, Tally};
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::{batch, check_names, check_paused, check_words, flush, start, table, tally};

const BAD: &str = "bad";

fn constrained() -> Memory {
    let memory = Memory::default();
    memory.constrain("t", |row| row["name"] != BAD);
    memory
}

/// Pushes batches of so many records, of which those with these ids are bad, and returns what was told of the table.
fn push(engine: &Engine, batches: &[i64], bad: &[i64]) {
    let mut id = 0;
    for records in batches {
        let names: Vec<(i64, String)> = (id..id + records)
            .map(|id| (id, if bad.contains(&id) { BAD.to_owned() } else { format!("{id:04}") }))
            .collect();
        let records: Vec<_> = names.iter().map(|(id, name)| (*id + 1_000, 1, name.as_str())).collect();
        engine.push(batch("t", &records)).unwrap();
        id += records.len() as i64;
    }
}

#[track_caller]
fn check(batches: &[i64], bad: &[i64]) {
    let (folder, memory) = (tempdir().unwrap(), constrained());
    let engine = start(folder.path(), &[("memory", &memory)]);
    {
        let _hold = memory.hold();
        push(&engine, batches, bad);
    }
    flush(&engine);
    let all: i64 = batches.iter().sum();
    let good: Vec<String> = (0..all).filter(|id| !bad.contains(id)).map(|id| format!("{id:04}")).collect();
    assert_eq!(memory.column("t", "name"), good);
    let rejects = memory.table("t").rejects;
    let rejected: Vec<String> = rejects.iter().map(|reject| reject["record"].clone()).collect();
    let expected = |id: &i64| format!(r#"{{"id":{},"name":"{BAD}"}}"#, id + 1_000);
    assert_eq!(rejected, bad.iter().map(expected).collect::<Vec<_>>());
    rejects.iter().for_each(|reject| check_words(&reject["reason"], &["the test's table has a constraint"]));
    let expected =
        Tally { accepted: all as u64, loaded: good.len() as u64, rejected: bad.len() as u64, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);
    drop(engine);
    // Nothing is left in the queue, and the next engine has nothing to do.
    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    assert_eq!(tally(&engine, "memory", "t"), Tally::default());
}

#[test]
fn one_that_a_constraint_keeps_out_is_rejected_and_the_rest_goes_in() {
    check(&[1], &[0]);
    check(&[2], &[1]);
    check(&[100], &[0]);
    check(&[100], &[99]);
    check(&[1, 1, 1, 1, 1], &[2]);
}

#[test]
fn several_in_several_batches() {
    check(&[10, 1, 30], &[0, 1, 10, 39]);
    check(&[5, 5, 5], &[4, 5, 6, 7, 8, 9, 10]);
    check(&[90], &(0..90).collect::<Vec<_>>());
    // Any two of some: whatever the halves are, both are found.
    for first in 0..9 {
        (first + 1..9).for_each(|second| check(&[4, 5], &[first, second]));
    }
}

/// It takes as many loads as it takes to halve the records down to one, a few times over, not one for each record.
#[test]
fn few_loads_find_it() {
    let (folder, memory) = (tempdir().unwrap(), constrained());
    let engine = start(folder.path(), &[("memory", &memory)]);
    push(&engine, &[4_096], &[1_234]);
    flush(&engine);
    assert_eq!(memory.table("t").rows.len(), 4_095);
    assert!(memory.loads() < 50, "{}", memory.loads());
}

/// What is rejected takes no part: an older version of its key stays.
#[test]
fn an_older_version_of_its_key_stays() {
    let (folder, memory) = (tempdir().unwrap(), constrained());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(batch("t", &[(1, 1, "old"), (1, 3, BAD), (1, 2, "newer")])).unwrap();
    flush(&engine);
    check_names(&memory, "t", &["newer"]);
    let Tally { accepted, loaded, superseded, rejected, waiting, .. } = tally(&engine, "memory", "t");
    assert_eq!((accepted, loaded + superseded, rejected, waiting), (3, 2, 1, 0));
}

#[test]
fn failures_of_other_kinds_come_between() {
    let (folder, memory) = (tempdir().unwrap(), constrained());
    memory.fail_loads("t", &[Fault::Unknown, Fault::AppliedUnknown, Fault::Fails(Unavailable), Fault::AppliedUnknown]);
    let engine = start(folder.path(), &[("memory", &memory)]);
    push(&engine, &[20], &[3, 17]);
    flush(&engine);
    assert_eq!(memory.table("t").rows.len(), 18);
    assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 20, loaded: 18, rejected: 2, ..Tally::default() });
}

/// A part of a batch that is in the destination already is not loaded again by the next engine, and what is left of it is.
#[test]
fn an_engine_may_end_within_a_batch() {
    let (folder, memory) = (tempdir().unwrap(), constrained());
    let engine = start(folder.path(), &[("memory", &memory)]);
    // The second half fails for good after the first one went in.
    memory.constrain("t", |row| row["name"] != BAD && *row["name"] < *"0005");
    push(&engine, &[10], &[]);
    memory.wait_for("t", |table| !table.rows.is_empty());
    drop(engine);
    let loaded = memory.table("t").rows.len() + memory.table("t").rejects.len();
    assert!(loaded > 0);
    memory.constrain("t", |_| true);
    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    assert_eq!(memory.table("t").rows.len() + memory.table("t").rejects.len(), 10);
    assert_eq!(tally(&engine, "memory", "t").accepted, 10 - loaded as u64);
}

/// Where no row gets in, it is not the records that are wrong: the table is paused, and what was rejected can be replayed.
#[test]
fn a_table_that_takes_nothing_is_paused() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    memory.constrain("t", |_| false);
    let engine = start(folder.path(), &[("memory", &memory)]);
    push(&engine, &[150, 150], &[]);
    check_paused(&engine, "memory", "t", &["the test's table has a constraint", "100 records in a row", "resume"]);
    let expected = Tally { accepted: 300, rejected: 100, waiting: 200, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);

    memory.constrain("t", |_| true);
    engine.resume(&table("t")).unwrap();
    flush(&engine);
    assert_eq!(tally(&engine, "memory", "t"), Tally { loaded: 200, waiting: 0, ..expected });
}
