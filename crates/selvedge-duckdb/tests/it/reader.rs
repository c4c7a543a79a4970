//! What the reader finds, and that it leaves everything as it was.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::concat_batches;
use duckdb::Connection;
use selvedge_core::{
    Column, ColumnType, Counted, Counts, Destination, Inspect, LoadErrorKind, Part, TableName, TableState, rejected,
    sample,
};
use selvedge_duckdb::{DuckDb, DuckDbReader};

use crate::fixture::{Warehouse, column, integration_table, plan, table};
use crate::rejects::{load_with_rejects, rejects};
use crate::safety::{hold_in_another_program, in_full};

fn ids(values: impl IntoIterator<Item = i64>) -> Vec<(Column, ArrayRef)> {
    vec![(column("id", ColumnType::Integer), Arc::new(Int64Array::from_iter_values(values)))]
}

/// The rows a reader finds, all in one batch, with the state they came with.
fn read(reader: &mut DuckDbReader, table: &TableName, part: Part<'_>) -> Option<(TableState, RecordBatch)> {
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

/// Looks at everything that a file has of a table, and says how many rows and rejects that is.
fn look(file: &Path, name: &TableName) -> (usize, usize) {
    let mut reader = DuckDbReader::open(file).unwrap();
    assert_eq!(reader.tables().unwrap().len(), usize::from(reader.count(name).unwrap().is_some()));
    let mut found = |part| -> usize {
        sample(&mut reader, name, part, usize::MAX).unwrap().iter().map(RecordBatch::num_rows).sum()
    };
    (found(Part::Rows), found(Part::Rejects))
}

#[test]
fn a_missing_file_is_refused_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = DuckDbReader::open(folder.path().join("missing.duckdb")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("give the path of a file"), "{error}");
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    fs::write(&file, "not a database".repeat(1_000)).unwrap();
    for path in [&file, folder.path()] {
        assert_eq!(DuckDbReader::open(path).unwrap_err().kind(), LoadErrorKind::Refused);
    }
}

#[test]
fn somebody_elses_file_has_no_tables_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theirs.duckdb");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE orders AS SELECT 1 AS id").unwrap();
    let before = files(folder.path());
    let mut reader = DuckDbReader::open(&file).unwrap();
    assert_eq!(reader.tables().unwrap(), []);
    assert_eq!(reader.count(&table("orders")).unwrap(), None);
    let found = reader.read(&table("orders"), Part::Rows, &mut |_, _| panic!("no rows were expected")).unwrap();
    assert!(found.is_none());
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_file_that_was_loaded_into_stays_as_it_is() {
    let mut warehouse = Warehouse::new();
    load_with_rejects(&mut warehouse, &table("orders"), &["{}"]);
    let folder = warehouse.path().parent().unwrap().to_owned();
    let before = files(&folder);
    assert_eq!(before.len(), 1);
    assert_eq!(look(&warehouse.path(), &table("orders")), (1, 1));
    assert_eq!(files(&folder), before);
}

/// What a crash leaves: the last commits stand in the log alone.
#[test]
fn the_log_of_a_crash_is_read_and_stays() {
    let mut warehouse = Warehouse::new();
    load_with_rejects(&mut warehouse, &table("orders"), &["{}"]);
    warehouse.execute("PRAGMA disable_checkpoint_on_shutdown; INSERT INTO orders VALUES (2), (3)");
    let folder = warehouse.path().parent().unwrap().to_owned();
    let before = files(&folder);
    assert!(!before["warehouse.duckdb.wal"].is_empty());
    assert_eq!(look(&warehouse.path(), &table("orders")), (3, 1));
    assert_eq!(files(&folder), before);
    assert_eq!(warehouse.query("SELECT count(*) FROM orders"), "3");
}

#[test]
fn tables_are_in_the_order_of_their_names() {
    let mut warehouse = Warehouse::new();
    let names = [
        integration_table("shop", "b"),
        table("z"),
        integration_table("shop", "a"),
        integration_table("Bakery", "c"),
        table("ä"),
        table("a"),
    ];
    for name in &names {
        warehouse.load(name, &["id"], ids([1])).unwrap();
    }
    let mut expected = names.to_vec();
    expected.sort();
    assert_eq!(DuckDbReader::open(warehouse.path()).unwrap().tables().unwrap(), expected);
}

#[test]
fn rows_are_counted_and_not_believed() {
    let mut warehouse = Warehouse::new();
    let state = warehouse.load(&table("orders"), &["id"], ids(0..5)).unwrap();
    warehouse.execute("DELETE FROM orders WHERE id > 2");
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    assert_eq!(state.counts.live_rows, 5);
    assert_eq!(reader.count(&table("orders")).unwrap(), Some(Counted { state, rows: 3 }));
    assert_eq!(reader.count(&table("customers")).unwrap(), None);
}

