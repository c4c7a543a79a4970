//! Versions that are activated: all that is below them goes, whatever order things come in.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use selvedge_core::{Destination, Part};
use selvedge_parquet::{Nesting, Settings};
use tempfile::tempdir;

use crate::table::{Table, activate, add_subtable, delete, files, look, text_of, tombstones};

const VERSIONED: &str = "id:integer _sdc_sequence:integer _sdc_table_version:integer";
const ITEMS: &str = "n:integer _sdc_source_key_id:integer _sdc_level_0_id:integer _sdc_table_version:integer";

/// A load: the columns, rows, deletes, subrows, and the version that it activates.
struct Load<'a>(&'a str, &'a str, &'a str, &'a str, Option<i64>);

/// Loads in turn, in small files and in large ones, and compares rows, subrows, tombstones, and how many rows are said to be.
fn check(loads: &[Load<'_>], rows: &str, subrows: &str, expected_tombstones: &str) {
    for rows_per_file in [1, 2, 3, 1_000] {
        for nesting in [Nesting::Flat, Nesting::Native] {
            let context = format!("{rows_per_file} {nesting:?}");
            let root = tempdir().unwrap();
            let mut table = Table::open(root.path(), Settings { rows_per_file, nesting, ..Settings::default() }, "id");
            for Load(columns, rows, deletes, subrows, version) in loads {
                let mut load = table.plan(columns, rows);
                delete(&mut load, deletes);
                version.iter().for_each(|version| activate(&mut load, *version));
                add_subtable(&mut load, "items", ITEMS, subrows);
                let state = table.lake.load(&load).unwrap();
                assert_eq!(state.counts.live_rows, stored(&table, root.path(), Part::Rows).len() as u64, "{context}");
                assert_eq!(state.counts.records(), load.counts.records() + records(&load), "{context}");
                assert_eq!(state.active_version, load.active_version);
            }
            assert_eq!(stored(&table, root.path(), Part::Rows), sorted(rows), "{context}");
            assert_eq!(stored(&table, root.path(), Part::Subtable("items")), sorted(subrows), "{context}");
            assert_eq!(tombstones(&root.path().join("orders")), sorted(expected_tombstones), "{context}");
        }
    }
}

fn records(load: &selvedge_core::TableLoad) -> u64 {
    (load.rows.num_rows() + load.deletes.num_rows()) as u64 + load.activations
}

fn stored(table: &Table, root: &std::path::Path, part: Part<'_>) -> Vec<String> {
    let handed = look(root, &table.name, part).unwrap().unwrap();
    let mut rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
    rows.sort();
    rows
}

fn sorted(text: &str) -> Vec<String> {
    let mut rows: Vec<_> = text.split(';').map(|row| row.trim().to_owned()).filter(|row| !row.is_empty()).collect();
    rows.sort();
    rows
}

#[test]
fn what_is_below_goes_with_its_subrows_and_what_is_not_stays() {
    let first = Load(
        VERSIONED,
        "1 5 1; 2 5 -; 3 5 2; 4 5 3; 5 5 1; 6 5 1",
        "",
        "1 1 0 1; 2 2 0 -; 3 3 0 2; 4 4 0 3; 6 6 0 1; 6 6 1 1",
        None,
    );
    check(&[first, Load(VERSIONED, "", "", "", Some(2))], "3 5 2; 4 5 3", "3 3 0 2; 4 4 0 3", "");
}

#[test]
fn tombstones_go_as_well() {
    let first = Load(VERSIONED, "9 5 1", "1 5 1 70; 2 5 - 70; 3 5 2 70", "", None);
    check(&[first, Load(VERSIONED, "", "", "", Some(2))], "", "", "3 5 2 70");
    let first = Load(VERSIONED, "9 5 1", "1 5 1 70; 2 5 - 70", "", None);
    check(&[first, Load(VERSIONED, "1 1 2", "", "1 1 0 2", Some(2))], "1 1 2", "1 1 0 2", "");
}

#[test]
fn rows_of_the_load_come_in_the_place_of_what_is_below() {
    let first = || Load(VERSIONED, "1 5 1; 2 5 1; 3 5 2; 5 5 1", "", "1 1 0 1; 2 2 0 1; 3 3 0 2; 5 5 0 1", None);
    let second = Load(VERSIONED, "0 1 2; 2 1 2; 3 4 2; 4 1 2; 6 1 3", "", "12 2 0 2; 13 3 0 2; 14 4 0 2", Some(2));
    check(&[first(), second], "0 1 2; 2 1 2; 3 5 2; 4 1 2; 6 1 3", "12 2 0 2; 3 3 0 2; 14 4 0 2", "");
    let deletes = Load(VERSIONED, "", "1 6 2 70; 3 6 2 71; 4 6 2 72", "", Some(2));
    check(&[first(), deletes], "", "", "1 6 2 70; 3 6 2 71; 4 6 2 72");
}

#[test]
fn a_table_without_the_column_loses_all_rows() {
    let plain = "id:integer _sdc_sequence:integer";
    let first = || Load(plain, "1 5; 2 5; 3 5", "", "", None);
    check(&[first(), Load(VERSIONED, "", "", "", Some(-7))], "", "", "");
    check(&[first(), Load(VERSIONED, "2 1 0; 4 1 0", "", "", Some(0))], "2 1 0; 4 1 0", "", "");
}

#[test]
fn activating_again_goes_on_from_there() {
    let loads = [
        Load(VERSIONED, "1 5 1; 2 5 2; 3 5 3", "7 5 2 70", "", Some(1)),
        Load(VERSIONED, "", "", "", Some(2)),
        Load(VERSIONED, "4 5 3", "", "", Some(3)),
        Load(VERSIONED, "5 5 3", "", "", None),
    ];
    check(&loads, "3 5 3; 4 5 3; 5 5 3", "", "");
    check(&[Load(VERSIONED, "1 5 1", "", "", Some(1))], "1 5 1", "", "");
}

#[test]
fn a_keyless_table_loses_rows_as_well() {
    let columns = "__sdc_primary_key:string _sdc_sequence:integer _sdc_table_version:integer";
    let items = "n:integer _sdc_source_key___sdc_primary_key:string _sdc_level_0_id:integer _sdc_table_version:integer";
    for rows_per_file in [1, 2, 1_000] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), Settings { rows_per_file, ..Settings::default() }, "");
        let mut step = |rows: &str, subrows: &str, version: Option<i64>| {
            let mut load = table.plan(columns, rows);
            add_subtable(&mut load, "items", items, subrows);
            version.into_iter().for_each(|version| activate(&mut load, version));
            let live_rows = table.lake.load(&load).unwrap().counts.live_rows;
            let subrows = stored(&table, root.path(), Part::Subtable("items"));
            (stored(&table, root.path(), Part::Rows), subrows, live_rows)
        };
        step("a 1 1; b 2 -; c 3 2", "1 a 0 1; 2 b 0 -; 3 c 0 2", None);
        step("d 4 1; e 5 2", "4 d 0 1; 5 e 0 2", None);
        let (rows, subrows, live_rows) = step("f 6 3", "6 f 0 3", Some(2));
        assert_eq!(rows, ["c 3 2", "e 5 2", "f 6 3"]);
        assert_eq!(subrows, ["3 c 0 2", "5 e 0 2", "6 f 0 3"]);
        assert_eq!(live_rows, 3);
        assert_eq!(step("", "", Some(4)), (vec![], vec![], 0));
    }
}

/// Rows 1 to 4 are of version 1, 5 to 8 of version 2, two a file.
#[test]
fn files_from_which_nothing_goes_are_kept() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let path = root.path().join("orders");
        let mut table = Table::open(root.path(), Settings { rows_per_file: 2, ..Settings::default() }, keys);
        table.load(VERSIONED, "1 1 1; 2 1 1; 3 1 1; 4 1 1; 5 1 2; 6 1 2; 7 1 2; 8 1 2");
        let inodes = || files(&path).iter().map(|file| fs::metadata(file).unwrap().ino()).collect::<BTreeSet<_>>();
        let before = inodes();
        let mut load = table.plan(VERSIONED, "");
        activate(&mut load, 2);
        table.lake.load(&load).unwrap();
        assert_eq!(stored(&table, root.path(), Part::Rows), ["5 1 2", "6 1 2", "7 1 2", "8 1 2"]);
        assert_eq!((before.intersection(&inodes()).count(), inodes().len()), (2, 2), "keys: {keys:?}");
    }
}
