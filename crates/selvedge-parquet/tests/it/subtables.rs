//! What arrays in the records hold: a folder for each subtable, which follows the rows it belongs to.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_core::{Applied, Destination, Inspect, LoadErrorKind, Part, TableState, schema};
use selvedge_parquet::{ParquetReader, Settings};
use serde_json::Value;
use tempfile::tempdir;

use crate::table::{
    Table, add_subtable, columns_of, files, look, parquet_files, read, read_file, read_subtable, table_name, text_of,
};

const ROOT: &str = "id:integer _sdc_sequence:integer";
/// The elements' `n`, then selvedge's own.
const ITEMS: &str = "n:integer _sdc_source_key_id:integer _sdc_level_0_id:integer";

fn small_files() -> Settings {
    Settings { rows_per_file: 2, ..Settings::default() }
}

/// Loads rows with the subrows of `items`.
fn load(table: &mut Table, rows: &str, items: &str) -> TableState {
    let mut load = table.plan(ROOT, rows);
    add_subtable(&mut load, "items", ITEMS, items);
    let state = table.lake.load(&load).unwrap();
    assert_eq!(table.lake.state(&table.name).unwrap().as_ref(), Some(&state));
    state
}

/// Loads each (rows, subrows) in turn, and compares the subrows that stand, in the order of the files.
fn check(loads: &[(&str, &str)], expected: &str) {
    for settings in [Settings::default(), small_files(), Settings { rows_per_file: 1, ..Settings::default() }] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), settings, "id");
        let states: Vec<_> = loads.iter().map(|(rows, items)| load(&mut table, rows, items)).collect();
        let expected: Vec<_> = expected.split(';').map(str::trim).filter(|row| !row.is_empty()).collect();
        let mut stored = read_subtable(&root.path().join("orders"), "items");
        stored.sort_by_key(|row| row.split(' ').skip(1).map(|id| id.parse::<i64>().unwrap()).collect::<Vec<_>>());
        assert_eq!(stored, expected);
        check_read(root.path(), &expected, states.last().unwrap());
    }
}

/// What [`ParquetReader`] finds.
fn check_read(root: &Path, expected: &[&str], state: &TableState) {
    let table = table_name("orders");
    let handed = look(root, &table, Part::Subtable("items")).unwrap().unwrap();
    assert!(handed.iter().all(|(found, _)| found == state));
    let batches: Vec<_> = handed.into_iter().map(|(_, batch)| batch).collect();
    let mut found = text_of(&concat_batches(&schema(&columns_of(ITEMS)), &batches).unwrap());
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let counted = ParquetReader::open(root).unwrap().count(&table).unwrap().unwrap();
    assert_eq!(counted.rows, state.counts.live_rows);
}

#[test]
fn elements_are_rows_of_a_folder() {
    check(&[("1 5; 2 5; 3 5", "10 1 0; 11 1 1; 30 3 0")], "10 1 0; 11 1 1; 30 3 0");
}

#[test]
fn subrows_are_replaced_with_their_row() {
    let first = ("1 5; 2 5; 3 5", "10 1 0; 11 1 1; 12 1 2; 20 2 0; 30 3 0");
    check(&[first, ("2 6", "21 2 0; 22 2 1")], "10 1 0; 11 1 1; 12 1 2; 21 2 0; 22 2 1; 30 3 0");
    check(&[first, ("1 6", "13 1 0")], "13 1 0; 20 2 0; 30 3 0");
    check(&[first, ("1 6; 3 6", "31 3 0; 32 3 1")], "20 2 0; 31 3 0; 32 3 1");
    check(&[first, ("0 6; 4 6", "1 0 0; 40 4 0")], "1 0 0; 10 1 0; 11 1 1; 12 1 2; 20 2 0; 30 3 0; 40 4 0");
    check(&[first, ("1 6; 2 6; 3 6", "")], "");
    check(&[first, ("1 6; 2 6; 3 6", ""), ("2 7", "23 2 0")], "23 2 0");
}

