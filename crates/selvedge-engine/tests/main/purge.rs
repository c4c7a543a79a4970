//! Erasing all that is kept of one key.

use std::fs;

use selvedge_core::Inspect;
use selvedge_engine::{
    Batch, Deletes, EngineError, EngineErrorKind, Policy, Queue, RecordKey, check_purgeable, purge, purge_kept,
};
use serde_json::{Value, json};

use crate::cut::{Cut, at_every_step};
use crate::place::Place;
use crate::{batch, check_error, flush, keyless, schema, table};

/// What the command does: erases a key from the destinations, with its rejected records, and from the queue. Tells how many
/// rows, rejected records and kept records it were.
fn purge_all(place: &Place, cut: &Cut, destinations: &[&str], key: &str) -> Result<(u64, usize, u64), EngineError> {
    let (queue, mut key) = (cut.queue(place.queue()), RecordKey::parse(key).unwrap());
    check_purgeable(&queue, &table("t"))?;
    let (mut rows, mut rejects) = (0, 0);
    for name in destinations {
        if let Some(counted) = place.look(name).count(&table("t")).unwrap() {
            key = key.of_table(&table("t"), &counted.state)?;
        }
        let found = place.rejects(name).into_iter().filter(|rejected| key.is_of(&rejected.record));
        let found: Vec<String> = found.map(|rejected| rejected.id).collect();
        rejects += found.len();
        rows += purge(name, cut.destination(place.destination(name)).as_mut(), &table("t"), &key, &found)?;
    }
    Ok((rows, rejects, purge_kept(&queue, &table("t"), &key)?))
}

const SECRET: &str = "the-secret-of-seventeen-8c1b";
const REJECTED: &str = "a-rejected-secret-of-17-e02f";

/// Three records of the key 17, one of them bad, among good and bad ones of others.
fn seventeen_among_others() -> Vec<Batch> {
    let bad = |id: i64, text: &str| json!({"id": id, "name": [text]});
    vec![
        batch("t", &[(17, 1, "of another batch"), (18, 1, "x")]),
        batch("t", &[(16, 1, "y"), (17, 2, SECRET)]).upsert(3, &bad(17, REJECTED)).upsert(4, &bad(19, "z")),
    ]
}

