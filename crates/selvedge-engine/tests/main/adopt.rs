//! Tables that another queue loaded.

use std::path::Path;

use selvedge_core::Counts;
use selvedge_engine::{Batch, EmbeddedQueue, Engine, Queue, Tally};
use tempfile::{TempDir, tempdir};

use crate::memory::{Fault, Memory};
use crate::{batch, check_ids, check_names, check_paused, flush, keyless, start, tally};

/// A destination that a queue loaded with these batches, and that queue's folder.
fn loaded(batches: &[Batch]) -> (TempDir, Memory) {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    batches.iter().for_each(|batch| drop(engine.push(batch.clone()).unwrap()));
    flush(&engine);
    drop(engine);
    (folder, memory)
}

fn adopt(folder: &Path, memory: &Memory) -> Engine {
    Engine::builder(folder).destination("memory", memory.clone()).adopt().start().unwrap()
}

/// Has the queue in `folder` adopt the keyless table `t` and load the record 3.
fn take_over(folder: &Path, memory: &Memory) {
    let engine = adopt(folder, memory);
    engine.push(keyless("t", [3])).unwrap();
    flush(&engine);
}

fn id(folder: &Path) -> String {
    EmbeddedQueue::open(folder).unwrap().id().to_string()
}

#[test]
fn a_table_is_taken_over() {
    let (old, memory) = loaded(&[batch("t", &[(1, 1, "a"), (2, 1, "b")]), batch("t", &[(2, 3, "newer")])]);
    let new = tempdir().unwrap();
    let (old_id, new_id) = (id(old.path()), id(new.path()));

    let engine = start(new.path(), &[("memory", &memory)]);
    engine.push(batch("t", &[(2, 2, "late"), (3, 1, "c")])).unwrap();
    check_paused(
        &engine,
        "memory",
        "t",
        &["t in memory", &old_id, &new_id, "Use the folder of that queue", "adopt the table (`--adopt`)"],
    );
    check_names(&memory, "t", &["a", "newer"]);
    drop(engine);

    let engine = adopt(new.path(), &memory);
    engine.push(batch("t", &[(4, 1, "d")])).unwrap();
    flush(&engine);
    check_names(&memory, "t", &["a", "newer", "c", "d"]);
    let expected = Tally { accepted: 3, loaded: 2, superseded: 1, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);
    let counts = memory.table("t").state.unwrap().counts;
    assert_eq!(counts, Counts { loaded: 2, superseded: 1, rejected: 0, live_rows: 4 });
    drop(engine);

    // It belongs to the new queue now, which needs not adopt it again, and no longer to the old one.
    let engine = start(new.path(), &[("memory", &memory)]);
    engine.push(batch("t", &[(5, 1, "e")])).unwrap();
    flush(&engine);
    check_names(&memory, "t", &["a", "newer", "c", "d", "e"]);
    drop(engine);
    let engine = start(old.path(), &[("memory", &memory)]);
    engine.push(batch("t", &[(6, 1, "f")])).unwrap();
    check_paused(&engine, "memory", "t", &["t in memory", &new_id, &old_id, "Use the folder of that queue"]);
    check_names(&memory, "t", &["a", "newer", "c", "d", "e"]);
}

/// Records sent again through another queue are new to a table without keys, and their generated keys differ.
#[test]
fn records_sent_again_are_appended_to_a_keyless_table() {
    let (_old, memory) = loaded(&[keyless("t", [1, 2])]);
    let new = tempdir().unwrap();
    let engine = adopt(new.path(), &memory);
    engine.push(keyless("t", [1, 2])).unwrap();
    flush(&engine);
    check_ids(&memory, "t", [1, 2, 1, 2]);
    assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 2, loaded: 2, ..Tally::default() });
    let mut keys = memory.column("t", "__sdc_primary_key");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_first_load_in_doubt_is_counted_once() {
    for fault in [Fault::AppliedUnknown, Fault::Unknown] {
        let (_old, memory) = loaded(&[keyless("t", 1..=5)]);
        let new = tempdir().unwrap();
        let engine = adopt(new.path(), &memory);
        memory.fail_loads("t", &[fault]);
        engine.push(keyless("t", [6, 7])).unwrap();
        flush(&engine);
        check_ids(&memory, "t", 1..=7);
        assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 2, loaded: 2, ..Tally::default() });
        let counts = memory.table("t").state.unwrap().counts;
        assert_eq!(counts, Counts { loaded: 2, live_rows: 7, ..Counts::default() });
    }
}

#[test]
fn a_table_of_other_keys_stays_what_it_is() {
    let (old, memory) = loaded(&[batch("t", &[(1, 1, "a")])]);
    let old_id = id(old.path());
    let new = tempdir().unwrap();
    let engine = adopt(new.path(), &memory);
    engine.push(keyless("t", [2])).unwrap();
    check_paused(&engine, "memory", "t", &["the table's keys are (id)", "another table name"]);
    check_names(&memory, "t", &["a"]);
    assert_eq!(memory.table("t").state.unwrap().position.queue.to_string(), old_id, "nothing was loaded");
}

/// That the first queue had loaded the table is known also when it has deleted nothing, because another destination lags.
#[test]
fn a_table_this_queue_had_loaded_and_keeps_is_not_adopted() {
    let (first, second) = (tempdir().unwrap(), tempdir().unwrap());
    let (memory, lagging) = (Memory::default(), Memory::default());
    lagging.go_away("t");
    let engine = start(first.path(), &[("memory", &memory), ("lagging", &lagging)]);
    engine.push(keyless("t", [1, 2])).unwrap();
    while tally(&engine, "memory", "t").loaded < 2 {
        std::thread::yield_now();
    }
    drop(engine);
    take_over(second.path(), &memory);

    let engine = adopt(first.path(), &memory);
    engine.push(keyless("t", [4])).unwrap();
    check_paused(&engine, "memory", "t", &["which had loaded it up to batch 1", "took the table over"]);
    check_ids(&memory, "t", 1..=3);
}

/// A table that was taken over does not go back without a decision about the batches the first queue has deleted: they may be
/// in it, or an older copy of the destination was restored.
#[test]
fn a_table_this_queue_had_loaded_is_not_adopted() {
    let (first, memory) = loaded(&[keyless("t", [1]), keyless("t", [2])]);
    let second = tempdir().unwrap();
    let (first_id, second_id) = (id(first.path()), id(second.path()));
    take_over(second.path(), &memory);

    let engine = adopt(first.path(), &memory);
    engine.push(keyless("t", [4])).unwrap();
    let words = ["t in memory", &second_id, &first_id, "up to batch 2", "older copy", "remove memory", "(`--adopt`)"];
    check_paused(&engine, "memory", "t", &words);
    check_ids(&memory, "t", 1..=3);
    drop(engine);

    EmbeddedQueue::open(first.path()).unwrap().unregister("memory").unwrap();
    let engine = adopt(first.path(), &memory);
    flush(&engine);
    check_ids(&memory, "t", 1..=4);
}
