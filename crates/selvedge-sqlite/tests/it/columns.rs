//! Columns that somebody else drops or adds.

use arrow::array::ArrayRef;
use selvedge_core::ColumnType::{Integer, String};
use selvedge_core::{Change, Column, Destination, LoadErrorKind, Part, TableLoad, TableState, sample};
use selvedge_sqlite::SqliteReader;

use crate::database::{Database, integers, of_property, plan, property, rows_of, table, texts};

/// An order as of this sequence, with a note.
fn order(id: i64, note: &'static str, sequence: i64) -> Vec<(Column, ArrayRef)> {
    vec![of_property(integers("id", [id])), of_property(texts("note", [note])), integers("_sdc_sequence", [sequence])]
}

/// The order 1 was loaded, then somebody ran these statements.
fn after(theirs: &str) -> (Database, TableState) {
    let mut database = Database::new();
    let state = database.load(&table("orders"), &["id"], &order(1, "a", 1));
    database.connection().execute_batch(theirs).unwrap();
    (database, state)
}

#[test]
fn a_dropped_column_comes_back_with_the_next_load() {
    let (mut database, before) = after("ALTER TABLE orders DROP COLUMN note");
    let state = database.load(&table("orders"), &["id"], &order(2, "b", 1));
    assert_eq!(database.rows(&["id", "note"], "orders ORDER BY id"), ["1 | NULL", "2 | 'b'"]);
    assert_eq!(database.strings("SELECT type FROM pragma_table_info('orders') WHERE name = 'note'"), ["TEXT"]);
    assert_eq!(state.columns, before.columns);
}

/// Also when no row of it has a value.
#[test]
fn a_dropped_column_comes_back_with_a_load_without_rows() {
    let (mut database, _) = after("ALTER TABLE orders DROP COLUMN note");
    let nothing =
        [of_property(integers("id", [0; 0])), of_property(texts("note", [""; 0])), integers("_sdc_sequence", [0; 0])];
    database.load(&table("orders"), &["id"], &nothing);
    assert_eq!(database.rows(&["id", "note"], "orders"), ["1 | NULL"]);
}

#[test]
fn until_then_a_reader_shows_null() {
    let (database, state) = after("ALTER TABLE orders DROP COLUMN note");
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let rows = sample(&mut reader, &table("orders"), Part::Rows, 9).unwrap();
    assert_eq!(rows[0].schema(), selvedge_core::schema(&state.columns));
    assert_eq!((rows[0].num_rows(), rows[0]["note"].null_count()), (1, 1));
    assert_eq!(rows[0]["id"].null_count(), 0);
}

/// Somebody ran the statements: the next load is refused, says this, and has no effect.
#[track_caller]
fn check_refused(theirs: &str, expected: &str) {
    let (mut database, state) = after(theirs);
    let error = database.try_load(&table("orders"), &["id"], &order(2, "b", 1)).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(database.state(&table("orders")), Some(state));
}

