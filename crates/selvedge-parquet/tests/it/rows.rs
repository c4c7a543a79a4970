//! Which rows stand in a table after some loads, and how they are counted.

use selvedge_core::{Counts, Destination, Part};
use selvedge_parquet::Settings;
use tempfile::tempdir;

use crate::table::{Table, batch, columns_of, files, look, read, read_file};

const VERSIONED: &str = "id:integer name:string _sdc_sequence:integer _sdc_table_version:integer";

/// Loads each (columns, rows) in turn, then compares rows, in the order of the files, and (loaded, superseded, live).
fn check(keys: &str, loads: &[(&str, &str)], expected: &str, counts: (u64, u64, u64)) {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), keys);
    let states: Vec<_> = loads.iter().map(|(columns, rows)| table.load(columns, rows)).collect();
    let expected: Vec<_> = expected.split(';').map(str::trim).filter(|row| !row.is_empty()).collect();
    assert_eq!(read(&root.path().join("orders")), expected);
    let (loaded, superseded, live_rows) = counts;
    assert_eq!(states.last().unwrap().counts, Counts { loaded, superseded, rejected: 0, live_rows });
}

#[test]
fn a_load_creates_a_table() {
    check("id", &[("id:integer name:string", "1 a; 2 -")], "1 a; 2 -", (2, 0, 2));
}

#[test]
fn rows_replace_insert_and_surround_stored_ones() {
    let loads = [(VERSIONED, "2 a 1 -; 4 b 1 -"), (VERSIONED, "1 c 2 -; 2 d 2 -; 3 e 2 -; 5 f 2 -")];
    check("id", &loads, "1 c 2 -; 2 d 2 -; 3 e 2 -; 4 b 1 -; 5 f 2 -", (6, 0, 5));
}

#[test]
fn a_row_is_replaced_as_a_whole() {
    check("id", &[(VERSIONED, "1 a 1 7"), (VERSIONED, "1 - 2 7")], "1 - 2 7", (2, 0, 1));
}

#[test]
fn a_lower_sequence_is_superseded() {
    check("id", &[(VERSIONED, "1 a 5 -; 2 b 5 -"), (VERSIONED, "1 c 4 -; 2 d 6 -")], "1 a 5 -; 2 d 6 -", (3, 1, 2));
}

#[test]
fn at_equal_versions_the_later_load_wins() {
    check("id", &[(VERSIONED, "1 a 5 3"), (VERSIONED, "1 b 5 3")], "1 b 5 3", (2, 0, 1));
}

#[test]
fn the_table_version_outweighs_the_sequence() {
    check("id", &[(VERSIONED, "1 a 9 1; 2 a 1 2"), (VERSIONED, "1 b 1 2; 2 b 9 1")], "1 b 1 2; 2 a 1 2", (3, 1, 2));
}

#[test]
fn no_version_is_below_all() {
    let stored = (VERSIONED, "1 a 9 -; 2 a 1 -9; 3 a - -; 4 a -9 -");
    check(
        "id",
        &[stored, (VERSIONED, "1 b 1 -9; 2 b 9 -; 3 b -9 -; 4 b - -")],
        "1 b 1 -9; 2 a 1 -9; 3 b -9 -; 4 a -9 -",
        (6, 2, 4),
    );
}

#[test]
fn a_version_column_that_is_new_was_null() {
    let loads = [
        ("id:integer _sdc_sequence:integer", "1 9"),
        ("id:integer _sdc_sequence:integer _sdc_table_version:integer", "1 1 0"),
    ];
    check("id", &loads, "1 1 0", (2, 0, 1));
}

#[test]
fn without_version_columns_the_later_load_wins() {
    check("id", &[("id:integer name:string", "1 a"), ("id:integer name:string", "1 b")], "1 b", (2, 0, 1));
}

#[test]
fn keys_may_be_strings() {
    let loads = [("id:string n:integer", "Z 1; a 1; ä 1"), ("id:string n:integer", "B 2; a 2; aa 2")];
    check("id", &loads, "B 2; Z 1; a 2; aa 2; ä 1", (6, 0, 5));
}

