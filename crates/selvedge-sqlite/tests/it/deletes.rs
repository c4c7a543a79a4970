//! Deletes: what they take away, what they leave, and which records still count afterwards.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, RecordBatch, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use selvedge_core::{Column, ColumnType, Counts, Destination, Removal, TableLoad, schema};

use crate::database::{Database, column, integers, plan, table, table_of, texts};
use crate::life::{Load, Record, check_stands, deletes, load, tombstone_tables};

/// Makes these loads of (rows, deletes): expects these rows and tombstones, and as many records (loaded, superseded).
#[track_caller]
fn check(loads: &[(&[Record], &[Record])], rows: &[Record], tombstones: &[Record], counts: (u64, u64)) {
    let mut database = Database::new();
    let mut state = None;
    for (rows, deletes) in loads {
        state = Some(load(&mut database, &Load { rows, deletes, ..Load::default() }));
    }
    check_stands(&database, rows, tombstones);
    let (loaded, superseded) = counts;
    let expected = Counts { loaded, superseded, rejected: 0, live_rows: rows.len() as u64 };
    assert_eq!(state.as_ref().map(|state| state.counts), Some(expected));
    assert_eq!(database.state(&table("orders")), state);
}

#[test]
fn a_delete_takes_its_row_away_with_the_subrows_and_leaves_a_tombstone() {
    let first: &[Record] = &[(1, 5, None), (2, 5, None), (3, 5, None)];
    check(
        &[(first, &[]), (&[], &[(1, 6, None), (3, 7, None)])],
        &[(2, 5, None)],
        &[(1, 6, None), (3, 7, None)],
        (5, 0),
    );
}

#[test]
fn a_delete_of_a_key_that_is_not_there_leaves_a_tombstone() {
    check(&[(&[], &[(1, 6, None)])], &[], &[(1, 6, None)], (1, 0));
    check(&[(&[(2, 1, None)], &[(1, 6, None)])], &[(2, 1, None)], &[(1, 6, None)], (2, 0));
}

#[test]
fn a_late_older_record_does_not_bring_a_row_back() {
    let deleted: (&[Record], &[Record]) = (&[], &[(1, 6, None)]);
    check(&[deleted, (&[(1, 5, None), (2, 5, None)], &[])], &[(2, 5, None)], &[(1, 6, None)], (2, 1));
    check(&[(&[(1, 4, None)], &[]), deleted, (&[(1, 5, None)], &[])], &[], &[(1, 6, None)], (2, 1));
}

#[test]
fn a_newer_record_takes_the_place_of_a_tombstone() {
    check(&[(&[], &[(1, 6, None), (2, 6, None)]), (&[(1, 7, None)], &[])], &[(1, 7, None)], &[(2, 6, None)], (3, 0));
    let again: (&[Record], &[Record]) = (&[(1, 7, None)], &[]);
    check(&[(&[(1, 5, None)], &[]), (&[], &[(1, 6, None)]), again], &[(1, 7, None)], &[], (3, 0));
}

#[test]
fn of_equals_the_later_wins() {
    check(&[(&[(1, 5, None)], &[]), (&[], &[(1, 5, None)])], &[], &[(1, 5, None)], (2, 0));
    check(&[(&[], &[(1, 5, None)]), (&[(1, 5, None)], &[])], &[(1, 5, None)], &[], (2, 0));
    check(&[(&[], &[(1, 5, Some(2))]), (&[], &[(1, 5, Some(2))])], &[], &[(1, 5, Some(2))], (2, 0));
}

#[test]
fn a_late_older_delete_has_no_effect() {
    check(&[(&[(1, 5, None)], &[]), (&[], &[(1, 4, None)])], &[(1, 5, None)], &[], (1, 1));
    check(&[(&[], &[(1, 5, None)]), (&[], &[(1, 4, None)])], &[], &[(1, 5, None)], (1, 1));
}

#[test]
fn a_newer_delete_replaces_the_tombstone() {
    check(&[(&[], &[(1, 5, None)]), (&[], &[(1, 6, None)])], &[], &[(1, 6, None)], (2, 0));
    check(&[(&[], &[(1, 9, None)]), (&[], &[(1, 2, Some(-1))])], &[], &[(1, 2, Some(-1))], (2, 0));
}

