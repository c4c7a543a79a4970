//! Records that are rejected one by one where a batch could be refused for them.

use proptest::prelude::*;
use selvedge_prepare::{Records, Schemas, decode, decode_rejecting};

use crate::batch::body;
use crate::shown;

const SCHEMA: &str = r#"{
    "properties": {"id": {"type": "integer"}, "s": {"type": "string", "maxLength": 3}, "n": {"type": ["null", "integer"]},
        "l": {"type": "array", "items": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}, "f": {"not": {"const": 1}}},
    "required": ["id"], "not": {"required": ["x", "y"]}
}"#;

/// A record that conforms, and takes part in the load whatever stands beside it.
const GOOD: &str = r#"{"id":1,"s":"a","l":[{"a":1},{"a":2}],"u":1}"#;

fn rejecting(body: &str) -> Records {
    decode_rejecting(body.as_bytes(), &Schemas::new()).unwrap()
}

/// A record is rejected for this, at this place, when it stands between good ones. The strict error says the same.
#[track_caller]
fn check(record: &str, pointer: &str, reason: &str) {
    let all = body(SCHEMA, &["id"], &[GOOD, record, GOOD, record, GOOD]);
    let records = rejecting(&all);
    let rejected: Vec<_> =
        records.rejected.iter().map(|found| (found.record, found.pointer.as_str(), found.reason.as_str())).collect();
    assert_eq!(rejected, [(1, pointer, reason), (3, pointer, reason)], "{record:.200}");
    let alone = decode(body(SCHEMA, &["id"], &[GOOD]).as_bytes(), &Schemas::new()).unwrap();
    for row in [0, 2, 4] {
        assert_eq!(shown::row(&records, row), shown::row(&alone, 0), "{record:.200}");
    }
    for array in &records.arrays {
        assert!(array.parents.len() == array.positions.len() && array.parents.values().is_sorted());
        assert!(array.columns.iter().all(|column| column.values.len() == array.parents.len()));
    }
    let strict = decode(all.as_bytes(), &Schemas::new()).unwrap_err();
    assert_eq!((strict.record(), strict.reason()), (Some(1), reason), "{record:.200}");
}

