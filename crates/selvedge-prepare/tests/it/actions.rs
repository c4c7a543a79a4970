//! Messages that are no upserts, as they are decoded.

use selvedge_prepare::{Action, Records, Schemas, decode};

use crate::shown;

const SCHEMA: &str = r#"{
    "properties": {"id": {"type": "integer"}, "at": {"type": "string"}, "n": {"type": "integer"},
        "o": {"properties": {"x": {"type": "integer"}}}, "l": {"type": "array", "items": {"type": "integer"}}},
    "required": ["id", "n", "o"],
    "minProperties": 3
}"#;

/// A batch keyed by `id` and `at`, with these members before and after the messages.
fn batch(before: &str, messages: &[&str], after: &str) -> String {
    let messages = messages.join(",");
    format!(r#"{{"table_name":"t","schema":{SCHEMA},"key_names":["id","at"]{before},"messages":[{messages}]{after}}}"#)
}

fn decoded(messages: &[&str]) -> Records {
    decode(batch(r#","table_version":7"#, messages, "").as_bytes(), &Schemas::new()).unwrap()
}

/// What becomes of one message: what it does and what it brings, or why it is refused.
#[track_caller]
fn check(message: &str, expected: &str) {
    let body = batch(r#","table_version":7"#, &[message], "");
    let found = match decode(body.as_bytes(), &Schemas::new()) {
        Ok(records) => {
            assert!(records.arrays.iter().all(|array| array.parents.is_empty()) && records.extra.is_none());
            let rejected = records.rejected.iter().map(|rejection| format!(" {}", rejection.reason));
            let action = records.actions.as_ref().map(|actions| actions[0]);
            format!("{action:?} {}{}", shown::row(&records, 0).replace('\n', ", "), rejected.collect::<String>())
        }
        Err(refusal) => refusal.to_string(),
    };
    assert_eq!(found, expected, "{message}");
}

/// The message of a delete with these data.
fn delete(data: &str) -> String {
    format!(r#"{{"action":"delete","sequence":1,"data":{data}}}"#)
}

#[test]
fn deletes_bring_keys() {
    let keys = "Some(Delete) /id integer 1, /at string a";
    check(&delete(r#"{"id":1,"at":"a"}"#), keys);
    check(&delete(r#"{ "at" : "\u0061" , "id" : 1 }"#), keys);
    check(&delete(r#"{"id":1,"n":2,"o":{"x":3},"at":"a","l":[4,5],"u":[{"v":6}],"w":7}"#), keys);
    check(r#"{"data":{"id":1,"at":"a","n":1},"sequence":1,"action":"delete"}"#, keys);
    check(&delete(r#"{"id":1,"at":"a","n":99999999999999999999}"#), keys);
}

#[test]
fn deletes_are_checked() {
    let conform = "Record 0 did not conform to schema:\n#";
    let first = "Request failed validation:#/messages/0";
    check(&delete(r#"{"id":1}"#), "Record is missing key property at");
    check(&delete(r#"{"id":null,"at":"a"}"#), "Record is missing key property id");
    check(&delete("{}"), "Record is missing key property id");
    check(&delete(r#"{"id":"1","at":"a"}"#), &format!("{conform}/id: expected type: Integer, found: String"));
    check(&delete(r#"{"id":1,"at":"a","n":""}"#), &format!("{conform}/n: expected type: Integer, found: String"));
    check(&delete(r#"{"id":1,"at":"a","at":"b"}"#), &format!("{conform}/at: the key stands twice in one object"));
    check(&delete("5"), &format!("{first}/data: expected type: JSONObject, found: Integer"));
    check(r#"{"action":"delete","sequence":1}"#, &format!("{first}: required key [data] not found"));
    check(r#"{"action":"delete","data":{"id":1,"at":"a"}}"#, &format!("{first}: required key [sequence] not found"));
    check(
        &delete(r#"{"id":99999999999999999999,"at":"a"}"#),
        "Some(Delete) /at string a integer out of range for selvedge on 99999999999999999999",
    );
    check(
        &delete(&format!(r#"{{"id":1,"at":"{}"}}"#, "x".repeat(1_025))),
        &format!("{conform}/at: String keys cannot be longer than 1024 characters"),
    );
}

#[test]
fn activations_bring_nothing() {
    for action in ["activate_version", "switch_view"] {
        let first = "Request failed validation:#/messages/0";
        let nothing = "Some(ActivateVersion) ";
        check(&format!(r#"{{"action":"{action}","sequence":1}}"#), nothing);
        check(&format!(r#"{{"time_extracted":"2026-11-23T10:00:00Z","sequence":1,"action":"{action}"}}"#), nothing);
        let extraneous = format!("{first}: extraneous key [data] is not permitted");
        check(&format!(r#"{{"action":"{action}","sequence":1,"data":{{}}}}"#), &extraneous);
        check(&format!(r#"{{"data":{{}},"action":"{action}","sequence":1}}"#), &extraneous);
        check(&format!(r#"{{"action":"{action}"}}"#), &format!("{first}: required key [sequence] not found"));
    }
}

/// The version may be named before the messages or after them.
#[test]
fn what_is_activated_is_the_version_of_the_batch() {
    let messages = [r#"{"action":"activate_version","sequence":1}"#];
    for (before, after) in [(r#","table_version":7"#, ""), ("", r#","table_version":7"#)] {
        let records = decode(batch(before, &messages, after).as_bytes(), &Schemas::new()).unwrap();
        assert_eq!(records.table_version, Some(7));
        assert_eq!(records.actions, Some(vec![Action::ActivateVersion]));
    }
    let refusal = decode(batch("", &messages, "").as_bytes(), &Schemas::new()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Request failed validation:#/messages/0: a version is activated, but the batch has no [table_version] that names it"
    );
}

#[test]
fn batches_without_keys_have_no_deletes() {
    let body = r#"{"table_name":"t","schema":{},"messages":[{"action":"upsert","sequence":1,"data":{}},
        {"action":"delete","sequence":1,"data":{"id":1}}]}"#;
    assert_eq!(
        decode(body.as_bytes(), &Schemas::new()).unwrap_err().to_string(),
        "Request failed validation:#/messages/1: the action [delete] needs the batch's [key_names], and there are none"
    );
}

/// What stands around them is decoded as it is without them.
#[test]
fn among_upserts() {
    let upsert = |id: u8| {
        format!(
            r#"{{"action":"upsert","sequence":{id},"data":{{"id":{id},"at":"a","n":1,"o":{{"x":2}},"l":[{id},9]}}}}"#
        )
    };
    let activate = r#"{"action":"activate_version","sequence":5}"#;
    let deleted = delete(r#"{"id":8,"at":"a","n":1,"o":{"x":3},"l":[1],"p":1}"#);
    let records = decoded(&[&upsert(1), &deleted, &upsert(2), activate, &deleted, &upsert(3)]);
    use Action::{ActivateVersion, Delete, Upsert};
    assert_eq!(records.actions, Some(vec![Upsert, Delete, Upsert, ActivateVersion, Delete, Upsert]));
    assert_eq!(records.sequences.values().as_ref(), [1, 1, 2, 5, 1, 3]);
    let row =
        |id| format!("/id integer {id}, /at string a, /n integer 1, /o/x integer 2, /l/0 integer {id}, /l/1 integer 9");
    let keys = "/id integer 8, /at string a".to_owned();
    let found: Vec<String> = (0..6).map(|index| shown::row(&records, index).replace('\n', ", ")).collect();
    assert_eq!(found, [row(1), keys.clone(), row(2), String::new(), keys, row(3)]);
    assert!(records.columns.iter().all(|column| column.path.to_string() != "/p"));
    assert_eq!(decoded(&[&upsert(1), &upsert(2)]).actions, None);
}