#[test]
fn the_version_counts_before_the_sequence_and_none_is_lowest() {
    let v = Some;
    check(&[(&[(1, 9, v(1))], &[]), (&[], &[(1, 2, v(2))])], &[], &[(1, 2, v(2))], (2, 0));
    check(&[(&[(1, 2, v(2))], &[]), (&[], &[(1, 9, v(1))])], &[(1, 2, v(2))], &[], (1, 1));
    check(&[(&[(1, 9, None)], &[]), (&[], &[(1, 2, v(i64::MIN))])], &[], &[(1, 2, v(i64::MIN))], (2, 0));
    check(&[(&[(1, 2, v(-4))], &[]), (&[], &[(1, 9, None)])], &[(1, 2, v(-4))], &[], (1, 1));
    check(&[(&[], &[(1, 2, v(-4))]), (&[(1, 9, None)], &[])], &[], &[(1, 2, v(-4))], (1, 1));
    check(&[(&[], &[(1, 9, None)]), (&[(1, 2, v(-4))], &[])], &[(1, 2, v(-4))], &[], (2, 0));
    check(&[(&[], &[(1, 2, v(2))]), (&[], &[(1, 9, None)])], &[], &[(1, 2, v(2))], (1, 1));
}

/// The statement that is tried first depends on the row before.
#[test]
fn rows_among_tombstones_are_told_apart_in_any_sequence() {
    let rows: &[Record] = &[(0, 5, None), (1, 5, None), (2, 5, None), (3, 5, None), (4, 5, None), (5, 5, None)];
    let found: (&[Record], &[Record]) =
        (&[(0, 4, None), (3, 6, None), (5, 4, None)], &[(1, 6, None), (2, 4, None), (4, 6, None)]);
    check(
        &[found, (rows, &[])],
        &[(0, 5, None), (2, 5, None), (3, 6, None), (5, 5, None)],
        &[(1, 6, None), (4, 6, None)],
        (9, 3),
    );
}

/// Loads two rows of these keys and deletes the second: expects the tombstone of this key, which keeps the second row
/// away when both come late.
#[track_caller]
fn check_key(keys: &[(Column, ArrayRef)], expected: &str) {
    let names: Vec<&str> = keys.iter().map(|key| key.0.name.as_str()).collect();
    let rows = |sequence: i64| {
        let mut columns = keys.to_vec();
        columns.push(integers("_sdc_sequence", [sequence; 2]));
        columns
    };
    let mut database = Database::new();
    let first = database.load(&table("orders"), &names, &rows(5));
    let none: Vec<_> = rows(5).into_iter().map(|(column, values)| (column, values.slice(0, 0))).collect();
    let second: Vec<_> = keys.iter().map(|(column, values)| (column.clone(), values.slice(1, 1))).collect();
    let planned = plan(Some(first), &table("orders"), &names, &none);
    let deletes = deletes(&second, &[(6, None)]);
    database.destination.load(&TableLoad { deletes, ..planned }).unwrap();
    let first_key = database.rows(&names, "orders");
    let state = database.load(&table("orders"), &names, &rows(4));
    assert_eq!(database.strings("SELECT key FROM _sdc_tombstones"), [expected]);
    assert_eq!(state.counts, Counts { loaded: 3, superseded: 2, rejected: 0, live_rows: 1 });
    assert_eq!(database.rows(&names, "orders"), first_key);
    let state = database.load(&table("orders"), &names, &rows(7));
    assert_eq!(database.strings("SELECT key FROM _sdc_tombstones"), [""; 0]);
    assert_eq!(state.counts, Counts { loaded: 5, superseded: 2, rejected: 0, live_rows: 2 });
    let (columns, values): (Vec<Column>, Vec<ArrayRef>) = second.into_iter().unzip();
    let removed = RecordBatch::try_new(schema(&columns), values).unwrap();
    let left = database.destination.remove(&table("orders"), &state, Removal::Keys(&removed)).unwrap().unwrap();
    assert_eq!((left.counts.live_rows, database.rows(&names, "orders")), (1, first_key));
}

