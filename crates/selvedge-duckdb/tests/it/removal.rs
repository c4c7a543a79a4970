//! What is taken out of a table by hand, and whether anything of it is left in the file.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use selvedge_core::{
    Applied, Column, ColumnType, Destination, LoadErrorKind, Nesting, Path, Removal, TableLoad, TableName, TableState,
    level_id, schema, system,
};

use crate::fixture::{Warehouse, column, integration_table, plan, plan_subtable, table};
use crate::life::{delete, load, row, stored};
use crate::rejects::load_with_rejects;

fn ids(ids: &[i64]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    RecordBatch::try_from_iter([("id", ids)]).unwrap()
}

fn remove(warehouse: &mut Warehouse, name: &TableName, removal: Removal<'_>) -> Option<TableState> {
    let found = warehouse.destination.state(name).unwrap().unwrap();
    let left = warehouse.destination.remove(name, &found, removal).unwrap();
    assert_eq!(warehouse.destination.state(name).unwrap(), left);
    let same = |left: TableState| (left.position, left.counts.records());
    left.inspect(|left| assert_eq!(same(left.clone()), same(found)))
}

#[test]
fn keys_go_with_their_elements_and_tombstones() {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        load(&mut warehouse, &[row(1, None, 5), row(2, None, 5), delete(3, None, 5), delete(4, None, 5)], None);
        let state = remove(&mut warehouse, &table("orders"), Removal::Keys(&ids(&[1, 3, 9, 1]))).unwrap();
        assert_eq!(stored(&warehouse, nesting), "2 null 5 | 2@5 | [4] null 5");
        assert_eq!(state.counts.live_rows, 1);
        let state = load(&mut warehouse, &[row(1, None, 1), row(3, None, 1), row(4, None, 1)], None);
        assert_eq!(stored(&warehouse, nesting), "1 null 1; 2 null 5; 3 null 1 | 1@1; 2@5; 3@1 | [4] null 5");
        assert_eq!(state.counts.live_rows, 3);
    }
}

#[test]
fn rows_without_keys_are_named_by_the_generated_one() {
    let mut warehouse = Warehouse::new();
    let keys = |keys: &[&str]| -> ArrayRef { Arc::new(StringArray::from(keys.to_vec())) };
    let brought = vec![(Column::new(system::PRIMARY_KEY, None, ColumnType::String), keys(&["a", "b"]))];
    warehouse.load(&table("t"), &[], brought).unwrap();
    let named = RecordBatch::try_from_iter([(system::PRIMARY_KEY, keys(&["b", "c"]))]).unwrap();
    assert_eq!(remove(&mut warehouse, &table("t"), Removal::Keys(&named)).unwrap().counts.live_rows, 1);
    assert_eq!(warehouse.query("SELECT * FROM t"), "a");
}

#[test]
fn a_table_goes_with_all_that_belongs_to_it_and_can_be_loaded_anew() {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        load_with_rejects(&mut warehouse, &table("other"), &["of the other"]);
        let state = load(&mut warehouse, &[row(1, None, 5), delete(2, None, 5)], None);
        let rejects = crate::rejects::rejects(&table("orders"), &["of orders"]);
        let load_of_rejects = crate::life::plan_records(Some(state), &[], None);
        warehouse.destination.load(&TableLoad { rejects, ..load_of_rejects }).unwrap();
        if nesting == Nesting::Flat {
            warehouse.destination.create_coalescing_view(&table("orders"), "coalesced").unwrap();
        }
        warehouse.execute("CREATE VIEW mine AS SELECT id FROM orders");

        assert_eq!(remove(&mut warehouse, &table("orders"), Removal::Table), None);
        let names = "SELECT table_name FROM duckdb_tables() UNION ALL \
                     SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1";
        assert_eq!(warehouse.query(names), "_sdc_rejected\n_sdc_tables\n_sdc_tombstones\nmine\nother");
        assert_eq!(warehouse.query("SELECT record FROM _sdc_rejected"), "of the other");
        assert_eq!(warehouse.query("SELECT table_name FROM _sdc_tables"), "other");

        let state = load(&mut warehouse, &[row(2, None, 1)], None);
        assert_eq!((state.counts.loaded, state.counts.live_rows), (1, 1));
        assert_eq!(stored(&warehouse, nesting), "2 null 1 | 2@1 | ");
        assert_eq!(warehouse.query("SELECT * FROM mine"), "2");
    }
}

