//! Rows with a key: which of two versions stands afterwards, and what is counted.

use arrow::array::ArrayRef;
use selvedge_core::{Column, Counts};

use crate::database::{Database, integers, table, texts};

/// Key, note, sequence, table version.
type Order = (i64, Option<&'static str>, i64, Option<i64>);

fn orders(rows: &[Order]) -> Vec<(Column, ArrayRef)> {
    vec![
        integers("id", rows.iter().map(|row| row.0)),
        texts("note", rows.iter().map(|row| row.1)),
        integers("_sdc_sequence", rows.iter().map(|row| row.2)),
        integers("_sdc_table_version", rows.iter().map(|row| row.3)),
    ]
}

/// Loads `first`, then `second`: expects these rows and, of the second load, how many were (stale, new).
#[track_caller]
fn check(first: &[Order], second: &[Order], expected: &[&str], stale: u64, new: u64) {
    let mut database = Database::new();
    let before = database.load(&table("orders"), &["id"], &orders(first)).counts;
    let rows = first.len() as u64;
    assert_eq!(before, Counts { loaded: rows, superseded: 0, rejected: 0, live_rows: rows });

    let after = database.load(&table("orders"), &["id"], &orders(second)).counts;
    assert_eq!(database.rows(&["id", "note", "_sdc_sequence", "_sdc_table_version"], "orders ORDER BY id"), expected);
    let counts = Counts {
        loaded: rows + second.len() as u64 - stale,
        superseded: stale,
        rejected: 0,
        live_rows: expected.len() as u64,
    };
    assert_eq!(after, counts);
    assert_eq!(after.live_rows - before.live_rows, new);
}

#[test]
fn a_greater_sequence_replaces_the_row() {
    check(&[(1, Some("a"), 5, None)], &[(1, Some("b"), 6, None)], &["1 | 'b' | 6 | NULL"], 0, 0);
}

#[test]
fn a_lower_sequence_is_stale() {
    check(&[(1, Some("a"), 5, None)], &[(1, Some("b"), 4, None)], &["1 | 'a' | 5 | NULL"], 1, 0);
}

#[test]
fn at_a_tie_the_later_load_wins() {
    check(&[(1, Some("a"), 5, Some(3))], &[(1, Some("b"), 5, Some(3))], &["1 | 'b' | 5 | 3"], 0, 0);
    check(&[(1, Some("a"), 5, None)], &[(1, Some("b"), 5, None)], &["1 | 'b' | 5 | NULL"], 0, 0);
}

#[test]
fn the_version_counts_before_the_sequence() {
    check(&[(1, Some("a"), 9, Some(1))], &[(1, Some("b"), 2, Some(2))], &["1 | 'b' | 2 | 2"], 0, 0);
    check(&[(1, Some("a"), 2, Some(2))], &[(1, Some("b"), 9, Some(1))], &["1 | 'a' | 2 | 2"], 1, 0);
}

#[test]
fn no_version_is_below_every_version() {
    check(
        &[(1, Some("a"), 9, None)],
        &[(1, Some("b"), 2, Some(i64::MIN))],
        &["1 | 'b' | 2 | -9223372036854775808"],
        0,
        0,
    );
    check(&[(1, Some("a"), 2, Some(-4))], &[(1, Some("b"), 9, None)], &["1 | 'a' | 2 | -4"], 1, 0);
}

#[test]
fn a_row_is_replaced_as_a_whole() {
    check(&[(1, Some("a"), 5, Some(1))], &[(1, None, 6, Some(1))], &["1 | NULL | 6 | 1"], 0, 0);
}

/// Every change from one fate to another, since the statement tried first depends on the row before.
#[test]
fn new_replaced_and_stale_rows_are_told_apart_in_any_sequence() {
    let first = [(1, Some("a"), 5, None), (3, Some("a"), 5, None), (4, Some("a"), 5, None), (6, Some("a"), 5, None)];
    let second = [
        (0, Some("b"), 5, None),
        (1, Some("b"), 6, None),
        (2, Some("b"), 1, None),
        (3, Some("b"), 1, None),
        (4, Some("b"), 1, None),
        (5, Some("b"), 1, None),
        (6, Some("b"), 6, None),
        (7, Some("b"), 1, None),
        (8, Some("b"), 1, None),
    ];
    let expected = [
        "0 | 'b' | 5 | NULL",
        "1 | 'b' | 6 | NULL",
        "2 | 'b' | 1 | NULL",
        "3 | 'a' | 5 | NULL",
        "4 | 'a' | 5 | NULL",
        "5 | 'b' | 1 | NULL",
        "6 | 'b' | 6 | NULL",
        "7 | 'b' | 1 | NULL",
        "8 | 'b' | 1 | NULL",
    ];
    check(&first, &second, &expected, 2, 5);
}

#[test]
fn a_new_row_that_has_the_key_last_inserted_elsewhere_is_new() {
    let mut database = Database::new();
    database.load(&table("customers"), &["id"], &orders(&[(1, None, 1, None)]));
    let state = database.load(&table("orders"), &["id"], &orders(&[(1, None, 1, None)]));
    assert_eq!(state.counts.live_rows, 1);
}

#[test]
fn a_table_without_versions_goes_by_the_sequence_alone() {
    let mut database = Database::new();
    let rows = |note, sequence| vec![integers("id", [1]), texts("note", [note]), integers("_sdc_sequence", [sequence])];
    database.load(&table("orders"), &["id"], &rows("a", 5));
    database.load(&table("orders"), &["id"], &rows("b", 4));
    assert_eq!(database.rows(&["note"], "orders"), ["'a'"]);
    let state = database.load(&table("orders"), &["id"], &rows("c", 5));
    assert_eq!(database.rows(&["note"], "orders"), ["'c'"]);
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 1, rejected: 0, live_rows: 1 });
}