#[test]
fn keys_of_every_type_are_deleted_exactly() {
    check_key(&[texts("id", ["a", "A"])], r#"["A"]"#);
    check_key(&[texts("id", [r#"\""#, r#"""#])], r#"["\""]"#);
    check_key(&[texts("id", [r#"'; DROP TABLE orders; --"#, r#"\"#])], r#"["\\"]"#);
    check_key(&[texts("id", ["a", "a\0"])], "[\"a\0\"]");
    check_key(&[texts("shop", [r#"a","b"#, "a"]), texts("number", ["c", r#"b","c"#])], r#"["a","b\",\"c"]"#);
    check_key(&[integers("shop", [1, 1]), texts("number", ["1", "2"])], r#"[1,"2"]"#);
    check_key(&[integers("id", [i64::MAX, i64::MIN])], "[-9223372036854775808]");
    let decimals = Decimal128Array::from(vec![10, -1]).with_precision_and_scale(38, 2).unwrap();
    check_key(&[(column("id", ColumnType::Decimal { scale: 2 }), Arc::new(decimals))], "[-0.01]");
    let moments = TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC");
    check_key(&[(column("id", ColumnType::Timestamp), Arc::new(moments))], "[1]");
    let doubles = Float64Array::from(vec![1e300, 0.1]);
    check_key(&[(column("id", ColumnType::Double), Arc::new(doubles))], "[0.1]");
    let wholes = Float64Array::from(vec![0.0, -3.0]);
    check_key(&[(column("id", ColumnType::Double), Arc::new(wholes))], "[-3.0]");
    let flags = BooleanArray::from(vec![true, false]);
    check_key(&[(column("id", ColumnType::Boolean), Arc::new(flags))], "[false]");
    check_key(&[(column("id", ColumnType::Date), Arc::new(Date32Array::from(vec![0, -1])))], "[-1]");
    check_key(&[(column("id", ColumnType::Time), Arc::new(Time64MicrosecondArray::from(vec![0, 1])))], "[1]");
    let (_, digits) = texts("id", ["1", "1.5"]);
    check_key(&[(column("id", ColumnType::DecimalText), digits)], r#"["1.5"]"#);
}

#[test]
fn a_table_without_versions_knows_those_of_deletes() {
    let mut database = Database::new();
    let row = |sequence| [integers("id", [1]), integers("_sdc_sequence", [sequence])];
    let first = database.load(&table("orders"), &["id"], &row(9));
    let deletes = deletes(&[integers("id", [1])], &[(2, Some(1))]);
    let none = [integers("id", [0; 0]), integers("_sdc_sequence", [0; 0])];
    let planned = plan(Some(first), &table("orders"), &["id"], &none);
    let state = database.destination.load(&TableLoad { deletes, ..planned }).unwrap();
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 0, rejected: 0, live_rows: 0 });
    let state = database.load(&table("orders"), &["id"], &row(10));
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 1, rejected: 0, live_rows: 0 });
}

#[test]
fn the_table_of_tombstones_is_made_with_the_first_one() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: &[(1, 1, None)], ..Load::default() });
    assert_eq!(tombstone_tables(&database), [""; 0]);
    load(&mut database, &Load { deletes: &[(1, 2, Some(3))], ..Load::default() });
    assert_eq!(tombstone_tables(&database), ["_sdc_tombstones"]);
    let columns = ["table_name", "key", "_sdc_sequence", "_sdc_table_version", "_sdc_deleted_at"];
    assert_eq!(
        database.rows(&columns, "_sdc_tombstones"),
        ["'orders' | '[1]' | 2 | 3 | '1970-01-01T00:00:00.000001Z'"]
    );
    let declared =
        database.strings("SELECT name || ' ' || type || ' ' || pk FROM pragma_table_info('_sdc_tombstones')");
    let expected = [
        "table_name TEXT 1",
        "key TEXT 2",
        "_sdc_sequence INTEGER 0",
        "_sdc_table_version INTEGER 0",
        "_sdc_deleted_at TIMESTAMP_TEXT 0",
    ];
    assert_eq!(declared, expected);
}

/// Tables of one key and one integration share a table of tombstones, and no tombstone.
#[test]
fn tombstones_keep_rows_of_their_own_table_away_alone() {
    let mut database = Database::new();
    let row = |sequence| [integers("id", [1]), integers("_sdc_sequence", [sequence])];
    let tables = [table("orders"), table("customers"), table_of("shop", "orders"), table_of("shop", "customers")];
    for name in &tables {
        let first = database.load(name, &["id"], &row(1));
        let none = [integers("id", [0; 0]), integers("_sdc_sequence", [0; 0])];
        let deletes = deletes(&[integers("id", [1])], &[(5, None)]);
        let planned = plan(Some(first), name, &["id"], &none);
        database.destination.load(&TableLoad { deletes, ..planned }).unwrap();
    }
    assert_eq!(tombstone_tables(&database), ["_sdc_tombstones", "shop___sdc_tombstones"]);
    database.load(&tables[2], &["id"], &row(6));
    let live_rows = tables.each_ref().map(|name| database.load(name, &["id"], &row(4)).counts.live_rows);
    assert_eq!(live_rows, [0, 0, 1, 0]);
}

#[test]
fn a_load_that_fails_deletes_nothing() {
    let mut database = Database::new();
    let first = load(&mut database, &Load { rows: &[(1, 1, None)], ..Load::default() });
    let (rows, deleted): (&[Record], &[Record]) = (&[(2, 1, None)], &[(1, 2, None)]);
    let mut planned = crate::life::planned(Some(first.clone()), &Load { rows, deletes: deleted, ..Load::default() });
    planned.subtables[0].subtable.columns.swap(0, 1);
    planned.subtables[0].subtable.columns[0].column_type = ColumnType::String;
    database.destination.load(&planned).unwrap_err();
    check_stands(&database, &[(1, 1, None)], &[]);
    assert_eq!(database.state(&table("orders")), Some(first));
}
