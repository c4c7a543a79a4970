//! Keys that are deleted: rows that go, and the tombstones that stay.

use std::fs;
use std::os::unix::fs::MetadataExt;

use selvedge_core::{Counts, Destination, LoadErrorKind};
use selvedge_parquet::{Nesting, Settings};
use tempfile::tempdir;

use crate::table::{
    Table, add_subtable, batch, columns_of, delete, files, parquet_files, read, read_subtable, tombstones,
};

const COLUMNS: &str = "id:integer name:string _sdc_sequence:integer _sdc_table_version:integer";

/// Loads (rows, deletes) in turn, in small files and in large ones, and compares rows, tombstones, and (loaded, superseded,
/// live).
fn check_table(
    (columns, keys): (&str, &str),
    loads: &[(&str, &str)],
    rows: &str,
    expected_tombstones: &str,
    (loaded, superseded, live_rows): (u64, u64, u64),
) {
    let parts = |text: &str| -> Vec<String> {
        let mut parts: Vec<_> =
            text.split(';').map(|row| row.trim().to_owned()).filter(|row| !row.is_empty()).collect();
        parts.sort();
        parts
    };
    for rows_per_file in [1, 2, 1_000] {
        for nesting in [Nesting::Flat, Nesting::Native] {
            let root = tempdir().unwrap();
            let path = root.path().join("orders");
            let settings = Settings { rows_per_file, nesting, ..Settings::default() };
            let mut table = Table::open(root.path(), settings, keys);
            let mut counts = Counts::default();
            for (rows, deletes) in loads {
                let mut load = table.plan(columns, rows);
                delete(&mut load, deletes);
                counts = table.lake.load(&load).unwrap().counts;
            }
            let mut stored = read(&path);
            stored.sort();
            assert_eq!(stored, parts(rows), "{rows_per_file} {nesting:?}");
            assert_eq!(tombstones(&path), parts(expected_tombstones), "{rows_per_file} {nesting:?}");
            assert_eq!(counts, Counts { loaded, superseded, rejected: 0, live_rows }, "{rows_per_file} {nesting:?}");
        }
    }
}

fn check(loads: &[(&str, &str)], rows: &str, tombstones: &str, counts: (u64, u64, u64)) {
    check_table((COLUMNS, "id"), loads, rows, tombstones, counts);
}

#[test]
fn a_delete_takes_the_row_and_leaves_a_tombstone() {
    check(&[("1 a 5 -; 2 b 5 -; 3 c 5 -", ""), ("", "2 6 - 70")], "1 a 5 -; 3 c 5 -", "2 6 - 70", (4, 0, 2));
    check(&[("1 a 5 -", ""), ("", "1 6 - 70")], "", "1 6 - 70", (2, 0, 0));
}

#[test]
fn a_delete_of_an_unknown_key_leaves_a_tombstone() {
    check(&[("", "7 5 - 70")], "", "7 5 - 70", (1, 0, 0));
    check(
        &[("1 a 5 -; 9 b 5 -", ""), ("", "0 5 - 70; 7 5 - 70; 10 5 - 70")],
        "1 a 5 -; 9 b 5 -",
        "0 5 - 70; 7 5 - 70; 10 5 - 70",
        (5, 0, 2),
    );
}

#[test]
fn rows_and_deletes_may_come_together_in_any_order_of_deletes() {
    let loads = [("1 a 5 -; 3 c 5 -; 5 e 5 -", ""), ("0 n 6 -; 3 d 6 -; 6 f 6 -", "5 6 - 70; 1 6 - 71; 4 6 - 72")];
    check(&loads, "0 n 6 -; 3 d 6 -; 6 f 6 -", "1 6 - 71; 4 6 - 72; 5 6 - 70", (9, 0, 3));
}

#[test]
fn a_late_older_upsert_does_not_bring_a_row_back() {
    check(&[("1 a 5 -", ""), ("", "1 7 - 70"), ("1 b 6 -", "")], "", "1 7 - 70", (2, 1, 0));
    check(&[("1 a 5 -", ""), ("", "1 7 - 70"), ("1 b 6 -; 2 c 6 -", "")], "2 c 6 -", "1 7 - 70", (3, 1, 1));
    check(&[("", "1 7 - 70; 3 7 - 70"), ("1 b 6 -; 2 c 6 -; 3 b 8 -", "")], "2 c 6 -; 3 b 8 -", "1 7 - 70", (4, 1, 2));
}

