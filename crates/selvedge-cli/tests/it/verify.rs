//! Whether destinations hold what they say, and the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Place, batch};

/// Three records of two keys in `t`, and two rows in the keyless table `events`, in `demo.db` and `lake`.
fn loaded() -> Place {
    let place = Place::new();
    let lines = [batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"a"}"#), batch(2, r#"{"id":2,"v":"b"}"#)];
    place.write("t.jsonl", lines.join("\n"));
    place.write("events.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    place.run("load t.jsonl --to sqlite:demo.db --to parquet:lake").expect_code(0);
    place.run("load events.jsonl --table events --to sqlite:demo.db --to parquet:lake").expect_code(0);
    place
}

/// The report of a run that ends with this code.
#[track_caller]
fn report(place: &Place, arguments: &str, code: i32) -> Value {
    place.run(&format!("{arguments} --report json")).expect_code(code).report()
}

#[test]
fn after_a_load_everything_holds() {
    let place = loaded();
    let expected = "\
sqlite:demo.db
  table   batch  accepted  loaded  superseded  rejected  rows  counted  verdict
  events      3         2       2           0         0     2        2  holds
  t           2         3       2           1         0     2        2  holds
";
    let run = place.run("verify sqlite:demo.db").expect_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (expected, ""));
}

#[test]
fn two_destinations_hold_the_same() {
    let place = loaded();
    let run = place.run("verify sqlite:demo.db parquet:lake").expect_code(0);
    let run = run.expect_stdout("sqlite:demo.db\n  table ").expect_stdout("parquet:lake\n  table ");
    run.expect_stdout("sqlite:demo.db and parquet:lake\n  events  2 rows, the same in both\n  t       2 rows, ");
    let report = report(&place, "verify sqlite:demo.db parquet:lake", 0);
    let same = json!({"events": {"verdict": "same", "rows": 2}, "t": {"verdict": "same", "rows": 2}});
    assert_eq!(report["compared"], same);
    assert_eq!(report["holds"], true);
}

#[test]
fn a_row_that_was_deleted() {
    let place = loaded();
    place.meddle("DELETE FROM t WHERE id = 1");
    let run = place.run("verify sqlite:demo.db").expect_code(4);
    run.expect_stdout("  t           2         3       2           1         0     2        1  1 row missing\n")
        .expect_stdout("  2        2  holds\n");
    let report = report(&place, "verify sqlite:demo.db parquet:lake", 4);
    let mut table = report["destinations"]["sqlite:demo.db"]["tables"]["t"].clone();
    assert!(table["queue"].take().is_string(), "{report}");
    let expected = json!({
        "holds": false, "queue": null, "batch": 2, "record": 1,
        "accepted": 3, "loaded": 2, "superseded": 1, "rejected": 0, "rows": 2, "counted": 1,
    });
    assert_eq!(table, expected);
    assert_eq!(report["destinations"]["parquet:lake"]["tables"]["t"]["holds"], true);
    let examples = json!([{"key": [1], "rows": [0, 1]}]);
    assert_eq!(report["compared"]["t"], json!({"verdict": "different", "keys_min": 1, "examples": examples}));
    assert_eq!(report["holds"], false);
}

#[test]
fn rows_that_were_added() {
    let place = loaded();
    place.meddle("INSERT INTO t (id, v) VALUES (7, 'x'), (8, 'x')");
    place.run("verify sqlite:demo.db").expect_code(4).expect_stdout("     2        4  2 rows too many\n");
    let run = place.run("verify parquet:lake sqlite:demo.db --table t").expect_code(4);
    run.expect_stdout(
        "  t  at least 2 keys differ\n    key 7: missing in parquet:lake\n    key 8: missing in parquet:lake\n",
    );
}

#[test]
fn a_value_that_was_changed() {
    let place = loaded();
    place.meddle("UPDATE t SET v = 'secret', _sdc_sequence = 9 WHERE id = 2");
    place.run("verify sqlite:demo.db").expect_code(0);
    let run = place.run("verify sqlite:demo.db parquet:lake").expect_code(4);
    let run = run.expect_stdout("  t       at least 1 key differs\n    key 2: differs at /v, _sdc_sequence\n");
    let run = run.expect_stdout("  events  2 rows, the same in both\n");
    assert!(!run.stdout.contains("secret"), "{}", run.stdout);
    let report = report(&place, "verify sqlite:demo.db parquet:lake", 4);
    assert_eq!(report["compared"]["t"]["examples"], json!([{"key": [2], "places": ["/v", "_sdc_sequence"]}]));
}

#[test]
fn only_some_of_many_places_are_shown() {
    let place = Place::new();
    let values = (1..8).map(|n| format!("\"v{n}\":{n}")).collect::<Vec<_>>().join(",");
    place.write("wide.jsonl", format!("{{{values}}}\n"));
    place.run("load wide.jsonl --table wide --to sqlite:demo.db --to parquet:lake").expect_code(0);
    place.meddle("UPDATE wide SET v1 = 0, v2 = 0, v3 = 0, v4 = 0, v5 = 0, v6 = 0, v7 = 0");
    let run = place.run("verify sqlite:demo.db parquet:lake").expect_code(4);
    run.expect_stdout(": differs at /v1, /v2, /v3, /v4, /v5 and 2 more\n");
    let report = report(&place, "verify sqlite:demo.db parquet:lake", 4);
    let places = &report["compared"]["wide"]["examples"][0]["places"];
    assert_eq!(*places, json!(["/v1", "/v2", "/v3", "/v4", "/v5", "/v6", "/v7"]));
}

