//! Rejected records are kept beside the tables of their integration.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use selvedge_core::{ColumnType, Destination, TableLoad, TableName, TableState, rejected};

use crate::fixture::{Warehouse, column, integration_table, plan, table};

/// Rejected records of a table, one for each text.
pub(crate) fn rejects(table: &TableName, records: &[&str]) -> RecordBatch {
    let count = records.len();
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; count])) };
    let keys: StringArray = (0..count).map(|record| Some(format!("{table} {record}"))).collect();
    let columns = vec![
        Arc::new(keys) as ArrayRef,
        Arc::new(TimestampMicrosecondArray::from(vec![1; count]).with_timezone("UTC")),
        texts(table.table()),
        texts("is no number"),
        texts("/price"),
        Arc::new(StringArray::from(records.to_vec())),
        Arc::new(Int64Array::from(vec![7; count])),
        Arc::new(Int64Array::from_iter_values(0..count as i64)),
    ];
    RecordBatch::try_new(rejected::none().schema(), columns).unwrap()
}

/// A load of one row, as it would find the table.
fn load_of_a_row(warehouse: &mut Warehouse, table: &TableName) -> TableLoad {
    let found = warehouse.destination.state(table).unwrap();
    let row = vec![(column("id", ColumnType::Integer), Arc::new(Int64Array::from(vec![1])) as ArrayRef)];
    plan(table, found, &["id"], row)
}

/// Loads one row and the rejected records.
pub(crate) fn load_with_rejects(warehouse: &mut Warehouse, table: &TableName, records: &[&str]) -> TableState {
    let load = load_of_a_row(warehouse, table);
    warehouse.destination.load(&TableLoad { rejects: rejects(table, records), ..load }).unwrap()
}

/// The names of all tables, with their schemas.
fn tables(warehouse: &Warehouse) -> String {
    warehouse.query("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL")
}

#[test]
fn rejected_records_are_kept_whole() {
    let mut warehouse = Warehouse::new();
    let state = load_with_rejects(&mut warehouse, &table("orders"), &[r#"{"price": "a\u0000'"}"#, "{}"]);
    assert_eq!((state.counts.loaded, state.counts.rejected, state.counts.live_rows), (1, 2, 1));
    assert_eq!(
        warehouse.query("SELECT * FROM _sdc_rejected ORDER BY 1"),
        "orders 0 1970-01-01 00:00:00.000001+00 orders is no number /price {\"price\": \"a\\u0000'\"} 7 0\n\
         orders 1 1970-01-01 00:00:00.000001+00 orders is no number /price {} 7 1"
    );
    assert_eq!(
        warehouse.query("SELECT column_name, column_type FROM (DESCRIBE _sdc_rejected)"),
        "__sdc_primary_key VARCHAR\n_sdc_rejected_at TIMESTAMP WITH TIME ZONE\ntable_name VARCHAR\nreason VARCHAR\n\
         pointer VARCHAR\nrecord VARCHAR\n_sdc_batch BIGINT\n_sdc_batch_record BIGINT"
    );
}

#[test]
fn the_table_of_rejects_is_made_with_the_first_one() {
    let mut warehouse = Warehouse::new();
    load_with_rejects(&mut warehouse, &table("orders"), &[]);
    assert_eq!(tables(&warehouse), "main _sdc_tables\nmain orders");
    load_with_rejects(&mut warehouse, &table("orders"), &["a"]);
    load_with_rejects(&mut warehouse, &table("orders"), &["b"]);
    assert_eq!(tables(&warehouse), "main _sdc_rejected\nmain _sdc_tables\nmain orders");
    assert_eq!(warehouse.query("SELECT record FROM _sdc_rejected ORDER BY 1"), "a\nb");
}

#[test]
fn each_integration_has_its_own() {
    let mut warehouse = Warehouse::new();
    for name in [table("orders"), integration_table("shop", "orders"), integration_table("shop", "customers")] {
        load_with_rejects(&mut warehouse, &name, &[&name.to_string()]);
    }
    assert_eq!(warehouse.query("SELECT record FROM main._sdc_rejected"), "orders");
    assert_eq!(
        warehouse.query("SELECT table_name, record FROM shop._sdc_rejected ORDER BY 1"),
        "customers shop.customers\norders shop.orders"
    );
}

#[test]
fn a_load_that_fails_keeps_no_rejects() {
    let mut warehouse = Warehouse::new();
    let orders = integration_table("shop", "orders");
    let mut load = load_of_a_row(&mut warehouse, &orders);
    // DuckDB finds that columns are missing once the row has been written.
    load.rejects = rejects(&orders, &["a"]).project(&[0, 1]).unwrap();
    warehouse.destination.load(&load).unwrap_err();
    assert_eq!(tables(&warehouse), "main _sdc_tables");

    load_with_rejects(&mut warehouse, &orders, &["a"]);
    load.rejects = rejects(&orders, &["b"]);
    warehouse.destination.load(&load).unwrap_err();
    assert_eq!(warehouse.query("SELECT record FROM shop._sdc_rejected"), "a");
}
