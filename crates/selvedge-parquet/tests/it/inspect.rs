//! What is found by looking, which takes no lock and writes nothing.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use arrow::compute::concat_batches;
use selvedge_core::{Counted, Destination, Inspect, LoadErrorKind, Part, TableState};
use selvedge_parquet::{Parquet, ParquetReader, Settings};
use tempfile::tempdir;

use crate::table::{Table, batch, files, look, rejects, table_name, text_of, write_manifest};

fn small_files() -> Settings {
    Settings { rows_per_file: 2, ..Settings::default() }
}

/// Compares what is found in the table `orders` with these rows, rejected records and state.
fn check_found(root: &Path, rows: &str, rejected: u64, state: &TableState) {
    let table = table_name("orders");
    let mut reader = ParquetReader::open(root).unwrap();
    assert_eq!(reader.tables().unwrap(), std::slice::from_ref(&table));
    let expected = batch(&state.columns, rows);
    let counted = Counted { state: state.clone(), rows: expected.num_rows() as u64 };
    assert_eq!(reader.count(&table).unwrap(), Some(counted));
    for (part, expected) in [(Part::Rows, expected), (Part::Rejects, rejects(0..rejected))] {
        let handed = look(root, &table, part).unwrap().unwrap();
        assert!(
            handed.iter().all(|(found, batch)| found == state && batch.schema() == expected.schema()),
            "{handed:?}"
        );
        let batches: Vec<_> = handed.into_iter().map(|(_, batch)| batch).collect();
        let mut found = text_of(&concat_batches(&expected.schema(), &batches).unwrap());
        let mut expected = text_of(&expected);
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{part:?}");
    }
}

#[test]
fn what_was_loaded_is_found_beside_the_owner_and_after() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), small_files(), keys);
        check_found(root.path(), "", 0, &table.load("id:integer", ""));
        check_found(root.path(), "", 1, &table.load_rejecting("id:integer", "", 0..1));
        check_found(root.path(), "1; 2; 3", 4, &table.load_rejecting("id:integer", "1; 2; 3", 1..4));
        let state = table.load("id:integer name:string", "4 a; 5 -");
        check_found(root.path(), "1 -; 2 -; 3 -; 4 a; 5 -", 4, &state);
        drop(table);
        check_found(root.path(), "1 -; 2 -; 3 -; 4 a; 5 -", 4, &state);
    }
}

#[test]
fn a_table_that_was_never_loaded_is_not_found() {
    let root = tempdir().unwrap();
    let table = table_name("orders");
    fs::create_dir_all(root.path().join("orders/.generations/000000000001")).unwrap();
    let mut reader = ParquetReader::open(root.path()).unwrap();
    assert!(reader.tables().unwrap().is_empty());
    assert_eq!(reader.count(&table).unwrap(), None);
    for part in [Part::Rows, Part::Rejects] {
        assert!(look(root.path(), &table, part).unwrap().is_none());
    }
}

#[test]
fn tables_are_found_in_the_order_of_their_names() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let names = ["Y", "b", "x", "a.z", "x.a", "x.x", "y.-"].map(table_name);
    for name in names.iter().rev() {
        table.name = name.clone();
        table.load("id:integer", "1");
    }
    // What no table may be called is somebody else's.
    fs::create_dir_all(root.path().join("_sdc_other/.generations")).unwrap();
    fs::rename(root.path().join("b"), root.path().join("_sdc_b")).unwrap();
    fs::create_dir_all(root.path().join("x/empty")).unwrap();
    fs::write(root.path().join("notes.txt"), "").unwrap();
    let mut expected = names.to_vec();
    expected.retain(|name| *name != table_name("b"));
    assert_eq!(ParquetReader::open(root.path()).unwrap().tables().unwrap(), expected);
}

#[test]
fn rows_are_counted_and_not_believed() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), small_files(), "id");
    let state = table.load("id:integer", "1; 2; 3");
    let count = || ParquetReader::open(root.path()).unwrap().count(&table_name("orders")).unwrap().unwrap().rows;
    let manifest = fs::read_to_string(path.join("current/manifest.json")).unwrap();
    for known in ["\"rows\": 2", "\"live_rows\": 3"] {
        assert!(manifest.contains(known), "{manifest}");
    }
    let manifest = manifest.replace("\"rows\": 2", "\"rows\": 9").replace("\"live_rows\": 3", "\"live_rows\": 9");
    write_manifest(&path, &manifest);
    assert_eq!(count(), 3);
    fs::copy(&files(&path)[0], path.join("current/copy.parquet")).unwrap();
    let all = count();
    assert!(all > 3, "{all}");
    files(&path).iter().for_each(|file| fs::remove_file(file).unwrap());
    assert_eq!((count(), state.counts.live_rows), (0, 3));
}

#[test]
fn looking_ends_when_it_is_broken_off() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), small_files(), "id");
    let state = table.load_rejecting("id:integer", "1; 2; 3; 4; 5", 0..5);
    for part in [Part::Rows, Part::Rejects] {
        let mut calls = 0;
        let found = ParquetReader::open(root.path()).unwrap().read(&table.name, part, &mut |_, _| {
            calls += 1;
            if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((found.unwrap().as_ref(), calls), (Some(&state), 2), "{part:?}");
    }
}

#[test]
fn looking_at_what_is_swept_meanwhile_is_to_be_tried_again() {
    for part in [Part::Rows, Part::Rejects] {
        let root = tempdir().unwrap();
        let settings = Settings { keep_outdated: Duration::ZERO, rows_per_file: 2, ..Settings::default() };
        let mut table = Table::open(root.path(), settings, "id");
        table.load_rejecting("id:integer", "1; 2; 3; 4; 5", 0..5);
        let name = table.name.clone();
        let error = ParquetReader::open(root.path())
            .unwrap()
            .read(&name, part, &mut |_, _| {
                table.load("id:integer", "6");
                table.load("id:integer", "7");
                ControlFlow::Continue(())
            })
            .unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("table orders was loaded while it was read"), "{error}");
        assert!(look(root.path(), &name, part).is_ok());
    }
}

#[test]
fn a_missing_folder_is_refused_and_not_made() {
    let root = tempdir().unwrap();
    let missing = root.path().join("missing");
    let error = ParquetReader::open(&missing).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("name one that selvedge has loaded into"), "{error}");
    assert!(!missing.exists());
}

#[test]
fn looking_writes_nothing_and_keeps_no_owner_out() {
    let root = tempdir().unwrap();
    let mut reader = ParquetReader::open(root.path()).unwrap();
    assert!(reader.tables().unwrap().is_empty());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    let mut owner = Parquet::open(root.path()).unwrap();
    assert!(owner.state(&table_name("orders")).unwrap().is_none());
    assert!(reader.tables().unwrap().is_empty());
}
