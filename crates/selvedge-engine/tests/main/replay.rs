//! Rejected records that are sent again.

use std::path::Path;
use std::thread;
use std::time::Duration;

use selvedge_core::{IntegrationName, TableName};
use selvedge_engine::{
    BadRecords, Batch, ColumnRules, EmbeddedQueue, Engine, EngineBuilder, EngineError, EngineErrorKind, Queue, Receipt,
    Secret, Tally,
};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::place::Place;
use crate::{LONG, batch, check_error, check_ids, check_words, flush, schema, table, tally};

/// The keys of a batch and its records: those whose name is a number are rejected.
fn mixed(keys: &[&str], records: &[(i64, Value)]) -> Batch {
    let add = |batch: Batch, (id, name): &(i64, Value)| batch.upsert(1, &json!({"id": id, "name": name}));
    records.iter().fold(Batch::new("t", keys, &schema()), add)
}

/// Of the records 0 to 4, 1 and 3 are rejected.
fn two_of_five(keys: &[&str]) -> Batch {
    mixed(keys, &[(0, json!("a")), (1, json!(1)), (2, json!("c")), (3, json!(3)), (4, json!("e"))])
}

/// A schema under which nothing is rejected that was under the other.
fn wider() -> String {
    json!({"properties": {"id": {"type": "integer"}, "name": {"type": ["string", "integer"]}}}).to_string()
}

fn replay(engine: &Engine, batch: u64, records: &[u64], schema: Option<&str>) -> Result<Option<Receipt>, EngineError> {
    engine.replay(&table("t"), batch, &records.iter().copied().collect(), schema)
}

/// How many records were sent again.
#[track_caller]
fn sent(result: Result<Option<Receipt>, EngineError>) -> u64 {
    result.unwrap().map_or(0, |receipt| receipt.records())
}

const ROWS: [&str; 2] = ["/id", "/name"];

#[test]
fn each_is_sent_once() {
    for keys in [&["id"][..], &[]] {
        let place = Place::new();
        place.load(&["a"], [two_of_five(keys)]);
        let engine = place.builder(&["a"]).start().unwrap();
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 2);
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 0);
        flush(&engine);
        assert_eq!(tally(&engine, "a", "t"), Tally { accepted: 2, loaded: 2, ..Tally::default() });
        drop(engine);
        let engine = place.builder(&["a"]).start().unwrap();
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 0);
        flush(&engine);
        assert_eq!(tally(&engine, "a", "t"), Tally::default());
        drop(engine);
        let mut rows = place.rows("a", &ROWS);
        rows.sort();
        assert_eq!(rows, [r#"0|"a""#, "1|1", r#"2|"c""#, "3|3", r#"4|"e""#]);
        place.check_counted("a");
        assert_eq!(place.rejects("a").len(), 2, "they stay where they were rejected");
        assert_eq!(place.queue().cursor("replay of batch 1").unwrap().as_deref(), Some("1,3"));
    }
}

/// Some now, some later: those that were sent are left out.
#[test]
fn a_part_is_sent_and_then_the_rest() {
    let place = Place::new();
    let names: Vec<(i64, Value)> = (0..6).map(|id| (id, json!(id))).collect();
    place.load(&["a"], [mixed(&[], &names)]);
    for (records, expected) in
        [(&[1, 4][..], 2), (&[4], 0), (&[0, 1, 2, 4], 2), (&[0, 1, 2, 3, 4, 5], 2), (&[0, 1, 2, 3, 4, 5], 0)]
    {
        let engine = place.builder(&["a"]).start().unwrap();
        assert_eq!(sent(replay(&engine, 1, records, Some(&wider()))), expected, "{records:?}");
        flush(&engine);
    }
    let mut rows = place.rows("a", &["/id"]);
    rows.sort();
    assert_eq!(rows, ["0", "1", "2", "3", "4", "5"]);
}