#[test]
fn rejects_go_by_their_keys() {
    let mut warehouse = Warehouse::new();
    let orders = integration_table("shop", "orders");
    load_with_rejects(&mut warehouse, &orders, &["a", "b", "c"]);
    load_with_rejects(&mut warehouse, &integration_table("shop", "others"), &["d"]);
    let named = StringArray::from(vec!["shop.orders 0", "shop.orders 2", "shop.others 0", "unknown"]);
    let state = remove(&mut warehouse, &orders, Removal::Rejects(&named)).unwrap();
    assert_eq!((state.counts.rejected, state.counts.live_rows), (3, 1));
    assert_eq!(warehouse.query("SELECT record FROM shop._sdc_rejected ORDER BY 1"), "b\nd");
}

#[test]
fn rejects_go_by_their_age() {
    let mut warehouse = Warehouse::new();
    let orders = integration_table("shop", "orders");
    load_with_rejects(&mut warehouse, &orders, &["a", "b"]);
    load_with_rejects(&mut warehouse, &integration_table("shop", "others"), &["c"]);
    for (moment, left) in [(1, "a\nb\nc"), (2, "c")] {
        let state = remove(&mut warehouse, &orders, Removal::RejectsBefore(moment)).unwrap();
        assert_eq!((state.counts.rejected, state.counts.live_rows), (2, 1));
        assert_eq!(warehouse.query("SELECT record FROM shop._sdc_rejected ORDER BY 1"), left);
        let written = fs::read(warehouse.path()).unwrap();
        remove(&mut warehouse, &orders, Removal::RejectsBefore(moment));
        assert!(fs::read(warehouse.path()).unwrap() == written, "something was written, and nothing removed");
    }
}

#[test]
fn rejects_of_a_table_that_has_none_are_no_error() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[row(1, None, 5)], None);
    for removal in [Removal::Rejects(&StringArray::from(vec!["unknown"])), Removal::RejectsBefore(2)] {
        remove(&mut warehouse, &table("orders"), removal).unwrap();
    }
}

#[test]
fn what_was_loaded_meanwhile_is_not_removed() {
    let mut warehouse = Warehouse::new();
    let before = load(&mut warehouse, &[row(1, None, 5)], None);
    load(&mut warehouse, &[row(1, None, 6)], None);
    let rejects = StringArray::from(vec!["unknown"]);
    for removal in [Removal::Table, Removal::Keys(&ids(&[1])), Removal::Rejects(&rejects), Removal::RejectsBefore(2)] {
        let error = warehouse.destination.remove(&table("orders"), &before, removal).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Stale);
    }
    let error = warehouse.destination.remove(&table("unknown"), &before, Removal::Table).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Stale);
    assert_eq!(stored(&warehouse, Nesting::Flat), "1 null 6 | 1@6 | ");
}

/// Looks for a text in the bytes of all files beside the database, and in the database itself.
fn is_found(warehouse: &Warehouse, text: &str) -> bool {
    let folder = warehouse.path().parent().unwrap().to_owned();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files.map(|file| fs::read(file).unwrap()).any(holds)
}

/// A text that is like no other.
fn distinctive(seed: u64) -> String {
    let mut state = seed + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 33) as u8 % 90)
    };
    (0..100).map(|_| next()).collect()
}

