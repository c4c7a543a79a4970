//! What arrays in the records hold: which tables it makes, and which of its rows stand after several loads.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use selvedge_core::{
    Column, ColumnType, Destination, Inspect, LoadErrorKind, Part, Path, SubtableLoad, TableLoad, TableName, level_id,
    system,
};
use selvedge_duckdb::DuckDbReader;

use crate::fixture::{Loaded, Warehouse, column, integration_table, plan, plan_subtable, table};

/// A record of `orders`: its id, its sequence, and the texts in its array `items`.
type Order<'o> = (i64, i64, &'o [&'o str]);

const ITEMS: &str = "orders__items";

fn integers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// The column of the elements of an array of scalars.
fn value() -> Column {
    Column::new("value", Some(Path::default()), ColumnType::String)
}

/// A load of orders, which finds the table as it stands.
pub(crate) fn plan_orders(
    warehouse: &mut Warehouse,
    name: &TableName,
    keys: &[&str],
    orders: &[Order<'_>],
) -> TableLoad {
    let found = warehouse.destination.state(name).unwrap();
    let columns = vec![
        (column("id", ColumnType::Integer), integers(orders.iter().map(|order| order.0))),
        (column(system::SEQUENCE, ColumnType::Integer), integers(orders.iter().map(|order| order.1))),
    ];
    let items = items(orders);
    let part = plan_subtable(found.as_ref(), ITEMS, &["items"], columns_of(&items), roots_of(&items));
    TableLoad { subtables: vec![part], ..plan(name, found, keys, columns) }
}

/// An element: the index of its order in the load, the id of that, its own index, and its text.
type Item<'o> = (u32, i64, i64, &'o str);

fn items<'o>(orders: &[Order<'o>]) -> Vec<Item<'o>> {
    let of_order = |(root, (id, _, texts)): (u32, &Order<'o>)| {
        let id = *id;
        texts.iter().zip(0..).map(move |(text, at)| (root, id, at, *text)).collect::<Vec<_>>()
    };
    (0..).zip(orders).flat_map(of_order).collect()
}