#[test]
fn one_violation() {
    let integer = "expected type: Integer, found: String";
    check(r#"{"id":"1"}"#, "/id", integer);
    check(r#"{"id":1,"n":""}"#, "/n", integer);
    check(r#"{"id":1,"s":"abcd"}"#, "/s", "expected maxLength: 3, actual: 4");
    check(r#"{"id":1,"l":[{"a":1},{"a":""}]}"#, "/l/1/a", integer);
    check(r#"{"id":1,"l":[{},{"a":1}],"u":2}"#, "/l/0", "required key [a] not found");
    check(r#"{"id":1,"f":1}"#, "/f", r#"subject must not be valid against schema {"const":1}"#);
    check(r#"{"id":1,"x":1,"y":1}"#, "", r#"subject must not be valid against schema {"required":["x","y"]}"#);
    check(r#"{"id":1,"_SDC_x":1}"#, "/_SDC_x", "names beginning with `_sdc` are selvedge's own; rename the property");
}

#[test]
fn keys() {
    check(r#"{"n":1}"#, "/id", "Record is missing key property id");
    check(r#"{"id":null,"n":""}"#, "/id", "Record is missing key property id");
    let keys =
        |value: &str| body(r#"{"properties":{"k":{"type":"string"}}}"#, &["k"], &[&format!(r#"{{"k":"{value}"}}"#)]);
    let records = rejecting(&keys(&"x".repeat(1_025)));
    assert_eq!(records.rejected[0].reason, "String keys cannot be longer than 1024 characters");
    assert!(rejecting(&keys(&"x".repeat(1_024))).rejected.is_empty());
}

#[test]
fn several_violations() {
    check(
        r#"{"id":1,"s":"abcd","l":[{"a":null}],"n":99999999999999999999}"#,
        "/s",
        "2 schema violations found\n#/s: expected maxLength: 3, actual: 4\n#/l/0/a: expected type: Integer, found: null",
    );
}

/// What cannot be read on is passed as a whole.
#[test]
fn names_that_stand_twice_and_too_many_values() {
    let twice = "the key stands twice in one object";
    check(r#"{"id":1,"id":2}"#, "/id", twice);
    check(r#"{"id":1,"u":[[{"v":1,"v":[2]}]],"n":1}"#, "/u/0/0/v", twice);
    check(r#"{"id":1,"n":{"v":{"w":1,"w":2}},"l":[{"a":3}]}"#, "/n/v/w", twice);
    check(
        &format!(r#"{{"id":1,"l":[{{"a":1}}],"u":[{}1],"n":2}}"#, "[1,{\"z\":2}],".repeat(5_000)),
        "/u/2498/1/z",
        "a record holds more than 10000 values",
    );
}

#[test]
fn values_out_of_range_are_rejected_in_any_case() {
    let body = body(SCHEMA, &["id"], &[GOOD, r#"{"id":1,"n":99999999999999999999}"#]);
    let (strict, rejecting) = (decode(body.as_bytes(), &Schemas::new()).unwrap(), rejecting(&body));
    assert_eq!(strict.rejected, rejecting.rejected);
    assert_eq!(strict.rejected.len(), 1);
}

#[test]
fn deletes() {
    let message = |data: &str| format!(r#"{{"action":"delete","sequence":1,"data":{data}}}"#);
    let messages =
        [r#"{"id":1}"#, r#"{"n":1}"#, r#"{"id":1,"n":""}"#, r#"{"id":1,"n":1,"n":2}"#].map(message).join(",");
    let body = format!(r#"{{"table_name":"t","schema":{SCHEMA},"key_names":["id"],"messages":[{messages}]}}"#);
    let found = rejecting(&body);
    let found: Vec<_> = found.rejected.iter().map(|found| (found.record, found.pointer.as_str())).collect();
    assert_eq!(found, [(1, "/id"), (2, "/n"), (3, "/n")]);
}

/// What is wrong with the batch, or with the JSON of a record, refuses all of it, as the strict error does.
#[test]
fn refused_batches() {
    let record = |record: &str| body(SCHEMA, &["id"], &[r#"{"id":""}"#, record]);
    let message =
        |message: &str| format!(r#"{{"table_name":"t","schema":{SCHEMA},"key_names":["id"],"messages":[{message}]}}"#);
    for body in [
        record(r#"{"id":1"#),
        record(r#"{"id":1,"s":"\x"}"#),
        record(r#"{"id":1,"id":2,}"#),
        record(&format!(r#"{{"id":1,"u":{}{}}}"#, "[".repeat(200), "]".repeat(200))),
        message(r#"{"action":"upsert","sequence":"1","data":{"id":1}}"#),
        message(r#"{"action":"upsert","sequence":99999999999999999999,"data":{"id":1}}"#),
        message(r#"{"action":"upsert","sequence":1,"data":[]}"#),
        message(r#"{"action":"upsert","sequence":1}"#),
        message(r#"{"action":"upsert","sequence":1,"data":{"id":""},"data":{"id":""}}"#),
        message(r#"{"action":"nothing","sequence":1,"data":{"id":1}}"#),
        message("null"),
        message(r#"{"action":"upsert","sequence":1,"data":{"id":1}}"#).replace("table_name", "name"),
        message(r#"{"action":"upsert","sequence":1,"data":{"id":1}}"#).replace(r#"["id"]"#, r#"["nowhere"]"#),
    ] {
        let refusal = decode_rejecting(body.as_bytes(), &Schemas::new()).unwrap_err();
        assert!(!refusal.to_string().contains("did not conform"), "{refusal}");
    }
}

/// A record of a few bytes may be wrong in many places, and all of them are told.
#[test]
fn what_is_wrong_takes_memory() {
    let members = |value| (0..100).map(|name| format!(r#""{name}":{value}"#)).collect::<Vec<_>>().join(",");
    let schema = format!(r#"{{"properties":{{"id":{{"type":"integer"}},{}}}}}"#, members(r#"{"type":"string"}"#));
    let wrong = format!("{{{}}}", members("1"));
    let records = rejecting(&body(&schema, &[], &[wrong.as_str(); 1_000]));
    let told: usize = records.rejected.iter().map(|rejection| rejection.reason.len()).sum();
    assert!(told > 3_000_000 && records.memory_bytes() > told, "{told} of {}", records.memory_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each record is rejected exactly if a batch of it alone is refused, for the same reason, and all others are decoded as they
    /// are without it.
    #[test]
    fn as_the_strict_way_says_of_each_record(records in prop::collection::vec(record(), 1..8)) {
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let found = rejecting(&body(SCHEMA, &["id"], &records));
        prop_assert_eq!(found.len(), records.len());
        for (index, record) in records.iter().enumerate() {
            let rejection = found.rejected.iter().find(|rejection| rejection.record == index as u64);
            let rejection = rejection.map(|rejection| rejection.reason.clone());
            match decode(body(SCHEMA, &["id"], &[record]).as_bytes(), &Schemas::new()) {
                Ok(alone) => {
                    let alone_rejected = alone.rejected.first().map(|rejection| rejection.reason.clone());
                    prop_assert_eq!(&rejection, &alone_rejected);
                    if rejection.is_none() {
                        prop_assert_eq!(values(&found, index), values(&alone, 0));
                    }
                }
                Err(refusal) => prop_assert_eq!(rejection, Some(refusal.reason().to_owned())),
            }
        }
    }
}

/// The values of a record, in the order of their paths: columns come in the order of their first values.
fn values(records: &Records, row: usize) -> Vec<(String, String)> {
    let mut values = shown::values(records, row);
    values.sort();
    values
}

fn record() -> impl Strategy<Value = String> {
    let value = || {
        prop::sample::select(
            &[
                "1",
                "null",
                "\"ab\"",
                "\"abcd\"",
                "[{\"a\":1}]",
                "[{\"a\":1},{\"a\":\"\"},{\"a\":2}]",
                "[{\"b\":{}}]",
                "{\"v\":[1,[2,3]]}",
                "{\"v\":1,\"v\":2}",
                "1e300",
                "99999999999999999999",
                "true",
            ][..],
        )
    };
    let name = prop::sample::select(&["id", "id", "s", "n", "l", "f", "u", "x", "y"][..]);
    prop::collection::vec((name, value()), 0..5).prop_map(|members| {
        let members = members.iter().map(|(name, value)| format!(r#""{name}":{value}"#));
        format!(r#"{{"id":7,{}}}"#, members.collect::<Vec<_>>().join(",")).replace(",}", "}")
    })
}