#[test]
fn an_older_delete_has_no_effect() {
    check(&[("1 a 5 -", ""), ("", "1 4 - 70")], "1 a 5 -", "", (1, 1, 1));
    check(&[("", "1 5 - 70"), ("", "1 4 - 71")], "", "1 5 - 70", (1, 1, 0));
}

#[test]
fn a_newer_upsert_takes_the_tombstones_place() {
    check(&[("", "1 5 - 70; 2 5 - 70"), ("1 b 6 -", "")], "1 b 6 -", "2 5 - 70", (3, 0, 1));
    check(&[("", "1 5 - 70"), ("1 b 6 -", ""), ("", "1 7 - 71")], "", "1 7 - 71", (3, 0, 0));
}

#[test]
fn of_equal_ages_the_later_load_wins() {
    check(&[("1 a 5 3", ""), ("", "1 5 3 70")], "", "1 5 3 70", (2, 0, 0));
    check(&[("", "1 5 3 70"), ("1 a 5 3", "")], "1 a 5 3", "", (2, 0, 1));
    check(&[("", "1 5 3 70"), ("", "1 5 3 71")], "", "1 5 3 71", (2, 0, 0));
}

#[test]
fn the_version_outweighs_the_sequence_and_none_is_below_all() {
    check(&[("1 a 9 1", ""), ("", "1 1 2 70")], "", "1 1 2 70", (2, 0, 0));
    check(&[("", "1 1 2 70"), ("1 a 9 1", "")], "", "1 1 2 70", (1, 1, 0));
    check(&[("1 a 1 -9", ""), ("", "1 9 - 70")], "1 a 1 -9", "", (1, 1, 1));
    check(&[("", "1 9 - 70"), ("1 a 1 -9", "")], "1 a 1 -9", "", (2, 0, 1));
}

#[test]
fn a_table_without_a_version_column_has_deletes() {
    let loads = [("1 5; 2 5", ""), ("", "1 6 - 70"), ("1 5", "2 4 - 70")];
    check_table(("id:integer _sdc_sequence:integer", "id"), &loads, "2 5", "1 6 - 70", (3, 2, 1));
}

#[test]
fn keys_may_have_any_type_and_several_columns() {
    let loads = [("1 x 1 5; 2 x 3 5; 1 y 2 5", ""), ("1 x 4 6", "y 1 6 - 70; z 2 6 - 71"), ("1 y 5 5", "")];
    check_table(
        ("a:integer b:string n:integer _sdc_sequence:integer", "b a"),
        &loads,
        "1 x 4 6; 2 x 3 5",
        "y 1 6 - 70; z 2 6 - 71",
        (6, 1, 2),
    );
    for (column_type, one, other) in [
        ("boolean", "false", "true"),
        ("integer", "-9223372036854775808", "9223372036854775807"),
        ("decimal(2)", "-999999999999999999999999999999999999.99", "0.01"),
        ("decimal", "-1.5", "123456789012345678901234567890123456789012345.5"),
        ("double", "-0.1", "0.30000000000000004"),
        ("string", "A", "\u{e4}\"\\,"),
        ("timestamp", "-62135596800000000", "253402300799999999"),
        ("date", "-719162", "2932896"),
        ("time", "0", "86399999999"),
    ] {
        check_table(
            (&format!("key:{column_type} _sdc_sequence:integer"), "key"),
            &[
                (&format!("{one} 5; {other} 5"), ""),
                ("", &format!("{one} 6 - 70; {other} 6 - 70")),
                (&format!("{one} 5; {other} 7"), ""),
            ],
            &format!("{other} 7"),
            &format!("{one} 6 - 70"),
            (5, 1, 1),
        );
    }
}

