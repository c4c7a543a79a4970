//! Tables that are paused, and how much may wait for them.

use std::path::Path;

use selvedge_core::LoadErrorKind::Refused;
use selvedge_engine::{Batch, Engine, EngineErrorKind, QueueReader, TableProgress, Tally};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::{
    LONG, batch, check_error, check_ids, check_paused, check_words, flush, keyless, schema, start, table, tally,
};

#[test]
fn a_paused_table_waits_through_restarts_while_others_go_on() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let mut engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    engine.pause(&table("t"), "its source is being mended").unwrap();
    let words = ["the table is paused", "its source is being mended", "selvedge table resume"];
    for id in [2, 3] {
        let receipt = engine.push(keyless("t", [id])).unwrap();
        engine.push(keyless("other", [id])).unwrap().wait_loaded(LONG).unwrap();
        check_error(receipt.wait_loaded(LONG), EngineErrorKind::NotLoaded, &words);
        check_paused(&engine, "memory", "t", &words);
        let condition = of_table(&engine).condition.unwrap();
        check_words(&condition, &words);
        check_words(&engine.progress().to_string(), &[&condition]);
        assert_eq!(tally(&engine, "memory", "t").waiting, (id - 1).unsigned_abs());
        drop(engine);
        engine = start(folder.path(), &[("memory", &memory)]);
    }
    check_paused(&engine, "memory", "t", &words);
    check_ids(&memory, "t", [1]);
    engine.resume(&table("t")).unwrap();
    flush(&engine);
    check_ids(&memory, "t", [1, 2, 3]);
    assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 2, loaded: 2, ..Tally::default() });
    drop(engine);
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [4])).unwrap();
    flush(&engine);
    check_ids(&memory, "t", 1..=4);
}

#[test]
fn a_pause_holds_in_every_destination() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    engine.pause(&table("t"), "by hand").unwrap();
    engine.push(keyless("t", [2])).unwrap();
    let waiting = |engine: &Engine| -> Vec<(String, u64)> {
        let waiting = engine.flush(LONG).unwrap();
        waiting.into_iter().map(|waiting| (waiting.destination, waiting.records)).collect()
    };
    assert_eq!(waiting(&engine), [("left".to_owned(), 1), ("right".to_owned(), 1)]);
    // One of them lacks more than the other, and another engine knows how much.
    right.go_away("t");
    engine.resume(&table("t")).unwrap();
    left.wait_for("t", |table| table.rows.len() == 2);
    engine.pause(&table("t"), "by hand").unwrap();
    engine.push(keyless("t", [3])).unwrap();
    drop(engine);
    right.come_back("t");
    let engine = start(folder.path(), &[("left", &left), ("right", &right)]);
    assert_eq!(waiting(&engine), [("left".to_owned(), 1), ("right".to_owned(), 2)]);
    engine.resume(&table("t")).unwrap();
    flush(&engine);
    check_ids(&left, "t", [1, 2, 3]);
    check_ids(&right, "t", [1, 2, 3]);
}

#[test]
fn a_table_that_never_was_cannot_be_paused() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let words = ["never was a batch of mistaken", "check the names"];
    check_error(engine.pause(&table("mistaken"), "by hand"), EngineErrorKind::Refused, &words);
    check_error(engine.resume(&table("mistaken")), EngineErrorKind::Refused, &words);
    flush(&engine);
}

#[test]
fn a_table_that_an_error_paused_is_tried_again() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    memory.fail_loads("t", &[Fault::Fails(Refused), Fault::Fails(Refused)]);
    engine.push(keyless("t", [1])).unwrap();
    for _ in 0..2 {
        check_paused(&engine, "memory", "t", &["the test wants Refused"]);
        engine.resume(&table("t")).unwrap();
    }
    flush(&engine);
    check_ids(&memory, "t", [1]);
    assert_eq!(of_table(&engine).condition, None);
}

const BODY_BYTES: usize = 1_000;

/// A batch of one record whose body is so long.
fn of_length(name: &str, id: i64) -> Batch {
    let message = json!({"action": "upsert", "sequence": id, "data": {"id": id}});
    let body = json!({"table_name": name, "schema": schema(), "key_names": ["id"], "messages": [message]});
    Batch::from_json(format!("{:BODY_BYTES$}", body.to_string()))
}

