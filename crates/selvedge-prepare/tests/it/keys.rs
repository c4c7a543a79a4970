//! Keys: those the sender names, which stay what they are, and those selvedge generates.

use std::collections::HashSet;

use selvedge_core::{QueueId, RowOrder};
use selvedge_prepare::{Pending, Policy};
use uuid::{Uuid, Variant};

use crate::load::{applied, prepared, prepared_of, queue, values, waiting};

const SCHEMA: &str = r#"{"properties":{"id":{"type":"integer"},"b":{"type":"integer"}}}"#;
const TEXT: &str = r#"{"properties":{"id":{"type":"string"},"b":{"type":"integer"}}}"#;
const NUMBERS: &str = r#"{"id":1,"b":2}"#;
const TEXTS: &str = r#"{"id":"1","b":2}"#;

/// A table of the batch `first` cannot take the batch `then`, neither later nor in the same load.
#[track_caller]
fn check_blocked(first: &Pending, then: &Pending, keys: (&str, &str)) {
    let state = applied(&prepared(None, std::slice::from_ref(first), RowOrder::Any).unwrap());
    let later = prepared(Some(&state), std::slice::from_ref(then), RowOrder::Any).unwrap_err();
    let together = prepared(None, &[first.clone(), then.clone()], RowOrder::Any).unwrap_err();
    let (standing, found) = keys;
    let expected = format!(
        "the table's keys are ({standing}), but the batch's are ({found}), or of other types. The batch waits, and \
         what comes after it for this table. Decide with `selvedge table rekey`, `selvedge table reset` or `selvedge table \
         drop`, or send records of other keys under another table name"
    );
    assert_eq!((later.to_string(), together.to_string()), (expected.clone(), expected));
}

#[test]
fn changed_keys_block_the_table() {
    let by_id = waiting(1, SCHEMA, &["id"], &[NUMBERS]);
    check_blocked(&by_id, &waiting(2, SCHEMA, &["b"], &[NUMBERS]), ("id", "b"));
    check_blocked(&by_id, &waiting(2, SCHEMA, &["id", "b"], &[NUMBERS]), ("id", "id, b"));
    check_blocked(&by_id, &waiting(2, SCHEMA, &[], &[NUMBERS]), ("id", ""));
    check_blocked(&waiting(1, SCHEMA, &[], &[NUMBERS]), &waiting(2, SCHEMA, &["id"], &[NUMBERS]), ("", "id"));
    check_blocked(&by_id, &waiting(2, TEXT, &["id"], &[TEXTS]), ("id", "id__st"));
}

#[test]
fn keys_stay_what_they_are() {
    let first = waiting(1, SCHEMA, &["b", "id"], &[NUMBERS]);
    let load = prepared(None, &[first], RowOrder::Any).unwrap();
    assert_eq!(load.keys, ["b", "id"]);
    let second = waiting(2, SCHEMA, &["b", "id"], &[NUMBERS]);
    assert_eq!(prepared(Some(&applied(&load)), &[second], RowOrder::Any).unwrap().keys, ["b", "id"]);
}

#[test]
fn nothing_to_load() {
    assert_eq!(prepared(None, &[], RowOrder::Any).unwrap_err().to_string(), "there is nothing to load");
}

fn generated(queue: QueueId, batches: &[Pending]) -> Vec<String> {
    let load = prepared_of(queue, None, batches, RowOrder::Key, Policy::default(), &[]).unwrap();
    assert!(load.keys.is_empty());
    assert_eq!(load.superseded, 0);
    values(&load, "__sdc_primary_key").into_iter().map(Option::unwrap).collect()
}

#[test]
fn generated_keys() {
    let batches = [waiting(1, SCHEMA, &[], &[NUMBERS; 3]), waiting(2, SCHEMA, &[], &[NUMBERS; 2])];
    let keys = generated(queue(), &batches);
    for key in &keys {
        let uuid = Uuid::parse_str(key).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (8, Variant::RFC4122));
        assert_eq!(*key, uuid.hyphenated().to_string());
    }
    let other_queue = generated(QueueId::from_bytes([7; 16]), &batches);
    let all: HashSet<&String> = keys.iter().chain(&other_queue).collect();
    assert_eq!(all.len(), 10, "no two records of any queue have one key");

    // However the batches are split into loads, a record's key is the same.
    assert_eq!(generated(queue(), &batches), keys);
    assert_eq!(generated(queue(), &batches[1..]), keys[3..]);
    let rest = Pending { applied: 2, ..batches[0].clone() };
    assert_eq!(generated(queue(), &[rest, batches[1].clone()]), keys[2..]);
}
