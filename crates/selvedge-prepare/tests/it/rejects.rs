//! Records that are kept aside.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use selvedge_core::{Counts, Outcome, RowOrder, TableLoad};
use selvedge_prepare::{Pending, Policy, Rejection, Schemas, decode, decode_rejecting};

use crate::batch::body;
use crate::load::{BATCHED_AT, applied, pending, prepared_of, queue, values};
use crate::shown;

/// What is rejected: `record pointer reason`, each.
pub(crate) fn shown(load: &TableLoad) -> Vec<String> {
    let column = |name: &str| load.rejects.column_by_name(name).unwrap().clone();
    let (record, pointer, reason) = (column("_sdc_batch_record"), column("pointer"), column("reason"));
    let value = |array: &ArrayRef, row| shown::value(array, row).unwrap();
    let row = |row| format!("{} {} {}", value(&record, row), value(&pointer, row), value(&reason, row));
    (0..load.rejects.num_rows()).map(row).collect()
}

const ID: &str = r#"{"properties":{"id":{"type":"integer"}}}"#;

/// A batch of records keyed by `id`, with its body.
fn batch(number: u64, records: &[&str]) -> (Pending, String) {
    let body = body(ID, &["id"], records);
    let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
    (pending(number, records), body)
}

fn prepared(batches: &[(Pending, String)]) -> TableLoad {
    let (pending, bodies): (Vec<Pending>, Vec<String>) = batches.iter().cloned().unzip();
    prepared_of(queue(), None, &pending, RowOrder::Key, Policy::default(), &bodies).unwrap()
}

/// Of these records, all but the last are rejected, each for this.
#[track_caller]
fn check(records: &[&str], rejects: &[&str]) {
    let load = prepared(&[batch(1, records)]);
    assert_eq!(shown(&load), rejects);
    assert_eq!(load.rows.num_rows(), records.len() - rejects.len());
    let texts: Vec<&str> = records.iter().take(rejects.len()).copied().collect();
    let column = load.rejects.column_by_name("record").unwrap();
    let found: Vec<String> = (0..column.len()).map(|row| shown::value(column, row).unwrap()).collect();
    assert_eq!(found, texts);
}

const COLLISION: &str = "Field collision on";
const RESERVED: &str = "column names from client should not include reserved datatype suffix on";

#[test]
fn two_values_of_one_name() {
    check(
        &[
            r#"{"id":1,"a":1,"A":2}"#,
            r#"{"id":2,"a__b":1,"a":{"b":"x"}}"#,
            r#"{"id":3,"l":[{"x":1},{"x":1,"X":2}]}"#,
            r#"{"id":4,"l":[{"m":[0,{"y":{"z":1},"y__z":2}]}]}"#,
            r#"{"id":5,"a":1,"A":null,"l":[{"x":1},{"X":1}]}"#,
        ],
        &[
            &format!("0 /a {COLLISION} A"),
            &format!("1 /a__b {COLLISION} a__b"),
            &format!("2 /l/1/x {COLLISION} X"),
            &format!("3 /l/0/m/1/y__z {COLLISION} y__z"),
        ],
    );
}