#[test]
fn subrows_of_a_stale_row_are_not_written() {
    let first = ("1 5; 2 5", "10 1 0; 11 1 1; 20 2 0");
    check(&[first, ("1 4; 2 4", "12 1 0; 21 2 0; 22 2 1")], "10 1 0; 11 1 1; 20 2 0");
    check(&[first, ("1 4; 2 6; 3 4", "12 1 0; 30 3 0")], "10 1 0; 11 1 1; 30 3 0");
    check(&[("1 5", ""), ("1 4", "12 1 0")], "");
}

#[test]
fn level_ids_are_in_the_order_of_numbers() {
    let items: Vec<_> = (0..12).map(|at| format!("{at} 1 {at}")).collect();
    check(&[("1 5", &items.join(";")), ("1 6", &items.join(";"))], &items.join(";"));
    let root = tempdir().unwrap();
    load(&mut Table::open(root.path(), small_files(), "id"), "1 5", &items.join(";"));
    assert_eq!(read_subtable(&root.path().join("orders"), "items").len(), 12);
    check_order(&root.path().join("orders"), 2);
}

/// The keys within each file ascend, and the files' ranges, which are those of the manifest, do not overlap. Returns the
/// rows in their order.
fn check_order(table: &Path, rows_per_file: usize) -> Vec<[i64; 3]> {
    let rows = |file: &Path| -> Vec<[i64; 3]> {
        let batch = read_file(file);
        let column = |at: usize| batch.column(at).as_primitive::<Int64Type>().clone();
        let (n, id, level) = (column(0), column(1), column(2));
        (0..batch.num_rows()).map(|row| [id.value(row), level.value(row), n.value(row)]).collect()
    };
    let mut files: BTreeMap<String, _> = parquet_files(&table.join("current/items"))
        .iter()
        .map(|file| (file.file_name().unwrap().to_str().unwrap().to_owned(), rows(file)))
        .collect();
    if files.values().all(Vec::is_empty) {
        assert_eq!(files.len(), 1);
        return Vec::new();
    }
    let manifest: Value = serde_json::from_slice(&fs::read(table.join("current/manifest.json")).unwrap()).unwrap();
    let mut all = Vec::new();
    for listed in manifest["files"]["subtables"]["items"].as_array().unwrap() {
        let rows = files.remove(listed["name"].as_str().unwrap()).unwrap();
        assert!(rows.len() <= rows_per_file, "{rows:?}");
        assert_eq!(listed["rows"], rows.len());
        for (end, row) in [("first", rows.first()), ("last", rows.last())] {
            let key: Vec<_> = row.unwrap()[..2].iter().map(i64::to_string).collect();
            assert_eq!(listed["keys"][end], Value::from(key));
        }
        all.extend(rows);
    }
    assert!(files.is_empty(), "not in the manifest: {files:?}");
    assert!(all.is_sorted_by(|row, next| row[..2] < next[..2]), "{all:?}");
    all
}

fn inodes(table: &Path) -> Vec<u64> {
    parquet_files(&table.join("current/items")).iter().map(|file| fs::metadata(file).unwrap().ino()).collect()
}

/// Loads `first`, then `second`, and compares how many of the subtable's files stayed the same ones and how many there are.
fn check_kept(first: (&str, &str), second: (&str, &str), kept: usize, files: usize) {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), small_files(), "id");
    load(&mut table, first.0, first.1);
    let before = inodes(&path);
    load(&mut table, second.0, second.1);
    let after = inodes(&path);
    assert_eq!(
        (before.iter().filter(|file| after.contains(file)).count(), after.len()),
        (kept, files),
        "{first:?} then {second:?}"
    );
    check_order(&path, 2);
}

