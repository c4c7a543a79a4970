//! What deletes take away, and what their tombstones keep from coming back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use selvedge_core::{Column, ColumnType, Destination, Nesting, TableLoad, schema, system};

use crate::fixture::{Warehouse, column, integration_table, plan, table};
use crate::life::{Record, delete, load, row, stored};

/// Applies the loads one after the other, then compares what stands and the counts: loaded, superseded, live rows.
fn check(loads: &[&[Record]], expected: &str) {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        let mut counts = None;
        for records in loads {
            counts = Some(load(&mut warehouse, records, None).counts);
        }
        let counts = counts.unwrap();
        let stored = stored(&warehouse, nesting);
        let found = format!("{stored} | {} {} {}", counts.loaded, counts.superseded, counts.live_rows);
        assert_eq!(found, expected, "{nesting:?}");
    }
}

#[test]
fn a_delete_takes_the_row_and_its_elements_away() {
    check(&[&[row(1, None, 5), row(2, None, 5)], &[delete(1, None, 6)]], "2 null 5 | 2@5 | [1] null 6 | 3 0 1");
}

#[test]
fn a_key_that_never_stood_leaves_a_tombstone() {
    check(&[&[row(2, None, 5)], &[delete(1, None, 6)]], "2 null 5 | 2@5 | [1] null 6 | 2 0 1");
    check(&[&[delete(1, None, 6)]], " |  | [1] null 6 | 1 0 0");
}

/// Rows that somebody inserted by hand are not counted, and are deleted all the same.
#[test]
fn a_key_stands_once_whatever_the_count_of_rows_is() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[row(1, None, 5)], None);
    warehouse.execute("INSERT INTO orders (id, _sdc_sequence) VALUES (2, 5)");
    assert_eq!(load(&mut warehouse, &[delete(2, None, 6)], None).counts.live_rows, 0);
    load(&mut warehouse, &[row(1, None, 6)], None);
    assert_eq!(stored(&warehouse, Nesting::Flat), "1 null 6 | 1@6 | [2] null 6");
}

#[test]
fn an_older_row_that_comes_late_stays_away() {
    check(&[&[row(1, None, 5)], &[delete(1, None, 7)], &[row(1, None, 6)]], " |  | [1] null 7 | 2 1 0");
    check(&[&[delete(1, None, 7)], &[row(1, None, 6), row(2, None, 6)]], "2 null 6 | 2@6 | [1] null 7 | 2 1 1");
}

#[test]
fn a_newer_row_takes_the_place_of_the_tombstone() {
    check(&[&[row(1, None, 5)], &[delete(1, None, 7)], &[row(1, None, 8)]], "1 null 8 | 1@8 |  | 3 0 1");
    check(&[&[delete(1, None, 7), delete(2, None, 7)], &[row(1, None, 8)]], "1 null 8 | 1@8 | [2] null 7 | 3 0 1");
}

#[test]
fn an_older_delete_has_no_effect() {
    check(&[&[row(1, None, 5)], &[delete(1, None, 4)]], "1 null 5 | 1@5 |  | 1 1 1");
    check(&[&[delete(1, None, 5)], &[delete(1, None, 4)]], " |  | [1] null 5 | 1 1 0");
}

#[test]
fn a_newer_delete_takes_the_place_of_the_tombstone() {
    check(&[&[delete(1, None, 5)], &[delete(1, None, 6)], &[row(1, None, 5)]], " |  | [1] null 6 | 2 1 0");
}

#[test]
fn of_two_that_are_equally_new_the_later_stays() {
    check(&[&[row(1, None, 5)], &[delete(1, None, 5)]], " |  | [1] null 5 | 2 0 0");
    check(&[&[row(1, None, 5)], &[delete(1, None, 5)], &[row(1, None, 5)]], "1 null 5 | 1@5 |  | 3 0 1");
}

#[test]
fn the_table_version_weighs_more_than_the_sequence() {
    check(&[&[delete(1, Some(2), 1)], &[row(1, Some(1), 9)]], " |  | [1] 2 1 | 1 1 0");
    check(&[&[row(1, Some(2), 1)], &[delete(1, Some(1), 9)]], "1 2 1 | 1@1 |  | 1 1 1");
    check(&[&[delete(1, Some(1), 9)], &[row(1, Some(2), 1)]], "1 2 1 | 1@1 |  | 2 0 1");
}

