//! Rejected records are kept beside the tables of their integration.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use selvedge_core::{Column, Destination, TableLoad, TableName, TableState, rejected};

use crate::database::{Database, integers, plan, table, table_of};

/// Rejected records of a table, one for each text.
pub(crate) fn rejects(table: &TableName, records: &[&str]) -> RecordBatch {
    let count = records.len();
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; count])) };
    let integers = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
    let keys: StringArray = (0..count).map(|record| Some(format!("{table} {record}"))).collect();
    let columns = vec![
        Arc::new(keys) as ArrayRef,
        Arc::new(TimestampMicrosecondArray::from(vec![1; count]).with_timezone("UTC")),
        texts(table.table()),
        texts("is no number"),
        texts("/price"),
        Arc::new(StringArray::from(records.to_vec())),
        integers(vec![7; count]),
        integers((0..count as i64).collect()),
    ];
    RecordBatch::try_new(rejected::none().schema(), columns).unwrap()
}

/// Loads one row and the rejected records.
pub(crate) fn load_with_rejects(database: &mut Database, table: &TableName, records: &[&str]) -> TableState {
    let rows: [(Column, ArrayRef); 2] = [integers("id", [1]), integers("_sdc_sequence", [1])];
    let planned = plan(database.state(table), table, &["id"], &rows);
    database.destination.load(&TableLoad { rejects: rejects(table, records), ..planned }).unwrap()
}

/// The names of all tables.
fn tables(database: &Database) -> Vec<String> {
    database.strings("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
}

#[test]
fn rejected_records_are_kept_whole() {
    let mut database = Database::new();
    let state = load_with_rejects(&mut database, &table("orders"), &[r#"{"price": "a\u0000'"}"#, "{}"]);
    assert_eq!((state.counts.loaded, state.counts.rejected, state.counts.live_rows), (1, 2, 1));
    let names: Vec<String> = rejected::columns().map(|column| column.name).to_vec();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let expected = [
        r#"'orders 0' | '1970-01-01T00:00:00.000001Z' | 'orders' | 'is no number' | '/price' | '{"price": "a\u0000''"}' | 7 | 0"#,
        r#"'orders 1' | '1970-01-01T00:00:00.000001Z' | 'orders' | 'is no number' | '/price' | '{}' | 7 | 1"#,
    ];
    assert_eq!(database.rows(&names, "_sdc_rejected ORDER BY 1"), expected);
    let declared = database.strings("SELECT name || ' ' || type FROM pragma_table_info('_sdc_rejected')");
    let expected = [
        "__sdc_primary_key TEXT",
        "_sdc_rejected_at TIMESTAMP_TEXT",
        "table_name TEXT",
        "reason TEXT",
        "pointer TEXT",
        "record TEXT",
        "_sdc_batch INTEGER",
        "_sdc_batch_record INTEGER",
    ];
    assert_eq!(declared, expected);
}

#[test]
fn the_table_of_rejects_is_made_with_the_first_one() {
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("orders"), &[]);
    assert_eq!(tables(&database), ["_sdc_tables", "orders"]);
    load_with_rejects(&mut database, &table("orders"), &["a"]);
    load_with_rejects(&mut database, &table("orders"), &["b"]);
    assert_eq!(tables(&database), ["_sdc_rejected", "_sdc_tables", "orders"]);
    assert_eq!(database.rows(&["record"], "_sdc_rejected ORDER BY record"), ["'a'", "'b'"]);
}

#[test]
fn each_integration_has_its_own() {
    let mut database = Database::new();
    for name in [table("orders"), table_of("shop", "orders"), table_of("shop", "customers")] {
        load_with_rejects(&mut database, &name, &[&name.to_string()]);
    }
    assert_eq!(database.rows(&["record"], "_sdc_rejected"), ["'orders'"]);
    assert_eq!(
        database.rows(&["table_name", "record"], "shop___sdc_rejected ORDER BY 1"),
        ["'customers' | 'shop.customers'", "'orders' | 'shop.orders'"]
    );
}

#[test]
fn a_load_that_fails_keeps_no_rejects() {
    let mut database = Database::new();
    let rows = [integers("id", [1]), integers("_sdc_sequence", [1])];
    let mut load = plan(None, &table("orders"), &["id"], &rows);
    load.rejects = at(&rejects(&table("orders"), &["a", "b"]), &[1, i64::MAX]);
    database.destination.load(&load).unwrap_err();
    assert_eq!(tables(&database), ["_sdc_tables"]);

    load_with_rejects(&mut database, &table("orders"), &["a"]);
    load.rejects = rejects(&table("orders"), &["b"]);
    database.destination.load(&load).unwrap_err();
    assert_eq!(database.rows(&["record"], "_sdc_rejected"), ["'a'"]);
}

/// The records, rejected at these moments; SQLite cannot hold the last there is.
fn at(rejects: &RecordBatch, moments: &[i64]) -> RecordBatch {
    let mut columns = rejects.columns().to_vec();
    columns[1] = Arc::new(TimestampMicrosecondArray::from(moments.to_vec()).with_timezone("UTC"));
    RecordBatch::try_new(rejects.schema(), columns).unwrap()
}
