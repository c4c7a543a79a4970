//! How tables and columns are called in the database.

use selvedge_core::TableName;

use crate::database::{Database, integers, table, table_of};

#[track_caller]
fn check(table: &TableName, column: &str, spelled_table: &str, spelled_column: &str) {
    let mut database = Database::new();
    let rows = [integers(column, [7]), integers("_sdc_sequence", [1])];
    database.load(table, &[column], &rows);
    database.load(table, &[column], &rows);
    assert_eq!(database.rows(&[spelled_column], spelled_table), ["7"]);
}

#[test]
fn an_integration_stands_before_its_tables() {
    check(&table_of("shop", "orders"), "id", "shop__orders", "id");
    check(&table("orders"), "id", "orders", "id");
}

#[test]
fn names_that_mean_something_in_sql_are_only_names() {
    check(&table("select"), "group", r#""select""#, r#""group""#);
    check(&table("a-b.c $d"), "e f", r#""a-b.c $d""#, r#""e f""#);
    check(&table("Käufe"), r#"x"; DROP TABLE "Käufe"; --"#, r#""Käufe""#, r#""x""; DROP TABLE ""Käufe""; --""#);
    check(&table("t"), "?1", "t", r#""?1""#);
}

#[test]
fn integrations_keep_their_states_apart() {
    let mut database = Database::new();
    let rows = |count: i64| [integers("id", 0..count), integers("_sdc_sequence", vec![1; count as usize])];
    let plain = database.load(&table("orders"), &["id"], &rows(1));
    let shop = database.load(&table_of("shop", "orders"), &["id"], &rows(2));
    assert_eq!(database.state(&table("orders")), Some(plain));
    assert_eq!(database.state(&table_of("shop", "orders")), Some(shop));
    assert_eq!(database.state(&table_of("other", "orders")), None);
}
