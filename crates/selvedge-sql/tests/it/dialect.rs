//! How names and statements are spelled, by a dialect of each kind.

use std::borrow::Cow;

use selvedge_core::{Column, ColumnType, IntegrationName, TableName};
use selvedge_sql::{Dialect, Integrations, Keys, quote, quote_list};

pub(crate) const SCHEMAS: Dialect =
    Dialect { declared_type, integrations: Integrations::Schemas { default: "main" }, keys: Keys::Unindexed };
pub(crate) const PREFIXES: Dialect =
    Dialect { declared_type, integrations: Integrations::Prefixes, keys: Keys::Primary };

fn declared_type(column_type: ColumnType) -> Cow<'static, str> {
    format!("\"a {column_type}\"").into()
}

pub(crate) fn table(integration: Option<&str>, name: &str) -> TableName {
    TableName::new(integration.map(|name| IntegrationName::new(name).unwrap()), name).unwrap()
}

pub(crate) fn columns(types: &[(&str, ColumnType)]) -> Vec<Column> {
    types.iter().map(|(name, column_type)| Column::new(*name, None, *column_type)).collect()
}

#[test]
fn names_are_quoted_whatever_they_hold() {
    assert_eq!(quote("plain"), r#""plain""#);
    assert_eq!(quote(r#"a"; DROP TABLE x; --"#), r#""a""; DROP TABLE x; --""#);
    assert_eq!(quote_list(["a", "b\"c"]), r#""a", "b""c""#);
}

#[test]
fn tables_carry_their_integration() {
    let check = |integration, schemas: &str, prefixes: &str| {
        assert_eq!(SCHEMAS.table(&table(integration, "orders")), schemas);
        assert_eq!(PREFIXES.table(&table(integration, "orders")), prefixes);
    };
    check(None, r#""main"."orders""#, r#""orders""#);
    check(Some("shop"), r#""shop"."orders""#, r#""shop__orders""#);
}

#[test]
fn a_table_may_be_spelled_as_one_that_selvedge_makes_for_an_integration() {
    let check = |integration, name, expected| {
        assert_eq!(PREFIXES.is_spelled_as_own(&table(integration, name)), expected, "{name}");
        assert!(!SCHEMAS.is_spelled_as_own(&table(integration, name)), "{name}");
    };
    check(None, "shop___sdc_rejected", true);
    check(None, "Shop___SDC_Tombstones", true);
    check(None, "shop__sdc_rejected", false);
    check(None, "shop___sdc_rejected_ones", false);
    check(Some("shop"), "sdc_rejected", false);
}

#[test]
fn an_integration_is_a_schema_or_nothing_to_make() {
    let check = |integration, schemas: Option<&str>| {
        assert_eq!(SCHEMAS.create_schema(&table(integration, "orders")).as_deref(), schemas);
        assert_eq!(PREFIXES.create_schema(&table(integration, "orders")), None);
    };
    check(Some("shop"), Some(r#"CREATE SCHEMA IF NOT EXISTS "shop""#));
    check(None, None);
}

#[test]
fn a_table_is_made_with_a_key_where_there_are_keys() {
    let check = |keys: &[&str], schemas: &str, prefixes: &str| {
        let columns = columns(&[("id", ColumnType::Integer), ("pa\"id", ColumnType::Decimal { scale: 2 })]);
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(SCHEMAS.create_table(&table(Some("shop"), "orders"), &columns, &keys), schemas);
        assert_eq!(PREFIXES.create_table(&table(Some("shop"), "orders"), &columns, &keys), prefixes);
    };
    let schemas = r#"CREATE TABLE "shop"."orders" ("id" "a integer", "pa""id" "a decimal(2)")"#;
    check(&[], schemas, r#"CREATE TABLE "shop__orders" ("id" "a integer", "pa""id" "a decimal(2)")"#);
    check(
        &["pa\"id", "id"],
        schemas,
        r#"CREATE TABLE "shop__orders" ("id" "a integer", "pa""id" "a decimal(2)", PRIMARY KEY ("pa""id", "id"))"#,
    );
}

#[test]
fn a_table_is_dropped_if_it_stands() {
    assert_eq!(SCHEMAS.drop_table(&table(Some("shop"), "orders")), r#"DROP TABLE IF EXISTS "shop"."orders""#);
    assert_eq!(PREFIXES.drop_table(&table(Some("shop"), "orders")), r#"DROP TABLE IF EXISTS "shop__orders""#);
}

#[test]
fn a_column_is_added() {
    let column = &columns(&[("note", ColumnType::String)])[0];
    let orders = table(None, "orders");
    assert_eq!(SCHEMAS.add_column(&orders, column), r#"ALTER TABLE "main"."orders" ADD COLUMN "note" "a string""#);
    assert_eq!(PREFIXES.add_column(&orders, column), r#"ALTER TABLE "orders" ADD COLUMN "note" "a string""#);
}

#[test]
fn a_column_is_renamed() {
    let orders = table(Some("shop"), "orders");
    let (schemas, prefixes) = (SCHEMAS.rename_column(&orders, "a\"b", "c"), PREFIXES.rename_column(&orders, "a", "c"));
    assert_eq!(schemas, r#"ALTER TABLE "shop"."orders" RENAME COLUMN "a""b" TO "c""#);
    assert_eq!(prefixes, r#"ALTER TABLE "shop__orders" RENAME COLUMN "a" TO "c""#);
}

#[test]
fn rejected_records_stand_with_the_tables_of_their_integration() {
    let check = |integration, schemas: &str, prefixes: &str| {
        let orders = table(integration, "orders");
        assert_eq!(SCHEMAS.rejected_table(&orders), schemas);
        assert_eq!(PREFIXES.rejected_table(&orders), prefixes);
        let begins = format!(r#"CREATE TABLE IF NOT EXISTS {schemas} ("__sdc_primary_key" "a string", "#);
        assert!(SCHEMAS.create_rejected_table(&orders).starts_with(&begins));
    };
    check(None, r#""main"."_sdc_rejected""#, r#""_sdc_rejected""#);
    check(Some("shop"), r#""shop"."_sdc_rejected""#, r#""shop___sdc_rejected""#);
}

#[test]
fn rejected_records_are_deleted_by_their_table_and_their_keys() {
    let orders = table(Some("shop"), "orders");
    assert_eq!(SCHEMAS.delete_rejected(&orders), r#"DELETE FROM "shop"."_sdc_rejected" WHERE "table_name" = $1"#);
    assert_eq!(
        PREFIXES.delete_rejected_records(&orders, 2),
        r#"DELETE FROM "shop___sdc_rejected" WHERE "table_name" = $1 AND "__sdc_primary_key" IN ($2, $3)"#
    );
}