#[test]
fn only_files_that_change_are_rewritten() {
    // Files of 1.0 1.1, 1.2 2.0, 2.1 5.0.
    let three = ("1 5; 2 5; 3 5; 5 5", "1 1 0; 1 1 1; 1 1 2; 2 2 0; 2 2 1; 5 5 0");
    check_kept(three, ("", ""), 3, 3);
    check_kept(three, ("1 4; 5 4", "9 1 0"), 3, 3);
    check_kept(three, ("3 6; 9 6", ""), 3, 3);
    check_kept(three, ("5 6", "9 5 0"), 2, 3);
    check_kept(three, ("1 6", ""), 1, 2);
    check_kept(three, ("1 6", "9 1 0"), 1, 3);
    check_kept(three, ("2 6", "9 2 0; 9 2 1; 9 2 2; 9 2 3"), 1, 5);
    check_kept(three, ("6 6", "9 6 0"), 3, 4);
    check_kept(three, ("0 6", "9 0 0"), 2, 4);
    check_kept(three, ("1 6; 2 6; 5 6", ""), 0, 1);
}

#[test]
fn one_row_may_have_more_elements_than_a_file_has_rows() {
    let many = |n: i64, count: i64| (0..count).map(|at| format!("{n} 2 {at};")).collect::<String>();
    let first = format!("1 1 0; {} 3 3 0", many(2, 9));
    let loads = [("1 5; 2 5; 3 5", first.as_str()), ("2 6", &many(4, 5)), ("2 7", &many(5, 7)), ("2 8", "")];
    check(&loads[..2], &format!("1 1 0; {} 3 3 0", many(4, 5)));
    check(&loads[..3], &format!("1 1 0; {} 3 3 0", many(5, 7)));
    check(&loads, "1 1 0; 3 3 0");
}

#[test]
fn files_that_shrink_become_one() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 10, ..Settings::default() }, "id");
    let rows = |sequence: i64, ids: std::ops::Range<i64>| ids.map(|id| format!("{id} {sequence};")).collect::<String>();
    let items: String = (0..10).flat_map(|id| (0..10).map(move |at| format!("{id} {id} {at};"))).collect();
    load(&mut table, &rows(1, 0..10), &items);
    assert_eq!(inodes(&path).len(), 10);
    for id in (0..10).rev() {
        load(&mut table, &rows(2, id..id + 1), &format!("{id} {id} 0"));
    }
    assert_eq!(check_order(&path, 10), (0..10).map(|id| [id, 0, id]).collect::<Vec<_>>());
    assert!(inodes(&path).len() <= 3, "{}", inodes(&path).len());
}

#[test]
fn a_subtable_without_rows_has_its_columns() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let path = root.path().join("orders");
        let mut table = Table::open(root.path(), Settings::default(), keys);
        let (columns, items) = match keys {
            "" => (
                "__sdc_primary_key:string",
                "n:integer _sdc_source_key___sdc_primary_key:string _sdc_level_0_id:integer",
            ),
            _ => (ROOT, ITEMS),
        };
        for _ in 0..2 {
            let mut load = table.plan(columns, "");
            add_subtable(&mut load, "items", items, "");
            table.lake.load(&load).unwrap();
            let files = parquet_files(&path.join("current/items"));
            let rows = read_file(&files[0]);
            assert_eq!((files.len(), rows.num_rows(), rows.num_columns()), (1, 0, 3));
        }
    }
}

#[test]
fn a_subtable_may_come_after_its_table() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), small_files(), "id");
    table.load(ROOT, "1 5; 2 5; 3 5");
    load(&mut table, "2 6", "20 2 0");
    let mut more = table.plan(ROOT, "1 6");
    add_subtable(&mut more, "items", ITEMS, "10 1 0");
    add_subtable(&mut more, "tags", ITEMS, "7 1 0");
    let state = table.lake.load(&more).unwrap();
    assert_eq!(read_subtable(&path, "items"), ["10 1 0", "20 2 0"]);
    assert_eq!(read_subtable(&path, "tags"), ["7 1 0"]);
    assert_eq!(read(&path).len(), 3);
    assert_eq!(state.subtables.iter().map(|subtable| subtable.name.as_str()).collect::<Vec<_>>(), ["items", "tags"]);
}