/// A load of rows with these texts: as key, in a column and in the element of an array.
fn plan_texts(found: Option<TableState>, texts: &[String], sequence: i64) -> TableLoad {
    let values = || -> ArrayRef { Arc::new(StringArray::from_iter_values(texts)) };
    let integers = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value; texts.len()])) };
    let subrows = vec![
        (Column::new("value", Some(Path::default()), ColumnType::String), values()),
        (column("_sdc_source_key_k", ColumnType::String), values()),
        (column(&level_id(0), ColumnType::Integer), integers(0)),
    ];
    let list = plan_subtable(found.as_ref(), "t__list", &["list"], subrows, (0..texts.len() as u32).collect());
    let brought = vec![
        (column("k", ColumnType::String), values()),
        (column("note", ColumnType::String), values()),
        (column(system::SEQUENCE, ColumnType::Integer), integers(sequence)),
    ];
    TableLoad { subtables: vec![list], ..plan(&table("t"), found, &["k"], brought) }
}

#[test]
fn nothing_of_erased_keys_is_left_in_the_file() {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        let texts: Vec<String> = (0..40).map(distinctive).collect();
        let state = warehouse.destination.load(&plan_texts(None, &texts, 5)).unwrap();
        let (erased, buried, kept) = (&texts[20], &texts[7], &texts[8]);
        let deletes = plan_texts(Some(state.clone()), &[], 6);
        let key: ArrayRef = Arc::new(StringArray::from(vec![buried.as_str()]));
        let columns = deletes.tombstone_columns();
        let values = columns.iter().map(|column| match column.column_type {
            ColumnType::String => Arc::clone(&key),
            ColumnType::Integer => Arc::new(Int64Array::from(vec![6])),
            other => arrow::array::new_null_array(&other.arrow(), 1),
        });
        let deletes =
            TableLoad { deletes: RecordBatch::try_new(schema(&columns), values.collect()).unwrap(), ..deletes };
        let state = warehouse.destination.load(&deletes).unwrap();
        assert_eq!(state.counts.live_rows, 39);
        assert!(is_found(&warehouse, erased) && is_found(&warehouse, buried) && is_found(&warehouse, kept));

        let keys: ArrayRef = Arc::new(StringArray::from(vec![erased.as_str(), buried.as_str()]));
        let keys = RecordBatch::try_from_iter([("k", keys)]).unwrap();
        assert_eq!(remove(&mut warehouse, &table("t"), Removal::Keys(&keys)).unwrap().counts.live_rows, 38);
        assert!(!is_found(&warehouse, erased) && !is_found(&warehouse, buried));
        assert!(is_found(&warehouse, kept));
        assert_eq!(warehouse.query("SELECT count(*) FROM t"), "38");
        assert_eq!(fs::read_dir(warehouse.path().parent().unwrap()).unwrap().count(), 1, "other files are left");
    }
}

#[test]
fn nothing_of_erased_rejects_is_left_in_the_file() {
    let mut warehouse = Warehouse::new();
    let (erased, kept) = (distinctive(1), distinctive(2));
    load_with_rejects(&mut warehouse, &table("orders"), &[&erased, &kept]);
    assert!(is_found(&warehouse, &erased) && is_found(&warehouse, &kept));
    remove(&mut warehouse, &table("orders"), Removal::Rejects(&StringArray::from(vec!["orders 0"])));
    assert!(!is_found(&warehouse, &erased));
    assert!(is_found(&warehouse, &kept));
}

