//! The statements that remove what stands below a version.

use selvedge_core::{ArrayPath, ColumnType, Subtable};

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
fn subrows_are_deleted_by_the_keys_of_such_rows() {
    let items = Subtable {
        name: "orders__items".into(),
        source: ArrayPath(Vec::new()),
        columns: columns(&[
            ("_sdc_source_key_shop", ColumnType::String),
            ("_sdc_source_key_id", ColumnType::Integer),
            ("_sdc_level_0_id", ColumnType::Integer),
        ]),
    };
    let check = |types: &[(&str, ColumnType)], expected: &str| {
        let keys = ["shop".to_owned(), "id".to_owned()];
        let orders = table(Some("shop"), "orders");
        let statement = SCHEMAS.delete_subrows_below(&orders, &columns(types), &keys, &items, 7).unwrap();
        let begins = concat!(
            r#"DELETE FROM "shop"."orders__items" AS sub WHERE EXISTS (SELECT 1 FROM "shop"."orders" AS root WHERE "#,
            r#"root."shop" = sub."_sdc_source_key_shop" AND root."id" = sub."_sdc_source_key_id""#
        );
        assert_eq!(statement, format!("{begins}{expected})"));
    };
    check(&VERSIONED, r#" AND (root."_sdc_table_version" IS NULL OR root."_sdc_table_version" < 7)"#);
    check(&UNVERSIONED, "");
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
