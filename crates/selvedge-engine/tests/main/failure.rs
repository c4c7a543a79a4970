//! Destinations that fail.

use std::time::Duration;

use selvedge_core::LoadErrorKind::{Full, Refused, Unavailable};
use selvedge_engine::{EngineErrorKind, Tally};
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::{
    LONG, batch, check_error, check_ids, check_names, check_paused, check_words, flush, keyless, start, tally,
};

#[test]
fn a_failed_load_is_tried_again() {
    let cases: [&[Fault]; 4] = [
        &[Fault::Fails(Unavailable), Fault::Fails(Unavailable)],
        &[Fault::Fails(Full)],
        &[Fault::Unknown],
        &[Fault::Unknown, Fault::Fails(Unavailable), Fault::Unknown],
    ];
    for faults in cases {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = start(folder.path(), &[("memory", &memory)]);
        memory.fail_loads("t", faults);
        (1..4).for_each(|id| drop(engine.push(keyless("t", [id])).unwrap()));
        flush(&engine);
        check_ids(&memory, "t", 1..4);
        assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 3, loaded: 3, ..Tally::default() });
        assert_eq!(engine.progress().tables[0].condition, None);
    }
}

#[test]
fn a_state_that_cannot_be_read_is_read_again() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    memory.fail_states("t", &[Fault::Fails(Unavailable)]);
    engine.push(keyless("t", [1])).unwrap().wait_loaded(LONG).unwrap();
    check_ids(&memory, "t", [1]);
    assert_eq!(engine.progress().tables[0].condition, None);
}

#[test]
fn the_others_go_on_meanwhile() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    left.go_away("orders");
    let orders = engine.push(batch("orders", &[(1, 1, "order")])).unwrap();
    let customers = engine.push(batch("customers", &[(1, 1, "customer")])).unwrap();
    customers.wait_loaded(LONG).unwrap();
    check_names(&left, "customers", &["customer"]);
    right.wait_for("orders", |table| table.rows.len() == 1);

    check_error(orders.wait_loaded(Duration::ZERO), EngineErrorKind::NotLoaded, &["orders", "left", "is away"]);
    let left_over = engine.flush(Duration::ZERO).unwrap();
    assert_eq!(left_over.len(), 1);
    check_words(&left_over[0].to_string(), &["1 record of orders waits for left", "is away"]);
    left.come_back("orders");
    flush(&engine);
    check_names(&left, "orders", &["order"]);
}

#[test]
fn a_refusal_pauses_its_table_alone() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    left.fail_loads("orders", &[Fault::Fails(Refused)]);
    let orders = engine.push(batch("orders", &[(1, 1, "order")])).unwrap();
    let customers = engine.push(batch("customers", &[(1, 1, "customer")])).unwrap();
    customers.wait_loaded(LONG).unwrap();
    check_error(orders.wait_loaded(LONG), EngineErrorKind::NotLoaded, &["the test wants Refused"]);
    check_paused(&engine, "left", "orders", &["the test wants Refused"]);
    check_names(&right, "orders", &["order"]);
    check_names(&left, "orders", &[]);
    let expected = Tally { accepted: 1, waiting: 1, ..Tally::default() };
    assert_eq!(tally(&engine, "left", "orders"), expected);
    drop(engine);

    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    flush(&engine);
    check_names(&left, "orders", &["order"]);
}

#[test]
fn a_load_that_was_applied_after_all_is_not_applied_twice() {
    // How often the state cannot be read before the engine learns what became of the load.
    for unreadable in [0, 1, 2] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = start(folder.path(), &[("memory", &memory)]);
        engine.push(keyless("t", [1])).unwrap().wait_loaded(LONG).unwrap();
        memory.fail_loads("t", &[Fault::AppliedUnknown]);
        memory.fail_states("t", &vec![Fault::Fails(Unavailable); unreadable]);
        engine.push(keyless("t", [2])).unwrap();
        memory.wait_for("t", |table| table.loads == 2);
        // The next load would bring more than the one in doubt.
        engine.push(keyless("t", [3])).unwrap();
        flush(&engine);
        check_ids(&memory, "t", [1, 2, 3]);
        assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 3, loaded: 3, ..Tally::default() });
    }
}

#[test]
fn a_table_that_somebody_else_wrote_to_is_left_alone() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [1])).unwrap().wait_loaded(LONG).unwrap();
    memory.edit("t", |table| table.state.as_mut().unwrap().position.batch = 77);
    engine.push(keyless("t", [2])).unwrap();
    check_paused(&engine, "memory", "t", &["batch 1,", "batch 77,", "another program writes", "stop one of the two"]);
    check_ids(&memory, "t", [1]);
}

#[test]
fn batches_of_other_keys_pause_the_table_after_those_before_them() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let hold = memory.hold();
    engine.push(batch("other", &[(1, 1, "")])).unwrap();
    hold.wait_for_load();
    // All of these wait when the loader comes to the table.
    engine.push(batch("t", &[(1, 1, "a")])).unwrap();
    engine.push(batch("t", &[(2, 1, "b")])).unwrap();
    engine.push(keyless("t", [3])).unwrap();
    engine.push(batch("t", &[(4, 1, "d")])).unwrap();
    drop(hold);
    check_paused(
        &engine,
        "memory",
        "t",
        &["the table's keys are (id)", "send records of other keys under another table name"],
    );
    check_names(&memory, "t", &["a", "b"]);
    assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 4, loaded: 2, waiting: 2, ..Tally::default() });
    engine.push(batch("other", &[(2, 1, "goes on")])).unwrap().wait_loaded(LONG).unwrap();
}

#[test]
fn nobody_waits_for_a_destination_that_died() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    memory.fail_loads("t", &[Fault::Panics]);
    let receipt = engine.push(keyless("t", [1])).unwrap();
    let words = ["loads memory died", "nothing is lost", "started again"];
    check_error(receipt.wait_loaded(LONG), EngineErrorKind::Stopped, &words);
    check_error(engine.flush(LONG), EngineErrorKind::Stopped, &words);
    let later = engine.push(keyless("t", [2])).unwrap();
    check_error(later.wait_loaded(LONG), EngineErrorKind::Stopped, &words);
    drop(engine);

    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    check_ids(&memory, "t", [1, 2]);
}