/// It is what waits that counts, whatever was loaded before.
#[test]
fn what_waits_is_larger_than_what_was_loaded() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = limited(folder.path(), &memory);
    engine.push(keyless("t", 0..1_000)).unwrap();
    flush(&engine);
    engine.pause(&table("t"), "by hand").unwrap();
    for id in 1..=5 {
        engine.push(of_length("t", 1_000 + id)).unwrap();
    }
    let words = ["5000 bytes of it wait for memory", "5000 at most"];
    check_error(engine.push(of_length("t", 1_006)), EngineErrorKind::Paused, &words);
}

fn limited(folder: &Path, memory: &Memory) -> Engine {
    let builder = Engine::builder(folder).destination("memory", memory.clone());
    builder.paused_limit_bytes(5 * BODY_BYTES as u64).start().unwrap()
}

fn of_table(engine: &Engine) -> TableProgress {
    engine.progress().tables.into_iter().find(|entry| entry.table == table("t")).unwrap()
}

/// What the queue holds of the table.
fn held(folder: &Path) -> (u64, u64) {
    let tables = QueueReader::open(folder).unwrap().tables().unwrap();
    let bounds = tables.into_iter().find(|bounds| bounds.table == table("t")).unwrap();
    (bounds.accepted, bounds.kept_bytes)
}

#[test]
fn so_much_waits_for_a_paused_table_and_no_more() {
    type Pause = fn(&Engine, &Memory);
    let by_hand: Pause = |engine, _| engine.pause(&table("t"), "by hand").unwrap();
    let by_an_error: Pause = |engine, memory| {
        memory.fail_loads("t", &[Fault::Fails(Refused)]);
        engine.push(of_length("t", 1)).unwrap();
        engine.flush(LONG).unwrap();
    };
    for (pause, reason, begun) in [(by_hand, "by hand", 1), (by_an_error, "the test wants Refused", 2)] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let mut engine = limited(folder.path(), &memory);
        engine.push(of_length("t", 0)).unwrap();
        flush(&engine);
        pause(&engine, &memory);
        for id in begun..=4 {
            assert_eq!(of_table(&engine).alarm, None, "{id}");
            engine.push(of_length("t", id)).unwrap();
        }
        check_words(&of_table(&engine).alarm.unwrap(), &["4000 bytes wait while t is paused", "beyond 5000"]);
        check_words(&engine.progress().to_string(), &["4000 bytes wait"]);
        engine.push(of_length("t", 5)).unwrap();
        let before = held(folder.path());
        assert_eq!(before, (6, 5 * BODY_BYTES as u64), "what was loaded is deleted");
        let limit = ["t is paused", "5000 bytes of it wait for memory", "5000 at most", "selvedge table", reason];
        let words = [&limit[..], &["nothing of the batch was queued"]].concat();
        let check_full = |engine: &Engine| {
            check_error(engine.push(of_length("t", 6)), EngineErrorKind::Paused, &words);
            check_error(engine.try_push(batch("t", &[(6, 6, "small")])), EngineErrorKind::Paused, &words);
            let mut receipts = 0;
            let many = [keyless("other", [1]), of_length("t", 6), keyless("other", [2])];
            check_error(engine.push_many(many, |_| receipts += 1), EngineErrorKind::Paused, &words);
            assert_eq!((receipts, held(folder.path())), (1, before));
            assert_eq!(of_table(engine).tally.waiting, 5);
        };
        check_full(&engine);
        engine.push(batch("small", &[(7, 7, "goes on")])).unwrap().wait_loaded(LONG).unwrap();
        if reason == "by hand" {
            drop(engine);
            engine = limited(folder.path(), &memory);
            check_full(&engine);
            check_words(&of_table(&engine).alarm.unwrap(), &["5000 bytes wait while t is paused"]);
        }
        engine.resume(&table("t")).unwrap();
        engine.push(of_length("t", 6)).unwrap();
        flush(&engine);
        check_ids(&memory, "t", 0..=6);
        assert_eq!(of_table(&engine).alarm, None);
    }
}