#[test]
fn no_table_version_is_below_every_other() {
    let min = i64::MIN;
    check(&[&[delete(1, None, 9)], &[row(1, Some(min), 1)]], &format!("1 {min} 1 | 1@1 |  | 2 0 1"));
    check(&[&[delete(1, Some(min), 1)], &[row(1, None, 9)]], &format!(" |  | [1] {min} 1 | 1 1 0"));
    check(&[&[row(1, None, 9)], &[delete(1, Some(min), 1)]], &format!(" |  | [1] {min} 1 | 2 0 0"));
}

#[test]
fn rows_and_deletes_come_in_one_load() {
    check(
        &[
            &[row(1, None, 5), row(2, None, 5), row(3, None, 5)],
            &[delete(1, None, 6), row(2, None, 6), delete(3, None, 4), delete(4, None, 1), row(5, None, 1)],
        ],
        "2 null 6; 3 null 5; 5 null 1 | 2@6; 3@5; 5@1 | [1] null 6; [4] null 1 | 7 1 3",
    );
}

/// Three keys of a table with these columns: one stays, one is deleted, one is deleted and comes back.
fn check_key(keys: Vec<(Column, ArrayRef)>, deleted: &str) {
    let mut warehouse = Warehouse::new();
    let names: Vec<&str> = keys.iter().map(|(column, _)| column.name.as_str()).collect();
    let mut load = |at: usize, count: usize, sequence: i64, is_delete: bool| {
        let found = warehouse.destination.state(&table("t")).unwrap();
        let sequences: ArrayRef = Arc::new(Int64Array::from(vec![sequence; count]));
        let brought = keys.iter().map(|(column, values)| (column.clone(), values.slice(at, count)));
        let mut brought: Vec<(Column, ArrayRef)> = brought.collect();
        brought.push((column(system::SEQUENCE, ColumnType::Integer), sequences));
        let load = plan(&table("t"), found, &names, brought);
        let load = if is_delete { of_deletes(&load) } else { load };
        warehouse.destination.load(&load).unwrap().counts.live_rows
    };
    assert_eq!(load(0, 3, 5, false), 3);
    assert_eq!(load(1, 2, 6, true), 1);
    assert_eq!(load(0, 3, 4, false), 1);
    assert_eq!(load(2, 1, 7, false), 2);
    assert_eq!(warehouse.query("SELECT key FROM _sdc_tombstones"), deleted);
    assert_eq!(warehouse.query("SELECT _sdc_sequence FROM t ORDER BY 1"), "5\n7");
}

/// A load that deletes the keys of another's rows.
fn of_deletes(load: &TableLoad) -> TableLoad {
    let columns = load.tombstone_columns();
    let values = columns.iter().map(|column| match load.rows.column_by_name(&column.name) {
        Some(values) => Arc::clone(values),
        None => arrow::array::new_null_array(&column.column_type.arrow(), load.rows.num_rows()),
    });
    let deletes = RecordBatch::try_new(schema(&columns), values.collect()).unwrap();
    TableLoad { deletes, rows: load.rows.slice(0, 0), ..load.clone() }
}

