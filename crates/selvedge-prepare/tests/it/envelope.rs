//! The envelope of a batch: its members, their order and their limits.

use selvedge_prepare::{MAX_RECORDS, Schemas, decode};

use crate::batch::body;
use crate::shown;

const TABLE: &str = r#""table_name":"t""#;
const SCHEMA: &str = r#""schema":{"properties":{"a":{"type":"integer"},"n":{"type":["null","string"]}}}"#;
const KEYS: &str = r#""key_names":["a"]"#;
const MESSAGES: &str = r#""messages":[{"action":"upsert","sequence":7,"data":{"a":1,"n":"\u00e9"}}]"#;

#[track_caller]
fn check(body: &str, refusal: &str) {
    let found = decode(body.as_bytes(), &Schemas::new()).map(drop).map_err(|refusal| refusal.to_string());
    assert_eq!(found, Err(refusal.to_owned()), "{body}");
}

/// A batch of these members.
fn batch(members: &[&str]) -> String {
    format!("{{{}}}", members.join(","))
}

/// A batch of one message.
fn message(message: &str) -> String {
    batch(&[TABLE, SCHEMA, KEYS, &format!(r#""messages":[{message}]"#)])
}

#[test]
fn members_in_any_order() {
    let members = [TABLE, SCHEMA, KEYS, MESSAGES, r#""table_version":3"#, r#""bookmark_names":["a"]"#];
    for first in 0..members.len() {
        for second in 0..members.len() {
            let mut members = members;
            members.swap(0, first);
            members.swap(1, second);
            let records = decode(batch(&members).as_bytes(), &Schemas::new()).unwrap();
            assert_eq!((records.table.as_str(), records.keys.as_slice()), ("t", &["a".to_owned()][..]));
            assert_eq!((records.table_version, records.sequences.value(0)), (Some(3), 7));
            assert_eq!(shown::row(&records, 0), "/a integer 1\n/n string é");
            assert!(records.extracted_at.is_none());
        }
    }
}

#[test]
fn members_of_a_message_in_any_order() {
    let members = [
        r#""action" : "upsert""#,
        r#""s\u0065quence":7.0"#,
        r#""data":{"a":1}"#,
        r#""time_extracted":"2026-11-23T01:00:00+01:00""#,
    ];
    for first in 0..members.len() {
        for second in 0..members.len() {
            let mut members = members;
            members.swap(0, first);
            members.swap(1, second);
            let plain = r#"{"action":"upsert","sequence":-1,"data":{"a":2}}"#;
            let body = message(&format!("{plain},{{{}}},{plain}", members.join(" , ")));
            let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
            assert_eq!(records.sequences.values().as_ref(), [-1, 7, -1]);
            let extracted = records.extracted_at.unwrap();
            let extracted: Vec<Option<String>> = (0..3).map(|row| shown::value(&extracted, row)).collect();
            assert_eq!(extracted, [None, Some("2026-11-23T00:00:00.000000Z".to_owned()), None]);
        }
    }
}

#[test]
fn keys_are_optional() {
    let records = decode(batch(&[TABLE, SCHEMA, MESSAGES]).as_bytes(), &Schemas::new()).unwrap();
    assert!(records.keys.is_empty());
    assert_eq!((records.len(), records.is_empty(), records.table_version), (1, false, None));
}

#[test]
fn refused_envelopes() {
    let invalid = "Request failed validation:#";
    check(&batch(&[SCHEMA, KEYS, MESSAGES]), &format!("{invalid}: required key [table_name] not found"));
    check(&batch(&[TABLE, KEYS, MESSAGES]), &format!("{invalid}: required key [schema] not found"));
    check(&batch(&[TABLE, SCHEMA, KEYS]), &format!("{invalid}: required key [messages] not found"));
    check("{}", &format!("{invalid}: required key [table_name] not found"));
    check(
        &batch(&[TABLE, SCHEMA, KEYS, MESSAGES, r#""x":1"#]),
        &format!("{invalid}: extraneous key [x] is not permitted"),
    );
    check(&batch(&[TABLE, SCHEMA, TABLE]), &format!("{invalid}: the key [table_name] stands twice"));
    check("[]", &format!("{invalid}: expected type: JSONObject, found: JSONArray"));
    check(r#"{"table_name":5}"#, &format!("{invalid}/table_name: expected type: String, found: Integer"));
    check(r#"{"table_name":null}"#, &format!("{invalid}/table_name: expected type: String, found: null"));
    check(r#"{"schema":[]}"#, &format!("{invalid}/schema: expected type: JSONObject, found: JSONArray"));
    check(r#"{"schema":{"a":1,"a":1}}"#, &format!("{invalid}/schema/a: the key stands twice in one object"));
    check(r#"{"key_names":"a"}"#, &format!("{invalid}/key_names: expected type: JSONArray, found: String"));
    check(r#"{"key_names":[1.5]}"#, &format!("{invalid}/key_names: expected type: String, found: Double"));
    check(r#"{"table_version":1.5}"#, &format!("{invalid}/table_version: expected type: Integer, found: Double"));
    check(r#"{"table_version":1e30}"#, &format!("{invalid}/table_version: integer out of range of 64 bits"));
    check(r#"{"table_version":true}"#, &format!("{invalid}/table_version: expected type: Integer, found: Boolean"));
    check(
        &batch(&[TABLE, SCHEMA, KEYS, r#""messages":{}"#]),
        &format!("{invalid}/messages: expected type: JSONArray, found: JSONObject"),
    );
    check(
        &batch(&[TABLE, SCHEMA, KEYS, r#""messages":[]"#]),
        &format!("{invalid}/messages: a batch holds at least one message"),
    );
    check(
        &format!("{} x", batch(&[TABLE, SCHEMA, MESSAGES])),
        &format!("{invalid}: malformed JSON at byte 173: expected the end of the text, found `x`"),
    );
}

#[test]
fn refused_messages() {
    let invalid = "Request failed validation:#";
    let first = format!("{invalid}/messages/0");
    check(&message("5"), &format!("{first}: expected type: JSONObject, found: Integer"));
    check(&message("{}"), &format!("{first}: required key [action] not found"));
    check(&message(r#"{"action":"upsert","data":{"a":1}}"#), &format!("{first}: required key [sequence] not found"));
    check(&message(r#"{"action":"upsert","sequence":1}"#), &format!("{first}: required key [data] not found"));
    check(&message(r#"{"action":"upsert","x":1}"#), &format!("{first}: extraneous key [x] is not permitted"));
    check(
        &message(r#"{"action":"upsert","sequence":1,"data":{"a":1},"sequence":2}"#),
        &format!("{first}: the key [sequence] stands twice"),
    );
    check(
        &message(r#"{"action":"upsert","data":[]}"#),
        &format!("{first}/data: expected type: JSONObject, found: JSONArray"),
    );
    check(&message(r#"{"action":1}"#), &format!("{first}/action: expected type: String, found: Integer"));
    check(
        &message(r#"{"action":"Upsert"}"#),
        &format!("{first}: [Upsert] is no action; send upsert, delete or activate_version"),
    );
    check(&message(r#"{"sequence":"1"}"#), &format!("{first}/sequence: expected type: Integer, found: String"));
    check(&message(r#"{"sequence":1.5}"#), &format!("{first}/sequence: expected type: Integer, found: Double"));
    check(
        &message(r#"{"sequence":9223372036854775808}"#),
        &format!("{invalid}: sequence can not be above 9223372036854775807"),
    );
    check(
        &message(r#"{"time_extracted":5}"#),
        &format!("{first}/time_extracted: expected type: String, found: Integer"),
    );
    check(
        &message(r#"{"time_extracted":"now"}"#),
        &format!(
            "{first}/time_extracted: [now] is not a valid date-time. Expected \
             [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,9}}Z]"
        ),
    );
}

#[test]
fn the_greatest_sequence_is_taken() {
    let body = message(r#"{"action":"upsert","sequence":9223372036854775807,"data":{"a":1}}"#);
    assert_eq!(decode(body.as_bytes(), &Schemas::new()).unwrap().sequences.value(0), i64::MAX);
}

#[test]
fn at_most_20_000_messages() {
    let body = |count: usize| body("{}", &[], &vec!["{}"; count]);
    assert_eq!(decode(body(MAX_RECORDS).as_bytes(), &Schemas::new()).unwrap().len(), 20_000);
    check(&body(20_001), "Request failed validation:#/messages: a batch holds at most 20000 messages");
}

/// Bytes that are no UTF-8 are refused wherever they stand.
#[test]
fn bytes_that_are_no_text() {
    let body = batch(&[TABLE, SCHEMA, MESSAGES]);
    for place in 0..body.len() {
        let mut bytes = body.clone().into_bytes();
        bytes[place] = 0xff;
        let refusal = decode(&bytes, &Schemas::new()).unwrap_err();
        assert_eq!(refusal.to_string(), "Request failed validation:#: the body is not UTF-8");
    }
}

#[test]
fn truncated_anywhere() {
    for members in [[TABLE, SCHEMA, KEYS, MESSAGES], [MESSAGES, TABLE, KEYS, SCHEMA]] {
        let body = batch(&members);
        assert!(decode(body.as_bytes(), &Schemas::new()).is_ok());
        for end in 0..body.len() {
            assert!(decode(&body.as_bytes()[..end], &Schemas::new()).is_err(), "{}", &body[..end]);
        }
    }
}

/// Whatever one byte is replaced by: a body that is no JSON is refused, and nothing panics.
#[test]
fn damaged_anywhere() {
    for members in [[TABLE, SCHEMA, KEYS, MESSAGES], [MESSAGES, TABLE, KEYS, SCHEMA]] {
        let body = batch(&members);
        for place in 0..body.len() {
            for damage in *b"\"\\{}[],:0-e.ntf \n\x01u" {
                let mut bytes = body.clone().into_bytes();
                bytes[place] = damage;
                let json = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
                let accepted = decode(&bytes, &Schemas::new()).is_ok();
                assert!(json || !accepted, "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
