//! What somebody wants removed is gone, from the table and from the disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use arrow::array::StringArray;
use selvedge_core::{Counts, Destination, Inspect, LoadErrorKind, Part, Removal, TableState};
use selvedge_parquet::{Nesting, Parquet, ParquetReader, Settings};
use tempfile::tempdir;

use crate::table::{
    Table, add_subtable, batch, columns_of, delete, look, reject_files, rejects, table_name, text_of, tombstones,
};

const COLUMNS: &str = "id:string name:string _sdc_sequence:integer";
const ITEMS: &str = "what:string _sdc_source_key_id:string _sdc_level_0_id:integer";

/// A table with rows of the keys `key-1` to `key-4`, of which the values are `name-1` and so on, with two subrows each,
/// tombstones of `dead-1` to `dead-3`, and rejected records of `key-1` to `key-3`, loaded in two steps.
fn filled(root: &Path, rows_per_file: u64, nesting: Nesting) -> Table {
    let mut table = Table::open(root, Settings { rows_per_file, nesting, ..Settings::default() }, "id");
    for (rows, deletes, items, rejected) in [
        (
            "key-1 name-1 1; key-2 name-2 1; key-3 name-3 1",
            "dead-1 5 - 70; dead-2 5 - 70",
            "what-1 key-1 0; what-1 key-1 1; what-2 key-2 0; what-2 key-2 1; what-3 key-3 0; what-3 key-3 1",
            1..3,
        ),
        ("key-2 name-2 2; key-4 name-4 2", "dead-3 5 - 70", "what-2 key-2 0; what-4 key-4 0", 3..4),
    ] {
        let mut load = table.plan(COLUMNS, rows);
        delete(&mut load, deletes);
        add_subtable(&mut load, "items", ITEMS, items);
        load.rejects = rejects(rejected);
        table.lake.load(&load).unwrap();
    }
    table
}

fn state(table: &mut Table) -> TableState {
    table.lake.state(&table.name).unwrap().unwrap()
}

/// How many of the files below a folder hold the bytes.
fn files_with(folder: &Path, bytes: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let with = |path: &Path| usize::from(fs::read(path).unwrap().windows(bytes.len()).any(|at| at == bytes.as_bytes()));
    entries
        .filter(|entry| !entry.file_type().unwrap().is_symlink())
        .map(|entry| if entry.path().is_dir() { files_with(&entry.path(), bytes) } else { with(&entry.path()) })
        .sum()
}

fn parts(root: &Path, table: &Table) -> [Vec<String>; 2] {
    [Part::Rows, Part::Subtable("items")].map(|part| {
        let handed = look(root, &table.name, part).unwrap().unwrap();
        let mut rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
        rows.sort();
        rows
    })
}

/// Removes keys, in small files and in large ones; compares rows, subrows and tombstones, and searches all files for what
/// has to be gone.
fn check_keys(keys: &str, rows: &[&str], subrows: &[&str], expected_tombstones: &[&str], gone: &[&str]) {
    for rows_per_file in [1, 2, 1_000] {
        for nesting in [Nesting::Flat, Nesting::Native] {
            let context = format!("{keys} {rows_per_file} {nesting:?}");
            let root = tempdir().unwrap();
            let mut table = filled(root.path(), rows_per_file, nesting);
            let found = state(&mut table);
            for bytes in gone {
                assert!(files_with(root.path(), bytes) > 0, "{bytes} {context}");
            }
            let keys = batch(&columns_of("id:string"), keys);
            let left = table.lake.remove(&table.name, &found, Removal::Keys(&keys)).unwrap().unwrap();
            assert_eq!(parts(root.path(), &table), [rows, subrows], "{context}");
            assert_eq!(tombstones(&root.path().join("orders")), expected_tombstones, "{context}");
            let counts = Counts { live_rows: rows.len() as u64, ..found.counts };
            assert_eq!(left, TableState { counts, ..found }, "{context}");
            assert_eq!(state(&mut table), left, "{context}");
            for bytes in gone {
                assert_eq!(files_with(root.path(), bytes), 0, "{bytes} {context}");
            }
        }
    }
}