#[test]
fn keys_are_told_apart_exactly() {
    let key = |name: &str, column_type, values: ArrayRef| (column(name, column_type), values);
    let texts: [ArrayRef; 2] = [
        Arc::new(StringArray::from(vec![r#"a","b"#, r#"a"#, r"\"])),
        Arc::new(StringArray::from(vec!["c", r#"b","c"#, r#"""#])),
    ];
    let [first, second] = texts;
    let composite = vec![key("a \"1\"", ColumnType::String, first), key("b", ColumnType::String, second)];
    check_key(composite, r#"["a","b\",\"c"]"#);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["", r#"\" 'ä'"#, "\n"]));
    check_key(vec![key("k", ColumnType::String, texts)], r#"["\\\" 'ä'"]"#);
    let decimals = Decimal128Array::from(vec![150, -1_500, 1_500]).with_precision_and_scale(38, 2).unwrap();
    check_key(vec![key("k", ColumnType::Decimal { scale: 2 }, Arc::new(decimals))], "[-15.00]");
    let moments = TimestampMicrosecondArray::from(vec![0, -1, i64::from(i32::MAX)]).with_timezone("UTC");
    check_key(vec![key("k", ColumnType::Timestamp, Arc::new(moments))], "[-1]");
    check_key(vec![key("k", ColumnType::Date, Arc::new(Date32Array::from(vec![0, -1, 9])))], "[-1]");
    check_key(vec![key("k", ColumnType::Time, Arc::new(Time64MicrosecondArray::from(vec![0, 1, 9])))], "[1]");
    check_key(vec![key("k", ColumnType::Double, Arc::new(Float64Array::from(vec![0.1, 1e300, -2.0])))], "[1e300]");
    let numbers = Arc::new(Int64Array::from(vec![1, i64::MIN, i64::MAX]));
    check_key(vec![key("k", ColumnType::Integer, numbers)], &format!("[{}]", i64::MIN));
    let (flags, numbers): (ArrayRef, ArrayRef) =
        (Arc::new(BooleanArray::from(vec![true, false, true])), Arc::new(Int64Array::from(vec![1, 1, 2])));
    check_key(vec![key("k", ColumnType::Boolean, flags), key("n", ColumnType::Integer, numbers)], "[false,1]");
}

#[test]
fn tombstones_stand_beside_the_tables_of_their_integration() {
    let mut warehouse = Warehouse::new();
    for name in [table("t"), integration_table("shop", "t"), integration_table("shop", "u")] {
        let brought = || vec![(column("id", ColumnType::Integer), Arc::new(Int64Array::from(vec![1])) as ArrayRef)];
        let state = warehouse.load(&name, &["id"], brought()).unwrap();
        warehouse.destination.load(&of_deletes(&plan(&name, Some(state), &["id"], brought()))).unwrap();
    }
    let tables = "SELECT schema_name FROM duckdb_tables() WHERE table_name = '_sdc_tombstones' ORDER BY 1";
    assert_eq!(warehouse.query(tables), "main\nshop");
    assert_eq!(warehouse.query("SELECT table_name, key FROM shop._sdc_tombstones ORDER BY 1"), "t [1]\nu [1]");
    assert_eq!(
        warehouse.query("SELECT column_name, column_type FROM (DESCRIBE _sdc_tombstones)"),
        "table_name VARCHAR\nkey VARCHAR\n_sdc_sequence BIGINT\n_sdc_table_version BIGINT\n\
         _sdc_deleted_at TIMESTAMP WITH TIME ZONE"
    );
}

#[test]
fn the_table_of_tombstones_is_made_with_the_first_one() {
    let mut warehouse = Warehouse::new();
    let tables = "SELECT table_name FROM duckdb_tables() ORDER BY 1";
    load(&mut warehouse, &[row(1, None, 5)], None);
    load(&mut warehouse, &[delete(1, None, 4)], None);
    assert_eq!(warehouse.query(tables), "_sdc_tables\norders\norders__items");
    load(&mut warehouse, &[delete(1, None, 6)], None);
    assert_eq!(warehouse.query(tables), "_sdc_tables\n_sdc_tombstones\norders\norders__items");
    assert_eq!(warehouse.query("SELECT _sdc_deleted_at FROM _sdc_tombstones"), "1970-01-01 00:00:00.000001+00");
}

/// More rows and tombstones than DuckDB takes in one piece.
#[test]
fn counts_are_exact_in_large_loads() {
    let mut warehouse = Warehouse::new();
    let all = |ids: std::ops::Range<i64>, made: fn(i64, Option<i64>, i64) -> Record, sequence| -> Vec<Record> {
        ids.map(|id| made(id, None, sequence)).collect()
    };
    load(&mut warehouse, &all(0..10_000, row, 5), None);
    let counts = load(&mut warehouse, &all(5_000..15_000, delete, 6), None).counts;
    assert_eq!((counts.loaded, counts.superseded, counts.live_rows), (20_000, 0, 5_000));
    load(&mut warehouse, &all(9_000..16_000, row, 5), None);
    let counts = load(&mut warehouse, &all(14_000..15_000, row, 6), None).counts;
    assert_eq!((counts.loaded, counts.superseded, counts.live_rows), (22_000, 6_000, 7_000));
    assert_eq!(warehouse.query("SELECT count(*), count(DISTINCT key) FROM _sdc_tombstones"), "9000 9000");
    assert_eq!(warehouse.query("SELECT count(*), min(value), max(value) FROM orders__items"), "7000 0@5 9@5");
}
