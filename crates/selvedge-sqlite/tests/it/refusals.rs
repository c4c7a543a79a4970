//! Loads that are refused leave nothing behind and say what to do.

use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use selvedge_core::{Applied, ColumnType, Destination, LoadError, LoadErrorKind};
use selvedge_sqlite::Sqlite;

use crate::database::{Database, column, integers, plan, table, table_of};

fn one_order(sequence: i64) -> [(selvedge_core::Column, arrow::array::ArrayRef); 2] {
    [integers("id", [1]), integers("_sdc_sequence", [sequence])]
}

#[track_caller]
fn check(error: &LoadError, kind: LoadErrorKind, message: &str) {
    let text = error.to_string();
    assert!(text.contains(message), "{text}");
    assert_eq!(error.kind(), kind);
    assert_eq!(error.applied(), Applied::No);
}

#[test]
fn a_load_planned_on_another_state_has_no_effect() {
    let mut database = Database::new();
    let planned_on_nothing = plan(None, &table("orders"), &["id"], &one_order(9));
    let first = database.load(&table("orders"), &["id"], &one_order(1));
    let planned_on_first = plan(Some(first), &table("orders"), &["id"], &one_order(9));
    let second = database.load(&table("orders"), &["id"], &one_order(2));

    for stale in [planned_on_nothing, planned_on_first] {
        let error = database.destination.load(&stale).unwrap_err();
        check(&error, LoadErrorKind::Stale, "changed by somebody else");
        assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["2"]);
        assert_eq!(database.state(&table("orders")).as_ref(), Some(&second));
    }
}

/// Otherwise rejected records and tombstones of `shop` would be written to it, and deleted from it.
#[test]
fn the_names_of_selvedges_own_tables_are_not_given_to_others() {
    for name in ["shop___sdc_tombstones", "shop___SDC_rejected"] {
        let mut database = Database::new();
        let error = database.try_load(&table(name), &["id"], &one_order(1)).unwrap_err();
        check(&error, LoadErrorKind::Refused, "selvedge keeps the name");
        assert_eq!(database.state(&table(name)), None);
    }
}

#[test]
fn a_load_applied_twice_is_stale() {
    let mut database = Database::new();
    let load = plan(None, &table("events"), &[], &one_order(1));
    let state = database.destination.load(&load).unwrap();
    check(&database.destination.load(&load).unwrap_err(), LoadErrorKind::Stale, "changed by somebody else");
    assert_eq!(database.state(&table("events")), Some(state));
}

#[test]
fn while_another_program_writes_the_database_is_unavailable() {
    let mut database = Database::new();
    let state = database.load(&table("orders"), &["id"], &one_order(1));
    let other = database.connection();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE orders SET _sdc_sequence = 7").unwrap();

    let load = plan(Some(state.clone()), &table("orders"), &["id"], &one_order(2));
    let error = database.destination.load(&load).unwrap_err();
    check(&error, LoadErrorKind::Unavailable, "another program is writing to ");
    assert_eq!(database.state(&table("orders")), Some(state));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["1"]);

    database.destination.load(&load).unwrap();
    assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["2"]);
}

