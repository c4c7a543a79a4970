//! Deletes: rows that are marked, and tombstones.

use selvedge_core::{Counts, Outcome, RowOrder, TableLoad, TableState};
use selvedge_prepare::{Deletes, Loading, Pending, Policy};

use crate::load::{BATCHED_AT, applied, lines, of_messages, prepared_of, queue};
use crate::shown::moment;

const COLUMNS: [&str; 5] = ["id", "a", "_sdc_sequence", "_sdc_table_version", "_sdc_deleted_at"];
/// When the batches 1 and 2 are received.
const RECEIVED: [i64; 2] = [BATCHED_AT - 99_000_000, BATCHED_AT - 98_000_000];
const EXTRACTED: &str = "2026-11-23T10:00:00.000000Z";

fn upsert(id: i64, sequence: i64) -> String {
    format!(r#"{{"action":"upsert","sequence":{sequence},"data":{{"id":{id},"a":"x","l":[1]}}}}"#)
}

fn delete(id: i64, sequence: i64) -> String {
    format!(r#"{{"action":"delete","sequence":{sequence},"data":{{"id":{id},"a":"x","l":[1],"new":1}}}}"#)
}

fn batch(number: u64, version: Option<i64>, messages: &[String]) -> Pending {
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    of_messages(number, version, &["id"], &messages)
}

fn load(state: Option<&TableState>, deletes: Deletes, pending: &[Pending], order: RowOrder) -> TableLoad {
    let policy = Policy { deletes, ..Policy::default() };
    prepared_of(queue(), state, pending, order, policy, &[]).unwrap()
}

/// What a first load of these messages brings under either policy: rows and, when deletes are hard, tombstones.
#[track_caller]
fn check(messages: &[String], soft: &[&str], (rows, tombstones): (&[&str], &[&str])) {
    let pending = [batch(1, None, messages)];
    let at = moment(RECEIVED[0]);
    let shown = |batch| lines(batch, &COLUMNS).iter().map(|line| line.replace(&at, "now")).collect::<Vec<_>>();
    let load = |deletes| self::load(None, deletes, &pending, RowOrder::Key);
    let (soft_load, hard_load) = (load(Deletes::Soft), load(Deletes::Hard));
    assert_eq!(
        (shown(&soft_load.rows), soft_load.deletes.num_rows()),
        (soft.iter().map(|row| (*row).to_owned()).collect(), 0)
    );
    assert_eq!(shown(&hard_load.rows), rows);
    assert_eq!(shown(&hard_load.deletes), tombstones);
    assert_eq!(soft_load.superseded, hard_load.superseded);
    for load in [&soft_load, &hard_load] {
        assert!(load.columns.iter().all(|column| column.name != "new"));
        let subrows: usize = load.subtables.iter().map(|subtable| subtable.rows.num_rows()).sum();
        assert_eq!(subrows, rows.len(), "only rows that live have subrows");
    }
}

#[test]
fn a_delete_competes_like_any_record() {
    check(&[upsert(1, 1), delete(1, 2)], &["1 - 2 now"], (&[], &["1 2 - now"]));
    check(&[delete(1, 2), upsert(1, 1)], &["1 - 2 now"], (&[], &["1 2 - now"]));
    check(&[delete(1, 1), upsert(1, 1)], &["1 x 1 -"], (&["1 x 1"], &[]));
    check(&[upsert(1, 1), delete(1, 1)], &["1 - 1 now"], (&[], &["1 1 - now"]));
    check(&[delete(1, 1), upsert(1, 2)], &["1 x 2 -"], (&["1 x 2"], &[]));
}

#[test]
fn deletes_of_unknown_keys_among_others() {
    check(
        &[delete(3, 5), upsert(2, 1), delete(1, 6), upsert(4, 1)],
        &["1 - 6 now", "2 x 1 -", "3 - 5 now", "4 x 1 -"],
        (&["2 x 1", "4 x 1"], &["1 6 - now", "3 5 - now"]),
    );
}

/// The moment is that of the source, where it says one, and the version that of the batch.
#[test]
fn what_is_noted_of_a_delete() {
    let extracted = delete(2, 7).replace("\"data\"", &format!("\"time_extracted\":\"{EXTRACTED}\",\"data\""));
    let pending = [batch(1, None, &[delete(1, 6)]), batch(2, Some(3), &[extracted, delete(3, 8)])];
    let second = moment(RECEIVED[1]);
    let hard = load(None, Deletes::Hard, &pending, RowOrder::Key);
    let expected = [format!("1 6 - {}", moment(RECEIVED[0])), format!("2 7 3 {EXTRACTED}"), format!("3 8 3 {second}")];
    assert_eq!(lines(&hard.deletes, &COLUMNS), expected);
    let soft = load(None, Deletes::Soft, &pending, RowOrder::Key);
    let expected = expected.map(|line| line.replacen(' ', " - ", 1));
    assert_eq!(lines(&soft.rows, &COLUMNS), expected);
    assert_eq!(lines(&soft.rows, &["_sdc_extracted_at"]), ["-", EXTRACTED, "-"]);
}

/// The column of marks comes with the first delete, also with one that loses, and stays.
#[test]
fn the_column_of_marks() {
    let has = |load: &TableLoad| load.columns.iter().any(|column| column.name == "_sdc_deleted_at");
    let plain = load(None, Deletes::Soft, &[batch(1, None, &[upsert(1, 1)])], RowOrder::Any);
    assert!(!has(&plain));
    let lost = [batch(2, None, &[delete(1, 1), upsert(1, 2)])];
    assert!(!has(&load(Some(&applied(&plain)), Deletes::Hard, &lost, RowOrder::Any)));
    let marked = load(Some(&applied(&plain)), Deletes::Soft, &lost, RowOrder::Any);
    assert!(has(&marked) && marked.changes.len() == 1);
    let next = load(Some(&applied(&marked)), Deletes::Hard, &[batch(3, None, &[upsert(1, 3)])], RowOrder::Any);
    assert_eq!((lines(&next.rows, &["id", "_sdc_deleted_at"]), next.changes.len()), (vec!["1 -".to_owned()], 0));
}

/// A table is made by its first load also if that brings nothing but deletes.
#[test]
fn a_first_load_of_deletes() {
    let load = load(None, Deletes::Hard, &[batch(1, None, &[delete(2, 1), delete(1, 1)])], RowOrder::Any);
    assert_eq!((load.rows.num_rows(), load.deletes.num_rows(), load.changes.len()), (0, 2, 1));
    assert_eq!(load.keys, ["id"]);
    let counts = load.committed(Outcome::default()).counts;
    assert_eq!(counts, Counts { loaded: 2, ..Counts::default() });
}

#[test]
fn deletes_below_the_active_version() {
    let activate = r#"{"action":"switch_view","sequence":0}"#.to_owned();
    for deletes in [Deletes::Soft, Deletes::Hard] {
        let pending = [batch(1, Some(1), &[delete(1, 9)]), batch(2, Some(2), &[activate.clone(), delete(2, 1)])];
        let load = load(None, deletes, &pending, RowOrder::Any);
        assert_eq!((load.rows.num_rows() + load.deletes.num_rows(), load.superseded), (1, 1));
    }
}

/// Composite keys keep the sender's order.
#[test]
fn composite_keys() {
    let messages = [
        r#"{"action":"delete","sequence":1,"data":{"id":1,"a":"z"}}"#,
        r#"{"action":"delete","sequence":2,"data":{"a":"y","id":2}}"#,
    ];
    let pending = [of_messages(1, None, &["a", "id"], &messages)];
    let load = load(None, Deletes::Hard, &pending, RowOrder::Key);
    assert_eq!(lines(&load.deletes, &["a", "id", "_sdc_sequence"]), ["y 2 2", "z 1 1"]);
}

/// When every record becomes a row, there is nothing that a delete could take away.
#[test]
fn appended_deletes_are_rows() {
    let policy = Policy { deletes: Deletes::Hard, loading: Loading::Append, ..Policy::default() };
    let pending = [batch(1, None, &[upsert(1, 1), delete(1, 2)])];
    let load = prepared_of(queue(), None, &pending, RowOrder::Key, policy, &[]).unwrap();
    let expected = ["1 x 1 -".to_owned(), format!("1 - 2 {}", moment(RECEIVED[0]))];
    assert_eq!((lines(&load.rows, &COLUMNS), load.deletes.num_rows()), (expected.to_vec(), 0));
}