#[test]
fn names_that_end_as_those_of_split_columns_do() {
    for suffix in ["bi", "bo", "de", "do", "st", "ti", "da", "tm", "js", "BI"] {
        let record = format!(r#"{{"id":1,"a__{suffix}":1}}"#);
        check(&[&record, r#"{"id":2}"#], &[&format!("0 /a__{suffix} {RESERVED} a__{suffix}")]);
    }
    check(
        &[
            r#"{"id":1,"a":{"st":1}}"#,
            r#"{"id":2,"l":[{"a":1},{"a__bi":1}]}"#,
            r#"{"id":3,"a__bi":null,"st":1,"a__x":1,"a_bi":1}"#,
        ],
        &[&format!("0 /a/st {RESERVED} a__st"), &format!("1 /l/1/a__bi {RESERVED} a__bi")],
    );
}

/// What is wrong with a record as it was decoded is said first.
#[test]
fn values_out_of_range() {
    let (mut first, body) = batch(1, &[r#"{"id":1,"a":1,"A":2}"#, r#"{"id":2}"#]);
    let mut records = (*first.records).clone();
    records.rejected =
        vec![Rejection { record: 0, pointer: "/x".to_owned(), reason: "integer out of range".to_owned() }];
    first.records = Arc::new(records);
    let load = prepared(&[(first, body)]);
    assert_eq!(shown(&load), ["0 /x integer out of range"]);
    assert_eq!(values(&load, "id"), [Some("2".to_owned())]);
}

/// They take no part in what becomes of the others, and leave no trace in the table.
#[test]
fn rejected_records_neither_win_nor_lose() {
    let bad = r#"{"id":1,"c":{"d":1},"C__D":2,"l":[1]}"#;
    let load = prepared(&[batch(1, &[r#"{"id":1,"a":7}"#, bad]), batch(2, &[bad])]);
    assert_eq!(values(&load, "a"), [Some("7".to_owned())]);
    assert!(load.columns.iter().all(|column| !column.name.eq_ignore_ascii_case("c__d")));
    assert!(load.subtables.is_empty());
    let counts = load.committed(Outcome { stale_rows: 0, new_rows: 1, removed_rows: 0 }).counts;
    assert_eq!(counts, Counts { loaded: 1, superseded: 0, rejected: 2, live_rows: 1 });
}

#[test]
fn all_that_is_kept_of_them() {
    let (good, bad) = (r#"{"id":1}"#, r#" { "id" : 2 , "a" : "ü\n" , "A" : [ 1 ], "a__st":{"x":"}"}, "a":1.50 }"#);
    let bad = &bad.replace(r#", "a":1.50"#, r#", "b__st":1.50"#);
    let load = prepared(&[batch(1, &[good, good]), batch(2, &[good, bad, good, bad])]);
    let column = |name: &str| {
        let column = load.rejects.column_by_name(name).unwrap();
        (0..column.len()).map(|row| shown::value(column, row).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(column("table_name"), ["t", "t"]);
    assert_eq!(column("record"), [bad.trim(), bad.trim()]);
    assert_eq!(column("_sdc_batch"), ["2", "2"]);
    assert_eq!(column("_sdc_batch_record"), ["1", "3"]);
    assert_eq!(column("_sdc_rejected_at"), vec![shown::moment(BATCHED_AT); 2]);
    assert_ne!(column("__sdc_primary_key")[0], column("__sdc_primary_key")[1]);
}

/// Whatever of a batch an earlier load has applied is neither rejected again nor counted.
#[test]
fn a_load_that_begins_within_a_batch() {
    let bad = r#"{"id":1,"a":1,"A":1}"#;
    let (whole, body) = batch(1, &[bad, r#"{"id":2}"#, bad, r#"{"id":3}"#]);
    for (applied, expected) in [(0, 2), (1, 1), (2, 1), (3, 0)] {
        let load = prepared(&[(Pending { applied, ..whole.clone() }, body.clone())]);
        assert_eq!(load.rejects.num_rows(), expected, "{applied}");
        assert_eq!(load.rows.num_rows() as u64, if applied < 2 { 2 } else { 1 });
    }
}

/// What a later load takes of a batch is neither rejected nor loaded yet.
#[test]
fn a_load_that_ends_within_a_batch() {
    let bad = r#"{"id":1,"a":1,"A":1}"#;
    let (whole, body) = batch(1, &[bad, r#"{"id":2}"#, bad, r#"{"id":3}"#]);
    for (applied, until, rejected, rows) in [(0, 1, 1, 0), (0, 2, 1, 1), (0, 3, 2, 1), (1, 3, 1, 1), (3, 4, 0, 1)] {
        let load = prepared(&[(Pending { applied, until, ..whole.clone() }, body.clone())]);
        assert_eq!((load.rejects.num_rows(), load.rows.num_rows()), (rejected, rows), "{applied}..{until}");
        assert_eq!((load.to.batch, load.to.record), (1, until));
    }
}

/// A load of nothing but rejected records moves the position all the same.
#[test]
fn nothing_but_rejected_records() {
    let (bad, other) = (r#"{"id":1,"a":1,"A":1}"#, r#"{"id":1,"b__st":1}"#);
    let load = prepared(&[batch(1, &[bad, bad])]);
    assert_eq!((load.rows.num_rows(), load.rejects.num_rows(), load.to.record), (0, 2, 2));
    assert_eq!(load.keys, ["id"]);
    let (pending, body) = batch(1, &[other]);
    let state = applied(&load);
    let next = prepared_of(queue(), Some(&state), &[pending], RowOrder::Any, Policy::default(), &[body]).unwrap();
    assert!(next.changes.is_empty());
    assert_eq!(next.rejects.num_rows(), 1);
}

/// Also of a record in which a name stands twice.
#[test]
fn the_text_of_what_violates_the_schema() {
    let bad = [r#"{"id":1,"id":2}"#, r#"{"id":"x"}"#, r#"{"id":1,"o":[{"a":1,"a":2}]}"#];
    let body = body(ID, &["id"], &[bad[0], bad[1], r#"{"id":3}"#, bad[2]]);
    let records = decode_rejecting(body.as_bytes(), &Schemas::new()).unwrap();
    let load = prepared(&[(pending(1, records), body)]);
    assert_eq!(values(&load, "id"), [Some("3".to_owned())]);
    let twice = "the key stands twice in one object";
    let expected =
        [&format!("0 /id {twice}"), "1 /id expected type: Integer, found: String", &format!("3 /o/0/a {twice}")];
    assert_eq!(shown(&load), expected);
    let column = load.rejects.column_by_name("record").unwrap();
    assert_eq!((0..3).map(|row| shown::value(column, row).unwrap()).collect::<Vec<_>>(), bad);
}

/// Members of a batch may come in any order, and may be spelled with escapes.
#[test]
fn the_text_is_found_in_any_body() {
    let body = r#"{"messages" : [{"data":{"id":1,"x":[{}, "\"]}"]},"sequence":1,"action":"upsert"} ,
        {"action":"upsert","d\u0061ta": {"id":2,"a":1,"A":{"b":[]},"A__b":3, "a__st":""},"sequence":2}],
        "key_names":["id"],"schema":{"properties":{"id":{"type":"integer"}}},"table_name":"t"}"#;
    let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
    let load = prepared(&[(pending(1, records), body.to_owned())]);
    let text = shown::value(load.rejects.column_by_name("record").unwrap(), 0).unwrap();
    assert_eq!(text, r#"{"id":2,"a":1,"A":{"b":[]},"A__b":3, "a__st":""}"#);
}