#[test]
fn a_new_version_column_outranks_rows_from_before_it() {
    let mut database = Database::new();
    let before = vec![integers("id", [1]), integers("_sdc_sequence", [9])];
    database.load(&table("orders"), &["id"], &before);
    let after = vec![integers("id", [1]), integers("_sdc_sequence", [2]), integers("_sdc_table_version", [1])];
    database.load(&table("orders"), &["id"], &after);
    assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["2"]);
}

#[test]
fn a_new_column_is_null_in_the_rows_from_before_it() {
    let mut database = Database::new();
    let before = vec![integers("id", [1, 2]), integers("_sdc_sequence", [1, 1])];
    database.load(&table("orders"), &["id"], &before);
    let after = vec![integers("id", [2, 3]), integers("_sdc_sequence", [2, 1]), texts("city", ["Bern", "Ulm"])];
    let state = database.load(&table("orders"), &["id"], &after);
    assert_eq!(database.rows(&["id", "city"], "orders ORDER BY id"), ["1 | NULL", "2 | 'Bern'", "3 | 'Ulm'"]);
    assert_eq!(state.columns.len(), 3);
    assert_eq!(database.state(&table("orders")), Some(state));
}

#[test]
fn keys_of_several_columns_compare_every_byte() {
    let mut database = Database::new();
    let rows = |shops: [&'static str; 3], sequence: i64| {
        let orders = ["1", "1", "1"];
        vec![texts("shop", shops), texts("order", orders), integers("_sdc_sequence", [sequence; 3])]
    };
    database.load(&table("orders"), &["shop", "order"], &rows(["A", "a", "a "], 1));
    let state = database.load(&table("orders"), &["shop", "order"], &rows(["a", "Ä", "ä"], 2));
    let expected = ["'A' | 1", "'a' | 2", "'a ' | 1", "'Ä' | 2", "'ä' | 2"];
    assert_eq!(database.rows(&["shop", "_sdc_sequence"], "orders ORDER BY shop"), expected);
    assert_eq!(state.counts, Counts { loaded: 6, superseded: 0, rejected: 0, live_rows: 5 });
}

#[test]
fn a_load_without_rows_moves_the_position() {
    let mut database = Database::new();
    let first = database.load(&table("orders"), &["id"], &orders(&[(1, None, 1, None)]));
    let second = database.load(&table("orders"), &["id"], &orders(&[]));
    assert_eq!(second.counts, first.counts);
    assert_eq!(second.position.batch, first.position.batch + 1);
    assert_eq!(database.state(&table("orders")), Some(second));
}
