//! What the reader finds, and that it leaves everything as it was.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float64Type, Int64Type};
use rusqlite::Connection;
use selvedge_core::{
    Column, ColumnType, Counted, Counts, Inspect, LoadErrorKind, Part, TableName, TableState, rejected, sample,
};
use selvedge_sqlite::SqliteReader;
use tempfile::TempDir;

use crate::database::{Database, column, integers, table, table_of, texts};
use crate::rejects::{load_with_rejects, rejects};

/// The rows a reader finds, all in one batch, with the state they came with.
fn read(reader: &mut SqliteReader, table: &TableName, part: Part<'_>) -> Option<(TableState, RecordBatch)> {
    let mut found = None;
    let mut batches = Vec::new();
    let stands = reader.read(table, part, &mut |state, batch| {
        found = Some(state.clone());
        batches.push(batch);
        ControlFlow::Continue(())
    });
    assert!(stands.unwrap().is_some());
    Some((found?, concat_batches(&batches[0].schema(), &batches).unwrap()))
}

/// The files of a folder with what they hold.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// Looks at everything that a folder's database has of a table.
fn look(file: &Path, name: &TableName) -> usize {
    let mut reader = SqliteReader::open(file).unwrap();
    assert_eq!(reader.tables().unwrap().len(), usize::from(reader.count(name).unwrap().is_some()));
    let found = [Part::Rows, Part::Rejects].map(|part| sample(&mut reader, name, part, usize::MAX).unwrap());
    found.iter().flatten().map(RecordBatch::num_rows).sum()
}

#[test]
fn a_missing_file_is_refused_and_not_made() {
    let folder = TempDir::new().unwrap();
    let error = SqliteReader::open(folder.path().join("missing.db")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("give the path of a database"), "{error}");
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "not a database, but long enough to be looked at as one ".repeat(100)).unwrap();
    for path in [&file, folder.path()] {
        assert_eq!(SqliteReader::open(path).unwrap_err().kind(), LoadErrorKind::Refused);
    }
}

#[test]
fn somebody_elses_database_has_no_tables_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("theirs.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE orders (id); INSERT INTO orders VALUES (1)").unwrap();
    let before = files(folder.path());
    let mut reader = SqliteReader::open(&file).unwrap();
    assert_eq!(reader.tables().unwrap(), []);
    assert_eq!(reader.count(&table("orders")).unwrap(), None);
    let found = reader.read(&table("orders"), Part::Rows, &mut |_, _| panic!("no rows were expected")).unwrap();
    assert!(found.is_none());
    drop(reader);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_database_that_was_closed_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("orders"), &["{}"]);
    let file = folder.path().join("closed.db");
    database.connection().execute("VACUUM INTO ?", [file.to_str()]).unwrap();
    Connection::open(&file).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    let before = files(folder.path());
    assert_eq!(before.len(), 1);
    assert_eq!(look(&file, &table("orders")), 2);
    assert_eq!(files(folder.path()), before);
}

/// What a crash leaves: the log with what was committed, and its index, which is rebuilt.
#[test]
fn the_log_of_a_crash_is_read_and_stays() {
    let folder = TempDir::new().unwrap();
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("orders"), &["{}"]);
    for suffix in ["", "-wal", "-shm"] {
        let from = format!("{}{suffix}", database.file().display());
        fs::copy(from, folder.path().join(format!("crashed.db{suffix}"))).unwrap();
    }
    let durable = |folder: &Path| {
        let mut files = files(folder);
        assert!(files.remove("crashed.db-shm").is_some());
        files
    };
    let before = durable(folder.path());
    assert!(!before["crashed.db-wal"].is_empty());
    assert_eq!(look(&folder.path().join("crashed.db"), &table("orders")), 2);
    assert_eq!(durable(folder.path()), before);
}

