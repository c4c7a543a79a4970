//! Rejected records that are sent again.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use selvedge_core::{IntegrationName, TableName};
use selvedge_engine::{BadRecords, Batch, ColumnRules, Engine, EngineErrorKind, Secret};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_error, check_ids, flush, schema, table};

/// A schema by which the bad record of [`keyless_refused`] is a good one.
fn mended() -> String {
    json!({"properties": {"id": {"type": ["integer", "string"]}, "name": {"type": "string"}}}).to_string()
}

/// A batch without a key whose second record does not conform.
fn keyless_refused() -> Batch {
    Batch::new("t", &[], &schema()).upsert(1, &json!({"id": 1})).upsert(2, &json!({"id": "two"}))
}

fn rejecting(memory: &Memory, folder: &Path) -> Engine {
    let builder = Engine::builder(folder).destination("memory", memory.clone());
    builder.bad_records(BadRecords::RejectEach).start().unwrap()
}

/// Whoever asks, together and after a restart: one row comes of it.
#[test]
fn each_goes_in_once() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = rejecting(&memory, folder.path());
    engine.push(keyless_refused()).unwrap();
    flush(&engine);
    let replay = |engine: &Engine| engine.replay(&table("t"), 1, &BTreeSet::from([1]), Some(&mended())).unwrap();
    let sent = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| replay(&engine).is_some())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|sent| *sent).count()
    });
    assert_eq!(sent, 1);
    flush(&engine);
    drop(engine);
    let engine = rejecting(&memory, folder.path());
    assert!(replay(&engine).is_none());
    flush(&engine);
    assert_eq!(memory.table("t").rows.len(), 2);
}

/// Rules that came since hold for what is sent again, as far as a value is not known to be a hash.
#[test]
fn what_is_excluded_since_is_left_out() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let ruled = |rules: ColumnRules| {
        let builder = Engine::builder(folder.path()).destination("memory", memory.clone());
        let builder = builder.hash_secret(None, Secret::new("secret").unwrap()).columns(table("t"), rules);
        builder.bad_records(BadRecords::RejectEach).start().unwrap()
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
    engine.replay(&table("t"), 1, &BTreeSet::from([0]), Some(&mended())).unwrap().unwrap();
    flush(&engine);
    assert_eq!(memory.column("t", "hashed"), [hashed(&reject["record"])]);
    assert!(memory.table("t").rows.values().all(|row| !row.contains_key("name")));
}

/// A batch is of one table: that of another name or integration does not get its records.
#[test]
fn they_go_into_their_own_table() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = rejecting(&memory, folder.path());
    engine.push(keyless_refused()).unwrap();
    engine.push(Batch::new("other", &[], &schema()).upsert(1, &json!({"id": 1}))).unwrap();
    flush(&engine);
    let of_integration = TableName::new(Some(IntegrationName::new("shop").unwrap()), "t").unwrap();
    for (name, batch) in [(table("other"), 1), (of_integration, 1), (table("other"), 2), (table("t"), 77)] {
        let replayed = engine.replay(&name, batch, &BTreeSet::from([0]), None);
        let message = format!("batch {batch} of {name} is not kept for replay");
        check_error(replayed, EngineErrorKind::Refused, &[&message, "send its records again"]);
    }
    flush(&engine);
    check_ids(&memory, "t", [1]);
    check_ids(&memory, "other", [1]);
}