#[test]
fn somebody_elses_table_is_left_alone() {
    let mut database = Database::new();
    database.connection().execute_batch("CREATE TABLE Orders (mine); INSERT INTO Orders VALUES (1)").unwrap();
    let error = database.try_load(&table("orders"), &["id"], &one_order(1)).unwrap_err();
    check(&error, LoadErrorKind::Refused, r#"a table "orders" that is not selvedge's"#);
    assert_eq!(database.rows(&["mine"], "orders"), ["1"]);
    assert_eq!(database.state(&table("orders")), None);
}

#[test]
fn two_tables_of_one_spelling_are_not_mixed() {
    let mut database = Database::new();
    database.load(&table_of("shop", "orders"), &["id"], &one_order(1));
    let error = database.try_load(&table("shop__orders"), &["id"], &one_order(2)).unwrap_err();
    check(&error, LoadErrorKind::Refused, "or is another of its tables");
    assert_eq!(database.rows(&["_sdc_sequence"], "shop__orders"), ["1"]);
}

#[test]
fn a_failure_among_the_rows_undoes_the_whole_load() {
    let mut database = Database::new();
    let state = database.load(&table("orders"), &["id"], &one_order(1));
    let moments = TimestampMicrosecondArray::from(vec![Some(0), Some(i64::MAX)]).with_timezone("UTC");
    let columns = [
        integers("id", [1, 2]),
        integers("_sdc_sequence", [5, 5]),
        (column("moment", ColumnType::Timestamp), Arc::new(moments) as _),
    ];
    let error = database.try_load(&table("orders"), &["id"], &columns).unwrap_err();
    check(&error, LoadErrorKind::Refused, "correct the cause");
    assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["1"]);
    assert_eq!(database.rows(&["count(*)"], "pragma_table_info('orders')"), ["2"]);
    assert_eq!(database.state(&table("orders")), Some(state));
}

/// A row that a unique index of the user's keeps out must not pass for a stale one.
#[test]
fn a_unique_index_of_the_users_does_not_swallow_rows() {
    let mut database = Database::new();
    database.load(&table("orders"), &["id"], &one_order(1));
    database.connection().execute_batch("CREATE UNIQUE INDEX theirs ON orders (_sdc_sequence)").unwrap();
    let columns = [integers("id", [2]), integers("_sdc_sequence", [1])];
    let error = database.try_load(&table("orders"), &["id"], &columns).unwrap_err();
    check(&error, LoadErrorKind::BadRow, "a constraint or a trigger");
}

#[test]
fn a_column_of_another_type_than_planned_is_refused() {
    let mut database = Database::new();
    let mut load = plan(None, &table("orders"), &["id"], &one_order(1));
    load.columns[0].column_type = ColumnType::String;
    check(&database.destination.load(&load).unwrap_err(), LoadErrorKind::Refused, "to load table orders into");
    assert_eq!(database.state(&table("orders")), None);
}

#[test]
fn a_state_of_another_format_is_refused() {
    let mut database = Database::new();
    database.load(&table("orders"), &["id"], &one_order(1));
    database.connection().execute_batch("UPDATE _sdc_tables SET format = 5").unwrap();
    let error = database.destination.state(&table("orders")).unwrap_err();
    check(&error, LoadErrorKind::Refused, "format 5, this one reads 4");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a database, but long enough to be looked at as one ".repeat(100)).unwrap();
    check(&Sqlite::open(&file).unwrap_err(), LoadErrorKind::Refused, "not possible to open");
    check(&Sqlite::open(":memory:").unwrap_err(), LoadErrorKind::Refused, "use a file on a local disk");
}

/// What somebody wants of the rows of a table is theirs to say: the record that violates it is found and rejected above.
#[test]
fn a_row_that_a_constraint_keeps_out() {
    for wanted in [
        "CREATE UNIQUE INDEX mine ON orders (size)",
        "CREATE TRIGGER mine BEFORE INSERT ON orders WHEN new.id = 2 BEGIN SELECT raise(ABORT, 'not this one'); END",
    ] {
        let mut database = Database::new();
        let rows = |id, size| [integers("id", [id]), integers("size", [size]), integers("_sdc_sequence", [1])];
        let state = database.load(&table("orders"), &["id"], &rows(1, 7));
        database.connection().execute_batch(wanted).unwrap();
        let error = database.try_load(&table("orders"), &["id"], &rows(2, 7)).unwrap_err();
        check(&error, LoadErrorKind::BadRow, "a constraint or a trigger");
        assert_eq!(database.state(&table("orders")), Some(state));
        database.load(&table("orders"), &["id"], &rows(3, 8));
        assert_eq!(database.rows(&["id"], "orders"), ["1", "3"]);
    }
}
