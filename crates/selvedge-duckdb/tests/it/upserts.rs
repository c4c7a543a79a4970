//! Which rows stand after several loads, and how they are counted.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use selvedge_core::{Column, ColumnType, system};

use crate::fixture::{Warehouse, column, table};

/// A row of the table `orders`: the key, a text, the table version, the sequence.
type Order = (i64, Option<&'static str>, Option<i64>, i64);

fn columns(orders: &[Order]) -> Vec<(Column, ArrayRef)> {
    let integers =
        |value: fn(&Order) -> Option<i64>| -> ArrayRef { Arc::new(orders.iter().map(value).collect::<Int64Array>()) };
    let notes: ArrayRef = Arc::new(orders.iter().map(|order| order.1).collect::<StringArray>());
    vec![
        (column("id", ColumnType::Integer), integers(|order| Some(order.0))),
        (column("note", ColumnType::String), notes),
        (column(system::TABLE_VERSION, ColumnType::Integer), integers(|order| order.2)),
        (column(system::SEQUENCE, ColumnType::Integer), integers(|order| Some(order.3))),
    ]
}

/// Applies the loads one after the other, then compares the table and the counts: loaded, superseded, live rows.
fn check(keys: &[&str], loads: &[&[Order]], expected: &str) {
    let mut warehouse = Warehouse::new();
    let mut counts = None;
    for orders in loads {
        counts = Some(warehouse.load(&table("orders"), keys, columns(orders)).unwrap().counts);
    }
    let counts = counts.unwrap();
    let rows = warehouse.query("SELECT * FROM orders ORDER BY id, _sdc_sequence");
    let found = format!("{} {} {}\n{rows}", counts.loaded, counts.superseded, counts.live_rows);
    assert_eq!(found, expected);
}

#[test]
fn rows_of_new_keys_are_added() {
    check(
        &["id"],
        &[&[(1, Some("a"), None, 1)], &[(2, Some("b"), None, 2), (3, None, None, 2)]],
        "3 0 3\n1 a null 1\n2 b null 2\n3 null null 2",
    );
}

#[test]
fn a_greater_sequence_replaces_and_a_lower_one_is_superseded() {
    check(
        &["id"],
        &[
            &[(1, Some("a"), None, 10), (2, Some("b"), None, 10), (3, Some("c"), None, 10)],
            &[(1, Some("newer"), None, 11), (2, Some("older"), None, 9), (4, Some("d"), None, 1)],
        ],
        "5 1 4\n1 newer null 11\n2 b null 10\n3 c null 10\n4 d null 1",
    );
}

#[test]
fn at_a_tie_the_later_row_replaces_as_a_whole() {
    check(&["id"], &[&[(1, Some("a"), Some(1), 10)], &[(1, None, Some(1), 10)]], "2 0 1\n1 null 1 10");
}

#[test]
fn the_table_version_weighs_more_than_the_sequence() {
    check(
        &["id"],
        &[
            &[(1, Some("a"), Some(2), 10), (2, Some("b"), Some(2), 10)],
            &[(1, None, Some(3), 1), (2, None, Some(1), 99)],
        ],
        "3 1 2\n1 null 3 1\n2 b 2 10",
    );
}

#[test]
fn no_table_version_is_below_every_other() {
    check(
        &["id"],
        &[
            &[(1, Some("a"), None, 99), (2, Some("b"), Some(i64::MIN), 1), (3, Some("c"), None, 5)],
            &[(1, Some("wins"), Some(i64::MIN), 1), (2, Some("loses"), None, 99), (3, Some("loses"), None, 4)],
        ],
        &format!("4 2 3\n1 wins {min} 1\n2 b {min} 1\n3 c null 5", min = i64::MIN),
    );
}

#[test]
fn a_table_without_keys_keeps_every_row() {
    check(
        &[],
        &[&[(1, Some("a"), None, 1)], &[(1, Some("a"), None, 1), (1, Some("b"), None, 2)]],
        "3 0 3\n1 a null 1\n1 a null 1\n1 b null 2",
    );
}

#[test]
fn several_key_columns_are_one_key() {
    check(
        &["note", "id"],
        &[&[(1, Some("a"), None, 1), (1, Some("b"), None, 1)], &[(1, Some("b"), None, 2), (2, Some("b"), None, 2)]],
        "4 0 3\n1 a null 1\n1 b null 2\n2 b null 2",
    );
}

#[test]
fn a_load_without_rows_only_moves_the_position() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("orders"), &["id"], columns(&[(1, None, None, 1)])).unwrap();
    let state = warehouse.load(&table("orders"), &["id"], columns(&[])).unwrap();
    assert_eq!((state.position.batch, state.counts.loaded, state.counts.live_rows), (2, 1, 1));
}

/// More rows than DuckDB takes in one piece, half of them new, one in ten of the others older.
#[test]
fn counts_are_exact_in_large_loads() {
    let mut warehouse = Warehouse::new();
    let stored: Vec<Order> = (0..10_000).map(|id| (id, Some("stored"), None, 5)).collect();
    let brought: Vec<Order> =
        (5_000..15_000).map(|id| (id, Some("new"), None, if id % 10 == 0 { 4 } else { 6 })).collect();
    warehouse.load(&table("orders"), &["id"], columns(&stored)).unwrap();
    let counts = warehouse.load(&table("orders"), &["id"], columns(&brought)).unwrap().counts;
    assert_eq!((counts.loaded, counts.superseded, counts.live_rows), (19_500, 500, 15_000));
    let rows = warehouse.query("SELECT note, count(*), count(DISTINCT id) FROM orders GROUP BY note ORDER BY note");
    assert_eq!(rows, "new 9500 9500\nstored 5500 5500");
}

/// DuckDB has a hidden column of that name, which a column of the sender's hides.
#[test]
fn a_column_may_be_called_rowid() {
    let mut warehouse = Warehouse::new();
    let rows = |numbers: [i64; 2]| -> Vec<(Column, ArrayRef)> {
        let mut columns = columns(&[(1, None, None, 1), (2, None, None, 1)]);
        columns.push((column("rowid", ColumnType::Integer), Arc::new(Int64Array::from(numbers.to_vec()))));
        columns
    };
    warehouse.load(&table("orders"), &["id"], rows([0, 0])).unwrap();
    warehouse.load(&table("orders"), &["id"], rows([8, 9])).unwrap();
    assert_eq!(warehouse.query("SELECT id, rowid FROM orders ORDER BY id"), "1 8\n2 9");
}
