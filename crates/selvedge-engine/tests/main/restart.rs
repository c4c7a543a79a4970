//! What an engine finds that another one left.

use std::thread;
use std::time::Duration;

use selvedge_engine::{EngineErrorKind, Tally};
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::{LONG, batch, check_error, check_ids, check_names, flush, keyless, start, tally};

#[test]
fn a_backlog_is_loaded_once() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let hold = memory.hold();
    let first = engine.push(keyless("t", [1])).unwrap();
    hold.wait_for_load();
    (2..=50).for_each(|id| drop(engine.push(keyless("t", [id])).unwrap()));
    thread::scope(|scope| {
        scope.spawn(|| drop(engine));
        // The engine has begun to end when it gives up on the receipt; the load under way ends only now.
        check_error(first.wait_loaded(Duration::MAX), EngineErrorKind::NotLoaded, &["batch 1", "t", "memory", "ended"]);
        drop(hold);
    });
    check_ids(&memory, "t", [1]);

    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    check_ids(&memory, "t", 1..=50);
    let Tally { accepted, loaded, waiting, .. } = tally(&engine, "memory", "t");
    assert_eq!((accepted, loaded, waiting), (49, 49, 0));
}

#[test]
fn a_load_without_acknowledgement_is_not_applied_again() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    memory.fail_loads("t", &[Fault::AppliedPanics]);
    let receipt = engine.push(keyless("t", 1..4)).unwrap();
    check_error(receipt.wait_loaded(LONG), EngineErrorKind::Stopped, &["loads memory died"]);
    drop(engine);
    check_ids(&memory, "t", 1..4);

    let engine = start(folder.path(), &[("memory", &memory)]);
    let repeat = engine.push(keyless("t", 1..4)).unwrap();
    repeat.wait_loaded(LONG).unwrap();
    flush(&engine);
    check_ids(&memory, "t", 1..4);
    assert_eq!(tally(&engine, "memory", "t"), Tally { repeated: 3, ..Tally::default() });
    assert!(engine.progress().tables.iter().all(|entry| entry.condition.is_none()), "{}", engine.progress());
}

#[test]
fn a_position_inside_a_batch_loads_the_rest_of_it() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(batch("t", &[(0, 1, "of another batch")])).unwrap();
    flush(&engine);
    memory.fail_loads("t", &[Fault::AppliedPanics]);
    engine.push(batch("t", &[(1, 1, "a"), (2, 1, "b"), (3, 1, "c"), (4, 1, "d")])).unwrap();
    engine.flush(LONG).unwrap_err();
    drop(engine);
    // As a destination leaves it whose load ended after the first of the four.
    memory.edit("t", |table| {
        let state = table.state.as_mut().unwrap();
        (state.position.record, state.counts.loaded, state.counts.live_rows) = (1, 2, 2);
        table.rows.retain(|_, row| ["of another batch", "a"].contains(&row["name"].as_str()));
        table.rows.values_mut().for_each(|row| drop(row.insert("mark".to_owned(), "stood before".to_owned())));
    });

    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    check_names(&memory, "t", &["of another batch", "a", "b", "c", "d"]);
    assert_eq!(memory.column("t", "mark").len(), 2, "what stood before was not written again");
    let expected = Tally { accepted: 3, loaded: 3, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);
    assert_eq!(memory.table("t").state.unwrap().counts.live_rows, 5);
}

#[test]
fn what_is_deleted_while_an_engine_starts_is_not_waited_for() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    // One load acknowledges more than the queue deletes with one commit, and the engine ends before the rest is deleted.
    let hold = memory.hold();
    engine.push_many((0..1_000).map(|id| keyless("t", [id])), |_| ()).unwrap();
    drop(hold);
    flush(&engine);
    drop(engine);
    for id in 1_000..1_003 {
        let engine = start(folder.path(), &[("memory", &memory)]);
        flush(&engine);
        assert_eq!(tally(&engine, "memory", "t"), Tally::default());
        engine.push(keyless("t", [id])).unwrap().wait_loaded(LONG).unwrap();
        check_ids(&memory, "t", 0..=id);
    }
}

#[test]
fn a_destination_that_joins_a_backlog_gets_it() {
    let (folder, first, second) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("first", &first)]);
    first.go_away("t");
    engine.push_many((0..300).map(|id| keyless("t", [id])), |_| ()).unwrap();
    drop(engine);
    first.come_back("t");

    let engine = start(folder.path(), &[("first", &first), ("second", &second)]);
    flush(&engine);
    check_ids(&first, "t", 0..300);
    check_ids(&second, "t", 0..300);
}

#[test]
fn a_destination_that_joins_later_gets_what_comes_later() {
    let (folder, first, second) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("first", &first)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    drop(engine);

    let engine = start(folder.path(), &[("first", &first), ("second", &second)]);
    engine.push(keyless("t", [2])).unwrap();
    flush(&engine);
    check_ids(&first, "t", [1, 2]);
    check_ids(&second, "t", [2]);
}
