//! The statements that remove what stands below a version.

use selvedge_core::ColumnType;

use crate::dialect::{PREFIXES, SCHEMAS, columns, table};

const UNVERSIONED: [(&str, ColumnType); 2] = [("id", ColumnType::Integer), ("shop", ColumnType::String)];
const VERSIONED: [(&str, ColumnType); 3] =
    [UNVERSIONED[0], UNVERSIONED[1], ("_sdc_table_version", ColumnType::Integer)];

#[test]
fn rows_of_a_lower_version_and_of_none_are_deleted() {
    let check = |types: &[(&str, ColumnType)], version, expected: &str| {
        assert_eq!(PREFIXES.delete_rows_below(&table(Some("shop"), "orders"), &columns(types), version), expected);
    };
    check(
        &VERSIONED,
        -7,
        r#"DELETE FROM "shop__orders" WHERE ("_sdc_table_version" IS NULL OR "_sdc_table_version" < -7)"#,
    );
    check(&UNVERSIONED, 7, r#"DELETE FROM "shop__orders""#);
}

#[test]
fn tombstones_of_a_table_are_deleted_alike() {
    assert_eq!(
        SCHEMAS.delete_tombstones_below(&table(Some("shop"), "orders"), 7),
        concat!(
            r#"DELETE FROM "shop"."_sdc_tombstones" WHERE "table_name" = $1 "#,
            r#"AND ("_sdc_table_version" IS NULL OR "_sdc_table_version" < 7)"#
        )
    );
}
