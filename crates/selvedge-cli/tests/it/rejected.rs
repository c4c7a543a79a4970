//! Records that are rejected: listed, sent again, erased.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{Place, batch};

const BAD: &str = r#"{"id":1,"v":"a"};{"id":2,"v":7};{"id":3,"v":"c"};{"v":"nobody"}"#;

/// Two good records and two bad ones, in `demo.db` and `lake`.
fn loaded() -> Place {
    let place = Place::new();
    place.write("a.json", batch(1, BAD));
    place.run("load a.json --bad-records reject --to sqlite:demo.db --to parquet:lake").expect_code(3);
    place
}

fn listed(place: &Place, arguments: &str) -> Vec<Value> {
    let run = place.run(&format!("rejected {arguments} --report json")).expect_code(0);
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn strictness_is_the_default() {
    let place = Place::new();
    place.write("a.json", batch(1, BAD));
    let run = place.run("load a.json --to sqlite:demo.db").expect_code(3);
    run.expect_stderr("record 1, at /v: expected type: String, found: Integer");
    place.run("table list --data demo.db.queue").expect_stdout("the queue in demo.db.queue never had a record");
}

#[test]
fn each_is_kept_whole_with_its_reason() {
    let place = loaded();
    assert_eq!(place.rows("t", "id, v"), ["1|a", "3|c"]);
    let expected = [
        r#"expected type: String, found: Integer|/v|{"id":2,"v":7}|1|1"#,
        r#"Record is missing key property id|/id|{"v":"nobody"}|1|3"#,
    ];
    let mut rows = place.rows("_sdc_rejected", "reason, pointer, record, _sdc_batch, _sdc_batch_record");
    rows.sort_by_key(|row| row.ends_with('3'));
    assert_eq!(rows, expected);
    let shown = place.run("rejected sqlite:demo.db").expect_code(0);
    shown
        .expect_stdout("t, batch 1, record 1, 20")
        .expect_stdout("Z at /v: expected type: String, found: Integer\n  {");
}

#[test]
fn the_list_is_filtered() {
    let place = loaded();
    let records = |arguments: &str| -> Vec<String> {
        let mut records: Vec<String> =
            listed(&place, arguments).iter().map(|rejected| rejected["record"].as_str().unwrap().to_owned()).collect();
        records.sort();
        records
    };
    let both = [r#"{"id":2,"v":7}"#, r#"{"v":"nobody"}"#];
    for destination in ["sqlite:demo.db", "parquet:lake"] {
        assert_eq!(records(destination), both);
        assert_eq!(records(&format!("{destination} --table t --batch 1")), both);
        assert_eq!(records(&format!("{destination} --reason missing")), both[1..]);
        assert_eq!(records(&format!("{destination} --table other")), [""; 0]);
        assert_eq!(records(&format!("{destination} --integration other")), [""; 0]);
        assert_eq!(records(&format!("{destination} --batch 2")), [""; 0]);
        assert_eq!(listed(&place, &format!("{destination} --limit 1")).len(), 1);
    }
}

#[test]
fn they_are_sent_again_once() {
    let place = loaded();
    let schema = json!({"properties": {"id": {"type": "integer"}, "v": {"type": ["string", "integer"]}}});
    place.write("s.json", schema.to_string());
    let replay = "replay --to sqlite:demo.db --to parquet:lake --table t --reason expected";
    place.run(replay).expect_code(1).expect_stderr("expected type: String, found: Integer");
    assert_eq!(place.rows("t", "id, v"), ["1|a", "3|c"]);

    place.run(&format!("{replay} --schema s.json")).expect_code(0).expect_stdout("1 record sent again\n");
    assert_eq!(place.rows("t", "id, v, v__bi, _sdc_sequence"), ["1|a|null|1", "2|null|7|1", "3|c|null|1"]);
    let again = place.run(&format!("{replay} --schema s.json")).expect_code(0);
    again.expect_stdout("0 records sent again\n1 record left out: sent again before, or erased\n");
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("3 rows, the same in both");
}

/// The rejected records of a queue that was lost have numbers that are others' in the queue that took its place.
#[test]
fn those_of_another_queue_are_left_out() {
    let place = Place::new();
    let of = |records: &str| batch(1, records).replace(r#""key_names":["id"]"#, r#""key_names":[]"#);
    place.write("a.json", of(r#"{"id":1,"v":1};{"id":2,"v":"b"}"#));
    place.write("b.json", of(r#"{"id":3,"v":"c"};{"id":4,"v":4}"#));
    let load = |file: &str| format!("load {file} --bad-records reject --adopt --to sqlite:demo.db");
    place.run(&load("a.json")).expect_code(3);
    fs::remove_dir_all(place.path("demo.db.queue")).unwrap();
    place.run(&load("b.json")).expect_code(3);
    let run = place.run("replay --bad-records reject --to sqlite:demo.db");
    run.expect_stdout("1 record sent again\n")
        .expect_stdout("1 record left out: their batches are no longer kept, or came");
    let mut rows = place.rows("t", "id, v");
    rows.sort();
    assert_eq!(rows, ["2|b", "3|c"]);
}

#[test]
fn what_is_rejected_again_stands_there_again() {
    let place = loaded();
    let run = place.run("replay --to sqlite:demo.db --to parquet:lake --bad-records reject").expect_code(3);
    run.expect_stdout("2 records sent again\n");
    assert_eq!(place.rows("_sdc_rejected", "_sdc_batch, _sdc_batch_record"), ["1|1", "1|3", "2|0", "2|1"]);
}

/// Whether these bytes stand in any file below a folder.
fn stand_in(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return stand_in(&path, bytes);
        }
        fs::read(&path).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_key_is_erased() {
    let place = Place::new();
    let (secret, rejected) = ("the-secret-of-seventeen", "a-rejected-secret-of-17");
    let records = format!(r#"{{"id":17,"v":"{secret}"}};{{"id":18,"v":"b"}};{{"id":17,"v":["{rejected}"]}}"#);
    place.write("a.json", batch(1, &records));
    place.run("load a.json --bad-records reject --to sqlite:demo.db --to parquet:lake").expect_code(3);
    fs::remove_file(place.path("a.json")).unwrap();
    assert!(stand_in(place.folder.path(), secret.as_bytes()));
    assert!(stand_in(place.folder.path(), rejected.as_bytes()));

    let run = place.run(r#"purge --table t --key {"id":17} --data demo.db.queue"#).expect_code(0);
    run.expect_stdout(
        "sqlite:demo.db: 1 row and 1 rejected record erased\nparquet:lake: 1 row and 1 rejected record erased\n",
    )
    .expect_stdout("demo.db.queue: 2 kept records erased\n");
    assert_eq!(place.rows("t", "id, v"), ["18|b"]);
    assert!(listed(&place, "sqlite:demo.db").is_empty() && listed(&place, "parquet:lake").is_empty());
    assert!(!stand_in(place.folder.path(), secret.as_bytes()));
    assert!(!stand_in(place.folder.path(), rejected.as_bytes()));
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("1 row, the same in both");
}

#[test]
fn a_key_has_to_fit() {
    let place = loaded();
    let check = |key: &str, expected: &str| {
        let run = place.run(&format!("purge --table t --key {key} --data demo.db.queue"));
        assert_ne!(run.code, 0, "{key}");
        run.expect_stderr(expected);
    };
    check("17", "a key is written as a JSON object");
    check(r#"{"v":"a"}"#, "the key of t is made of id; name just these");
    check(r#"{"id":"a"}"#, "the key does not fit the table's");
    assert_eq!(place.rows("t", "id, v"), ["1|a", "3|c"]);
}
