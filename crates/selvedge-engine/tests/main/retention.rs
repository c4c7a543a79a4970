//! Rejected records are kept as long as the setting says: in the destinations, and in the queue for replay.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use selvedge_core::LoadErrorKind::{Refused, Stale, Unavailable};
use selvedge_core::TableState;
use selvedge_engine::{BadRecords, Batch, Engine, EngineErrorKind};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::bad_records::{builder, kept, rejecting};
use crate::memory::{Fault, Memory};
use crate::{batch, check_error, check_names, check_paused, check_words, flush, refused, table};

/// A batch of one record, which does not conform.
fn bad(name: &str, sequence: i64) -> Batch {
    batch(name, &[]).upsert(sequence, &json!({"id": "two"})).bad_records(BadRecords::RejectEach)
}

/// A queue that loaded a batch with a rejected record.
fn rejected() -> (TempDir, Memory) {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = rejecting(folder.path(), &memory);
    engine.push(refused("t")).unwrap();
    flush(&engine);
    (folder, memory)
}

fn keeping(folder: &Path, memory: &Memory, kept: Duration) -> Engine {
    builder(folder, memory).rejected_kept(kept).start().unwrap()
}

fn state(memory: &Memory) -> TableState {
    memory.table("t").state.unwrap()
}

/// Waits until the rejected records are gone.
fn wait_for_none(memory: &Memory) {
    memory.wait_for("t", |table| table.rejects.is_empty());
}

fn warnings(engine: &Engine) -> String {
    let tables = engine.progress().tables;
    tables.iter().flat_map(|table| table.warnings.clone()).collect::<Vec<_>>().join("; ")
}

#[test]
fn old_ones_are_gone_once_an_engine_is_started() {
    let (folder, memory) = rejected();
    let before = state(&memory);
    for (setting, left) in [(Duration::from_secs(3600), 1), (Duration::MAX, 1), (Duration::ZERO, 0)] {
        let engine = keeping(folder.path(), &memory, setting);
        flush(&engine);
        assert_eq!(memory.table("t").rejects.len(), left, "{setting:?}");
        assert_eq!((state(&memory), warnings(&engine)), (before.clone(), String::new()));
        drop(engine);
        assert_eq!(kept(folder.path()).len(), left, "{setting:?}");
    }
    let engine = rejecting(folder.path(), &memory);
    let words = ["batch 1 of t is no", "no longer", "send its records again from their source"];
    check_error(engine.replay(&table("t"), 1, &BTreeSet::from([1]), None), EngineErrorKind::Refused, &words);
    engine.push(bad("t", 3)).unwrap();
    flush(&engine);
    assert_eq!((memory.table("t").rejects.len(), state(&memory).counts.rejected), (1, 2));
}

/// Neither a batch nor a start has to come.
#[test]
fn they_go_while_an_engine_runs() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = keeping(folder.path(), &memory, Duration::from_secs(1));
    for sequence in [1, 2] {
        let loads = memory.table("t").loads;
        engine.push(bad("t", sequence)).unwrap();
        memory.wait_for("t", |table| table.loads > loads && table.rejects.is_empty());
    }
    assert_eq!(state(&memory).counts.rejected, 2);
    drop(engine);
    assert_eq!(kept(folder.path()), []);
}

#[test]
fn those_of_a_paused_table_stay() {
    let (folder, memory) = rejected();
    let engine = rejecting(folder.path(), &memory);
    engine.pause(&table("t"), "by hand").unwrap();
    drop(engine);
    let engine = keeping(folder.path(), &memory, Duration::ZERO);
    check_paused(&engine, "memory", "t", &["by hand"]);
    // Another table's go meanwhile, and once more.
    for sequence in [1, 2] {
        let loads = memory.table("other").loads;
        engine.push(bad("other", sequence)).unwrap();
        memory.wait_for("other", |table| table.loads > loads && table.rejects.is_empty());
    }
    assert_eq!(memory.table("t").rejects.len(), 1);
    engine.resume(&table("t")).unwrap();
    wait_for_none(&memory);
}

#[test]
fn what_is_in_the_way_of_that_is_in_the_way_of_nothing_else() {
    for kind in [Refused, Unavailable] {
        let (folder, memory) = rejected();
        memory.fail_removals("t", &[Fault::Fails(kind)]);
        let engine = keeping(folder.path(), &memory, Duration::ZERO);
        flush(&engine);
        let warned = warnings(&engine);
        check_words(&warned, &["records of t that were rejected long ago could not be removed", "the test wants"]);
        engine.push(batch("t", &[(3, 3, "good too")])).unwrap();
        flush(&engine);
        check_names(&memory, "t", &["good", "good too"]);
        wait_for_none(&memory);
    }
}

/// The state is read again, and what is planned next is planned on that. Here as many rows were taken out by hand.
#[test]
fn loading_goes_on_after_a_stale_answer() {
    for removed in [0, 1] {
        let (folder, memory) = rejected();
        memory.fail_removals("t", &[Fault::Fails(Stale)]);
        let engine = keeping(folder.path(), &memory, Duration::ZERO);
        flush(&engine);
        check_words(&warnings(&engine), &["the test wants Stale"]);
        memory.edit("t", |table| table.state.as_mut().unwrap().counts.live_rows -= removed);
        engine.push(batch("t", &[(3, 3, "good too")])).unwrap();
        flush(&engine);
        check_names(&memory, "t", &["good", "good too"]);
        wait_for_none(&memory);
        let counts = state(&memory).counts;
        assert_eq!((counts.loaded, counts.live_rows), (2, 2 - removed));
    }
}

/// It is read again, and found changed.
#[test]
fn another_writer_is_noticed() {
    let (folder, memory) = rejected();
    memory.fail_removals("t", &[Fault::Fails(Stale)]);
    let engine = keeping(folder.path(), &memory, Duration::ZERO);
    flush(&engine);
    memory.edit("t", |table| table.state.as_mut().unwrap().position.batch = 77);
    engine.push(batch("t", &[(3, 3, "good too")])).unwrap();
    check_paused(&engine, "memory", "t", &["another program writes to this table of memory"]);
}

/// Those from before a table was taken over stay until another is rejected: it is not counted that there are any.
#[test]
fn another_queues_are_left_alone() {
    let (_old, memory) = rejected();
    let new = tempdir().unwrap();
    let engine = builder(new.path(), &memory).adopt().rejected_kept(Duration::ZERO).start().unwrap();
    engine.push(batch("t", &[(3, 3, "good too")])).unwrap();
    flush(&engine);
    drop(engine);
    let engine = keeping(new.path(), &memory, Duration::ZERO);
    flush(&engine);
    assert_eq!(memory.table("t").rejects.len(), 1);
    engine.push(bad("t", 4)).unwrap();
    wait_for_none(&memory);
}