/// A file that is written anew has all that others put into it.
#[test]
fn what_others_have_in_the_file_is_kept() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[row(1, None, 5), row(2, None, 5)], None);
    warehouse.destination.create_coalescing_view(&table("orders"), "coalesced").unwrap();
    warehouse.execute(
        "CREATE SCHEMA mine; CREATE TYPE mine.mood AS ENUM ('good', 'bad');
         CREATE TABLE mine.notes (id BIGINT PRIMARY KEY, mood mine.mood DEFAULT 'good', size BIGINT CHECK (size > 0));
         INSERT INTO mine.notes VALUES (1, 'bad', 1); CREATE INDEX by_size ON mine.notes (size);
         CREATE MACRO twice(x) AS x * 2; CREATE SEQUENCE mine.numbers START 7;
         ALTER TABLE orders ADD COLUMN tag VARCHAR DEFAULT 'new'; UPDATE orders SET tag = 'of ' || id;
         CREATE VIEW mine.shown AS SELECT id, tag FROM warehouse.main.orders;
         COMMENT ON TABLE orders IS 'all orders'; COMMENT ON COLUMN orders.id IS 'their number'",
    );
    remove(&mut warehouse, &table("orders"), Removal::Keys(&ids(&[1]))).unwrap();
    warehouse.execute("INSERT INTO mine.notes (id, size) VALUES (nextval('mine.numbers'), twice(4))");
    for (query, expected) in [
        ("SELECT * FROM mine.notes ORDER BY id", "1 bad 1\n7 good 8"),
        ("SELECT * FROM mine.shown", "2 of 2"),
        ("SELECT id FROM coalesced", "2"),
        ("SELECT index_name FROM duckdb_indexes()", "by_size"),
        ("SELECT comment FROM duckdb_tables() WHERE table_name = 'orders'", "all orders"),
        ("SELECT comment FROM duckdb_columns() WHERE table_name = 'orders' AND column_name = 'id'", "their number"),
        (
            "SELECT constraint_type FROM duckdb_constraints() WHERE table_name = 'notes' ORDER BY 1",
            "CHECK\nNOT NULL\nPRIMARY KEY",
        ),
    ] {
        assert_eq!(warehouse.query(query), expected, "{query}");
    }
    // Selvedge still knows the view as its own.
    let found = warehouse.destination.state(&table("orders")).unwrap();
    let size = (column("size", ColumnType::Integer), Arc::new(Int64Array::from(vec![9])) as ArrayRef);
    let id = (column("id", ColumnType::Integer), Arc::new(Int64Array::from(vec![3])) as ArrayRef);
    let list = plan_subtable(found.as_ref(), "orders__items", &["items"], vec![], vec![]);
    let load = plan(&table("orders"), found, &["id"], vec![id, size]);
    warehouse.destination.load(&TableLoad { subtables: vec![list], ..load }).unwrap();
    assert_eq!(warehouse.query("SELECT id, size FROM coalesced ORDER BY id"), "2 null\n3 9");
    assert_eq!(warehouse.query("SELECT id, tag FROM orders ORDER BY id"), "2 of 2\n3 new");
}

/// A copy that a process was killed over is in nobody's way.
#[test]
fn a_copy_that_was_not_finished_is_made_anew() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[row(1, None, 5), row(2, None, 5)], None);
    let mut copy = warehouse.path().into_os_string();
    copy.push(".rewritten");
    fs::write(&copy, "half a file").unwrap();
    remove(&mut warehouse, &table("orders"), Removal::Keys(&ids(&[1]))).unwrap();
    assert_eq!(warehouse.query("SELECT id FROM orders"), "2");
    assert!(!fs::exists(&copy).unwrap());
}

/// DuckDB does not copy rows that refer to others of their own table.
#[test]
fn a_copy_that_cannot_be_finished_is_not_left_behind() {
    let mut warehouse = Warehouse::new();
    let found = load(&mut warehouse, &[row(1, None, 5), row(2, None, 5)], None);
    warehouse.execute(
        "CREATE TABLE tree (id BIGINT PRIMARY KEY, parent BIGINT REFERENCES tree (id));
         INSERT INTO tree VALUES (1, NULL); INSERT INTO tree VALUES (2, 1)",
    );
    let error = warehouse.destination.remove(&table("orders"), &found, Removal::Keys(&ids(&[1]))).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Refused, Applied::Unknown));
    assert_eq!(fs::read_dir(warehouse.path().parent().unwrap()).unwrap().count(), 1, "other files are left");
    assert_eq!(warehouse.query("SELECT id FROM orders"), "2");
    warehouse.execute("DROP TABLE tree");
    remove(&mut warehouse, &table("orders"), Removal::Keys(&ids(&[1]))).unwrap();
}
