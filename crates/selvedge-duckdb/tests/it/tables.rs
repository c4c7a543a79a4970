//! Which tables and columns a load makes, and under which names.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use selvedge_core::{Column, ColumnType, Destination, LoadErrorKind, TableName};

use crate::fixture::{Warehouse, column, integration_table, table};

fn numbers(name: &str, values: &[i64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Integer), Arc::new(Int64Array::from(values.to_vec())))
}

#[test]
fn a_new_column_is_null_in_rows_that_stand() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("t"), &["id"], vec![numbers("id", &[1, 2])]).unwrap();
    let state = warehouse.load(&table("t"), &["id"], vec![numbers("id", &[2, 3]), numbers("size", &[20, 30])]).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t ORDER BY id"), "1 null\n2 20\n3 30");
    warehouse.load(&table("t"), &["id"], vec![numbers("id", &[3])]).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t ORDER BY id"), "1 null\n2 20\n3 null");
    assert_eq!(state.columns.len(), 2);
}

/// Loads twice into a table of this name with a column of that name; the second load replaces the row.
fn check_name(name: &TableName, column_name: &str, spelled: &str) {
    let mut warehouse = Warehouse::new();
    for value in [1, 2] {
        let columns = vec![numbers(column_name, &[7]), numbers("value of it", &[value])];
        let state = warehouse.load(name, &[column_name], columns).unwrap();
        assert_eq!(warehouse.destination.state(name).unwrap(), Some(state));
    }
    assert_eq!(warehouse.query(&format!("SELECT * FROM {spelled}")), "7 2");
}

#[test]
fn names_are_kept_as_they_are() {
    check_name(&table("select"), "from", r#"main."select""#);
    check_name(&table("Per.Day $ä-1"), "A \"b\" 'c'", r#"main."Per.Day $ä-1""#);
    check_name(&table("key_0"), "row", "main.key_0");
    check_name(&table("incoming"), "stored", "main.incoming");
}

#[test]
fn an_integration_is_a_schema() {
    check_name(&integration_table("shop", "orders"), "id", "shop.orders");
    check_name(&integration_table("My.Shop 1", "Orders"), "ID", r#""My.Shop 1"."Orders""#);
    check_name(&integration_table("order", "table"), "id", r#""order"."table""#);
}

#[test]
fn an_integration_may_be_called_like_the_file() {
    check_name(&integration_table("warehouse", "orders"), "id", "warehouse.warehouse.orders");
}

#[test]
fn the_same_table_of_two_integrations_is_two_tables() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&integration_table("a", "t"), &["id"], vec![numbers("id", &[1])]).unwrap();
    warehouse.load(&integration_table("b", "t"), &["id"], vec![numbers("id", &[2])]).unwrap();
    warehouse.load(&table("t"), &["id"], vec![numbers("id", &[3])]).unwrap();
    assert_eq!(warehouse.query("SELECT a.t.id, b.t.id, main.t.id FROM a.t, b.t, main.t"), "1 2 3");
}

/// A load of the new table `t` is refused, changes nothing, and says why.
fn check_taken(taken: &str, name: &TableName) {
    let mut warehouse = Warehouse::new();
    warehouse.execute(taken);
    let error = warehouse.load(name, &["id"], vec![numbers("id", &[1])]).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("stands already"), "{error}");
    assert_eq!(warehouse.destination.state(name).unwrap(), None);
}

#[test]
fn a_table_of_somebody_else_is_left_alone() {
    check_taken("CREATE TABLE t (mine INTEGER)", &table("t"));
    check_taken("CREATE VIEW t AS SELECT 1 AS mine", &table("t"));
    check_taken("CREATE TABLE T (mine INTEGER)", &table("t"));
    check_taken("CREATE SCHEMA shop; CREATE TABLE shop.t (mine INTEGER)", &integration_table("Shop", "t"));
}

#[test]
fn keys_have_no_index() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("t"), &["id"], vec![numbers("id", &[1])]).unwrap();
    let keys = "SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'";
    assert_eq!(warehouse.query(keys), "_sdc_tables");
}

/// What somebody wants of the rows of a table is theirs to say: the record that violates it is found and rejected above.
#[test]
fn a_row_that_a_constraint_keeps_out() {
    for wanted in ["CREATE UNIQUE INDEX mine ON t (size)", "ALTER TABLE t ALTER COLUMN size SET NOT NULL"] {
        let mut warehouse = Warehouse::new();
        let state = warehouse.load(&table("t"), &["id"], vec![numbers("id", &[1]), numbers("size", &[7])]).unwrap();
        warehouse.execute(wanted);
        let none: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let sizes = |unique| if unique { numbers("size", &[7]) } else { (column("size", ColumnType::Integer), none) };
        let bad = vec![numbers("id", &[2]), sizes(wanted.contains("UNIQUE"))];
        let error = warehouse.load(&table("t"), &["id"], bad).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::BadRow, "{error:?}");
        assert_eq!(warehouse.destination.state(&table("t")).unwrap(), Some(state));
        warehouse.load(&table("t"), &["id"], vec![numbers("id", &[3]), numbers("size", &[8])]).unwrap();
        assert_eq!(warehouse.query("SELECT id, size FROM t ORDER BY id"), "1 7\n3 8");
    }
}