/// Of several that ask for the same at once, each record is sent for one.
#[test]
fn each_is_sent_once_by_many_at_once() {
    let place = Place::new();
    let names: Vec<(i64, Value)> = (0..8).map(|id| (id, json!(id))).collect();
    place.load(&["a"], [mixed(&[], &names)]);
    let engine = place.builder(&["a"]).start().unwrap();
    let counts: Vec<u64> = thread::scope(|scope| {
        let replays: Vec<_> = (0..8_u64)
            .map(|thread| {
                scope.spawn({
                    let engine = &engine;
                    move || sent(replay(engine, 1, &[thread, (thread + 1) % 8], Some(&wider())))
                })
            })
            .collect();
        replays.into_iter().map(|replay| replay.join().unwrap()).collect()
    });
    assert_eq!(counts.iter().sum::<u64>(), 8, "{counts:?}");
    flush(&engine);
    assert_eq!(tally(&engine, "a", "t").loaded, 8);
}

/// What is refused was not sent: another schema may take it.
#[test]
fn what_is_still_bad_is_refused_whole() {
    let place = Place::new();
    place.load(&["a"], [two_of_five(&["id"])]);
    let engine = place.builder(&["a"]).bad_records(BadRecords::RefuseBatch).start().unwrap();
    let before = engine.progress().tables.len();
    for schema in [None, Some("{}"), Some("[]"), Some("no JSON")] {
        check_error(replay(&engine, 1, &[1, 3], schema), EngineErrorKind::Refused, &["nothing of it was queued"]);
    }
    check_error(replay(&engine, 1, &[1, 5], Some(&wider())), EngineErrorKind::Refused, &["the batch has no message 5"]);
    flush(&engine);
    assert_eq!(engine.progress().tables.len(), before);
    assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 2);
    flush(&engine);
}