fn roots_of(items: &[Item<'_>]) -> Vec<u32> {
    items.iter().map(|item| item.0).collect()
}

fn columns_of(items: &[Item<'_>]) -> Vec<(Column, ArrayRef)> {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(items.iter().map(|item| item.3)));
    vec![
        (value(), texts),
        (column("_sdc_source_key_id", ColumnType::Integer), integers(items.iter().map(|item| item.1))),
        (column(&level_id(0), ColumnType::Integer), integers(items.iter().map(|item| item.2))),
    ]
}

fn load(warehouse: &mut Warehouse, orders: &[Order<'_>]) -> Loaded {
    let load = plan_orders(warehouse, &table("orders"), &["id"], orders);
    warehouse.destination.load(&load)
}

/// Applies the loads one after the other, then compares the subtable: source key, level id, text.
fn check(keys: &[&str], loads: &[&[Order<'_>]], expected: &str) {
    let mut warehouse = Warehouse::new();
    for orders in loads {
        let load = plan_orders(&mut warehouse, &table("orders"), keys, orders);
        let state = warehouse.destination.load(&load).unwrap();
        assert_eq!(state.subtable(ITEMS), Some(&load.subtables[0].subtable));
    }
    let rows = "SELECT _sdc_source_key_id, _sdc_level_0_id, value FROM orders__items ORDER BY ALL";
    assert_eq!(warehouse.query(rows), expected);
}

#[test]
fn every_element_is_a_row() {
    check(&["id"], &[&[(1, 1, &["a", "b"]), (2, 1, &[]), (3, 1, &["c"])]], "1 0 a\n1 1 b\n3 0 c");
}

#[test]
fn the_subrows_of_a_row_are_replaced_with_it() {
    check(
        &["id"],
        &[
            &[(1, 1, &["a", "b", "c"]), (2, 1, &["d"]), (3, 1, &["e"]), (4, 1, &[])],
            &[(1, 2, &["A"]), (3, 1, &[]), (4, 2, &["f"]), (5, 1, &["g"])],
        ],
        "1 0 A\n2 0 d\n4 0 f\n5 0 g",
    );
}

#[test]
fn a_stale_row_neither_brings_subrows_nor_removes_any() {
    check(
        &["id"],
        &[&[(1, 5, &["a", "b"]), (2, 5, &["c"])], &[(1, 4, &["older", "x", "y"]), (2, 6, &["newer"]), (3, 1, &["d"])]],
        "1 0 a\n1 1 b\n2 0 newer\n3 0 d",
    );
}

#[test]
fn the_subrows_of_a_table_without_keys_are_appended() {
    check(&[], &[&[(1, 5, &["a"])], &[(1, 4, &["b", "c"])]], "1 0 a\n1 0 b\n1 1 c");
}

#[test]
fn a_replaced_row_without_elements_leaves_no_subrows() {
    check(&["id"], &[&[(1, 1, &["a"])], &[(1, 2, &[])]], "");
}

/// A table within an integration stands in its schema, and so do its subtables.
#[test]
fn a_subtable_stands_beside_its_root() {
    let mut warehouse = Warehouse::new();
    for name in [integration_table("shop", "orders"), table("orders")] {
        let load = plan_orders(&mut warehouse, &name, &["id"], &[(1, 1, &["a"])]);
        warehouse.destination.load(&load).unwrap();
    }
    let tables = "SELECT schema_name, table_name, has_primary_key FROM duckdb_tables() ORDER BY ALL";
    assert_eq!(
        warehouse.query(tables),
        "main _sdc_tables true\nmain orders false\nmain orders__items false\nshop orders false\nshop orders__items false"
    );
}

#[test]
fn several_source_keys_are_one_key() {
    let mut warehouse = Warehouse::new();
    for (sequence, ids, texts) in [(1, vec![1, 2], vec!["a", "a"]), (2, vec![2, 3], vec!["a", "b"])] {
        let found = warehouse.destination.state(&table("t")).unwrap();
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        let level_ids = vec![0; ids.len()];
        let columns = vec![
            (column("id", ColumnType::Integer), integers(ids.clone())),
            (column("name", ColumnType::String), Arc::clone(&texts)),
            (column(system::SEQUENCE, ColumnType::Integer), integers(vec![sequence; ids.len()])),
        ];
        let values: ArrayRef = Arc::new(StringArray::from(vec![format!("load {sequence}"); ids.len()]));
        let subrows = vec![
            (value(), values),
            (column("_sdc_source_key_name", ColumnType::String), texts),
            (column("_sdc_source_key_id", ColumnType::Integer), integers(ids)),
            (column(&level_id(0), ColumnType::Integer), integers(level_ids)),
        ];
        let part = plan_subtable(found.as_ref(), "t__list", &["list"], subrows, vec![0, 1]);
        let load = TableLoad { subtables: vec![part], ..plan(&table("t"), found, &["name", "id"], columns) };
        warehouse.destination.load(&load).unwrap();
    }
    let rows = "SELECT _sdc_source_key_id, _sdc_source_key_name, value FROM t__list ORDER BY ALL";
    assert_eq!(warehouse.query(rows), "1 a load 1\n2 a load 2\n3 b load 2");
}

/// What is new about a subtable comes with the load that needs it: the table itself, then a column.
#[test]
fn subtables_and_their_columns_come_with_later_loads() {
    let mut warehouse = Warehouse::new();
    let mut load = plan_orders(&mut warehouse, &table("orders"), &["id"], &[(1, 1, &[])]);
    load.subtables.clear();
    warehouse.destination.load(&load).unwrap();
    self::load(&mut warehouse, &[(1, 2, &["a"]), (2, 1, &["b"])]).unwrap();

    let mut load = plan_orders(&mut warehouse, &table("orders"), &["id"], &[(2, 2, &["c"])]);
    let mut subrows = columns_of(&items(&[(2, 2, &["c"])]));
    subrows.push((column("price", ColumnType::Integer), integers([7])));
    load.subtables = vec![plan_subtable(load.planned_on.as_ref(), ITEMS, &["items"], subrows, vec![0])];
    warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM orders__items ORDER BY 2"), "a 1 0 null\nc 2 0 7");
}

#[test]
fn a_load_that_fails_at_a_subtable_has_no_effect() {
    let mut warehouse = Warehouse::new();
    warehouse.execute("CREATE TABLE orders__items (mine INTEGER)");
    let error = load(&mut warehouse, &[(1, 1, &["a"])]).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().starts_with("table orders__items cannot be made"), "{error}");
    assert_eq!(warehouse.query("SELECT table_name FROM duckdb_tables() ORDER BY 1"), "_sdc_tables\norders__items");
    assert_eq!(warehouse.destination.state(&table("orders")).unwrap(), None);
}

#[test]
fn a_subtable_that_somebody_dropped_refuses_the_load() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[(1, 1, &["a"])]).unwrap();
    warehouse.execute("DROP TABLE orders__items");
    let error = load(&mut warehouse, &[(1, 2, &["b"])]).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().starts_with("table orders__items was dropped"), "{error}");
    assert_eq!(warehouse.query("SELECT _sdc_sequence FROM orders"), "1");
}

#[test]
fn a_reader_finds_the_subrows() {
    let mut warehouse = Warehouse::new();
    let orders = integration_table("shop", "orders");
    let load = plan_orders(&mut warehouse, &orders, &["id"], &[(1, 1, &["a", "b"])]);
    let state = warehouse.destination.load(&load).unwrap();
    let SubtableLoad { rows, .. } = &load.subtables[0];
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    let mut found = Vec::new();
    let each = &mut |_: &_, batch| {
        found.push(batch);
        ControlFlow::Continue(())
    };
    assert_eq!(reader.read(&orders, Part::Subtable(ITEMS), each).unwrap(), Some(state));
    assert_eq!(found, std::slice::from_ref(rows));
    let none = &mut |_: &_, _| panic!("no rows were expected");
    assert!(reader.read(&orders, Part::Subtable("orders__other"), none).unwrap().is_some());
}

/// More subrows than DuckDB takes in one piece.
#[test]
fn large_loads_replace_exactly_what_they_bring() {
    let mut warehouse = Warehouse::new();
    let orders = |ids: std::ops::Range<i64>, text: &'static [&'static str]| -> Vec<Order<'static>> {
        ids.map(|id| (id, 1, text)).collect()
    };
    load(&mut warehouse, &orders(0..10_000, &["a", "b", "c"])).unwrap();
    load(&mut warehouse, &orders(5_000..15_000, &["d", "e"])).unwrap();
    let rows = "SELECT value, count(*), min(_sdc_source_key_id) FROM orders__items GROUP BY value ORDER BY value";
    assert_eq!(warehouse.query(rows), "a 5000 0\nb 5000 0\nc 5000 0\nd 10000 5000\ne 10000 5000");
}