#[track_caller]
fn check_erased(place: &Place, destinations: &[&str]) {
    for name in destinations {
        assert_eq!(place.rows(name, &["/id", "/name"]), [r#"16|"y""#, r#"18|"x""#]);
        let rejects: Vec<String> = place.rejects(name).into_iter().map(|rejected| rejected.record).collect();
        assert_eq!(rejects, [r#"{"id":19,"name":["z"]}"#]);
        place.check_counted(name);
    }
    let queue = place.queue();
    let [kept] = queue.kept_for_replay(Some(&table("t"))).unwrap().try_into().unwrap();
    let body = String::from_utf8(queue.body(kept.batch).unwrap()).unwrap();
    assert!(body.contains("[{") && body.contains("},null,null,{") && !body.contains("17"), "{body}");
    drop(queue);
    for text in [SECRET, REJECTED] {
        assert!(!place.holds(text), "{text}");
    }
}

/// Cut at any of its steps and repeated, it has erased everything of the key, and nothing else.
#[test]
fn a_key_is_erased_everywhere() {
    let loaded = Place::new();
    loaded.load(&["a", "b"], seventeen_among_others());
    for text in [SECRET, REJECTED] {
        assert!(loaded.holds(text));
    }
    at_every_step(|cut| {
        let place = loaded.copied();
        match purge_all(&place, cut, &["a", "b"], r#"{"id":17}"#) {
            Ok(erased) => assert_eq!(erased, (2, 2, 2)),
            Err(_) => drop(purge_all(&place, &Cut::never(), &["a", "b"], r#"{"id":17}"#).unwrap()),
        }
        check_erased(&place, &["a", "b"]);
        // The tables go on, and the key may come again.
        place.load(&["a", "b"], [batch("t", &[(17, 5, "again")])]);
        for name in ["a", "b"] {
            assert_eq!(place.rows(name, &["/id", "/name"]), [r#"16|"y""#, r#"17|"again""#, r#"18|"x""#]);
        }
    });
}

/// What is left of a body can be replayed, once; what was erased cannot.
#[test]
fn the_other_records_can_be_replayed() {
    let place = Place::new();
    place.load(&["a"], seventeen_among_others());
    purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#).unwrap();
    let lists = json!({"properties": {"id": {"type": "integer"}, "name": {"type": "array"}}}).to_string();
    let engine = place.builder(&["a"]).start().unwrap();
    let replay = |records: &[u64]| engine.replay(&table("t"), 2, &records.iter().copied().collect(), Some(&lists));
    check_error(replay(&[1, 2]), EngineErrorKind::Refused, &["none of the records is left"]);
    assert_eq!(replay(&[2, 3]).unwrap().unwrap().records(), 1);
    assert!(replay(&[2, 3]).unwrap().is_none());
    flush(&engine);
    drop(engine);
    assert_eq!(place.rows("a", &["/id", "/name", "/name/0"]), [r#"16|"y"|null"#, r#"18|"x"|null"#, r#"19|null|"z""#]);
}

/// As long as anything of the table waits for a destination, the key may be in it.
#[test]
fn what_waits_is_loaded_first() {
    let place = Place::new();
    place.load(&["a", "b"], [batch("t", &[(17, 1, SECRET)])]);
    let engine = place.builder(&["a"]).start().unwrap();
    engine.push(batch("t", &[(18, 1, "x")])).unwrap();
    flush(&engine);
    drop(engine);
    let refused = purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#);
    check_error(
        refused,
        EngineErrorKind::Unusable,
        &["records of t are in the queue", "have every destination load them"],
    );
    assert_eq!(place.rows("a", &["/id"]), ["17", "18"]);
    place.load(&["a", "b"], []);
    assert_eq!(purge_all(&place, &Cut::never(), &["a", "b"], r#"{"id":17}"#).unwrap(), (2, 0, 0));

    // Without any destination, what is pushed waits for the one that may come.
    place.queue().unregister("a").unwrap();
    place.queue().unregister("b").unwrap();
    let refused = |place: &Place| check_purgeable(&place.queue(), &table("t"));
    refused(&place).unwrap();
    let engine = place.builder(&["c"]).start().unwrap();
    engine.pause(&table("t"), "by hand").unwrap();
    engine.push(batch("t", &[(17, 2, SECRET)])).unwrap();
    drop(engine);
    place.queue().unregister("c").unwrap();
    check_error(refused(&place), EngineErrorKind::Unusable, &["records of t are in the queue"]);
}

/// More was loaded at once than the queue deletes at once, and it was closed before the rest was deleted.
#[test]
fn what_is_about_to_be_deleted_is_waited_for() {
    let place = Place::new();
    place.load(&["a"], [batch("t", &[(0, 1, "")])]);
    let engine = place.builder(&["a"]).start().unwrap();
    engine.pause(&table("t"), "to be loaded at once").unwrap();
    engine.push_many((1..1_000).map(|id| batch("t", &[(id, 1, "")])), |_| ()).unwrap();
    engine.resume(&table("t")).unwrap();
    flush(&engine);
    drop(engine);
    assert_eq!(purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#).unwrap(), (1, 0, 0));
    assert_eq!(place.queue().tables().unwrap()[0].kept_records, 0);
}

/// Of batches without rejected records nothing is kept, but what was deleted may still stand in the file.
#[test]
fn deleted_batches_leave_the_file() {
    let place = Place::new();
    // Of hexadecimal digits without a pattern, half of the bytes are stored at least.
    let long: String =
        (0..100_000_u64).map(|number| format!("{:08x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32)).collect();
    place.load(&["a"], [batch("t", &[(17, 1, &long), (18, 1, "x")])]);
    let bytes = || fs::metadata(place.queue_folder().join("queue.db")).unwrap().len();
    let before = bytes();
    assert_eq!(purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#).unwrap(), (1, 0, 0));
    assert!(bytes() + (long.len() as u64) / 3 < before, "{} bytes, {before} before", bytes());
}

/// A table whose keys have these types, a key as it is written, and the records with that key, which are rejected for
/// something else.
#[track_caller]
fn check_key(properties: &Value, key: &str, records: &[&str], others: &[&str]) {
    let names: Vec<&str> = properties.as_object().unwrap().keys().map(String::as_str).collect();
    let mut declared = properties.clone();
    declared["name"] = json!({"type": "string"});
    let of = |record: &&str, name: &str| {
        let record = format!(r#"{},"name":{name}}}"#, record.strip_suffix('}').unwrap());
        format!(r#"{{"action":"upsert","sequence":1,"data":{record}}}"#)
    };
    let all = || records.iter().chain(others);
    let messages: Vec<String> = all().map(|record| of(record, "7")).collect();
    let good = records.iter().chain(others).map(|record| of(record, r#""good""#));
    let body = |messages: Vec<String>| {
        let (schema, keys, messages) = (json!({ "properties": declared }), json!(names), messages.join(","));
        Batch::from_json(format!(
            r#"{{"table_name":"t","schema":{schema},"key_names":{keys},"messages":[{messages}]}}"#
        ))
    };
    let place = Place::new();
    place.load(&["a"], [body(good.collect()), body(messages)]);
    assert_eq!(place.rejects("a").len(), records.len() + others.len());
    let rows = place.rows("a", &[]).len();
    let (erased, rejects, kept) = purge_all(&place, &Cut::never(), &["a"], key).unwrap();
    assert_eq!((erased, rejects, kept), (1, records.len(), records.len() as u64), "{key}");
    assert_eq!(place.rows("a", &[]).len(), rows - 1);
    assert_eq!(place.rejects("a").len(), others.len());
}

#[test]
fn a_key_may_be_written_in_any_way() {
    let integer = json!({"id": {"type": "integer"}});
    let numbers = [r#"{"id":1}"#, r#"{"id":1.0}"#, r#"{"id":1e0}"#, r#"{"id":0.10E+1}"#, r#"{"\u0069d":1000e-3}"#];
    for key in numbers {
        check_key(&integer, key, &numbers, &[r#"{"id":10}"#, r#"{"id":-1}"#, r#"{"id":0}"#]);
    }
    check_key(&integer, r#"{"id":100}"#, &[r#"{"id":1e2}"#], &[r#"{"id":1}"#, r#"{"id":10}"#]);
    check_key(&integer, r#"{"id":-0}"#, &[r#"{"id":0.0}"#, r#"{"id":0}"#], &[r#"{"id":1}"#]);
    let decimal = json!({"id": {"type": "number", "multipleOf": 0.01}});
    check_key(&decimal, r#"{"id":1.50}"#, &[r#"{"id":1.5}"#, r#"{"id":15e-1}"#], &[r#"{"id":15}"#, r#"{"id":1.05}"#]);
    let text = json!({"id": {"type": "string"}});
    let others = [r#"{"id":"1.0"}"#, r#"{"id":"1e0"}"#, r#"{"id":"01"}"#, r#"{"id":" 1"}"#, r#"{"id":"a"}"#];
    check_key(&text, r#"{"id":"1"}"#, &[r#"{"id":"1"}"#, r#"{"id":"\u0031"}"#], &others);
    check_key(&text, r#"{"id":"\u00e9\"/"}"#, &[r#"{"id":"é\"\/"}"#], &[r#"{"id":"e"}"#]);
}

#[test]
fn a_key_of_several_columns_is_named_in_any_order() {
    let several = json!({"a": {"type": "integer"}, "b": {"type": "string"}});
    let records = [r#"{"a":1,"b":"x"}"#, r#"{"b":"x","a":1e0}"#];
    let others = [r#"{"a":1,"b":"y"}"#, r#"{"a":2,"b":"x"}"#];
    for key in records {
        check_key(&several, key, &records, &others);
    }
}

/// A record that was rejected for its very key.
#[test]
fn a_key_of_another_type_is_erased_too() {
    let place = Place::new();
    let records =
        [json!({"id": 17}), json!({"id": "17"}), json!({"id": "18"}), json!({"id": [17]}), json!({"name": "x"})];
    let batch = records.iter().fold(Batch::new("t", &["id"], &schema()), |batch, record| batch.upsert(1, record));
    place.load(&["a"], [batch]);
    assert_eq!(purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#).unwrap(), (1, 1, 2));
    let left: Vec<String> = place.rejects("a").into_iter().map(|rejected| rejected.record).collect();
    assert_eq!(left, [r#"{"id":"18"}"#, r#"{"id":[17]}"#, r#"{"name":"x"}"#]);
}

/// A moment is the same in every offset.
#[test]
fn a_moment_is_found_however_it_is_written() {
    let moments = json!({"id": {"type": "string", "format": "date-time"}});
    let written = [
        r#"{"id":"2024-01-01T00:00:00Z"}"#,
        r#"{"id":"2024-01-01T00:00:00+00:00"}"#,
        r#"{"id":"2024-01-01T01:00:00.0+01:00"}"#,
    ];
    for key in written {
        check_key(&moments, key, &written, &[r#"{"id":"2024-01-01T01:00:00+00:00"}"#]);
    }
}

/// A tombstone is of a key as well: without it, an older record is taken as if the key had never been.
#[test]
fn the_mark_of_a_deleted_row_is_erased() {
    for (deletes, rows) in [(Deletes::Hard, 0), (Deletes::Soft, 1)] {
        let place = Place::new();
        let policy = Policy { deletes, ..Policy::default() };
        let load = |batch: Batch| {
            let engine = place.builder(&["a"]).policy(policy).start().unwrap();
            engine.push(batch).unwrap();
            flush(&engine);
        };
        load(batch("t", &[(17, 1, "x"), (18, 1, "y")]).delete(5, &json!({"id": 17})));
        load(batch("t", &[(17, 3, "late")]));
        assert_eq!(purge_all(&place, &Cut::never(), &["a"], r#"{"id":17}"#).unwrap(), (rows, 0, 0));
        assert_eq!(place.rows("a", &["/id"]), ["18"]);
        load(batch("t", &[(17, 4, "sent again")]));
        assert_eq!(place.rows("a", &["/id", "/name"]), [r#"17|"sent again""#, r#"18|"y""#]);
        place.check_counted("a");
    }
}

#[test]
fn a_key_has_to_be_the_tables() {
    let place = Place::new();
    place.load(&["a"], [batch("t", &[(17, 1, SECRET)])]);
    let refused = |key: &str, words: &[&str]| {
        check_error(purge_all(&place, &Cut::never(), &["a"], key), EngineErrorKind::Refused, words);
    };
    refused(r#"{"name":"x"}"#, &["the key of t is made of id; name just these"]);
    refused(r#"{"id":17,"name":"x"}"#, &["the key of t is made of id"]);
    refused(r#"{"id":"x"}"#, &["the key does not fit the table's"]);
    refused(r#"{"id":null}"#, &["the key does not fit the table's"]);
    refused(r#"{"id":1.5}"#, &["the key does not fit the table's"]);
    for text in ["17", "{}", "[17]", r#"{"id":17"#] {
        check_error(RecordKey::parse(text), EngineErrorKind::Refused, &["a key is written as a JSON object"]);
    }
    assert_eq!(place.rows("a", &["/id"]), ["17"]);
    assert_eq!(purge_all(&place, &Cut::never(), &["a"], r#"{"id":18}"#).unwrap(), (0, 0, 0), "a key that never was");
    // A destination that has no such table has no key to compare with.
    assert_eq!(purge_all(&place, &Cut::never(), &["b"], r#"{"id":18}"#).unwrap(), (0, 0, 0));
}

/// A table without keys has generated ones, by which its rows cannot be erased today.
#[test]
fn a_keyless_table_is_refused() {
    let place = Place::new();
    place.load(&["a"], [keyless("t", [17])]);
    let [key] = place.rows("a", &["__sdc_primary_key"]).try_into().unwrap();
    for key in [format!(r#"{{"__sdc_primary_key":{key}}}"#), r#"{"id":17}"#.to_owned()] {
        let refused = purge_all(&place, &Cut::never(), &["a"], &key);
        check_error(refused, EngineErrorKind::Refused, &["t has no keys, so no record of it can be named by one"]);
    }
    assert_eq!(place.rows("a", &["/id"]), ["17"]);
}