#[test]
fn subrows_without_keys_are_appended_in_order_and_their_files_merged() {
    const KEYLESS: &str = "__sdc_primary_key:string _sdc_sequence:integer";
    const ELEMENTS: &str = "n:integer _sdc_source_key___sdc_primary_key:string _sdc_level_0_id:integer";
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 1_000, ..Settings::default() }, "");
    let mut expected = Vec::new();
    for at in 0..70 {
        let key = format!("{}", 999 - at);
        let mut load = table.plan(KEYLESS, &format!("{key} 5"));
        let items = [format!("{at} {key} 0"), format!("{at} {key} 1")];
        add_subtable(&mut load, "items", ELEMENTS, &items.join(";"));
        table.lake.load(&load).unwrap();
        expected.extend(items);
        let small = parquet_files(&path.join("current/items")).len();
        assert!(small <= 15, "{small} files after load {at}");
    }
    assert_eq!(read_subtable(&path, "items"), expected);
}

#[test]
fn a_file_of_a_subtable_describes_itself() {
    let root = tempdir().unwrap();
    load(&mut Table::open(root.path(), Settings::default(), "id"), "1 5", "10 1 0");
    let file = File::open(&parquet_files(&root.path().join("orders/current/items"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let json = pairs.iter().find(|pair| pair.key == "selvedge.columns").and_then(|pair| pair.value.as_deref());
    assert_eq!(serde_json::from_str::<Vec<selvedge_core::Column>>(json.unwrap()).unwrap(), columns_of(ITEMS));
    let sorting = reader.metadata().row_group(0).sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|by| by.column_idx).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn readers_of_the_rows_do_not_see_the_subrows() {
    // As a file is called, and with more after it.
    for name in ["orders__a.parquet", "orders__a.parquet_", "orders__A.PARQUET__", "current", "manifest", "a b"] {
        let root = tempdir().unwrap();
        let path = root.path().join("orders");
        let mut table = Table::open(root.path(), Settings::default(), "id");
        for sequence in 1..3 {
            let mut load = table.plan(ROOT, &format!("1 {sequence}"));
            add_subtable(&mut load, name, ITEMS, &format!("{sequence} 1 0"));
            table.lake.load(&load).unwrap();
            let handed = look(root.path(), &table.name, Part::Subtable(name)).unwrap().unwrap();
            let rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
            assert_eq!(rows, [format!("{sequence} 1 0")], "{name}");
            assert!(files(&path).iter().all(|file| file.is_file()), "{name}: {:?}", files(&path));
            assert_eq!(read(&path), [format!("1 {sequence}")], "{name}");
        }
    }
}

#[test]
fn names_that_differ_have_folders_that_differ() {
    let names = ["a.parquet", "a.parquet_", "a.parquet__", "a", "a_"];
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let mut load = table.plan(ROOT, "1 1");
    for (at, name) in names.iter().enumerate() {
        add_subtable(&mut load, name, ITEMS, &format!("{at} 1 0"));
    }
    table.lake.load(&load).unwrap();
    for (at, name) in names.iter().enumerate() {
        let handed = look(root.path(), &table.name, Part::Subtable(name)).unwrap().unwrap();
        assert_eq!(handed.iter().flat_map(|(_, batch)| text_of(batch)).collect::<Vec<_>>(), [format!("{at} 1 0")]);
    }
}

/// Loads what has to be refused, and looks that nothing is left of it, and that nothing is beside the lake.
fn check_refused(says: &str, name: &str, items: &str) {
    let outer = tempdir().unwrap();
    let root = outer.path().join("lake");
    let mut table = Table::open(&root, Settings::default(), "id");
    let state = load(&mut table, "1 5", "10 1 0");
    let mut refused = table.plan(ROOT, "1 6; 2 6");
    add_subtable(&mut refused, "items", ITEMS, if name == "items" { items } else { "" });
    if name != "items" {
        add_subtable(&mut refused, name, ITEMS, items);
    }
    let error = table.lake.load(&refused).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Refused, Applied::No), "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert_eq!(fs::read_dir(root.join("orders/.generations")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
    assert_eq!(read_subtable(&root.join("orders"), "items"), ["10 1 0"]);
}

#[test]
fn a_load_that_would_spoil_the_files_is_refused() {
    check_refused("not in the order of their keys", "items", "1 1 1; 1 1 0");
    check_refused("not in the order of their keys", "items", "1 2 0; 1 1 0");
    check_refused("not in the order of their keys", "items", "1 1 0; 1 1 0");
    for name in ["../items", "..", ".", "", "/items", "a/b", "a\0", "_sdc_rejected", "_SDC_rejected"] {
        check_refused("has a name that none may have", name, "1 1 0");
    }
}

#[test]
fn a_subtable_does_not_go_away() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let state = load(&mut table, "1 5", "10 1 0");
    let error = table.try_load(ROOT, "1 6").unwrap_err();
    assert!(error.to_string().contains("a way Parquet files do not support"), "{error}");
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
}

#[test]
fn a_subtable_that_is_none_has_no_rows() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let state = load(&mut table, "1 5", "10 1 0");
    for name in ["tags", "../000000000001", "../../current", "_sdc_rejected", ""] {
        let mut reader = ParquetReader::open(root.path()).unwrap();
        let found =
            reader.read(&table.name, Part::Subtable(name), &mut |_, batch| panic!("{name}: {batch:?}")).unwrap();
        assert_eq!(found.as_ref(), Some(&state));
    }
}

