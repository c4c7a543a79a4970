//! Destinations that come and go.

use std::path::Path;

use selvedge_engine::{EmbeddedQueue, Queue, Registration, Since};
use tempfile::tempdir;

use crate::memory::{Memory, Table};
use crate::{batch, check_ids, check_names, check_paused, flush, keyless, start, table};

fn remove(folder: &Path, destination: &str) {
    EmbeddedQueue::open_existing(folder).unwrap().unregister(destination).unwrap();
}

#[test]
fn the_engine_tells_since_when_a_destination_is_complete() {
    let (folder, first, second) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("first", &first)]);
    engine.push(keyless("t", [1, 2])).unwrap();
    engine.push(keyless("t", [3])).unwrap();
    flush(&engine);
    assert_eq!(engine.registration("first"), Some(&Registration::default()));
    assert_eq!(engine.registration("second"), None);
    drop(engine);

    let engine = start(folder.path(), &[("first", &first), ("second", &second)]);
    let registration = engine.registration("second").unwrap().clone();
    let since: Vec<_> = registration.since.iter().collect();
    let [(of_table, Since { batch: 2, records: 3, received_at })] = since[..] else { panic!("{registration:?}") };
    assert_eq!(*of_table, table("t"));
    assert!(*received_at > 1_700_000_000_000_000, "microseconds since 1970: {received_at}");
    assert_eq!(engine.registration("first"), Some(&Registration::default()));
    drop(engine);
    let engine = start(folder.path(), &[("second", &second), ("first", &first)]);
    assert_eq!(engine.registration("second"), Some(&registration));
}

#[test]
fn a_lost_destination_that_is_added_again_gets_what_is_kept() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    drop(engine);
    memory.edit("t", |table| *table = Table::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [2])).unwrap();
    check_paused(
        &engine,
        "memory",
        "t",
        &["memory knows nothing of t", "remove memory from the queue and add it again"],
    );
    drop(engine);

    remove(folder.path(), "memory");
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [3])).unwrap();
    flush(&engine);
    check_ids(&memory, "t", [2, 3]);
    assert_eq!(engine.registration("memory").unwrap().since[&table("t")].batch, 1);
}

/// While a destination was not registered, batches were deleted that it lacks: it does not go on behind the gap.
#[test]
fn a_destination_that_missed_batches_is_paused() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    engine.push(batch("t", &[(1, 1, "a")])).unwrap();
    flush(&engine);
    drop(engine);
    remove(folder.path(), "right");
    let engine = start(folder.path(), &[("left", &left)]);
    engine.push(batch("t", &[(2, 1, "b")])).unwrap();
    flush(&engine);
    drop(engine);

    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    engine.push(batch("t", &[(3, 1, "c")])).unwrap();
    let words = ["t in right is at batch 1", "deleted its batches up to 2", "removed from the queue for a time"];
    check_paused(&engine, "right", "t", &[&words[..], &["remove right from the queue and add another"]].concat());
    check_names(&right, "t", &["a"]);
    check_names(&left, "t", &["a", "b", "c"]);
}

/// Without any destination nothing is deleted, so the one that comes back has missed nothing.
#[test]
fn the_only_destination_may_go_and_come_back() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    memory.go_away("t");
    engine.push(keyless("t", [2])).unwrap();
    drop(engine);
    remove(folder.path(), "memory");
    memory.come_back("t");
    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    check_ids(&memory, "t", [1, 2]);
}
