//! From push to rows: receipts, winners, repeats, cursors, many batches at once.

use std::time::Duration;

use selvedge_engine::{Batch, Cursor, Engine, EngineErrorKind, Repeats, Tally};
use selvedge_queue::{EmbeddedQueue, Queue};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::{Hold, Memory};
use crate::{LONG, batch, check_error, check_ids, check_names, flush, keyless, refused, schema, start, table, tally};

#[test]
fn a_pushed_batch_arrives() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let receipt = engine.push(batch("customers", &[(1, 1, "Finn"), (2, 1, "Jake")])).unwrap();
    assert_eq!((receipt.batch(), receipt.records(), receipt.repeated()), (1, 2, false));
    assert_eq!(receipt.table(), &table("customers"));
    receipt.wait_loaded(LONG).unwrap();
    check_names(&memory, "customers", &["Finn", "Jake"]);
    let second = engine.try_push(batch("customers", &[(3, 1, "Marceline")])).unwrap();
    assert_eq!(second.batch(), 2);
    second.wait_loaded(LONG).unwrap();
    check_names(&memory, "customers", &["Finn", "Jake", "Marceline"]);
}

#[test]
fn the_newest_record_of_a_key_stands_wherever_it_was() {
    let batches = [
        batch("t", &[(1, 5, "older"), (1, 9, "newest"), (2, 1, "first")]),
        batch("t", &[(1, 7, "late"), (2, 1, "equal, later"), (3, 4, "alone")]),
    ];
    for together in [false, true] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = start(folder.path(), &[("memory", &memory)]);
        let held = together.then(|| held_by_other_load(&engine, &memory));
        for batch in &batches {
            let receipt = engine.push(batch.clone()).unwrap();
            if !together {
                receipt.wait_loaded(LONG).unwrap();
            }
        }
        drop(held);
        flush(&engine);
        check_names(&memory, "t", &["newest", "equal, later", "alone"]);
        // Alone: 9 and 1 of the first batch are loaded, then the equal one and the new key; together one less is.
        let loaded = if together { 3 } else { 4 };
        let expected = Tally { accepted: 6, loaded, superseded: 6 - loaded, ..Tally::default() };
        assert_eq!(tally(&engine, "memory", "t"), expected);
        assert_eq!(memory.table("t").state.unwrap().counts.live_rows, 3);
    }
}

/// Keeps the loader busy with another table, so that what is pushed next is loaded together.
fn held_by_other_load<'m>(engine: &Engine, memory: &'m Memory) -> Hold<'m> {
    let hold = memory.hold();
    engine.push(batch("other", &[(1, 1, "")])).unwrap();
    hold.wait_for_load();
    hold
}

#[test]
fn a_repeat_is_counted_and_has_no_effect() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", 1..4)).unwrap();
    let repeat = engine.push(keyless("t", 1..4)).unwrap();
    assert_eq!((repeat.batch(), repeat.repeated()), (1, true));
    repeat.wait_loaded(LONG).unwrap();
    flush(&engine);
    check_ids(&memory, "t", 1..4);
    let expected = Tally { accepted: 3, loaded: 3, repeated: 3, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);
}

#[test]
fn a_repeat_of_a_deleted_batch_is_loaded_already() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", 1..4)).unwrap();
    flush(&engine);
    drop(engine);
    let deleted_to = EmbeddedQueue::open(folder.path()).unwrap().tables().unwrap()[0].deleted_to;
    assert_eq!(deleted_to, 1, "the batch is deleted");

    let engine = start(folder.path(), &[("memory", &memory)]);
    let repeat = engine.push(keyless("t", 1..4)).unwrap();
    assert_eq!((repeat.batch(), repeat.repeated()), (1, true));
    repeat.wait_loaded(Duration::ZERO).unwrap();
    flush(&engine);
    check_ids(&memory, "t", 1..4);
    assert_eq!(tally(&engine, "memory", "t"), Tally { repeated: 3, ..Tally::default() });
}

#[test]
fn repeats_are_appended_on_demand() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let numbers: Vec<u64> = (0..2)
        .map(|_| engine.push(keyless("t", [7]).repeats(Repeats::Append)).unwrap())
        .inspect(|receipt| assert!(!receipt.repeated()))
        .map(|receipt| receipt.batch())
        .collect();
    assert_eq!(numbers, [1, 2]);
    flush(&engine);
    check_ids(&memory, "t", [7, 7]);
}

#[test]
fn a_cursor_is_committed_with_its_batch() {
    let cursor = |state: &str| Cursor { source: "shop".to_owned(), state: state.to_owned() };
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    assert_eq!(engine.cursor("shop").unwrap(), None);
    engine.push(batch("t", &[(1, 1, "a")]).cursor(cursor("page 1"))).unwrap();
    assert_eq!(engine.cursor("shop").unwrap().as_deref(), Some("page 1"));
    engine.push(refused("t").cursor(cursor("page 2"))).unwrap_err();
    assert_eq!(engine.cursor("shop").unwrap().as_deref(), Some("page 1"));
    engine.set_cursor(cursor("the end")).unwrap();
    drop(engine);
    let engine = start(folder.path(), &[("memory", &memory)]);
    assert_eq!(engine.cursor("shop").unwrap().as_deref(), Some("the end"));
}

#[test]
fn many_are_taken_in_order_up_to_the_first_that_is_refused() {
    // More than are decoded together, so that a later group is refused.
    const GOOD: u64 = 4_200;
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let good = |id: u64| keyless("t", [id.cast_signed()]);
    let batches = (1..=GOOD).map(good).chain([refused("t")]).chain((GOOD + 1..GOOD + 100).map(good));
    let mut receipts = Vec::new();
    let result = engine.push_many(batches, |receipt| receipts.push((receipt.batch(), receipt.records())));
    assert_eq!(result.as_ref().unwrap_err().refusal().unwrap().record(), Some(1));
    check_error(result, EngineErrorKind::Refused, &["nothing of it was queued", "Record 1"]);
    assert_eq!(receipts, (1..=GOOD).map(|batch| (batch, 1)).collect::<Vec<_>>());
    flush(&engine);
    check_ids(&memory, "t", 1..=GOOD.cast_signed());
}

#[test]
fn what_is_refused_is_not_queued() {
    let unnamable = Batch::new("_sdc_tables", &[], &schema()).upsert(1, &json!({"id": 1}));
    let cases = [
        (refused("t"), "Record 1"),
        (batch("t", &[]), "at least one message"),
        (Batch::from_json("{"), "Request"),
        (unnamable, "selvedge's own"),
    ];
    for (batch, word) in cases {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = start(folder.path(), &[("memory", &memory)]);
        check_error(engine.push(batch), EngineErrorKind::Refused, &[word]);
        assert!(engine.progress().tables.is_empty());
        drop(engine);
        assert_eq!(EmbeddedQueue::open(folder.path()).unwrap().tables().unwrap(), []);
    }
}