#[test]
fn looking_at_a_subtable_that_is_swept_meanwhile_is_to_be_tried_again() {
    let root = tempdir().unwrap();
    let settings = Settings { keep_outdated: Duration::ZERO, ..small_files() };
    let mut table = Table::open(root.path(), settings, "id");
    load(&mut table, "1 5; 2 5; 3 5", "1 1 0; 1 1 1; 2 2 0; 3 3 0");
    let name = table.name.clone();
    let mut reader = ParquetReader::open(root.path()).unwrap();
    let error = reader
        .read(&name, Part::Subtable("items"), &mut |_, _| {
            load(&mut table, "4 5", "4 4 0");
            load(&mut table, "5 5", "5 5 0");
            std::ops::ControlFlow::Continue(())
        })
        .unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Unavailable, "{error}");
    let seen = look(root.path(), &name, Part::Subtable("items")).unwrap().unwrap();
    assert_eq!(seen.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), 6);
}

/// For each key of a load, its sequence and how many elements it has.
type Rows = BTreeMap<i64, (i64, i64)>;

fn loads() -> impl Strategy<Value = Vec<Rows>> {
    let elements = || prop_oneof![Just(0_i64), 1..4_i64, 1..30_i64];
    let scattered = btree_map(0..60_i64, (0..9_i64, elements()), 0..12);
    let near = (0..55_i64).prop_flat_map(move |from| btree_map(from..from + 5, (0..9_i64, elements()), 0..5));
    vec(prop_oneof![scattered, near], 1..12)
}

fn check_model(loads: &[Rows]) {
    const ROWS_PER_FILE: usize = 8;
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let settings = Settings { rows_per_file: ROWS_PER_FILE as u64, ..Settings::default() };
    let mut table = Table::open(root.path(), settings, "id");
    let mut model = BTreeMap::new();
    for (number, rows) in loads.iter().enumerate() {
        let roots: String = rows.iter().map(|(id, (sequence, _))| format!("{id} {sequence};")).collect();
        let subrows = |(id, (_, elements)): (&i64, &(i64, i64))| {
            (0..*elements).map(|at| format!("{number} {id} {at};")).collect::<String>()
        };
        load(&mut table, &roots, &rows.iter().map(subrows).collect::<String>());
        for (&id, &(sequence, elements)) in rows {
            if model.get(&id).is_none_or(|(stored, _, _)| *stored <= sequence) {
                model.insert(id, (sequence, elements, number as i64));
            }
        }
        let expected: Vec<_> = model
            .iter()
            .flat_map(|(&id, &(_, elements, number))| (0..elements).map(move |at| [id, at, number]))
            .collect();
        assert_eq!(check_order(&path, ROWS_PER_FILE), expected, "after load {number}");
        assert!(parquet_files(&path.join("current/items")).len() <= 2 + expected.len() / 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_loads_give_the_subrows_of_a_map(loads in loads()) {
        check_model(&loads);
    }
}