#[test]
fn tables_are_in_the_order_of_their_names() {
    let mut database = Database::new();
    let names = [table_of("shop", "b"), table("z"), table_of("shop", "a"), table_of("Shop", "c"), table("a")];
    for name in &names {
        database.load(name, &["id"], &[integers("id", [1]), integers("_sdc_sequence", [1])]);
    }
    let mut expected = names.to_vec();
    expected.sort();
    assert_eq!(SqliteReader::open(database.file()).unwrap().tables().unwrap(), expected);
}

#[test]
fn rows_are_counted_and_not_believed() {
    let mut database = Database::new();
    let state = database.load(&table("orders"), &["id"], &[integers("id", 0..5), integers("_sdc_sequence", [1; 5])]);
    database.connection().execute_batch("DELETE FROM orders WHERE id > 2").unwrap();
    let mut reader = SqliteReader::open(database.file()).unwrap();
    assert_eq!(state.counts.live_rows, 5);
    assert_eq!(reader.count(&table("orders")).unwrap(), Some(Counted { state, rows: 3 }));
    assert_eq!(reader.count(&table("customers")).unwrap(), None);
}

#[test]
fn a_table_that_somebody_dropped_is_refused() {
    let mut database = Database::new();
    database.load(&table("orders"), &["id"], &[integers("id", [1]), integers("_sdc_sequence", [1])]);
    database.connection().execute_batch("DROP TABLE orders").unwrap();
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let error = reader.count(&table("orders")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("to read table orders in"), "{error}");
}

/// Rows and state are of the moment at which reading began, whatever is loaded meanwhile.
#[test]
fn a_reader_sees_one_committed_moment_beside_a_writer() {
    let mut database = Database::new();
    let rows = |count: usize, sequence| {
        vec![integers("id", 0..count as i64), integers("_sdc_sequence", vec![sequence; count])]
    };
    let first = database.load(&table("orders"), &["id"], &rows(10_000, 1));
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let mut second = None;
    let mut read = 0;
    let each = &mut |state: &TableState, batch: RecordBatch| {
        assert_eq!(*state, first);
        assert!(batch["_sdc_sequence"].as_primitive::<Int64Type>().values().iter().all(|sequence| *sequence == 1));
        read += batch.num_rows();
        second.get_or_insert_with(|| database.load(&table("orders"), &["id"], &rows(12_000, 2)));
        ControlFlow::Continue(())
    };
    assert!(reader.read(&table("orders"), Part::Rows, each).unwrap().is_some());
    assert_eq!(read, 10_000);
    let counted = Counted { state: second.unwrap(), rows: 12_000 };
    assert_eq!(reader.count(&table("orders")).unwrap(), Some(counted));
}

#[test]
fn batches_are_bounded_by_rows_and_by_bytes() {
    let mut database = Database::new();
    let long = "x".repeat(3 << 20);
    database.load(&table("narrow"), &[], &[integers("id", 0..10_000)]);
    database.load(&table("wide"), &[], &[texts("note", [long.as_str(); 7])]);
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let mut rows = |name: &str, limit| -> Vec<usize> {
        let batches = sample(&mut reader, &table(name), Part::Rows, limit).unwrap();
        batches.iter().map(RecordBatch::num_rows).collect()
    };
    assert_eq!(rows("narrow", usize::MAX), [4_096, 4_096, 1_808]);
    assert_eq!(rows("wide", usize::MAX), [3, 3, 1]);
    assert_eq!(rows("narrow", 5_000), [4_096, 904]);
    assert_eq!(rows("narrow", 7), [7]);
}

/// SQLite stores a double without a fraction as an integer, which has one zero.
#[test]
fn the_negative_zero_comes_back_as_zero() {
    let mut database = Database::new();
    database.load(&table("t"), &[], &[(column("c", ColumnType::Double), Arc::new(Float64Array::from(vec![-0.0])))]);
    let (_, rows) = read(&mut SqliteReader::open(database.file()).unwrap(), &table("t"), Part::Rows).unwrap();
    assert_eq!(rows.column(0).as_primitive::<Float64Type>().value(0).to_bits(), 0.0_f64.to_bits());
}