#[test]
fn keys_may_have_several_columns_in_any_order() {
    let loads =
        [("n:integer b:string a:integer", "1 x 1; 1 y 1; 1 x 2"), ("n:integer b:string a:integer", "2 y 1; 2 z 1")];
    check("a b", &loads, "1 x 1; 2 y 1; 2 z 1; 1 x 2", (5, 0, 4));
}

#[test]
fn a_new_column_is_null_in_rows_that_stood() {
    let loads = [("id:integer", "1; 2"), ("id:integer name:string", "2 b; 3 c")];
    check("id", &loads, "1 -; 2 b; 3 c", (4, 0, 3));
}

#[test]
fn a_new_column_may_come_without_rows() {
    check("id", &[("id:integer", "1; 2"), ("id:integer name:string", "")], "1 -; 2 -", (2, 0, 2));
    check("", &[("id:integer", "1; 2"), ("id:integer name:string", "")], "1 -; 2 -", (2, 0, 2));
}

#[test]
fn keyless_rows_are_appended_in_order() {
    let loads = [("id:integer", "2; 1"), ("id:integer", "2; -"), ("id:integer name:string", "0 a")];
    check("", &loads, "2 -; 1 -; 2 -; - -; 0 a", (5, 0, 5));
}

#[test]
fn a_load_without_rows_moves_the_position() {
    check("id", &[("id:integer", "1"), ("id:integer", "")], "1", (1, 0, 1));
    check("", &[("id:integer", "1"), ("id:integer", "")], "1", (1, 0, 1));
}

#[test]
fn an_empty_table_has_its_columns() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), Settings::default(), keys);
        table.load("id:integer name:string", "");
        let files = files(&root.path().join("orders"));
        let rows = read_file(&files[0]);
        assert_eq!((files.len(), rows.num_rows(), rows.num_columns()), (1, 0, 2));
        table.load("id:integer name:string", "1 a");
        assert_eq!(read(&root.path().join("orders")), ["1 a"]);
    }
}

/// Each type as a value and, one row a file, as a key: the ranges of the files are found again in the manifest.
#[test]
fn every_type_is_read_back_and_may_be_a_key() {
    for (column_type, values) in [
        ("boolean", "false; true"),
        ("integer", "-9223372036854775808; -1; 0; 9223372036854775807"),
        (
            "decimal(2)",
            "-999999999999999999999999999999999999.99; -0.01; 0.00; 999999999999999999999999999999999999.99",
        ),
        ("decimal(38)", "-0.99999999999999999999999999999999999999; 0.00000000000000000000000000000000000001"),
        ("decimal(0)", "-1; 99999999999999999999999999999999999999"),
        ("decimal", "-1.5; 123456789012345678901234567890123456789012345.5"),
        ("double", "-1.7976931348623157e308; -0.1; 5e-324; 0.30000000000000004"),
        ("string", "A; a; \u{10ffff}"),
        ("timestamp", "-62135596800000000; -1; 253402300799999999"),
        ("date", "-719162; 0; 2932896"),
        ("time", "0; 86399999999"),
        ("json", "[1,{\"a\":null}]; null; {}"),
    ] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), Settings { rows_per_file: 1, ..Settings::default() }, "key");
        let columns = columns_of(&format!("key:{column_type} value:{column_type}"));
        let rows: String = values.split(';').map(|value| format!("{value} {value};")).collect();
        let rows = batch(&columns, &rows);
        for _ in 0..2 {
            let load = table.plan_batch(columns.clone(), rows.clone());
            assert_eq!(table.lake.load(&load).unwrap().counts.live_rows, rows.num_rows() as u64, "{column_type}");
        }
        let files = files(&root.path().join("orders"));
        let stored: Vec<_> = files.iter().map(|file| read_file(file)).collect();
        let handed = look(root.path(), &table.name, Part::Rows).unwrap().unwrap();
        assert_eq!((stored.len(), handed.len()), (rows.num_rows(), rows.num_rows()), "{column_type}");
        for row in 0..rows.num_rows() {
            let row = rows.slice(row, 1);
            assert!(stored.iter().any(|file| file.columns() == row.columns()), "{column_type}: {row:?}");
            assert!(handed.iter().any(|(_, batch)| *batch == row), "{column_type}: {row:?}");
        }
    }
}
