//! Columns that are given another type or another name.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
use selvedge_core::{Change, Column, ColumnType, Destination, TableLoad, level_id};

use crate::fixture::{Warehouse, column, plan, plan_changes, plan_subtable, plan_subtable_changes, table};

fn integers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn decimals(values: &[i128], scale: u8) -> ArrayRef {
    let values = Decimal128Array::from(values.to_vec());
    Arc::new(values.with_precision_and_scale(38, scale.cast_signed()).unwrap())
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Loads values into a column `n` of the root and of a subtable, widens both, and loads further values; then compares the
/// type and what stands.
fn check_widened(from: (ColumnType, ArrayRef), to: (ColumnType, ArrayRef), declared: &str, expected: &str) {
    let mut warehouse = Warehouse::new();
    let mut first_id = 0;
    for (column_type, values) in [from, to] {
        let found = warehouse.destination.state(&table("t")).unwrap();
        let n = column("n", column_type);
        let ids: Vec<i64> = (first_id..).take(values.len()).collect();
        first_id += 1_000;
        let brought = vec![(column("id", ColumnType::Integer), integers(&ids)), (n.clone(), Arc::clone(&values))];
        let subrows = vec![
            (n.clone(), Arc::clone(&values)),
            (column("_sdc_source_key_id", ColumnType::Integer), integers(&ids)),
            (column(&level_id(0), ColumnType::Integer), integers(&vec![0; ids.len()])),
        ];
        let roots = (0..).take(values.len()).collect();
        let load = match found {
            None => {
                let part = plan_subtable(None, "t__list", &["list"], subrows, roots);
                TableLoad { subtables: vec![part], ..plan(&table("t"), None, &["id"], brought) }
            }
            Some(state) => {
                let widen = vec![Change::WidenColumn(n)];
                let part = plan_subtable_changes(Some(&state), "t__list", &["list"], widen.clone(), subrows, roots);
                TableLoad { subtables: vec![part], ..plan_changes(&table("t"), Some(state), &["id"], widen, brought) }
            }
        };
        warehouse.destination.load(&load).unwrap();
    }
    for name in ["t", "t__list"] {
        let found = warehouse.query(&format!(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = '{name}' AND column_name = 'n'"
        ));
        assert_eq!(found, declared, "{name}");
    }
    assert_eq!(warehouse.query("SELECT n FROM t ORDER BY id"), expected);
    assert_eq!(warehouse.query("SELECT n FROM t__list ORDER BY _sdc_source_key_id"), expected);
}

#[test]
fn integers_become_doubles() {
    check_widened(
        (ColumnType::Integer, integers(&[999_999_999_999_999, -1, 0])),
        (ColumnType::Double, Arc::new(Float64Array::from(vec![0.5]))),
        "DOUBLE",
        "999999999999999.0\n-1.0\n0.0\n0.5",
    );
}

#[test]
fn integers_become_decimals() {
    check_widened(
        (ColumnType::Integer, integers(&[i64::MAX, i64::MIN, 0])),
        (ColumnType::Decimal { scale: 19 }, decimals(&[1], 19)),
        "DECIMAL(38,19)",
        "9223372036854775807.0000000000000000000\n-9223372036854775808.0000000000000000000\n0.0000000000000000000\n\
         0.0000000000000000001",
    );
}

#[test]
fn decimals_take_more_digits_after_the_point() {
    check_widened(
        (ColumnType::Decimal { scale: 2 }, decimals(&[10_i128.pow(36) - 1, -5, 0], 2)),
        (ColumnType::Decimal { scale: 4 }, decimals(&[-1], 4)),
        "DECIMAL(38,4)",
        "9999999999999999999999999999999999.9900\n-0.0500\n0.0000\n-0.0001",
    );
}

#[test]
fn integers_become_decimal_text() {
    check_widened(
        (ColumnType::Integer, integers(&[i64::MAX, i64::MIN, 0, 100, -1_000])),
        (ColumnType::DecimalText, texts(&["0.1"])),
        "VARCHAR",
        "9223372036854775807\n-9223372036854775808\n0\n100\n-1000\n0.1",
    );
}

/// The text of a value is one and the same, whatever the scale it had before.
#[test]
fn decimals_become_decimal_text() {
    let nines = 10_i128.pow(38) - 1;
    for (scale, values, expected) in [
        (0, vec![nines, -100, 0], "99999999999999999999999999999999999999\n-100\n0\n0.1"),
        (2, vec![nines, -100, -50, 0, 10_001], "999999999999999999999999999999999999.99\n-1\n-0.5\n0\n100.01\n0.1"),
        (
            38,
            vec![-nines, 1, 0, 5 * 10_i128.pow(37)],
            "-0.99999999999999999999999999999999999999\n0.00000000000000000000000000000000000001\n0\n0.5\n0.1",
        ),
    ] {
        check_widened(
            (ColumnType::Decimal { scale }, decimals(&values, scale)),
            (ColumnType::DecimalText, texts(&["0.1"])),
            "VARCHAR",
            expected,
        );
    }
}

fn numbers(name: &str, values: &[i64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Integer), integers(values))
}

/// The first type of a path takes its suffix too when the path splits; the plain name may be given to another column then.
#[test]
fn a_renamed_column_keeps_what_it_holds() {
    let mut warehouse = Warehouse::new();
    let state = warehouse.load(&table("t"), &["id"], vec![numbers("id", &[1, 2]), numbers("Age \"x", &[30, 40])]);
    let text = column("Age \"x", ColumnType::String);
    let changes = vec![
        Change::RenameColumn { from: "Age \"x".to_owned(), to: "Age \"x__bi".to_owned() },
        Change::AddColumn(text.clone()),
    ];
    let brought = vec![numbers("id", &[2, 3]), (text, texts(&["forty", "fifty"]))];
    let load = plan_changes(&table("t"), Some(state.unwrap()), &["id"], changes, brought);
    let state = warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t ORDER BY id"), "1 30 null\n2 null forty\n3 null fifty");
    assert_eq!(warehouse.query("SELECT column_name FROM (DESCRIBE t)"), "id\nAge \"x__bi\nAge \"x");
    assert_eq!(state.columns, load.columns);
}

#[test]
fn several_changes_of_one_load_are_applied_in_order() {
    let mut warehouse = Warehouse::new();
    let state = warehouse.load(&table("t"), &["id"], vec![numbers("id", &[1]), numbers("n", &[7])]).unwrap();
    let wide = column("wide", ColumnType::DecimalText);
    let changes = vec![
        Change::WidenColumn(column("n", ColumnType::Decimal { scale: 3 })),
        Change::AddColumn(column("wide", ColumnType::Integer)),
        Change::WidenColumn(wide.clone()),
        Change::RenameColumn { from: "n".to_owned(), to: "m".to_owned() },
    ];
    let brought = vec![numbers("id", &[2]), (wide, texts(&["0.25"]))];
    let load = plan_changes(&table("t"), Some(state), &["id"], changes, brought);
    warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT id, m, wide FROM t ORDER BY id"), "1 7.000 null\n2 null 0.25");
}
