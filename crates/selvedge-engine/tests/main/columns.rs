//! Columns that are excluded or hashed: before the queue, and for good.

use std::fs;
use std::path::Path;

use selvedge_core::{IntegrationName, TableName};
use selvedge_engine::{Batch, ColumnRules, EmbeddedQueue, Engine, EngineBuilder, EngineErrorKind, Queue, Secret};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_error, check_words, flush, table};

/// What must be nowhere but in the batch.
const CANARY: &str = "canary-7f3a";
/// Its hash with the secret `secret`.
const HASH: &str = "b56c30082e4a3e156edb13cab5dd0d2c991f5bb216357dcef03fdc15d8c8894a";

fn rules() -> ColumnRules {
    ColumnRules::new().exclude("/email").unwrap().hash("/phone").unwrap()
}

fn secret() -> Secret {
    Secret::new("secret").unwrap()
}

/// An engine that excludes and hashes columns of the table `t`.
fn builder(folder: &Path, memory: &Memory) -> EngineBuilder {
    let builder = Engine::builder(folder).destination("memory", memory.clone());
    builder.columns(table("t"), rules()).hash_secret(None, secret())
}

fn batch(table: &str) -> Batch {
    let schema = json!({"required": ["email"], "properties": {
        "id": {"type": "integer"},
        "email": {"type": "string", "enum": [CANARY]},
        "phone": {"type": "string"},
    }});
    Batch::new(table, &["id"], &schema).upsert(1, &json!({"id": 1, "email": CANARY, "phone": CANARY}))
}

/// The bodies that a queue holds of a table.
fn bodies(folder: &Path, name: &str) -> Vec<String> {
    let queue = EmbeddedQueue::open(folder).unwrap();
    let stored = queue.read(&table(name), 0, 10).unwrap();
    stored.iter().map(|stored| String::from_utf8(queue.body(stored.batch).unwrap()).unwrap()).collect()
}

fn holds(folder: &Path, text: &str) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn what_is_excluded_is_stored_nowhere() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    memory.go_away("t");
    engine.push(batch("t")).unwrap();
    drop(engine);
    assert!(!holds(folder.path(), CANARY));
    let [body] = &bodies(folder.path(), "t")[..] else { panic!("the batch waits in the queue") };
    assert!(!body.contains(CANARY) && !body.contains("email") && body.contains(HASH), "{body}");

    memory.come_back("t");
    flush(&builder(folder.path(), &memory).start().unwrap());
    let rows = memory.table("t").rows;
    let row = rows.values().next().unwrap();
    assert_eq!((row["id"].as_str(), row["phone"].as_str()), ("1", HASH));
    assert!(!format!("{rows:?}").contains(CANARY) && !row.contains_key("email"), "{rows:?}");
}

#[test]
fn tables_without_rules_are_stored_as_they_came() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    memory.go_away("other");
    engine.push(batch("other")).unwrap();
    drop(engine);
    let [body] = &bodies(folder.path(), "other")[..] else { panic!("the batch waits in the queue") };
    assert_eq!(body.matches(CANARY).count(), 3, "{body}");
}

#[test]
fn the_batch_as_it_was_sent_has_to_conform() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    let without_email = batch("t").upsert(2, &json!({"id": 2}));
    let error = engine.push(without_email).unwrap_err();
    assert_eq!(error.kind(), EngineErrorKind::Refused);
    check_words(&error.refusal().unwrap().to_string(), &["Record 1", "required key [email] not found"]);
    let wrong_phone = batch("t").upsert(2, &json!({"id": 2, "email": CANARY, "phone": 5}));
    let refusal = engine.push(wrong_phone).unwrap_err();
    check_words(&refusal.refusal().unwrap().to_string(), &["#/phone: expected type: String, found: Integer"]);
}

#[test]
fn a_schema_that_nothing_can_be_taken_out_of() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let rules = ColumnRules::new().exclude("/a/e").unwrap();
    let engine = builder(folder.path(), &memory).columns(table("t"), rules).start().unwrap();
    let only = json!({"additionalProperties": false, "properties": {"e": {"type": "integer"}}});
    let schema = json!({"properties": {"a": only, "b": {"$ref": "#/properties/a"}}});
    let batch = Batch::new("t", &[], &schema).upsert(1, &json!({"a": {"e": 1}, "b": {"e": 2}}));
    let words = ["conforms to its schema, but would not without", "extraneous key [e]"];
    check_error(engine.push(batch), EngineErrorKind::Refused, &words);
}

#[test]
fn a_repeat_is_recognised() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    assert!(!engine.push(batch("t")).unwrap().repeated());
    assert!(engine.push(batch("t")).unwrap().repeated());
    flush(&engine);
    drop(engine);
    assert!(builder(folder.path(), &memory).start().unwrap().push(batch("t")).unwrap().repeated());
}

#[test]
fn many_batches_at_once_are_redacted_too() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = builder(folder.path(), &memory).start().unwrap();
    engine.push_many([batch("t")], |_| {}).unwrap();
    flush(&engine);
    assert_eq!(memory.column("t", "phone"), [HASH]);
}

#[test]
fn a_key_cannot_be_excluded() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let rules = ColumnRules::new().exclude("/id").unwrap();
    let engine = builder(folder.path(), &memory).columns(table("t"), rules).start().unwrap();
    check_error(
        engine.push(batch("t")),
        EngineErrorKind::Refused,
        &["the key `id` is to be excluded", "hashed instead"],
    );
}

#[test]
fn every_integration_has_a_secret_of_its_own() {
    let shop = IntegrationName::new("shop").unwrap();
    let of_shop = || TableName::new(Some(shop.clone()), "t").unwrap();
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let refused = builder(folder.path(), &memory).columns(of_shop(), rules()).start();
    check_error(refused, EngineErrorKind::Unusable, &["shop.t", "has no secret", "hash_secret"]);

    let builder = builder(folder.path(), &memory).columns(of_shop(), rules());
    let engine = builder.hash_secret(Some(shop.clone()), Secret::new("another").unwrap()).start().unwrap();
    memory.go_away("t");
    engine.push(batch("t")).unwrap();
    engine.push(batch("t").integration(shop.clone())).unwrap();
    drop(engine);
    let queue = EmbeddedQueue::open(folder.path()).unwrap();
    let body = |table: &TableName| queue.body(queue.read(table, 0, 1).unwrap()[0].batch).unwrap();
    assert_ne!(body(&table("t")), body(&of_shop()));
}
