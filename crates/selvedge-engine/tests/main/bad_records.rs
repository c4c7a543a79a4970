//! Records that violate their schema: the batch refused, or each of them rejected and kept for replay.

use std::path::Path;

use selvedge_core::IntegrationName;
use selvedge_engine::{
    BadRecords, Batch, ColumnRules, EmbeddedQueue, Engine, EngineBuilder, EngineErrorKind, Queue, Secret, Tally,
};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::{Fault, Memory};
use crate::{LONG, batch, check_error, check_names, flush, refused, table, tally};

pub(crate) fn builder(folder: &Path, memory: &Memory) -> EngineBuilder {
    Engine::builder(folder).destination("memory", memory.clone())
}

pub(crate) fn rejecting(folder: &Path, memory: &Memory) -> Engine {
    builder(folder, memory).bad_records(BadRecords::RejectEach).start().unwrap()
}

/// The batches kept for replay, with their bodies.
pub(crate) fn kept(folder: &Path) -> Vec<(u64, String)> {
    let queue = EmbeddedQueue::open(folder).unwrap();
    let kept = queue.kept_for_replay(Some(&table("t"))).unwrap();
    kept.iter().map(|kept| (kept.batch, String::from_utf8(queue.body(kept.batch).unwrap()).unwrap())).collect()
}

#[test]
fn each_is_rejected_and_the_others_are_loaded() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = rejecting(folder.path(), &memory);
    let receipt = engine.push(refused("t")).unwrap();
    assert_eq!((receipt.records(), receipt.rejected()), (2, 1));
    assert_eq!(engine.push(batch("t", &[(3, 3, "good too")])).unwrap().rejected(), 0);
    flush(&engine);
    check_names(&memory, "t", &["good", "good too"]);
    let [reject] = memory.table("t").rejects.try_into().unwrap();
    assert_eq!((reject["record"].as_str(), reject["pointer"].as_str()), (r#"{"id":"two","name":"bad"}"#, "/id"));
    assert_eq!(reject["reason"], "expected type: Integer, found: String");
    assert_eq!((reject["_sdc_batch"].as_str(), reject["_sdc_batch_record"].as_str()), ("1", "1"));
    let expected = Tally { accepted: 3, loaded: 2, rejected: 1, ..Tally::default() };
    assert_eq!(tally(&engine, "memory", "t"), expected);
    let again = engine.push(refused("t")).unwrap();
    assert_eq!((again.repeated(), again.rejected()), (true, 1));
    assert_eq!(tally(&engine, "memory", "t"), Tally { repeated: 2, ..expected });
}

/// The batch's own word, else that of its integration, else that of the engine.
#[test]
fn who_says_what_becomes_of_them() {
    use BadRecords::{RefuseBatch, RejectEach};
    let named = IntegrationName::new("named").unwrap();
    for (general, own, of_batch, expected) in [
        (None, None, None, RefuseBatch),
        (Some(RejectEach), None, None, RejectEach),
        (Some(RejectEach), Some(RefuseBatch), None, RefuseBatch),
        (None, Some(RejectEach), None, RejectEach),
        (None, Some(RejectEach), Some(RefuseBatch), RefuseBatch),
        (None, None, Some(RejectEach), RejectEach),
    ] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let builder = general.into_iter().fold(builder(folder.path(), &memory), EngineBuilder::bad_records);
        let own = own.into_iter().fold(builder, |builder, own| builder.bad_records_for(named.clone(), own));
        let engine = own.start().unwrap();
        let batch = of_batch.into_iter().fold(refused("t").integration(named.clone()), Batch::bad_records);
        match expected {
            RejectEach => assert_eq!(engine.push(batch).unwrap().rejected(), 1),
            RefuseBatch => check_error(engine.push(batch), EngineErrorKind::Refused, &["nothing of it was queued"]),
        }
    }
}

/// What is no batch is refused under either.
#[test]
fn what_cannot_be_read_is_refused() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = rejecting(folder.path(), &memory);
    for body in ["", "{", r#"{"table_name":"t","schema":{},"messages":[{"action":"upsert"}]}"#] {
        check_error(engine.push(Batch::from_json(body)), EngineErrorKind::Refused, &["nothing of it was queued"]);
    }
}