#[test]
fn keys_are_removed_with_rows_subrows_and_tombstones() {
    let rows = ["key-1 name-1 1", "key-2 name-2 2", "key-3 name-3 1", "key-4 name-4 2"];
    let subrows =
        ["what-1 key-1 0", "what-1 key-1 1", "what-2 key-2 0", "what-3 key-3 0", "what-3 key-3 1", "what-4 key-4 0"];
    let dead = ["dead-1 5 - 70", "dead-2 5 - 70", "dead-3 5 - 70"];
    check_keys(
        "key-2",
        &[rows[0], rows[2], rows[3]],
        &[&subrows[..2], &subrows[3..]].concat(),
        &dead,
        &["name-2", "what-2"],
    );
    check_keys("key-4; key-1", &rows[1..3], &subrows[2..5], &dead, &["name-1", "what-1", "name-4", "what-4", "key-4"]);
    check_keys("dead-2", &rows, &subrows, &[dead[0], dead[2]], &["dead-2"]);
    check_keys(
        "dead-3; key-3; dead-1; key-3",
        &[rows[0], rows[1], rows[3]],
        &[&subrows[..3], &subrows[5..]].concat(),
        &dead[1..2],
        &["name-3", "what-3", "dead-1", "dead-3"],
    );
    check_keys(
        "key-1; key-2; key-3; key-4; dead-1; dead-2; dead-3",
        &[],
        &[],
        &[],
        &["name-", "what-", "dead-", "key-4"],
    );
    check_keys("key-0; key-9", &rows, &subrows, &dead, &[]);
}

#[test]
fn a_removed_key_may_come_again() {
    let root = tempdir().unwrap();
    let mut table = filled(root.path(), 2, Nesting::Flat);
    let found = state(&mut table);
    let keys = batch(&columns_of("id:string"), "dead-1; key-1");
    table.lake.remove(&table.name, &found, Removal::Keys(&keys)).unwrap();
    let mut load = table.plan(COLUMNS, "dead-1 new 1; key-1 new 1");
    add_subtable(&mut load, "items", ITEMS, "new key-1 0");
    let counts = table.lake.load(&load).unwrap().counts;
    assert_eq!((counts.live_rows, counts.superseded), (5, found.counts.superseded));
}

#[test]
fn keys_of_several_columns_are_removed() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings { rows_per_file: 2, ..Settings::default() }, "b a");
    let columns = "a:decimal(2) b:timestamp _sdc_sequence:integer";
    table.load(columns, "1.25 1000 1; 1.25 2000 1; 2.50 2000 1; 3.00 3000 1");
    let found = state(&mut table);
    let keys = batch(&columns_of("b:timestamp a:decimal(2)"), "2000 1.25; 3000 3.00; 1000 2.50");
    table.lake.remove(&table.name, &found, Removal::Keys(&keys)).unwrap();
    let mut rows = crate::table::read(&root.path().join("orders"));
    rows.sort();
    assert_eq!(rows, ["1.25 1000 1", "2.50 2000 1"]);
}

#[test]
fn rejected_records_are_removed() {
    for (keys, left) in [(vec!["key-2"], vec!["key-1", "key-3"]), (vec!["key-3", "key-1", "key-2"], vec![])] {
        let root = tempdir().unwrap();
        let mut table = filled(root.path(), 2, Nesting::Flat);
        let found = state(&mut table);
        let removal = StringArray::from(keys.clone());
        let state = table.lake.remove(&table.name, &found, Removal::Rejects(&removal)).unwrap();
        assert_eq!(state, Some(found));
        let handed = look(root.path(), &table.name, Part::Rejects).unwrap().unwrap();
        let stored: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
        let mut stored: Vec<_> = stored.iter().map(|row| row.split(' ').next().unwrap()).collect();
        stored.sort_unstable();
        assert_eq!(stored, left);
        assert_eq!(parts(root.path(), &table)[0].len(), 4);
        for key in keys {
            let record = format!("{{\"id\":\"{}\"}}", key.trim_start_matches("key-"));
            assert_eq!(files_with(root.path(), &record), 0, "{record}");
        }
        assert_eq!(root.path().join("orders/current/_sdc_rejected").exists(), !left.is_empty());
        if !left.is_empty() {
            assert!(!reject_files(&root.path().join("orders")).is_empty());
        }
    }
}

/// The keys of the rejected records that are left.
fn rejected(root: &Path, table: &Table) -> Vec<String> {
    let handed = look(root, &table.name, Part::Rejects).unwrap().unwrap();
    let rows = handed.iter().flat_map(|(_, batch)| text_of(batch));
    let mut keys: Vec<_> = rows.map(|row| row.split(' ').next().unwrap().to_owned()).collect();
    keys.sort_unstable();
    keys
}