/// Puts a value somebody else wrote into a column: the error names the column and what was found, and not the value.
#[track_caller]
fn check_unreadable(column_type: ColumnType, value: &str, expected: &str) {
    let mut database = Database::new();
    let nothing = arrow::array::new_null_array(&column_type.arrow(), 1);
    database.load(&table("t"), &[], &[(column("c", column_type), nothing)]);
    // A column of no type, so that SQLite stores the value as it is.
    let theirs = format!("DROP TABLE t; CREATE TABLE t (c); INSERT INTO t VALUES ({value})");
    database.connection().execute_batch(&theirs).unwrap();
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let error = reader.read(&table("t"), Part::Rows, &mut |_, _| panic!("no rows were expected")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    let expected = format!(
        "it is not possible to read table t in {}; its column `c` is {column_type} and holds {expected}, which selvedge \
         does not write there: correct that",
        database.file().display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn values_that_selvedge_does_not_write_are_refused() {
    check_unreadable(ColumnType::Boolean, "2", "a number other than 0 and 1");
    check_unreadable(ColumnType::Boolean, "'true'", "a value stored as Text");
    check_unreadable(ColumnType::Integer, "1.5", "a value stored as Real");
    check_unreadable(ColumnType::Integer, "'7'", "a value stored as Text");
    check_unreadable(ColumnType::Double, "'1e3'", "a value stored as Text");
    check_unreadable(ColumnType::String, "7", "a value stored as Integer");
    check_unreadable(ColumnType::Json, "x'7b7d'", "a value stored as Blob");
    check_unreadable(ColumnType::String, "CAST(x'ff' AS TEXT)", "a text that is not UTF-8");
    check_unreadable(ColumnType::Decimal { scale: 2 }, "'1.5'", "a text of another form");
    check_unreadable(ColumnType::Decimal { scale: 2 }, "1.5", "a value stored as Real");
    check_unreadable(ColumnType::Timestamp, "'2026-11-23 23:59:59'", "a text of another form");
    check_unreadable(ColumnType::Date, "'23.11.2026'", "a text of another form");
    check_unreadable(ColumnType::Time, "'23:59:59'", "a text of another form");
}

#[test]
fn rejected_records_are_read_by_their_table() {
    let mut database = Database::new();
    let orders = table_of("shop", "orders");
    database.load(&orders, &["id"], &[integers("id", [1]), integers("_sdc_sequence", [1])]);
    let mut reader = SqliteReader::open(database.file()).unwrap();
    assert_eq!(read(&mut reader, &orders, Part::Rejects), None);

    load_with_rejects(&mut database, &table_of("shop", "customers"), &["{}"]);
    load_with_rejects(&mut database, &table("orders"), &["{}"]);
    assert_eq!(read(&mut reader, &orders, Part::Rejects), None);

    let state = load_with_rejects(&mut database, &orders, &[r#"{"price": "a\u0000"}"#, "🧵"]);
    let expected = rejects(&orders, &[r#"{"price": "a\u0000"}"#, "🧵"]);
    assert_eq!(expected.schema(), rejected::none().schema());
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 0, rejected: 2, live_rows: 1 });
    assert_eq!(read(&mut reader, &orders, Part::Rejects), Some((state, expected)));
}

#[test]
fn columns_come_in_the_order_of_the_state() {
    let mut database = Database::new();
    let first: [(Column, ArrayRef); 2] = [integers("id", [1]), integers("_sdc_sequence", [1])];
    database.load(&table("t"), &["id"], &first);
    let state =
        database.load(&table("t"), &["id"], &[integers("id", [1]), integers("_sdc_sequence", [2]), texts("a", ["x"])]);
    database.connection().execute_batch("ALTER TABLE t ADD COLUMN mine DEFAULT 'theirs'").unwrap();
    let (_, rows) = read(&mut SqliteReader::open(database.file()).unwrap(), &table("t"), Part::Rows).unwrap();
    let names: Vec<&str> = state.columns.iter().map(|column| column.name.as_str()).collect();
    let schema = rows.schema();
    assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), names);
}