#[test]
fn a_table_that_somebody_dropped_is_refused() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("orders"), &["id"], ids([1])).unwrap();
    warehouse.execute("DROP TABLE orders");
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let error = reader.count(&table("orders")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused, "{}", in_full(&error));
}

#[test]
fn a_column_that_somebody_changed_is_refused() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("orders"), &["id"], ids([1])).unwrap();
    warehouse.execute("ALTER TABLE orders ALTER id TYPE VARCHAR");
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let error = reader.read(&table("orders"), Part::Rows, &mut |_, _| panic!("no rows were expected")).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().starts_with("the column `id` of a table in"), "{error}");
}

/// While rows are read nobody loads, so that they are of one moment; afterwards the load is found.
#[test]
fn a_reader_sees_one_committed_moment_beside_a_writer() {
    let mut warehouse = Warehouse::new();
    let first = warehouse.load(&table("orders"), &["id"], ids(0..10_000)).unwrap();
    let load = plan(&table("orders"), Some(first.clone()), &["id"], ids(5_000..12_000));
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let mut read = 0;
    let each = &mut |state: &TableState, batch: RecordBatch| {
        assert_eq!(*state, first);
        assert_eq!(warehouse.destination.load(&load).unwrap_err().kind(), LoadErrorKind::Unavailable);
        read += batch.num_rows();
        ControlFlow::Continue(())
    };
    assert!(reader.read(&table("orders"), Part::Rows, each).unwrap().is_some());
    assert_eq!(read, 10_000);
    let second = warehouse.destination.load(&load).unwrap();
    assert_eq!(reader.count(&table("orders")).unwrap(), Some(Counted { state: second, rows: 12_000 }));
}

/// The batches are small however large the table is, and breaking off lets go of the file.
#[test]
fn rows_come_in_small_batches_until_one_breaks_off() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("orders"), &["id"], ids(0..300_000)).unwrap();
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let mut rows = |limit| -> Vec<usize> {
        let batches = sample(&mut reader, &table("orders"), Part::Rows, limit).unwrap();
        batches.iter().map(RecordBatch::num_rows).collect()
    };
    let batches = rows(usize::MAX);
    assert_eq!(batches.iter().sum::<usize>(), 300_000);
    assert!(batches.iter().all(|rows| *rows <= 4_096), "{batches:?}");
    assert_eq!(rows(7), [7]);
    warehouse.load(&table("orders"), &["id"], ids([300_000])).unwrap();
    assert_eq!(rows(usize::MAX).iter().sum::<usize>(), 300_001);
}

#[test]
fn a_file_open_in_another_program_is_waited_for() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("t"), &["id"], ids([1])).unwrap();
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let mut other = hold_in_another_program(&warehouse);
    assert_eq!(reader.count(&table("t")).unwrap_err().kind(), LoadErrorKind::Unavailable);
    drop(other.stdin.take());
    assert_eq!(reader.count(&table("t")).unwrap().unwrap().rows, 1);
    other.wait().unwrap();
}

/// Neither of two users in this process gets in the other's way for longer than a reader waits.
#[test]
fn a_reader_waits_for_loads_of_this_process() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("t"), &["id"], ids([0])).unwrap();
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let mut destination = DuckDb::open(warehouse.path()).unwrap();
    std::thread::scope(|scope| {
        let loads = scope.spawn(move || {
            (1..20)
                .filter(|id| {
                    let Ok(found) = destination.state(&table("t")) else { return false };
                    destination.load(&plan(&table("t"), found, &["id"], ids([*id]))).is_ok()
                })
                .count()
        });
        while !loads.is_finished() {
            let counted = reader.count(&table("t")).unwrap().unwrap();
            assert_eq!(counted.rows, counted.state.counts.live_rows);
        }
        let loaded = loads.join().unwrap() as u64;
        assert_eq!(reader.count(&table("t")).unwrap().unwrap().rows, 1 + loaded);
    });
}

#[test]
fn rejected_records_are_read_by_their_table() {
    let mut warehouse = Warehouse::new();
    let orders = integration_table("shop", "orders");
    warehouse.load(&orders, &["id"], ids([1])).unwrap();
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    assert_eq!(read(&mut reader, &orders, Part::Rejects), None);

    load_with_rejects(&mut warehouse, &integration_table("shop", "customers"), &["{}"]);
    load_with_rejects(&mut warehouse, &table("orders"), &["{}"]);
    assert_eq!(read(&mut reader, &orders, Part::Rejects), None);

    let state = load_with_rejects(&mut warehouse, &orders, &[r#"{"price": "a\u0000"}"#, "🧵"]);
    let expected = rejects(&orders, &[r#"{"price": "a\u0000"}"#, "🧵"]);
    assert_eq!(expected.schema(), rejected::none().schema());
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 0, rejected: 2, live_rows: 1 });
    assert_eq!(read(&mut reader, &orders, Part::Rejects), Some((state, expected)));
}