#[test]
fn without_its_keys_and_own_columns_a_table_is_not_loaded() {
    check_refused(
        "ALTER TABLE orders DROP COLUMN _sdc_sequence",
        r#"somebody dropped the column `_sdc_sequence` of the table "orders""#,
    );
    // SQLite itself refuses to drop the column of a primary key.
    check_refused(
        "ALTER TABLE orders RENAME COLUMN id TO number",
        r#"somebody dropped the column `id` of the table "orders""#,
    );
    check_refused("DROP TABLE orders", r#"somebody dropped the table "orders""#);
}

#[test]
fn a_column_of_the_users_is_left_alone() {
    let (mut database, state) = after("ALTER TABLE orders ADD COLUMN mine; UPDATE orders SET mine = 'theirs'");
    database.load(&table("orders"), &["id"], &order(1, "b", 2));
    database.load(&table("orders"), &["id"], &order(2, "c", 1));
    database.load(&table("orders"), &["id"], &order(1, "stale", 1));
    assert_eq!(database.rows(&["id", "note", "mine"], "orders ORDER BY id"), ["1 | 'b' | 'theirs'", "2 | 'c' | NULL"]);
    assert_eq!(database.state(&table("orders")).unwrap().columns, state.columns);
}

/// Also beside one that is dropped and made again, and one that is made anew to be widened.
#[test]
fn a_column_of_the_users_survives_changes() {
    let (mut database, state) = after(
        "ALTER TABLE orders ADD COLUMN mine; UPDATE orders SET mine = 'theirs'; ALTER TABLE orders DROP COLUMN note",
    );
    let first = order(1, "b", 2).into_iter().chain([of_property(integers("price", [3]))]).collect::<Vec<_>>();
    let state = {
        database.load(&table("orders"), &["id"], &first);
        database.state(&table("orders")).unwrap_or(state)
    };
    let widened = property("price", selvedge_core::ColumnType::Double);
    let (mut columns, _) = rows_of(first);
    columns[3] = widened.clone();
    let rows = arrow::array::RecordBatch::new_empty(selvedge_core::schema(&columns));
    let load = TableLoad {
        changes: vec![Change::WidenColumn(widened)],
        columns,
        rows,
        ..plan(Some(state), &table("orders"), &["id"], &[integers("id", [0; 0])])
    };
    database.destination.load(&load).unwrap();
    assert_eq!(database.rows(&["id", "note", "price", "mine"], "orders"), ["1 | 'b' | 3.0 | 'theirs'"]);
}

/// Somebody has a column of this definition: a load that brings a property `mine` is refused.
#[track_caller]
fn check_taken(definition: &str) {
    let (mut database, state) = after(&format!("ALTER TABLE orders ADD COLUMN {definition}"));
    let mut columns = order(2, "b", 1);
    columns.push(of_property(integers("mine", [7])));
    let error = database.try_load(&table("orders"), &["id"], &columns).unwrap_err();
    let expected = r#"a column `mine` that is not selvedge's stands in the table "orders", and the records bring one of that name: rename it"#;
    assert!(error.to_string().ends_with(expected), "{error}");
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(database.state(&table("orders")), Some(state));
    assert_eq!(database.rows(&["id"], "orders"), ["1"]);

    let theirs: Vec<&str> = definition.split(' ').collect();
    database.connection().execute_batch(&format!("ALTER TABLE orders RENAME COLUMN {} TO yours", theirs[0])).unwrap();
    database.load(&table("orders"), &["id"], &columns);
    assert_eq!(database.rows(&["id", "mine"], "orders ORDER BY id"), ["1 | NULL", "2 | 7"]);
}

#[test]
fn a_property_does_not_take_a_users_column() {
    check_taken("mine");
    check_taken("MINE INTEGER");
    check_taken("mine GENERATED ALWAYS AS (id + 1) VIRTUAL");
}

#[test]
fn a_column_is_not_renamed_to_a_users_column() {
    let (mut database, state) = after("ALTER TABLE orders ADD COLUMN Note__st");
    let (mut columns, _) = rows_of(order(1, "b", 2));
    columns[1] = Column { name: "note__st".to_owned(), ..property("note", String) };
    let load = TableLoad {
        changes: vec![Change::RenameColumn { from: "note".to_owned(), to: "note__st".to_owned() }],
        rows: arrow::array::RecordBatch::new_empty(selvedge_core::schema(&columns)),
        columns,
        ..plan(Some(state.clone()), &table("orders"), &["id"], &[integers("id", [0; 0])])
    };
    let error = database.destination.load(&load).unwrap_err();
    assert!(error.to_string().contains("a column `note__st` that is not selvedge's"), "{error}");
    assert_eq!(database.state(&table("orders")), Some(state));
}

/// Values that no row has are not written: what stood is gone all the same.
#[test]
fn a_replaced_row_keeps_nothing_of_selvedges() {
    let mut database = Database::new();
    database.load(&table("orders"), &["id"], &order(1, "a", 1));
    let nulls =
        vec![of_property(integers("id", [1])), of_property(texts("note", [None])), integers("_sdc_sequence", [2])];
    database.load(&table("orders"), &["id"], &nulls);
    assert_eq!(database.rows(&["id", "note"], "orders"), ["1 | NULL"]);
    assert_eq!(database.state(&table("orders")).unwrap().column("id"), Some(&property("id", Integer)));
}
