//! Bodies of batches that are written anew.

use selvedge_prepare::{Schemas, decode_rejecting, erased_body, replay_body};

/// A body with something odd in all its places.
const BODY: &str = r#" { "table_name" : "t\u0021", "messages":[ {"action":"upsert","sequence":1,"data":{"id":1,"s":"],[{"}} ,
    {"sequence":2,"data": {"id":"x","id":[1.50]} ,"action":"upsert"},{"action":"switch_view","sequence":3}	, null,
    {"action":"delete","sequence":4,"d\u0061ta":{"id":5}}  ], "table_version":7,"key_names":["id"],"schema": {"properties":{"id":{"type":"integer"}}} } "#;

/// What stands between the messages of a body that has only some of them.
fn with_messages(messages: &str) -> String {
    let (before, rest) = BODY.split_once("[ {").unwrap();
    let (_, after) = rest.split_once("  ]").unwrap();
    format!("{before}{messages}{after}")
}

const FIRST: &str = r#"{"action":"upsert","sequence":1,"data":{"id":1,"s":"],[{"}}"#;
const SECOND: &str = r#"{"sequence":2,"data": {"id":"x","id":[1.50]} ,"action":"upsert"}"#;
const THIRD: &str = r#"{"action":"switch_view","sequence":3}"#;
const LAST: &str = r#"{"action":"delete","sequence":4,"d\u0061ta":{"id":5}}"#;

#[track_caller]
fn check(records: &[u64], messages: &[&str]) {
    let found = replay_body(BODY.as_bytes(), records, None).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), with_messages(&format!("[{}]", messages.join(","))));
}

#[test]
fn replayed_messages_are_those_that_came() {
    check(&[0], &[FIRST]);
    check(&[1], &[SECOND]);
    check(&[4, 1, 1], &[SECOND, LAST]);
    check(&[0, 1, 2, 3, 4], &[FIRST, SECOND, THIRD, LAST]);
}

#[test]
fn another_schema_takes_the_place_of_the_first() {
    let schema = r#"{"properties":{"id":{"type":"string"}}}"#;
    let found = String::from_utf8(replay_body(BODY.as_bytes(), &[0], Some(schema)).unwrap()).unwrap();
    let old = r#"{"properties":{"id":{"type":"integer"}}}"#;
    assert_eq!(found, with_messages(&format!("[{FIRST}]")).replace(old, schema));
}

#[test]
fn refused_replays() {
    let refused = |records: &[u64], schema| replay_body(BODY.as_bytes(), records, schema).unwrap_err().to_string();
    let invalid = "Request failed validation:#";
    assert_eq!(refused(&[0, 5], None), format!("{invalid}/messages: the batch has no message 5"));
    let erased = format!("{invalid}/messages: none of the records is left: they were erased");
    assert_eq!(refused(&[3], None), erased);
    assert_eq!(refused(&[], None), erased);
    assert_eq!(refused(&[0], Some("[]")), format!("{invalid}/schema: expected type: JSONObject, found: JSONArray"));
    assert!(refused(&[0], Some("{},\"x\":1")).contains("expected the end of the text"));
    for body in [&b"\xff"[..], b"", b"[]", br#"{"messages":[{]}"#] {
        assert!(replay_body(body, &[0], None).is_err() && erased_body(body, |_, _| true).is_err());
    }
}

/// Erases the records of these indices, which are asked for with their texts.
#[track_caller]
fn check_erased(records: &[u64], erased: &[&str]) {
    let mut asked = Vec::new();
    let found = erased_body(BODY.as_bytes(), |index, record| {
        asked.push((index, record.to_owned()));
        records.contains(&index)
    });
    let found = String::from_utf8(found.unwrap()).unwrap();
    let expected = erased.iter().fold(BODY.to_owned(), |body, message| body.replace(message, "null"));
    assert_eq!(found, expected);
    let texts = [(0, r#"{"id":1,"s":"],[{"}"#), (1, r#"{"id":"x","id":[1.50]}"#), (4, r#"{"id":5}"#)];
    assert_eq!(asked, texts.map(|(index, text)| (index, text.to_owned())));
}

#[test]
fn erased_messages_keep_their_place() {
    check_erased(&[], &[]);
    check_erased(&[1], &[SECOND]);
    check_erased(&[0, 1, 4], &[FIRST, SECOND, LAST]);
    let body = erased_body(BODY.as_bytes(), |index, _| index == 0).unwrap();
    let found = replay_body(&body, &[0, 4], None).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), with_messages(&format!("[{LAST}]")));
}

/// What is replayed can be decoded.
#[test]
fn replayed_bodies_are_batches() {
    let body = replay_body(BODY.as_bytes(), &[0, 1, 3], None).unwrap();
    let records = decode_rejecting(&body, &Schemas::new()).unwrap();
    assert_eq!((records.len(), records.table_version, records.table.as_str()), (2, Some(7), "t!"));
    assert_eq!((records.rejected[0].record, records.rejected[0].pointer.as_str()), (1, "/id"));
}
