//! Objects and arrays as structs and lists: the same tables in other files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_core::{Column, Destination, Inspect, Part, Subtable, TableState};
use selvedge_parquet::{Nesting, ParquetReader, Settings};
use tempfile::tempdir;

use crate::table::{Table, add_subtable, columns_of, files, look, read_file, reject_files, rejects, text_of};

/// What a load brings: the columns and rows of the table, then of each subtable.
type Load<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str, &'a str)]);

const KEY: &str = "_sdc_source_key_id:integer _sdc_level_0_id:integer";

fn open(root: &Path, nesting: Nesting, rows_per_file: u64, keys: &str) -> Table {
    Table::open(root, Settings { nesting, rows_per_file, ..Settings::default() }, keys)
}

fn load(table: &mut Table, (columns, rows, subtables): Load<'_>) -> TableState {
    let mut load = table.plan(columns, rows);
    for (name, columns, rows) in subtables {
        add_subtable(&mut load, name, columns, rows);
    }
    let state = table.lake.load(&load).unwrap();
    assert_eq!(table.lake.state(&table.name).unwrap().as_ref(), Some(&state));
    state
}

/// Each row as a reader of the files sees it, having checked that all files have one schema; and the fields of that.
fn stored(table: &Path) -> (Vec<String>, Vec<String>) {
    let batches: Vec<_> = files(table).iter().map(|file| read_file(file)).collect();
    assert!(batches.iter().all(|batch| batch.schema() == batches[0].schema()));
    let mut rows: Vec<_> = batches.iter().flat_map(rows_of).collect();
    rows.sort();
    let schema = batches[0].schema();
    (schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect(), rows)
}

fn rows_of(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new().with_null("-");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ");
    (0..batch.num_rows()).map(row).collect()
}

