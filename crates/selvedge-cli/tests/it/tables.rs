//! Looking after tables: pausing, other keys, beginning anew, dropping.

use std::fs;

use crate::{Place, Run, batch};

/// A batch whose keys are `id` and `v`.
fn rekeyed(sequence: u64, records: &str) -> String {
    batch(sequence, records).replace(r#""key_names":["id"]"#, r#""key_names":["v","id"]"#)
}

/// Two rows in `demo.db` and `lake`, and a batch of other keys that waits.
fn with_changed_keys() -> Place {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"b"}"#));
    place.write("b.json", rekeyed(2, r#"{"id":1,"v":"c"};{"id":2,"v":"b"}"#));
    place.run("load a.json --to sqlite:demo.db --to parquet:lake").expect_code(0);
    let run = place.run("load b.json --to sqlite:demo.db --to parquet:lake").expect_code(1);
    run.expect_stderr("2 records of t wait for sqlite:demo.db: the table's keys are (id), but the batch's are (v, id)")
        .expect_stderr("selvedge table rekey");
    place
}

#[track_caller]
fn load_what_waits(place: &Place) -> Run {
    place.run("load b.json --to sqlite:demo.db --to parquet:lake").expect_code(0)
}

#[test]
fn the_list_tells_how_tables_stand() {
    let place = with_changed_keys();
    let expected = "\
table  destination     keys  version  rows  waiting  state
t      sqlite:demo.db  id                2        2  active
t      parquet:lake    id                2        2  active
";
    assert_eq!(place.run("table list --data demo.db.queue").expect_code(0).stdout, expected);
    place.run("table list --data nowhere").expect_code(1).expect_stderr("the queue in nowhere cannot be used");
}

#[test]
fn other_tables_go_on() {
    let place = with_changed_keys();
    place.write("u.json", batch(1, r#"{"id":7,"v":"x"}"#).replace(r#""table_name":"t""#, r#""table_name":"u""#));
    place.run("load u.json --to sqlite:demo.db --to parquet:lake").expect_code(1);
    assert_eq!(place.rows("u", "id, v"), ["7|x"]);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
}

#[test]
fn what_waits_for_a_paused_table_is_limited() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    place.run("table pause t --data demo.db.queue").expect_code(0);
    place.write("b.json", batch(2, &format!(r#"{{"id":2,"v":"{}"}}"#, "b".repeat(900))));
    let load = |limit: &str| place.run(&format!("load b.json --again --to sqlite:demo.db --paused-limit {limit}"));
    load("1KiB")
        .expect_code(1)
        .expect_stderr("nothing of the batch was queued: t is paused")
        .expect_stderr("of 1024 at most");
    load("2KiB").expect_code(1).expect_stderr("1 record of t waits for sqlite:demo.db: the table is paused");
}

#[test]
fn a_table_is_given_other_keys() {
    let place = with_changed_keys();
    let run = place.run("table rekey t --key v,id --data demo.db.queue").expect_code(0);
    run.expect_stdout("2 rows of t are in the queue under the key (v, id)");
    load_what_waits(&place);
    assert_eq!(place.rows("t", "id, v, _sdc_sequence"), ["1|a|1", "1|c|2", "2|b|2"]);
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("3 rows, the same in both");
}

/// What comes of an older version, whatever its keys, is superseded as before.
#[test]
fn the_active_version_stays_active() {
    let place = Place::new();
    let of_version =
        |version: u64, body: String| body.replace(r#""messages""#, &format!(r#""table_version":{version},"messages""#));
    let activate = r#"{"action":"activate_version","sequence":1}"#;
    place.write("a.json", of_version(5, batch(1, r#"{"id":1,"v":"a"}"#).replace("]}", &format!(",{activate}]}}"))));
    place.write("b.json", of_version(4, rekeyed(9, r#"{"id":2,"v":"late"}"#)));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    place.run("table rekey t --key v,id --data demo.db.queue").expect_code(0);
    place.run("load b.json --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, v, _sdc_table_version"), ["1|a|5"]);
    assert_eq!(place.rows("_sdc_tables", "active_version, loaded, superseded"), ["5|2|1"]);
}

/// Values without a column keep their place.
#[test]
fn so_do_values_past_the_last_column() {
    let place = Place::new();
    let wide = |name: &str, count| {
        let members: Vec<String> = (0..count).map(|index| format!(r#""{name}{index:04}":{index}.50"#)).collect();
        members.join(",")
    };
    let record = format!(r#"{{"id":1,"v":"a",{},"items":[{{{}}},{{"x":1}}]}}"#, wide("w", 1_010), wide("x", 1_010));
    place.write("a.json", batch(1, &record));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    let extra = || [place.rows("t", "_sdc_extra"), place.rows("t__items", "_sdc_extra")];
    let before = extra();
    assert!(before[0][0].contains(r#""w1009":1009.5"#) && before[1][1].contains(r#""x1009":1009.5"#), "{before:?}");
    place.run("table rekey t --key v --data demo.db.queue").expect_code(0);
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    assert_eq!(extra(), before);
}

/// A table without rows is a table; where another destination still has some, what waits for it is loaded first.
#[test]
fn a_table_without_rows_is_given_other_keys() {
    let place = Place::new();
    let both = "--to sqlite:demo.db --to parquet:lake";
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"b"}"#));
    place.run(&format!("load a.json {both}")).expect_code(0);
    place.write("b.json", batch(2, r#"{"id":1};{"id":2}"#).replace("upsert", "delete"));
    place.run("load b.json --deletes hard --to sqlite:demo.db").expect_code(0);
    let rekey = |code| place.run("table rekey t --key v,id --data demo.db.queue").expect_code(code);
    rekey(1).expect_stderr("batch 2 of t waits for parquet:lake").expect_stderr("its keys are (id)");
    place.run(&format!("load a.json --deletes hard {both}")).expect_code(0);
    rekey(0).expect_stdout("0 rows of t are in the queue");
    place.write("c.json", rekeyed(3, r#"{"id":3,"v":"c"}"#));
    place.run(&format!("load c.json {both}")).expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["3|c"]);
}

/// A destination that cannot be opened is told before anything is done, and the command can be given again whatever was loaded
/// in between.
#[test]
fn a_destination_that_cannot_be_opened_leaves_the_table_as_it_is() {
    let place = Place::new();
    let both = "--to sqlite:demo.db --to parquet:lake";
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"b"}"#));
    place.run(&format!("load a.json {both}")).expect_code(0);
    let rekey = |code| place.run("table rekey t --key id --data demo.db.queue").expect_code(code);
    fs::rename(place.path("lake"), place.path("away")).unwrap();
    place.write("lake", "no folder");
    rekey(1);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
    place.run("table list --data demo.db.queue").expect_code(0).expect_stdout("active");
    fs::remove_file(place.path("lake")).unwrap();
    fs::rename(place.path("away"), place.path("lake")).unwrap();
    place.run(&format!("load a.json {both}")).expect_code(0).expect_stdout("2 loaded");

    rekey(0).expect_stdout("2 rows of t are in the queue");
    place.run(&format!("load a.json {both}")).expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("2 rows, the same in both");
}

/// A destination that nothing was loaded into yet gets the rows of the others, and is no obstacle to erasing any.
#[test]
fn a_destination_that_was_just_added_is_no_obstacle() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"b"}"#));
    place.write("b.json", rekeyed(2, r#"{"id":3,"v":"c"}"#));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    for added in ["sqlite:other.db", "parquet:lake"] {
        place.run(&format!("destination add {added} --data demo.db.queue")).expect_code(0);
    }
    place.run(r#"purge --table t --key {"id":2} --data demo.db.queue"#).expect_code(0);
    place.run("table rekey t --key v,id --data demo.db.queue").expect_code(0).expect_stdout("1 row of t");
    place.run("load b.json --to sqlite:demo.db --to sqlite:other.db --to parquet:lake").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "3|c"]);
    for other in ["sqlite:other.db", "parquet:lake"] {
        let run = place.run(&format!("verify sqlite:demo.db {other}")).expect_code(0);
        run.expect_stdout("2 rows, the same in both");
    }
}

/// What waits under the keys that the table has is loaded first.
#[test]
fn what_waits_is_not_left_behind_by_other_keys() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.write("b.json", batch(2, r#"{"id":1,"v":"b"}"#));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    place.run("table pause t --data demo.db.queue").expect_code(0);
    place.run("load b.json --to sqlite:demo.db").expect_code(1);
    let run = place.run("table rekey t --key v --data demo.db.queue").expect_code(1);
    run.expect_stderr("batch 2 of t waits for sqlite:demo.db").expect_stderr("have it loaded first");
    place.run("table list --data demo.db.queue").expect_code(0).expect_stdout("paused: somebody paused it");
    assert_eq!(place.rows("t", "id, v"), ["1|a"]);
}

#[test]
fn a_key_has_to_be_a_property() {
    let place = with_changed_keys();
    let run = place.run("table rekey t --key w --data demo.db.queue").expect_code(1);
    run.expect_stderr("t has no column of a property w, so it cannot be a key");
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
}

#[test]
fn a_table_begins_anew() {
    let place = with_changed_keys();
    let run = place.run("table reset t --data demo.db.queue").expect_code(0);
    run.expect_stdout("t is removed from sqlite:demo.db").expect_stdout("2 records of it wait in the queue");
    load_what_waits(&place);
    assert_eq!(place.rows("t", "id, v"), ["1|c", "2|b"]);
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("2 rows, the same in both");
}

#[test]
fn what_waits_is_not_dropped_unasked() {
    let place = with_changed_keys();
    let run = place.run("table drop t --data demo.db.queue").expect_code(1);
    run.expect_stderr("2 records of t are in the queue: load them first, or give them up with --give-up-waiting");
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
}

#[test]
fn a_dropped_table_can_come_again() {
    let place = with_changed_keys();
    place.run("table drop t --data demo.db.queue --give-up-waiting").expect_code(0);
    assert_eq!(place.rows("sqlite_schema", "count(*) FILTER (WHERE name = 't')"), ["0"]);
    place.run("load a.json --again --to sqlite:demo.db --to parquet:lake").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
    place.run("verify sqlite:demo.db parquet:lake").expect_code(0).expect_stdout("2 rows, the same in both");
}

#[test]
fn a_paused_table_waits_and_is_resumed() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.write("b.json", batch(2, r#"{"id":1,"v":"b"}"#));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    let mut pause = place.command("table pause t --data demo.db.queue --reason");
    let run: Run = pause.arg("a migration").output().unwrap().into();
    run.expect_code(0);
    place.run("table list --data demo.db.queue").expect_code(0).expect_stdout("paused: a migration");
    place.run("load b.json --to sqlite:demo.db").expect_code(1).expect_stderr("a migration");
    assert_eq!(place.rows("t", "id, v"), ["1|a"]);
    place.run("table resume t --data demo.db.queue").expect_code(0);
    place.run("load b.json --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|b"]);
}

#[test]
fn a_table_that_is_none_is_told_from_those_there_are() {
    let place = with_changed_keys();
    for command in ["pause", "resume", "reset", "drop", "rekey --key id"] {
        let run = place.run(&format!("table {command} orders --data demo.db.queue")).expect_code(1);
        run.expect_stderr("the queue in demo.db.queue has no table orders; it has t");
    }
}