/// How an engine ends that was given batches.
#[derive(Clone, Copy)]
enum Ends {
    Loaded,
    Waiting,
    /// The destination has them, and the queue does not know it.
    LoadedUnknown,
}

/// The body is there after every destination has loaded it, whatever ended in between, and another engine decodes it alike.
#[test]
fn their_batches_are_kept_for_replay() {
    for ends in [Ends::Loaded, Ends::Waiting, Ends::LoadedUnknown] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = rejecting(folder.path(), &memory);
        match ends {
            Ends::Loaded => {}
            Ends::Waiting => memory.go_away("t"),
            Ends::LoadedUnknown => memory.fail_loads("t", &[Fault::AppliedPanics]),
        }
        engine.push(refused("t")).unwrap();
        engine.push(batch("t", &[(3, 3, "good too")])).unwrap();
        match ends {
            Ends::Loaded => flush(&engine),
            Ends::Waiting => {}
            Ends::LoadedUnknown => drop(engine.flush(LONG).unwrap_err()),
        }
        drop(engine);
        memory.come_back("t");
        // The next engine is strict, which is for what is pushed to it, not for what is in the queue.
        let engine = builder(folder.path(), &memory).start().unwrap();
        flush(&engine);
        check_names(&memory, "t", &["good", "good too"]);
        assert_eq!(memory.table("t").rejects.len(), 1);
        let counts = memory.table("t").state.unwrap().counts;
        assert_eq!((counts.loaded, counts.superseded, counts.rejected, counts.live_rows), (2, 0, 1, 2));
        drop(engine);
        for _ in 0..2 {
            let [(batch, body)] = kept(folder.path()).try_into().unwrap();
            assert!(batch == 1 && body.contains(r#""data":{"id":"two","name":"bad"}"#), "{body}");
        }
        assert_eq!(EmbeddedQueue::open(folder.path()).unwrap().tables().unwrap()[0].kept_records, 0);
    }
}

/// What preparation rejects is kept as well, in one destination or in all.
#[test]
fn so_are_those_that_a_destination_rejects() {
    let (folder, left, right) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = builder(folder.path(), &left).destination("right", right.clone()).start().unwrap();
    let colliding = batch("t", &[(1, 1, "a")]).upsert(2, &json!({"id": 2, "name": "b", "NAME": "B"}));
    right.go_away("t");
    engine.push(colliding).unwrap();
    left.wait_for("t", |table| table.rejects.len() == 1);
    right.come_back("t");
    flush(&engine);
    for name in ["memory", "right"] {
        let expected = Tally { accepted: 2, loaded: 1, rejected: 1, ..Tally::default() };
        assert_eq!(tally(&engine, name, "t"), expected);
    }
    drop(engine);
    assert_eq!(kept(folder.path()).len(), 1);
}

const CANARY: &str = "canary-9b1d";

/// A rejected record is stored without what is excluded, and with hashes in place of what is hashed.
#[test]
fn they_are_stored_without_what_is_excluded() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let rules = ColumnRules::new().exclude("/email").unwrap().hash("/name").unwrap();
    let engine = builder(folder.path(), &memory)
        .bad_records(BadRecords::RejectEach)
        .columns(table("t"), rules)
        .hash_secret(None, Secret::new("secret").unwrap())
        .start()
        .unwrap();
    let with_email = |batch: Batch| batch.upsert(3, &json!({"id": "three", "name": CANARY, "email": CANARY}));
    let receipt = engine.push(with_email(batch("t", &[(1, 1, "good")]))).unwrap();
    assert_eq!((receipt.records(), receipt.rejected()), (2, 1));
    flush(&engine);
    let [reject] = memory.table("t").rejects.try_into().unwrap();
    assert!(
        reject["record"].starts_with(r#"{"id":"three","name":""#) && !reject["record"].contains(CANARY),
        "{reject:?}"
    );
    drop(engine);
    let [(_, body)] = kept(folder.path()).try_into().unwrap();
    assert!(body.contains("three") && !body.contains(CANARY), "{body}");
}