/// Rejected again, a record stands there once more under its new batch, from which it can be sent again.
#[test]
fn what_is_still_bad_is_rejected_again() {
    let place = Place::new();
    place.load(&["a"], [two_of_five(&["id"])]);
    for batch in 1..4 {
        let records: &[u64] = if batch == 1 { &[1, 3] } else { &[0, 1] };
        let engine = place.builder(&["a"]).start().unwrap();
        let receipt = replay(&engine, batch, records, None).unwrap().unwrap();
        assert_eq!((receipt.batch(), receipt.records(), receipt.rejected()), (batch + 1, 2, 2));
        assert!(replay(&engine, batch, records, Some(&wider())).unwrap().is_none());
        flush(&engine);
    }
    let engine = place.builder(&["a"]).start().unwrap();
    assert_eq!(sent(replay(&engine, 4, &[1], Some(&wider()))), 1);
    flush(&engine);
    drop(engine);
    assert_eq!(place.rows("a", &ROWS), [r#"0|"a""#, r#"2|"c""#, "3|3", r#"4|"e""#]);
    let places: Vec<(u64, u64)> = place.rejects("a").iter().map(|found| (found.batch, found.batch_record)).collect();
    assert_eq!(places, [(1, 1), (1, 3), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)]);
    let kept: Vec<u64> = place.queue().kept_for_replay(None).unwrap().iter().map(|kept| kept.batch).collect();
    assert_eq!(kept, [1, 2, 3, 4]);
}

/// Sequences, table versions and deletes are as they came: what is newer stays, what is older goes.
#[test]
fn they_compete_as_what_they_are() {
    let message =
        |action: &str, sequence: i64, data: Value| json!({"action": action, "sequence": sequence, "data": data});
    let of = |version: i64, messages: &[Value]| {
        let body = json!({"table_name": "t", "table_version": version, "schema": schema(), "key_names": ["id"], "messages": messages});
        Batch::from_json(body.to_string())
    };
    let place = Place::new();
    let bad = |id: i64| json!({"id": id, "name": id});
    place.load(
        &["a"],
        [of(
            5,
            &[
                message("upsert", 7, bad(1)),
                message("upsert", 7, bad(2)),
                message("upsert", 7, json!({"id": 3, "name": "good"})),
                message("delete", 8, bad(3)),
                message("delete", 6, bad(4)),
                message("upsert", 7, bad(5)),
            ],
        )],
    );
    assert_eq!(place.rejects("a").len(), 5);
    let good = |id: i64, name: &str| json!({"id": id, "name": name});
    place.load(
        &["a"],
        [
            of(
                5,
                &[
                    message("upsert", 6, good(1, "older")),
                    message("upsert", 8, good(2, "newer")),
                    message("upsert", 7, good(4, "newer")),
                ],
            ),
            of(4, &[message("upsert", 9, good(5, "of an older version"))]),
        ],
    );
    let engine = place.builder(&["a"]).start().unwrap();
    assert_eq!(sent(replay(&engine, 1, &[0, 1, 3, 4, 5], Some(&wider()))), 5);
    flush(&engine);
    assert_eq!(tally(&engine, "a", "t"), Tally { accepted: 5, loaded: 3, superseded: 2, ..Tally::default() });
    drop(engine);
    let places = ["/id", "/name", "_sdc_sequence", "_sdc_table_version"];
    let rows = place.rows("a", &places);
    assert_eq!(rows, ["1|1|7|5", r#"2|"newer"|8|5"#, "3|null|8|5", r#"4|"newer"|7|5"#, "5|5|7|5"]);
    assert!(place.rows("a", &["_sdc_deleted_at"])[2].starts_with("timestamp"));
}

/// A version that was activated meanwhile beats what is sent again of an older one.
#[test]
fn they_may_be_of_a_version_that_is_over() {
    let of = |version: i64| Batch::new("t", &["id"], &schema()).table_version(version);
    let place = Place::new();
    place.load(
        &["a"],
        [
            of(1).upsert(9, &json!({"id": 1, "name": 1})),
            of(2).upsert(1, &json!({"id": 2, "name": "b"})).activate_version(2),
        ],
    );
    let engine = place.builder(&["a"]).start().unwrap();
    assert_eq!(sent(replay(&engine, 1, &[0], Some(&wider()))), 1);
    flush(&engine);
    assert_eq!(tally(&engine, "a", "t"), Tally { accepted: 1, superseded: 1, ..Tally::default() });
    drop(engine);
    assert_eq!(place.rows("a", &ROWS), [r#"2|"b""#]);
}

const CANARY: &str = "canary-3d55";

/// What is excluded stays out, also where another schema speaks of it; what is hashed has the hash it had.
#[test]
fn what_is_excluded_or_hashed_is_so_once() {
    let place = Place::new();
    let builder = || {
        let rules = ColumnRules::new().exclude("/email").unwrap().hash("/phone").unwrap();
        place.builder(&["a"]).columns(table("t"), rules).hash_secret(None, Secret::new("secret").unwrap())
    };
    let schema = |name: Value| {
        json!({"required": ["email", "phone"], "properties": {
            "id": {"type": "integer"},
            "name": {"type": name},
            "email": {"type": "string", "enum": [CANARY]},
            "phone": {"type": "string", "pattern": "^canary"},
        }})
    };
    let record = |id: i64, name: Value| json!({"id": id, "name": name, "email": CANARY, "phone": CANARY});
    let batch = Batch::new("t", &["id"], &schema(json!("string"))).upsert(1, &record(1, json!("good")));
    let engine = builder().start().unwrap();
    let receipt = engine.push(batch.upsert(1, &record(2, json!(2))).upsert(1, &record(3, json!(3)))).unwrap();
    assert_eq!(receipt.rejected(), 2);
    flush(&engine);
    let wide = schema(json!(["string", "integer"])).to_string();
    assert_eq!(sent(replay(&engine, 1, &[1], Some(&wide))), 1);
    // Without another schema, it is rejected once more.
    assert_eq!(sent(replay(&engine, 1, &[2], None)), 1);
    flush(&engine);
    assert_eq!(sent(replay(&engine, 3, &[0], Some(&wide))), 1);
    flush(&engine);
    drop(engine);
    assert_eq!(place.rows("a", &["/id", "/name", "/email"]), [r#"1|"good"|null"#, "2|2|null", "3|3|null"]);
    let hashes = place.rows("a", &["/phone"]);
    assert!(hashes[0].len() == 66 && hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    let queue = place.queue();
    for kept in queue.kept_for_replay(None).unwrap() {
        let body = String::from_utf8(queue.body(kept.batch).unwrap()).unwrap();
        assert!(!body.contains(CANARY) && !body.contains("email"), "{body}");
    }
    drop(queue);
    assert!(!place.holds(CANARY));
}

/// Rules that came since hold for what is sent again, as far as a value is not known to be a hash.
#[test]
fn what_is_excluded_since_is_left_out() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let ruled = |rules: ColumnRules| {
        let builder = builder(folder.path(), &memory).hash_secret(None, Secret::new("secret").unwrap());
        builder.columns(table("t"), rules).start().unwrap()
    };
    let hash = || ColumnRules::new().hash("/hashed").unwrap();
    let engine = ruled(hash());
    let record = json!({"id": "two", "name": "excluded", "hashed": "hashed"});
    engine.push(Batch::new("t", &[], &schema()).upsert(2, &record)).unwrap();
    flush(&engine);
    drop(engine);
    let hashed = |text: &str| text.split('"').find(|part| part.len() == 64).unwrap().to_owned();
    let [reject] = memory.table("t").rejects.try_into().unwrap();

    let engine = ruled(hash().exclude("/name").unwrap());
    let mended = json!({"properties": {"id": {"type": ["integer", "string"]}, "name": {"type": "string"}}});
    assert_eq!(sent(replay(&engine, 1, &[0], Some(&mended.to_string()))), 1);
    flush(&engine);
    assert_eq!(memory.column("t", "hashed"), [hashed(&reject["record"])]);
    assert!(memory.table("t").rows.values().all(|row| !row.contains_key("name")));
}

/// As long as a batch of them waits, it is in the queue as it is stored.
#[test]
fn the_schema_in_its_place_is_stored_without_what_is_excluded() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let rules = ColumnRules::new().exclude("/email").unwrap();
    let engine = builder(folder.path(), &memory).columns(table("t"), rules).start().unwrap();
    engine.push(two_of_five(&["id"])).unwrap();
    flush(&engine);
    memory.go_away("t");
    let schema = json!({"required": ["email"], "properties": {
        "id": {"type": "integer"}, "name": {"type": ["string", "integer"]}, "email": {"type": "string", "enum": [CANARY]},
    }});
    assert_eq!(sent(replay(&engine, 1, &[1], Some(&schema.to_string()))), 1);
    drop(engine);
    let body = String::from_utf8(EmbeddedQueue::open(folder.path()).unwrap().body(2).unwrap()).unwrap();
    assert!(!body.contains(CANARY) && body.contains("integer"), "{body}");
}

fn builder(folder: &Path, memory: &Memory) -> EngineBuilder {
    Engine::builder(folder).destination("memory", memory.clone()).bad_records(BadRecords::RejectEach)
}

/// A destination that came later gets what is sent again, as does one that had not loaded the batch by then; each once.
#[test]
fn every_destination_gets_them_once() {
    let (folder, early, late) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = builder(folder.path(), &early).start().unwrap();
    engine.push(two_of_five(&[])).unwrap();
    flush(&engine);
    drop(engine);
    let engine = builder(folder.path(), &early).destination("late", late.clone()).start().unwrap();
    late.go_away("t");
    engine.push(mixed(&[], &[(5, json!("f")), (6, json!(6))])).unwrap();
    early.wait_for("t", |table| table.rejects.len() == 3);
    assert_eq!(
        (sent(replay(&engine, 1, &[1, 3], Some(&wider()))), sent(replay(&engine, 2, &[1], Some(&wider())))),
        (2, 1)
    );
    late.come_back("t");
    flush(&engine);
    assert_eq!((sent(replay(&engine, 1, &[1, 3], None)), sent(replay(&engine, 2, &[1], None))), (0, 0));
    check_ids(&early, "t", [0, 2, 4, 5, 1, 3, 6]);
    check_ids(&late, "t", [5, 1, 3, 6]);
    assert_eq!((early.table("t").rejects.len(), late.table("t").rejects.len()), (3, 1));
}

/// Whatever becomes of the load that brings them, and of the engine, each is loaded once and not sent again.
#[test]
fn no_failure_makes_it_twice() {
    use selvedge_core::LoadErrorKind::Unavailable;
    let faults: [&[Fault]; 6] = [
        &[Fault::Fails(Unavailable)],
        &[Fault::Unknown],
        &[Fault::AppliedUnknown],
        &[Fault::Unknown, Fault::AppliedUnknown],
        &[Fault::Panics],
        &[Fault::AppliedPanics],
    ];
    for faults in faults {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = builder(folder.path(), &memory).start().unwrap();
        engine.push(two_of_five(&[])).unwrap();
        flush(&engine);
        memory.fail_loads("t", faults);
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 2);
        // One whose loader died tells so; the next engine goes on.
        let _ = engine.flush(LONG);
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 0);
        drop(engine);
        let engine = builder(folder.path(), &memory).start().unwrap();
        assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 0);
        flush(&engine);
        check_ids(&memory, "t", [0, 2, 4, 1, 3]);
        let counts = memory.table("t").state.unwrap().counts;
        assert_eq!((counts.loaded, counts.rejected, counts.live_rows), (5, 2, 5));
    }
}

/// An engine that ends right after it sent them: the next one loads them.
#[test]
fn they_are_durable_once_they_are_sent() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    engine.push(two_of_five(&[])).unwrap();
    flush(&engine);
    memory.go_away("t");
    assert_eq!(sent(replay(&engine, 1, &[3], Some(&wider()))), 1);
    drop(engine);
    memory.come_back("t");
    let engine = builder(folder.path(), &memory).start().unwrap();
    assert_eq!(sent(replay(&engine, 1, &[1, 3], Some(&wider()))), 1);
    flush(&engine);
    check_ids(&memory, "t", [0, 2, 4, 3, 1]);
}

/// A table that is paused and full takes none of them, and they can be sent once it goes on.
#[test]
fn a_full_table_takes_none() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).paused_limit_bytes(10).start().unwrap();
    engine.push(two_of_five(&[])).unwrap();
    flush(&engine);
    engine.pause(&table("t"), "by hand").unwrap();
    check_error(replay(&engine, 1, &[1], Some(&wider())), EngineErrorKind::Paused, &["t is paused"]);
    engine.resume(&table("t")).unwrap();
    assert_eq!(sent(replay(&engine, 1, &[1], Some(&wider()))), 1);
    flush(&engine);
    check_ids(&memory, "t", [0, 2, 4, 1]);
}

