//! How each database's names, types and statements are spelled.

use selvedge_core::{Column, ColumnType, IntegrationName, TableName};
use selvedge_sql::{Dialect, quote, quote_list};

fn table(integration: Option<&str>, name: &str) -> TableName {
    TableName::new(integration.map(|name| IntegrationName::new(name).unwrap()), name).unwrap()
}

fn columns(types: &[(&str, ColumnType)]) -> Vec<Column> {
    types
        .iter()
        .map(|(name, column_type)| Column { name: (*name).into(), path: None, column_type: *column_type })
        .collect()
}

#[test]
fn names_are_quoted_whatever_they_hold() {
    assert_eq!(quote("plain"), r#""plain""#);
    assert_eq!(quote(r#"a"; DROP TABLE x; --"#), r#""a""; DROP TABLE x; --""#);
    assert_eq!(quote_list(["a", "b\"c"]), r#""a", "b""c""#);
}

#[test]
fn tables_carry_their_integration() {
    assert_eq!(Dialect::Sqlite.table(&table(None, "orders")), r#""orders""#);
    assert_eq!(Dialect::Sqlite.table(&table(Some("shop"), "orders")), r#""shop__orders""#);
    assert_eq!(Dialect::DuckDb.table(&table(None, "orders")), r#""main"."orders""#);
    assert_eq!(Dialect::DuckDb.table(&table(Some("shop"), "orders")), r#""shop"."orders""#);
}

#[test]
fn only_an_integration_in_duckdb_is_a_schema() {
    let orders = table(Some("shop"), "orders");
    assert_eq!(Dialect::DuckDb.create_schema(&orders).unwrap(), r#"CREATE SCHEMA IF NOT EXISTS "shop""#);
    assert_eq!(Dialect::DuckDb.create_schema(&table(None, "orders")), None);
    assert_eq!(Dialect::Sqlite.create_schema(&orders), None);
}

#[test]
fn every_type_is_declared() {
    let check = |column_type, sqlite: &str, duckdb: &str| {
        assert_eq!(Dialect::Sqlite.declared_type(column_type), sqlite);
        assert_eq!(Dialect::DuckDb.declared_type(column_type), duckdb);
    };
    check(ColumnType::Boolean, "BOOLEAN_INTEGER", "BOOLEAN");
    check(ColumnType::Integer, "INTEGER", "BIGINT");
    check(ColumnType::Decimal { scale: 2 }, r#""DECIMAL_TEXT(38,2)""#, "DECIMAL(38,2)");
    check(ColumnType::DecimalText, "DECIMAL_TEXT", "VARCHAR");
    check(ColumnType::Double, "REAL", "DOUBLE");
    check(ColumnType::String, "TEXT", "VARCHAR");
    check(ColumnType::Timestamp, "TIMESTAMP_TEXT", "TIMESTAMPTZ");
    check(ColumnType::Date, "DATE_TEXT", "DATE");
    check(ColumnType::Time, "TIME_TEXT", "TIME");
    check(ColumnType::Json, "JSON_TEXT", "JSON");
}

#[test]
fn a_table_is_made_with_a_key_where_upserts_need_one() {
    let columns = columns(&[("id", ColumnType::Integer), ("paid", ColumnType::Boolean)]);
    let orders = table(Some("shop"), "orders");
    let keys = ["id".to_owned()];
    assert_eq!(
        Dialect::Sqlite.create_table(&orders, &columns, &keys),
        r#"CREATE TABLE "shop__orders" ("id" INTEGER, "paid" BOOLEAN_INTEGER, PRIMARY KEY ("id"))"#
    );
    assert_eq!(
        Dialect::Sqlite.create_table(&orders, &columns, &[]),
        r#"CREATE TABLE "shop__orders" ("id" INTEGER, "paid" BOOLEAN_INTEGER)"#
    );
    assert_eq!(
        Dialect::DuckDb.create_table(&orders, &columns, &keys),
        r#"CREATE TABLE "shop"."orders" ("id" BIGINT, "paid" BOOLEAN)"#
    );
}

#[test]
fn a_column_is_added() {
    let column = &columns(&[("note", ColumnType::String)])[0];
    assert_eq!(
        Dialect::Sqlite.add_column(&table(None, "orders"), column),
        r#"ALTER TABLE "orders" ADD COLUMN "note" TEXT"#
    );
}
