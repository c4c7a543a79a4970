//! The statements of the table of tombstones.

use selvedge_sql::Dialect;

use crate::dialect::{PREFIXES, SCHEMAS, table};

#[test]
fn tombstones_stand_with_the_tables_of_their_integration() {
    let check = |dialect: Dialect, integration, expected: &str| {
        let orders = table(integration, "orders");
        assert_eq!(dialect.tombstone_table(&orders), expected);
        for statement in [
            dialect.create_tombstone_table(&orders),
            dialect.has_tombstones(&orders),
            dialect.select_tombstone(&orders),
            dialect.upsert_tombstone(&orders),
            dialect.delete_tombstone(&orders),
            dialect.delete_tombstones(&orders),
            dialect.delete_tombstones_below(&orders, 1),
        ] {
            assert!(statement.contains(&format!(" {expected} ")), "{statement}");
        }
    };
    check(SCHEMAS, None, r#""main"."_sdc_tombstones""#);
    check(SCHEMAS, Some("shop"), r#""shop"."_sdc_tombstones""#);
    check(PREFIXES, None, r#""_sdc_tombstones""#);
    check(PREFIXES, Some("shop"), r#""shop___sdc_tombstones""#);
}

#[test]
fn the_table_of_tombstones_is_pinned() {
    let columns = concat!(
        r#""table_name" "a string", "key" "a string", "_sdc_sequence" "a integer", "_sdc_table_version" "a integer", "#,
        r#""_sdc_deleted_at" "a timestamp""#
    );
    let orders = table(None, "orders");
    assert_eq!(
        PREFIXES.create_tombstone_table(&orders),
        format!(r#"CREATE TABLE IF NOT EXISTS "_sdc_tombstones" ({columns}, PRIMARY KEY ("table_name", "key"))"#)
    );
    assert_eq!(
        SCHEMAS.create_tombstone_table(&orders),
        format!(r#"CREATE TABLE IF NOT EXISTS "main"."_sdc_tombstones" ({columns})"#)
    );
}

#[test]
fn tombstones_are_found_by_their_table_and_key() {
    let orders = table(None, "orders");
    assert_eq!(
        PREFIXES.has_tombstones(&orders),
        r#"SELECT EXISTS (SELECT 1 FROM "_sdc_tombstones" WHERE "table_name" = $1)"#
    );
    assert_eq!(
        PREFIXES.select_tombstone(&orders),
        r#"SELECT "_sdc_table_version", "_sdc_sequence" FROM "_sdc_tombstones" WHERE "table_name" = $1 AND "key" = $2"#
    );
    assert_eq!(
        PREFIXES.delete_tombstone(&orders),
        r#"DELETE FROM "_sdc_tombstones" WHERE "table_name" = $1 AND "key" = $2"#
    );
    assert_eq!(PREFIXES.delete_tombstones(&orders), r#"DELETE FROM "_sdc_tombstones" WHERE "table_name" = $1"#);
}

#[test]
fn a_tombstone_replaces_one_that_is_not_newer() {
    assert_eq!(
        PREFIXES.upsert_tombstone(&table(None, "orders")),
        concat!(
            r#"INSERT INTO "_sdc_tombstones" AS stored "#,
            r#"("table_name", "key", "_sdc_sequence", "_sdc_table_version", "_sdc_deleted_at") "#,
            r#"VALUES ($1, $2, $3, $4, $5) ON CONFLICT ("table_name", "key") DO UPDATE SET "#,
            r#""_sdc_sequence" = excluded."_sdc_sequence", "_sdc_table_version" = excluded."_sdc_table_version", "#,
            r#""_sdc_deleted_at" = excluded."_sdc_deleted_at" WHERE (stored."_sdc_table_version" IS NOT NULL, "#,
            r#"coalesce(stored."_sdc_table_version", 0), stored."_sdc_sequence") <= "#,
            r#"(excluded."_sdc_table_version" IS NOT NULL, coalesce(excluded."_sdc_table_version", 0), "#,
            r#"excluded."_sdc_sequence")"#
        )
    );
}