/// Loads in turn, in files of one row and in one file, with and without keys, and compares the files.
fn check_stored(loads: &[Load<'_>], fields: &[&str], rows: &[&str]) {
    for rows_per_file in [1, 1_000] {
        let root = tempdir().unwrap();
        let mut table = open(root.path(), Nesting::Native, rows_per_file, "id");
        loads.iter().for_each(|next| drop(load(&mut table, *next)));
        let (found_fields, found_rows) = stored(&root.path().join("orders"));
        assert_eq!(found_fields, fields);
        assert_eq!(found_rows, rows);
        let entries = fs::read_dir(root.path().join("orders/current")).unwrap();
        assert!(
            entries.map(Result::unwrap).all(|entry| entry.file_type().unwrap().is_file()),
            "a folder in the generation"
        );
    }
}

#[test]
fn objects_are_structs_and_arrays_lists() {
    let items: &[_] = &[
        ("items", &*format!("n:integer {KEY}"), "7 1 0; 8 1 1; 9 3 0"),
        ("tags", &*format!("value:string {KEY}"), "a 2 0; b 2 1"),
    ];
    check_stored(
        &[("id:integer address__city:string _sdc_sequence:integer", "1 Ice 5; 2 - 5; 3 - 5", items)],
        &[
            "id: Int64",
            r#"address: Struct("city": Utf8)"#,
            r#"items: List(Struct("n": Int64))"#,
            "tags: List(Utf8)",
            "_sdc_sequence: Int64",
        ],
        &["1 {city: Ice} [{n: 7}, {n: 8}] - 5", "2 - - [a, b] 5", "3 - [{n: 9}] - 5"],
    );
}

#[test]
fn arrays_stand_in_arrays() {
    let deep = format!("value:integer {KEY} _sdc_level_1_id:integer");
    let subtables: &[_] = &[
        ("items", &*format!("n:integer {KEY}"), "7 1 0; 8 1 1"),
        ("items__tags", &*deep, "70 1 0 0; 71 1 0 1; 80 1 1 0"),
    ];
    check_stored(
        &[("id:integer _sdc_sequence:integer", "1 5", subtables)],
        &["id: Int64", r#"items: List(Struct("n": Int64, "tags": List(Int64)))"#, "_sdc_sequence: Int64"],
        &["1 [{n: 7, tags: [70, 71]}, {n: 8, tags: [80]}] 5"],
    );
}

#[test]
fn a_row_is_replaced_with_what_is_in_it() {
    let items = format!("n:integer {KEY}");
    let columns = "id:integer _sdc_sequence:integer";
    let first: Load<'_> = (columns, "1 5; 2 5; 3 5", &[("items", &items, "7 1 0; 8 1 1; 9 3 0")]);
    let fields = ["id: Int64", r#"items: List(Struct("n": Int64))"#, "_sdc_sequence: Int64"];
    check_stored(
        &[first, (columns, "1 6; 4 6", &[("items", &items, "70 1 0; 40 4 0")])],
        &fields,
        &["1 [{n: 70}] 6", "2 - 5", "3 [{n: 9}] 5", "4 [{n: 40}] 6"],
    );
    check_stored(
        &[first, (columns, "1 4; 3 6", &[("items", &items, "70 1 0")])],
        &fields,
        &["1 [{n: 7}, {n: 8}] 5", "2 - 5", "3 - 6"],
    );
}

#[test]
fn stored_rows_follow_changes_at_any_depth() {
    let (narrow, wide) = (format!("n:integer {KEY}"), format!("n:double {KEY} at__x:integer"));
    let deep = format!("value:string {KEY} _sdc_level_1_id:integer");
    let first = "id:integer address__city:string _sdc_sequence:integer n:integer";
    let then = "id:integer address__city:string _sdc_sequence:integer n:decimal(1) address__zip:string";
    check_stored(
        &[
            (first, "1 Ice 5 1; 2 - 5 -", &[("items", &narrow, "7 1 0; 8 1 1")]),
            (then, "3 - 5 0.5 x", &[("items", &wide, "0.5 3 0 6"), ("items__tags", &deep, "a 3 0 0")]),
        ],
        &[
            "id: Int64",
            r#"address: Struct("city": Utf8, "zip": Utf8)"#,
            "n: Decimal128(38, 1)",
            r#"items: List(Struct("n": Float64, "at": Struct("x": Int64), "tags": List(Utf8)))"#,
            "_sdc_sequence: Int64",
        ],
        &[
            "1 {city: Ice, zip: -} 1.0 [{n: 7.0, at: -, tags: -}, {n: 8.0, at: -, tags: -}] 5",
            "2 - - - 5",
            "3 {city: -, zip: x} 0.5 [{n: 0.5, at: {x: 6}, tags: [a]}] 5",
        ],
    );
}

#[test]
fn scalars_may_become_objects() {
    let (scalars, objects) = (format!("value:string {KEY}"), format!("value:string {KEY} n:integer"));
    let columns = "id:integer _sdc_sequence:integer";
    check_stored(
        &[
            (columns, "1 5", &[("tags", &scalars, "a 1 0")]),
            (columns, "2 5", &[("tags", &objects, "- 2 0 7; b 2 1 -")]),
        ],
        &["id: Int64", r#"tags: List(Struct("value": Utf8, "n": Int64))"#, "_sdc_sequence: Int64"],
        &["1 [{value: a, n: -}] 5", "2 [{value: -, n: 7}, {value: b, n: -}] 5"],
    );
}

#[test]
fn an_empty_table_has_its_columns() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let columns = "id:integer __sdc_primary_key:string address__city:string";
        let items = match keys {
            "" => "n:integer _sdc_source_key___sdc_primary_key:string _sdc_level_0_id:integer",
            _ => "n:integer _sdc_source_key_id:integer _sdc_level_0_id:integer",
        };
        load(&mut open(root.path(), Nesting::Native, 1_000, keys), (columns, "", &[("items", items, "")]));
        let files = files(&root.path().join("orders"));
        let rows = read_file(&files[0]);
        assert_eq!((files.len(), rows.num_rows(), rows.num_columns()), (1, 0, 4));
    }
}

#[test]
fn rows_without_keys_are_appended_with_what_is_in_them() {
    const ITEMS: &str = "n:integer _sdc_source_key___sdc_primary_key:string _sdc_level_0_id:integer";
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = open(root.path(), Nesting::Native, 100, "");
    for at in 0..20 {
        let rows = format!("k{at:02} {at}; l{at:02} {at}");
        let items = format!("{at} k{at:02} 0; {at} k{at:02} 1");
        load(&mut table, ("__sdc_primary_key:string n:integer", &rows, &[("items", ITEMS, &items)]));
    }
    let expected: Vec<_> = (0..20)
        .flat_map(|at| [format!("{at} [{{n: {at}}}, {{n: {at}}}] k{at:02}"), format!("{at} - l{at:02}")])
        .collect();
    assert_eq!(files(&path).iter().flat_map(|file| rows_of(&read_file(file))).collect::<Vec<_>>(), expected);
    assert!(files(&path).len() < 15, "{}", files(&path).len());
}

#[test]
fn only_files_that_change_are_rewritten() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let inodes = || files(&path).iter().map(|file| fs::metadata(file).unwrap().ino()).collect::<Vec<_>>();
    let (columns, items) = ("id:integer _sdc_sequence:integer", format!("n:integer {KEY}"));
    let mut table = open(root.path(), Nesting::Native, 2, "id");
    load(&mut table, (columns, "1 5; 2 5; 3 5; 4 5; 5 5; 6 5", &[("items", &items, "7 1 0; 8 3 0")]));
    let before = inodes();
    load(&mut table, (columns, "3 6; 5 4", &[("items", &items, "9 3 0; 9 5 0")]));
    let after = inodes();
    assert_eq!((before.iter().filter(|file| after.contains(file)).count(), after.len()), (2, 3));
}

#[test]
fn a_table_stays_as_it_was_made() {
    let items = format!("n:integer {KEY}");
    let columns = "id:integer address__city:string _sdc_sequence:integer";
    for (made, opened) in [(Nesting::Flat, Nesting::Native), (Nesting::Native, Nesting::Flat)] {
        let root = tempdir().unwrap();
        load(&mut open(root.path(), made, 1_000, "id"), (columns, "1 Ice 5", &[("items", &items, "7 1 0")]));
        let mut table = open(root.path(), opened, 1_000, "id");
        load(&mut table, (columns, "2 Sea 5", &[("items", &items, "8 2 0")]));
        let (fields, _) = stored(&root.path().join("orders"));
        assert_eq!(fields.iter().any(|field| field.contains("List")), made == Nesting::Native, "{fields:?}");
        assert_eq!(root.path().join("orders/current/items").exists(), made == Nesting::Flat);
        assert_eq!(seen(root.path(), &table)[0], ["1 Ice 5", "2 Sea 5"]);
        assert_eq!(seen(root.path(), &table)[1], ["7 1 0", "8 2 0"]);
    }
}

#[test]
fn a_file_describes_itself() {
    let root = tempdir().unwrap();
    let items = format!("n:integer {KEY}");
    let columns = "address__city:string address__zip:string id:integer _sdc_sequence:integer";
    let state = load(
        &mut open(root.path(), Nesting::Native, 1_000, "id"),
        (columns, "Ice 9 1 5", &[("items", &items, "7 1 0")]),
    );
    let file = File::open(&files(&root.path().join("orders"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let json = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref()).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Column>>(json("selvedge.columns")).unwrap(), columns_of(columns));
    assert_eq!(serde_json::from_str::<Vec<Subtable>>(json("selvedge.subtables")).unwrap(), state.subtables);
    // The columns of the file are address.city, address.zip, id, items.n and _sdc_sequence.
    let group = reader.metadata().row_group(0);
    assert_eq!(group.column(2).column_path().string(), "id");
    let sorting = group.sorting_columns().unwrap();
    assert_eq!(sorting.iter().map(|by| by.column_idx).collect::<Vec<_>>(), [2]);
}

/// A column at any depth is encoded as it would be in a file of its own.
#[test]
fn what_is_nested_is_encoded_by_what_it_holds() {
    let root = tempdir().unwrap();
    let rows: String = (0..5_000).map(|id| format!("{id} Ice x{id};")).collect();
    let items: String = (0..5_000).map(|id| format!("{id} {id} 0 x;")).collect();
    let items_columns = format!("n:integer {KEY} at__color:string");
    let mut table = open(root.path(), Nesting::Native, 10_000, "id");
    load(&mut table, ("id:integer a__city:string a__name:string", &rows, &[("items", &items_columns, &items)]));
    let file = File::open(&files(&root.path().join("orders"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let columns = reader.metadata().row_group(0).columns().iter();
    let encoded: BTreeMap<_, _> = columns
        .map(|column| {
            let delta = column.encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED);
            let compressed = matches!(column.compression(), Compression::ZSTD(_));
            (column.column_path().string(), (delta, column.dictionary_page_offset().is_some(), compressed))
        })
        .collect();
    let expected = [
        ("a.city", (false, true, true)),
        ("a.name", (false, false, true)),
        ("id", (true, false, true)),
        ("items.list.item.at.color", (false, true, true)),
        ("items.list.item.n", (true, false, true)),
    ];
    assert_eq!(encoded, expected.map(|(path, how)| (path.to_owned(), how)).into_iter().collect());
    assert_eq!(seen(root.path(), &table).iter().map(Vec::len).collect::<Vec<_>>(), [5_000, 5_000]);
}

#[test]
fn rejects_are_kept_beside_nested_rows() {
    let root = tempdir().unwrap();
    let mut table = open(root.path(), Nesting::Native, 1_000, "id");
    for numbers in [0..2, 2..3] {
        let mut load = table.plan("id:integer a__b:integer", "1 2");
        load.rejects = rejects(numbers);
        table.lake.load(&load).unwrap();
    }
    let path = root.path().join("orders");
    let stored: Vec<_> = reject_files(&path).iter().flat_map(|file| text_of(&read_file(file))).collect();
    let handed = look(root.path(), &table.name, Part::Rejects).unwrap().unwrap();
    assert_eq!(handed.iter().flat_map(|(_, batch)| text_of(batch)).collect::<Vec<_>>(), stored);
    assert_eq!(stored, text_of(&rejects(0..3)));
}

/// The rows, then those of each subtable, as [`ParquetReader`] hands them out: with the columns of the state, in any order.
fn seen(root: &Path, table: &Table) -> Vec<Vec<String>> {
    let state = ParquetReader::open(root).unwrap().count(&table.name).unwrap().unwrap().state;
    let subtables = state.subtables.iter().map(|subtable| (Part::Subtable(&subtable.name), &subtable.columns));
    let parts = [(Part::Rows, &state.columns)].into_iter().chain(subtables);
    let rows = |(part, columns): (Part<'_>, &Vec<Column>)| {
        let handed = look(root, &table.name, part).unwrap().unwrap();
        assert!(handed.iter().all(|(_, batch)| batch.schema() == selvedge_core::schema(columns)), "{part:?}");
        let mut rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
        rows.sort();
        rows
    };
    parts.map(rows).collect()
}

/// The shapes a table grows through: columns, those of `items`, those of `items__tags`.
const SHAPES: [(&str, &str, &str); 4] = [
    ("id:integer _sdc_sequence:integer", "", ""),
    ("id:integer _sdc_sequence:integer a__b:integer", "n:integer", ""),
    ("id:integer _sdc_sequence:integer a__b:double a__c__d:integer", "n:integer", "value:integer"),
    (
        "id:integer _sdc_sequence:integer a__b:double a__c__d:integer",
        "n:decimal(2) at__x:integer",
        "value:decimal at__y:integer",
    ),
];

/// The shape a load brings or finds, and for each of its keys, the sequence and the number of elements.
type Grown = (usize, BTreeMap<i64, (i64, i64)>);

fn loads() -> impl Strategy<Value = Vec<Grown>> {
    vec((0..SHAPES.len(), btree_map(0..20_i64, (0..9_i64, 0..4_i64), 0..10)), 1..8)
}

fn values(columns: usize, number: i64) -> String {
    (0..columns as i64)
        .map(|at| if (number + at) % 3 == 0 { "-".to_owned() } else { (number + at).to_string() })
        .collect::<Vec<_>>()
        .join(" ")
}

fn load_grown(table: &mut Table, shape: usize, number: i64, rows: &BTreeMap<i64, (i64, i64)>) -> TableState {
    let (columns, items, tags) = SHAPES[shape];
    let width = |columns: &str| columns.split_whitespace().count();
    let (mut roots, mut item_rows, mut tag_rows) = (String::new(), String::new(), String::new());
    for (id, (sequence, elements)) in rows {
        roots += &format!("{id} {sequence} {};", values(width(columns) - 2, number + id));
        for at in 0..*elements {
            item_rows += &format!("{id} {at} {};", values(width(items), number + at));
            for deep in 0..at {
                tag_rows += &format!("{id} {at} {deep} {};", values(width(tags), number + deep + 1));
            }
        }
    }
    let (items_columns, tags_columns) = (format!("{KEY} {items}"), format!("{KEY} _sdc_level_1_id:integer {tags}"));
    let subtables = [("items", &*items_columns, &*item_rows), ("items__tags", &*tags_columns, &*tag_rows)];
    let some = [items, tags].iter().filter(|columns| !columns.is_empty()).count();
    load(table, (columns, &roots, &subtables[..some]))
}

/// The same loads into flat and into nested files are the same to whoever looks.
fn check_alike(loads: &[Grown]) {
    let roots = [tempdir().unwrap(), tempdir().unwrap()];
    let mut flat = open(roots[0].path(), Nesting::Flat, 4, "id");
    let mut nested = open(roots[1].path(), Nesting::Native, 4, "id");
    let mut shape = 0;
    for (number, (reached, rows)) in loads.iter().enumerate() {
        shape = shape.max(*reached);
        let states = [&mut flat, &mut nested].map(|table| load_grown(table, shape, number as i64, rows));
        assert_eq!(states[0].counts, states[1].counts);
        assert_eq!(seen(roots[0].path(), &flat), seen(roots[1].path(), &nested), "after load {number}");
    }
    assert!(!roots[1].path().join("orders/current/items").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn flat_and_nested_files_are_the_same_to_whoever_looks(loads in loads()) {
        check_alike(&loads);
    }
}
