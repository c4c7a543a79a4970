//! The statements that read.

use selvedge_core::ColumnType;

use crate::dialect::{PREFIXES, SCHEMAS, columns, table};

#[test]
fn rows_are_selected_and_counted() {
    let columns = columns(&[("id", ColumnType::Integer), ("a\"b", ColumnType::String)]);
    let orders = table(Some("shop"), "orders");
    assert_eq!(SCHEMAS.select_rows(&orders, &columns), r#"SELECT "id", "a""b" FROM "shop"."orders""#);
    assert_eq!(PREFIXES.select_rows(&orders, &columns), r#"SELECT "id", "a""b" FROM "shop__orders""#);
    assert_eq!(SCHEMAS.count_rows(&orders), r#"SELECT count(*) FROM "shop"."orders""#);
}

#[test]
fn columns_that_do_not_stand_are_null() {
    let columns = columns(&[("id", ColumnType::Integer), ("a\"b", ColumnType::Decimal { scale: 2 })]);
    let select = PREFIXES.select_standing(&table(None, "orders"), &columns, |column| column.name == "id");
    assert_eq!(select, r#"SELECT "id", CAST(NULL AS "a decimal(2)") AS "a""b" FROM "orders""#);
}

#[test]
fn rejected_records_are_selected_by_their_table() {
    let statement = PREFIXES.select_rejected(&table(Some("shop"), "orders"));
    assert!(statement.starts_with(r#"SELECT "__sdc_primary_key", "_sdc_rejected_at", "#), "{statement}");
    assert!(statement.ends_with(r#" FROM "shop___sdc_rejected" WHERE "table_name" = $1"#), "{statement}");
}