/// Only a batch that is kept, and only as one of its table.
#[test]
fn only_what_is_kept_of_the_table_is_sent() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    let shop = IntegrationName::new("shop").unwrap();
    engine.push(two_of_five(&[])).unwrap();
    engine.push(two_of_five(&[]).integration(shop.clone())).unwrap();
    engine.push(batch("good", &[(1, 1, "a")])).unwrap();
    flush(&engine);
    let of_shop = TableName::new(Some(shop), "t").unwrap();
    let refused = |table: &TableName, batch: u64| {
        let not_kept = format!("batch {batch} of {table} is not kept for replay");
        let result = engine.replay(table, batch, &[1].into(), Some(&wider()));
        check_error(result, EngineErrorKind::Refused, &[&not_kept, "send its records again"]);
    };
    refused(&table("other"), 1);
    refused(&of_shop, 1);
    refused(&table("good"), 1);
    refused(&table("t"), 2);
    refused(&table("good"), 3);
    refused(&table("t"), 4);
    assert!(engine.replay(&of_shop, 2, &[1, 3].into(), Some(&wider())).unwrap().unwrap().table() == &of_shop);
    flush(&engine);
    check_ids(&memory, "t", [0, 2, 4]);
    drop(engine);
    let engine = builder(folder.path(), &memory).rejected_kept(Duration::ZERO).start().unwrap();
    let pruned = replay(&engine, 1, &[1], Some(&wider()));
    check_error(pruned, EngineErrorKind::Refused, &["batch 1 of t is not kept for replay, or no longer"]);
    flush(&engine);
    check_words(&engine.progress().to_string(), &[]);
    check_ids(&memory, "t", [0, 2, 4]);
}