#[test]
fn a_row_of_a_table_without_a_key() {
    let place = loaded();
    place.meddle("DELETE FROM events WHERE n = 2");
    let run = place.run("verify sqlite:demo.db parquet:lake --table events").expect_code(4);
    run.expect_stdout("  events  at least 1 key differs\n    key \"").expect_stdout("\": missing in sqlite:demo.db\n");
}

#[test]
fn what_may_rightly_differ_is_not_compared() {
    let place = loaded();
    place.write("more.json", batch(3, r#"{"id":3,"v":"c"}"#));
    place.run("load more.json --to sqlite:demo.db").expect_code(0);
    place.write("only.jsonl", "{\"n\":1}\n");
    place.run("load only.jsonl --table only --to sqlite:demo.db").expect_code(0);
    let run = place.run("verify sqlite:demo.db parquet:lake").expect_code(4);
    run.expect_stdout("  events  2 rows, the same in both\n")
        .expect_stdout("  only    not compared: it was never loaded into parquet:lake\n")
        .expect_stdout(
            "  t       not compared: sqlite:demo.db is at batch 4, record 1, parquet:lake at batch 2, record 1; verify \
             again when both have loaded everything\n",
        );
    let report = report(&place, "verify parquet:lake sqlite:demo.db", 4);
    assert_eq!(report["compared"]["t"], json!({"verdict": "not_comparable", "obstacle": "positions"}));
}

#[test]
fn destinations_of_two_queues() {
    let place = loaded();
    place.run("load t.jsonl --to sqlite:other.db").expect_code(0);
    let run = place.run("verify sqlite:demo.db sqlite:other.db --table t").expect_code(4);
    run.expect_stdout("  t  not compared: sqlite:demo.db was loaded from queue ")
        .expect_stdout(", sqlite:other.db from queue ");
}

#[test]
fn a_destination_that_came_later_lacks_what_came_before() {
    let place = loaded();
    place.write("more.json", batch(3, r#"{"id":3,"v":"c"}"#));
    place.run("load more.json --to sqlite:demo.db --to parquet:lake --to sqlite:late.db").expect_code(0);
    let run = place.run("verify sqlite:demo.db sqlite:late.db --table t").expect_code(4);
    run.expect_stdout(
        "  t  not compared: sqlite:demo.db was given 4 records, sqlite:late.db 1; one of them was added later",
    );
}

#[test]
fn only_what_is_asked_for() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    for integration in ["shop", "crm"] {
        place.run(&format!("load a.json --integration {integration} --to sqlite:demo.db")).expect_code(0);
    }
    place.run("load a.json --table u --to sqlite:demo.db").expect_code(0);
    let check = |options: &str, expected: &[&str]| {
        let report = report(&place, &format!("verify sqlite:demo.db {options}"), 0);
        let tables = report["destinations"]["sqlite:demo.db"]["tables"].as_object().unwrap();
        assert_eq!(tables.keys().collect::<Vec<_>>(), expected, "{options}");
    };
    check("", &["u", "crm.t", "shop.t"]);
    check("--integration shop", &["shop.t"]);
    check("--table t", &["crm.t", "shop.t"]);
    check("--table t --integration crm", &["crm.t"]);
    let run = place.run("verify sqlite:demo.db --table missing").expect_code(1);
    run.expect_stderr("there is no such table; name one there is: sqlite:demo.db has u, crm.t, shop.t");
}

/// Every file below a folder, with its content; links are not followed.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(self::files(&entry.path())),
            kind if kind.is_file() => drop(files.insert(entry.path(), fs::read(entry.path()).unwrap())),
            _ => drop(files.insert(entry.path(), Vec::new())),
        }
    }
    files
}

#[test]
fn nothing_is_made_or_changed() {
    let place = loaded();
    let before = files(place.folder.path());
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0);
    let after = files(place.folder.path());
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert!(after == before, "a file has another content");
}

#[test]
fn a_destination_that_is_not_there() {
    let check = |destinations: &str, missing: &str| {
        let place = Place::new();
        place.run(&format!("verify {destinations}")).expect_code(1).expect_stderr(missing);
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0, "{destinations}: it made something");
    };
    check("sqlite:missing.db", "the destination sqlite:missing.db cannot be read: ");
    check("parquet:missing", "the destination parquet:missing cannot be read: ");
    check("sqlite:a.db parquet:b", "the destination sqlite:a.db cannot be read: ");
}

#[test]
fn what_is_no_destination() {
    let place = loaded();
    place
        .write("text.db", "Not a database, but a text that is long enough to be taken for one by somebody in a hurry.");
    let run = place.run("verify sqlite:text.db").expect_code(1);
    run.expect_stderr("the destination sqlite:text.db cannot be read: ");
    let run = place.run("verify parquet:text.db").expect_code(1);
    run.expect_stderr("the destination parquet:text.db cannot be read: ");
}