fn generations(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("orders/.generations")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn rejected_records_are_removed_by_their_age() {
    for (moment, left) in
        [(1, ["key-1", "key-2", "key-3"].as_slice()), (2, &["key-2", "key-3"]), (3, &["key-3"]), (4, &[])]
    {
        let root = tempdir().unwrap();
        let mut table = filled(root.path(), 2, Nesting::Flat);
        let found = state(&mut table);
        let before = generations(root.path());
        assert_eq!(
            table.lake.remove(&table.name, &found, Removal::RejectsBefore(moment)).unwrap(),
            Some(found.clone())
        );
        assert_eq!(rejected(root.path(), &table), left);
        assert_eq!(parts(root.path(), &table)[0].len(), 4);
        // A generation more if something was removed, and none for what is removed again.
        let after = generations(root.path());
        assert_eq!(after.len() - before.len(), usize::from(moment > 1));
        table.lake.remove(&table.name, &found, Removal::RejectsBefore(moment)).unwrap();
        assert_eq!(generations(root.path()), after);
    }
}

/// A table that gets no loads does not keep what was removed for ever.
#[test]
fn the_generation_before_goes_with_the_next_look() {
    let root = tempdir().unwrap();
    let mut table = filled(root.path(), 2, Nesting::Flat);
    let found = state(&mut table);
    drop(table.lake);
    let settings = Settings { keep_outdated: Duration::ZERO, ..Settings::default() };
    let mut lake = Parquet::open_with(root.path(), settings).unwrap();
    for generations_left in [2, 1] {
        lake.remove(&table.name, &found, Removal::RejectsBefore(4)).unwrap();
        assert_eq!(generations(root.path()).len(), generations_left);
        assert_eq!(files_with(root.path(), "{\"id\":\"1\"}") > 0, generations_left == 2);
    }
}

#[test]
fn a_table_is_removed_as_if_it_had_never_been() {
    let root = tempdir().unwrap();
    let mut table = filled(root.path(), 2, Nesting::Flat);
    let beside = table_name("orders.lines");
    let mut other = table.plan(COLUMNS, "1 a 1");
    other = selvedge_core::TableLoad { table: beside.clone(), planned_on: None, counts: Counts::default(), ..other };
    other.changes = vec![selvedge_core::Change::CreateTable(columns_of(COLUMNS))];
    table.lake.load(&other).unwrap();
    let found = state(&mut table);
    assert_eq!(table.lake.remove(&table.name, &found, Removal::Table).unwrap(), None);
    assert_eq!(table.lake.state(&table.name).unwrap(), None);
    assert_eq!(ParquetReader::open(root.path()).unwrap().tables().unwrap(), [beside]);
    assert!(look(root.path(), &table.name, Part::Rows).unwrap().is_none());
    let missing = fs::read_dir(root.path().join("orders/current")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(files_with(root.path(), "name-1"), 0);
    let created = table.load("id:string", "a");
    assert_eq!(created.counts, Counts { loaded: 1, superseded: 0, rejected: 0, live_rows: 1 });
    let found = state(&mut table);
    table.lake.remove(&table.name, &found, Removal::Table).unwrap();
    drop(table);
    assert_eq!(Parquet::open(root.path()).unwrap().state(&table_name("orders")).unwrap(), None);
}

#[test]
fn a_folder_without_other_tables_is_removed() {
    let root = tempdir().unwrap();
    let mut table = filled(root.path(), 2, Nesting::Flat);
    let found = state(&mut table);
    table.lake.remove(&table.name, &found, Removal::Table).unwrap();
    assert!(!root.path().join("orders").exists());
}

#[test]
fn nothing_is_removed_from_a_table_that_has_changed() {
    let root = tempdir().unwrap();
    let mut table = filled(root.path(), 2, Nesting::Flat);
    let found = state(&mut table);
    let outdated = TableState { active_version: Some(1), ..found.clone() };
    let (keys, rejected) = (batch(&columns_of("id:string"), "key-1"), StringArray::from(vec!["key-1"]));
    for removal in [Removal::Table, Removal::Keys(&keys), Removal::Rejects(&rejected), Removal::RejectsBefore(1)] {
        let error = table.lake.remove(&table.name, &outdated, removal).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Stale);
        let error = table.lake.remove(&table_name("none"), &outdated, removal).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Stale);
    }
    assert_eq!(state(&mut table), found);
    assert_eq!(parts(root.path(), &table)[0].len(), 4);
}

#[test]
fn a_table_without_keys_loses_none() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "");
    table.load("__sdc_primary_key:string", "a");
    let found = state(&mut table);
    let keys = batch(&columns_of("__sdc_primary_key:string"), "a");
    let error = table.lake.remove(&table.name, &found, Removal::Keys(&keys)).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(state(&mut table), found);
}
