//! What arrays in the records hold, in tables of their own.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use selvedge_core::{
    ArrayPath, Change, Column, Counts, Destination, Inspect, LoadErrorKind, Part, Path, Subtable, SubtableLoad,
    TableLoad, TableName, TableState,
};
use selvedge_sqlite::SqliteReader;

use crate::database::{Database, integers, of_property, plan, rows_of, table, table_of, texts};

/// Key, sequence, and the items: each the skus of its parts.
pub(crate) type Order = (i64, i64, &'static [&'static [&'static str]]);

/// The rows of both subtables, `items` with a count of parts, and `parts` with a `value`.
struct Arrays {
    items: Vec<(u32, i64, i64, i64)>,
    parts: Vec<(u32, i64, i64, i64, &'static str)>,
}

fn arrays(orders: &[Order]) -> Arrays {
    let mut arrays = Arrays { items: Vec::new(), parts: Vec::new() };
    for (root, (id, _, items)) in (0..).zip(orders) {
        for (item, parts) in (0..).zip(*items) {
            arrays.items.push((root, *id, item, parts.len() as i64));
            arrays.parts.extend((0..).zip(*parts).map(|(part, sku)| (root, *id, item, part, *sku)));
        }
    }
    arrays
}

fn subtable(
    planned_on: Option<&TableState>,
    name: &str,
    levels: &[&str],
    columns: Vec<(Column, ArrayRef)>,
    roots: Vec<u32>,
) -> SubtableLoad {
    let (columns, rows) = rows_of(columns);
    let source = ArrayPath(levels.iter().map(|level| Path(vec![(*level).to_owned()])).collect());
    let changes = match planned_on.and_then(|state| state.subtable(name)) {
        None => vec![Change::CreateTable(columns.clone())],
        Some(subtable) => {
            let new = columns.iter().filter(|column| !subtable.columns.contains(column));
            new.cloned().map(Change::AddColumn).collect()
        }
    };
    let subtable = Subtable { name: name.to_owned(), source, columns };
    SubtableLoad { subtable, changes, rows, roots: UInt32Array::from(roots) }
}

/// A load of these orders, keyed by `id` or by nothing.
pub(crate) fn orders(planned_on: Option<TableState>, table: &TableName, keys: &[&str], orders: &[Order]) -> TableLoad {
    let key_name = keys.first().copied().unwrap_or("__sdc_primary_key");
    let root = [
        integers(key_name, orders.iter().map(|order| order.0)),
        integers("_sdc_sequence", orders.iter().map(|order| order.1)),
    ];
    let source_key = format!("_sdc_source_key_{key_name}");
    let Arrays { items, parts } = arrays(orders);
    let item_columns = vec![
        of_property(integers("parts", items.iter().map(|item| item.3))),
        integers(&source_key, items.iter().map(|item| item.1)),
        integers("_sdc_level_0_id", items.iter().map(|item| item.2)),
    ];
    let value = texts("value", parts.iter().map(|part| part.4));
    let part_columns = vec![
        (Column { path: Some(Path(Vec::new())), ..value.0 }, value.1),
        integers(&source_key, parts.iter().map(|part| part.1)),
        integers("_sdc_level_0_id", parts.iter().map(|part| part.2)),
        integers("_sdc_level_1_id", parts.iter().map(|part| part.3)),
    ];
    let state = planned_on.as_ref();
    let subtables = vec![
        subtable(state, "orders__items", &["items"], item_columns, items.iter().map(|item| item.0).collect()),
        subtable(
            state,
            "orders__items__parts",
            &["items", "parts"],
            part_columns,
            parts.iter().map(|part| part.0).collect(),
        ),
    ];
    TableLoad { subtables, ..plan(planned_on, table, keys, &root) }
}

fn load(database: &mut Database, table: &TableName, keys: &[&str], rows: &[Order]) -> TableState {
    let planned_on = database.state(table);
    database.destination.load(&orders(planned_on, table, keys, rows)).unwrap()
}

/// Makes these loads one after the other: expects these items (order, item, number of parts), and as many parts.
#[track_caller]
fn check(loads: &[&[Order]], keys: &[&str], expected: &[&str]) {
    let mut database = Database::new();
    for rows in loads {
        load(&mut database, &table("orders"), keys, rows);
    }
    let key = format!("_sdc_source_key_{}", keys.first().unwrap_or(&"__sdc_primary_key"));
    let items = database.rows(&[&key, "_sdc_level_0_id", "parts"], "orders__items ORDER BY 1, rowid");
    assert_eq!(items, expected);
    let parts = format!(
        "SELECT quote({key}) || ' | ' || quote(_sdc_level_0_id) || ' | ' || quote(count(*))
         FROM orders__items__parts GROUP BY {key}, _sdc_level_0_id ORDER BY {key}, min(rowid)"
    );
    let with_parts: Vec<&str> = expected.iter().copied().filter(|item| !item.ends_with(" 0")).collect();
    assert_eq!(database.strings(&parts), with_parts);
}

const ID: &[&str] = &["id"];

#[test]
fn elements_are_rows_by_the_key_of_their_record_and_their_index() {
    check(
        &[&[(1, 1, &[&["a", "b"], &[], &["c"]]), (2, 1, &[]), (3, 1, &[&["d"]])]],
        ID,
        &["1 | 0 | 2", "1 | 1 | 0", "1 | 2 | 1", "3 | 0 | 1"],
    );
}

#[test]
fn a_record_that_replaces_another_replaces_what_belonged_to_it() {
    let first: &[Order] = &[(1, 1, &[&["a", "b"], &["c"]]), (2, 1, &[&["d"]])];
    check(&[first, &[(1, 2, &[&["e"]])]], ID, &["1 | 0 | 1", "2 | 0 | 1"]);
    check(&[first, &[(1, 2, &[])]], ID, &["2 | 0 | 1"]);
    check(&[first, &[(1, 1, &[&["e"], &["f"], &["g"]])]], ID, &["1 | 0 | 1", "1 | 1 | 1", "1 | 2 | 1", "2 | 0 | 1"]);
}

#[test]
fn a_stale_record_changes_nothing_that_belongs_to_the_newer_one() {
    let stale: Order = (2, 4, &[&["x"], &["y"], &["z"]]);
    let second: &[Order] = &[(1, 6, &[&["c", "d"]]), stale, (3, 4, &[&["e"]])];
    check(&[&[(1, 5, &[&["a"]]), (2, 5, &[&["b"]])], second], ID, &["1 | 0 | 2", "2 | 0 | 1", "3 | 0 | 1"]);
}

#[test]
fn without_keys_what_belongs_to_records_is_appended() {
    check(&[&[(1, 1, &[&["a"]])], &[(2, 1, &[&["b"], &["c"]])]], &[], &["1 | 0 | 1", "2 | 0 | 1", "2 | 1 | 1"]);
}

#[test]
fn only_records_are_counted() {
    let mut database = Database::new();
    load(&mut database, &table("orders"), ID, &[(1, 1, &[&["a"], &["b"]]), (2, 1, &[])]);
    let state = load(&mut database, &table("orders"), ID, &[(1, 2, &[&["c"]]), (2, 0, &[&["d"]])]);
    assert_eq!(state.counts, Counts { loaded: 3, superseded: 1, rejected: 0, live_rows: 2 });
    assert_eq!(database.state(&table("orders")), Some(state));
}

/// Also in a keyless table, whose records have no primary key.
#[test]
fn source_keys_and_level_ids_are_the_primary_key() {
    for keys in [ID, &[]] {
        let mut database = Database::new();
        load(&mut database, &table_of("shop", "orders"), keys, &[(1, 1, &[&["a"]])]);
        let key = keys.first().unwrap_or(&"__sdc_primary_key");
        let names = |table: &str| {
            database.strings(&format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk"))
        };
        assert_eq!(names("shop__orders__items"), [&format!("_sdc_source_key_{key}"), "_sdc_level_0_id"]);
        let expected = [&format!("_sdc_source_key_{key}"), "_sdc_level_0_id", "_sdc_level_1_id"];
        assert_eq!(names("shop__orders__items__parts"), expected);
    }
}

#[test]
fn an_array_may_come_after_its_records() {
    let mut database = Database::new();
    let root = [integers("id", [1, 2]), integers("_sdc_sequence", [1, 1])];
    database.load(&table("orders"), ID, &root);
    load(&mut database, &table("orders"), ID, &[(2, 2, &[&["a"]]), (3, 1, &[&["b"]])]);
    assert_eq!(database.rows(&["_sdc_source_key_id", "parts"], "orders__items ORDER BY 1"), ["2 | 1", "3 | 1"]);
}

#[test]
fn a_new_column_is_null_in_the_elements_from_before_it() {
    let mut database = Database::new();
    let first = load(&mut database, &table("orders"), ID, &[(1, 1, &[&["a"]])]);
    let mut second = orders(Some(first), &table("orders"), ID, &[(2, 1, &[&["b"]])]);
    let items = &mut second.subtables[0];
    let (note, values) = of_property(texts("note", ["new"]));
    let mut columns: Vec<(Column, ArrayRef)> =
        items.subtable.columns.iter().cloned().zip(items.rows.columns().iter().cloned()).collect();
    columns.push((note.clone(), values));
    (items.subtable.columns, items.rows) = rows_of(columns);
    items.changes = vec![Change::AddColumn(note)];
    let state = database.destination.load(&second).unwrap();
    assert_eq!(state.subtables[0], second.subtables[0].subtable);
    assert_eq!(database.rows(&["_sdc_source_key_id", "note"], "orders__items ORDER BY 1"), ["1 | NULL", "2 | 'new'"]);
}

/// Two records share a part of their keys, whose order is not that of the columns; one of them is replaced.
#[test]
fn keys_of_several_columns_find_their_own() {
    let load = |planned_on: Option<TableState>, shops: &[&str], sequence: i64, items: i64| {
        let root = [
            texts("shop", shops.iter().copied()),
            integers("id", vec![1; shops.len()]),
            integers("_sdc_sequence", vec![sequence; shops.len()]),
        ];
        let elements: Vec<(u32, &str, i64)> =
            (0..).zip(shops).flat_map(|(root, shop)| (0..items).map(move |item| (root, *shop, item))).collect();
        let columns = vec![
            integers("_sdc_source_key_id", vec![1; elements.len()]),
            texts("_sdc_source_key_shop", elements.iter().map(|element| element.1)),
            integers("_sdc_level_0_id", elements.iter().map(|element| element.2)),
        ];
        let roots = elements.iter().map(|element| element.0).collect();
        let subtables = vec![subtable(planned_on.as_ref(), "orders__items", &["items"], columns, roots)];
        TableLoad { subtables, ..plan(planned_on, &table("orders"), &["id", "shop"], &root) }
    };
    let mut database = Database::new();
    let first = database.destination.load(&load(None, &["A", "B"], 1, 2)).unwrap();
    database.destination.load(&load(Some(first), &["B"], 2, 1)).unwrap();
    let items = database.rows(&["_sdc_source_key_shop", "_sdc_level_0_id"], "orders__items ORDER BY 1");
    assert_eq!(items, ["'A' | 0", "'A' | 1", "'B' | 0"]);
}

#[test]
fn a_failure_among_the_elements_undoes_the_whole_load() {
    let mut database = Database::new();
    let state = load(&mut database, &table("orders"), ID, &[(1, 1, &[&["a"]])]);
    let mut twice = orders(Some(state.clone()), &table("orders"), ID, &[(1, 2, &[&["b"]]), (2, 2, &[&["c"]])]);
    let parts = &mut twice.subtables[1];
    let mut columns = parts.rows.columns().to_vec();
    columns[1] = Arc::new(arrow::array::Int64Array::from(vec![1, 1]));
    parts.rows = arrow::array::RecordBatch::try_new(parts.rows.schema(), columns).unwrap();
    let error = database.destination.load(&twice).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::BadRow);
    assert_eq!(database.state(&table("orders")), Some(state));
    assert_eq!(database.rows(&["_sdc_sequence"], "orders"), ["1"]);
    assert_eq!(database.rows(&["value"], "orders__items__parts"), ["'a'"]);
}

#[test]
fn somebody_elses_table_is_left_alone() {
    let mut database = Database::new();
    database
        .connection()
        .execute_batch("CREATE TABLE Orders__Items (mine); INSERT INTO Orders__Items VALUES (1)")
        .unwrap();
    let load = orders(None, &table("orders"), ID, &[(1, 1, &[&["a"]])]);
    let error = database.destination.load(&load).unwrap_err();
    assert!(error.to_string().contains(r#"a table "orders__items" that is not selvedge's"#), "{error}");
    assert_eq!(database.state(&table("orders")), None);
    assert_eq!(database.rows(&["mine"], "orders__items"), ["1"]);
    assert_eq!(database.strings("SELECT name FROM sqlite_schema WHERE name = 'orders'"), [""; 0]);
}

/// What a reader finds in a part of the table, row by row.
fn read(database: &Database, part: Part<'_>) -> Vec<String> {
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let mut found = Vec::new();
    let read = reader.read(&table("orders"), part, &mut |state, batch| {
        let Part::Subtable(name) = part else { unreachable!() };
        assert_eq!(batch.schema(), selvedge_core::schema(&state.subtable(name).unwrap().columns));
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|values| arrow::util::display::array_value_to_string(values as &dyn Array, row).unwrap());
            found.push(cells.collect::<Vec<_>>().join(" | "));
        }
        ControlFlow::Continue(())
    });
    assert!(read.unwrap().is_some());
    found
}

#[test]
fn a_reader_finds_them_by_the_name_in_the_state() {
    let mut database = Database::new();
    load(&mut database, &table("orders"), ID, &[(1, 1, &[&["a", "b"], &["c"]])]);
    assert_eq!(read(&database, Part::Subtable("orders__items")), ["2 | 1 | 0", "1 | 1 | 1"]);
    assert_eq!(
        read(&database, Part::Subtable("orders__items__parts")),
        ["a | 1 | 0 | 0", "b | 1 | 0 | 1", "c | 1 | 1 | 0"]
    );
    assert_eq!(read(&database, Part::Subtable("orders__others")), [""; 0]);
}

#[test]
fn a_column_that_somebody_dropped_is_null_and_comes_back() {
    let mut database = Database::new();
    load(&mut database, &table("orders"), ID, &[(1, 1, &[&["a"]])]);
    database.connection().execute_batch("ALTER TABLE orders__items DROP COLUMN parts").unwrap();
    assert_eq!(read(&database, Part::Subtable("orders__items")), [" | 1 | 0"]);
    load(&mut database, &table("orders"), ID, &[(2, 1, &[&["b"]])]);
    assert_eq!(read(&database, Part::Subtable("orders__items")), [" | 1 | 0", "1 | 2 | 0"]);
}