#[test]
fn subrows_go_with_their_row() {
    const ITEMS: &str = "n:integer _sdc_source_key_id:integer _sdc_level_0_id:integer";
    let loads = [
        ("1 a 5 -; 2 b 5 -; 3 c 5 -", "", "10 1 0; 20 2 0; 21 2 1; 22 2 2; 30 3 0"),
        ("3 d 4 -", "2 6 - 70", "31 3 0"),
        ("2 z 5 -; 4 e 6 -", "", "23 2 0; 40 4 0"),
    ];
    for rows_per_file in [1, 2, 1_000] {
        for nesting in [Nesting::Flat, Nesting::Native] {
            let root = tempdir().unwrap();
            let path = root.path().join("orders");
            let mut table = Table::open(root.path(), Settings { rows_per_file, nesting, ..Settings::default() }, "id");
            for (rows, deletes, items) in loads {
                let mut load = table.plan(COLUMNS, rows);
                delete(&mut load, deletes);
                add_subtable(&mut load, "items", ITEMS, items);
                table.lake.load(&load).unwrap();
            }
            let subrows = crate::table::look(root.path(), &table.name, selvedge_core::Part::Subtable("items")).unwrap();
            let mut subrows: Vec<_> =
                subrows.unwrap().iter().flat_map(|(_, batch)| crate::table::text_of(batch)).collect();
            subrows.sort();
            assert_eq!(subrows, ["10 1 0", "30 3 0", "40 4 0"], "{rows_per_file} {nesting:?}");
            assert_eq!(tombstones(&path), ["2 6 - 70"]);
            if nesting == Nesting::Flat {
                assert_eq!(read_subtable(&path, "items").len(), 3);
            }
        }
    }
}

#[test]
fn a_table_whose_last_row_is_deleted_has_its_columns() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    table.load(COLUMNS, "1 a 5 -");
    let mut load = table.plan(COLUMNS, "");
    delete(&mut load, "1 6 - 70");
    table.lake.load(&load).unwrap();
    let files = files(&root.path().join("orders"));
    let rows = crate::table::read_file(&files[0]);
    assert_eq!((files.len(), rows.num_rows(), rows.num_columns()), (1, 0, 4));
}

#[test]
fn only_files_that_change_are_rewritten() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 2, ..Settings::default() }, "id");
    let inodes = || {
        let tombstones = path.join("current/_sdc_tombstones");
        let of = |folder: &std::path::Path| {
            parquet_files(folder).iter().map(|file| fs::metadata(file).unwrap().ino()).collect::<Vec<_>>()
        };
        (of(&path.join("current")), of(&tombstones))
    };
    let mut load = table.plan(COLUMNS, "10 a 5 -; 20 a 5 -; 30 a 5 -; 40 a 5 -");
    delete(&mut load, "1 5 - 70; 2 5 - 70; 3 5 - 70; 4 5 - 70");
    table.lake.load(&load).unwrap();
    let kept = |one: &[u64], other: &[u64]| one.iter().filter(|file| other.contains(file)).count();
    let first = inodes();
    // Rows of new keys, rows that lose, deletes that lose.
    table.load(COLUMNS, "5 a 5 -; 50 a 5 -");
    let mut load = table.plan(COLUMNS, "1 a 4 -");
    delete(&mut load, "2 4 - 70; 40 4 - 70");
    table.lake.load(&load).unwrap();
    let second = inodes();
    assert_eq!((kept(&first.0, &second.0), first.0.len()), (1, 2), "5 goes into the first file");
    assert_eq!((kept(&first.1, &second.1), first.1.len(), second.1.len()), (2, 2, 2));
    let mut load = table.plan(COLUMNS, "1 a 6 -");
    delete(&mut load, "50 6 - 70");
    table.lake.load(&load).unwrap();
    assert_eq!(kept(&second.1, &inodes().1), 1, "that of 3 and 4 is left");
}

#[test]
fn the_folder_of_tombstones_goes_with_the_last_of_them() {
    let root = tempdir().unwrap();
    let folder = root.path().join("orders/current/_sdc_tombstones");
    let mut table = Table::open(root.path(), Settings::default(), "id");
    table.load(COLUMNS, "1 a 5 -");
    assert!(!folder.exists());
    let mut load = table.plan(COLUMNS, "");
    delete(&mut load, "1 6 - 70");
    table.lake.load(&load).unwrap();
    assert!(folder.exists());
    table.load(COLUMNS, "1 a 7 -");
    assert!(!folder.exists());
}

#[test]
fn a_key_that_is_written_and_deleted_at_once_is_refused() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    for (rows, deletes) in [("1 a 5 -", "1 6 - 70"), ("", "1 6 - 70; 1 6 - 70")] {
        let mut load = table.plan(COLUMNS, rows);
        load.deletes = batch(
            &columns_of("id:integer _sdc_sequence:integer _sdc_table_version:integer _sdc_deleted_at:timestamp"),
            deletes,
        );
        assert_eq!(table.lake.load(&load).unwrap_err().kind(), LoadErrorKind::Refused);
    }
}
