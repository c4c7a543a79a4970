//! Objects and arrays as structs and lists: which columns a table has then, and how rows that stand follow changes.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
use selvedge_core::{
    Change, Column, ColumnType, Destination, LoadErrorKind, Path, SubtableLoad, TableLoad, TableState, level_id, system,
};
use selvedge_duckdb::{DuckDb, Nesting, Settings};

use crate::fixture::{Warehouse, plan, plan_changes, plan_subtable, plan_subtable_changes, table};

/// A column of this name, with the path it is made of; `value` is that of scalar elements.
fn column(name: &str, column_type: ColumnType) -> Column {
    let path = match name {
        "value" => Some(Path::default()),
        _ if name.starts_with("_sdc") || name == system::PRIMARY_KEY => None,
        _ => Some(Path(name.split("__").map(str::to_owned).collect())),
    };
    Column::new(name, path, column_type)
}

fn integers(name: &str, values: &[i64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Integer), Arc::new(Int64Array::from(values.to_vec())))
}

fn texts(name: &str, values: &[Option<&str>]) -> (Column, ArrayRef) {
    (column(name, ColumnType::String), Arc::new(StringArray::from(values.to_vec())))
}

fn doubles(name: &str, values: &[f64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Double), Arc::new(Float64Array::from(values.to_vec())))
}

fn decimals(name: &str, scale: u8, values: &[i128]) -> (Column, ArrayRef) {
    let values = Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale.cast_signed());
    (column(name, ColumnType::Decimal { scale }), Arc::new(values.unwrap()))
}

/// The columns that tell where elements stand: for each, the id of its row, then its index in each array.
fn places(places: &[(i64, &[i64])]) -> Vec<(Column, ArrayRef)> {
    let ids: Vec<i64> = places.iter().map(|place| place.0).collect();
    let levels = places.first().map_or(0, |place| place.1.len());
    let level = |level: usize| -> (Column, ArrayRef) {
        let positions: Vec<i64> = places.iter().map(|place| place.1[level]).collect();
        integers(&level_id(level), &positions)
    };
    [integers("_sdc_source_key_id", &ids)].into_iter().chain((0..levels).map(level)).collect()
}

/// What is brought for a subtable of a table of the ids 1, 2, …
fn elements(
    stood: Option<&TableState>,
    source: &[&str],
    at: &[(i64, &[i64])],
    values: Vec<(Column, ArrayRef)>,
) -> SubtableLoad {
    let roots = at.iter().map(|place| place.0 as u32 - 1).collect();
    let brought = values.into_iter().chain(places(at)).collect();
    plan_subtable(stood, &format!("t__{}", source.join("__")), source, brought, roots)
}

fn rows(ids: &[i64], sequence: i64) -> Vec<(Column, ArrayRef)> {
    vec![integers("id", ids), integers(system::SEQUENCE, &vec![sequence; ids.len()])]
}

/// The columns with their types, then the rows.
fn stored(warehouse: &Warehouse) -> String {
    let columns = warehouse.query("SELECT column_name, column_type FROM (DESCRIBE t)");
    format!("{columns}\n{}", warehouse.query("SELECT * FROM t ORDER BY id"))
}

/// A table of two rows with an object, an array of objects, arrays in those, and an array of scalars.
fn warehouse() -> (Warehouse, TableState) {
    let mut warehouse = Warehouse::with(Nesting::Native);
    let mut brought = rows(&[1, 2], 5);
    brought.insert(1, texts("address__city", &[Some("Ice"), None]));
    let subtables = vec![
        elements(None, &["items"], &[(1, &[0]), (1, &[1])], vec![integers("n", &[7, 8])]),
        elements(None, &["items", "tags"], &[(1, &[0, 0]), (1, &[0, 1])], vec![integers("value", &[70, 71])]),
        elements(None, &["list"], &[(2, &[0]), (2, &[1])], vec![decimals("value", 2, &[150, 5])]),
    ];
    let load = TableLoad { subtables, ..plan(&table("t"), None, &["id"], brought) };
    let state = warehouse.destination.load(&load).unwrap();
    (warehouse, state)
}

const COLUMNS: &str = "id BIGINT\naddress STRUCT(city VARCHAR)\nitems STRUCT(n BIGINT, tags BIGINT[])[]\n\
                       list DECIMAL(38,2)[]\n_sdc_sequence BIGINT";
const ROWS: &str = "1 {'city': Ice} [{'n': 7, 'tags': [70, 71]}, {'n': 8, 'tags': NULL}] null 5\n\
                    2 null null [1.50, 0.05] 5";

#[test]
fn objects_are_structs_and_arrays_lists() {
    let (warehouse, _) = warehouse();
    assert_eq!(stored(&warehouse), format!("{COLUMNS}\n{ROWS}"));
    assert_eq!(warehouse.query("SELECT table_name FROM duckdb_tables() ORDER BY 1"), "_sdc_tables\nt");
}

/// A load without anything new, of the ids 1, 2, …
fn next(
    state: &TableState,
    ids: &[i64],
    sequence: i64,
    items: Vec<(Column, ArrayRef)>,
    at: &[(i64, &[i64])],
) -> TableLoad {
    let subtables = vec![
        elements(Some(state), &["items"], at, items),
        elements(Some(state), &["items", "tags"], &[], vec![]),
        elements(Some(state), &["list"], &[], vec![]),
    ];
    TableLoad { subtables, ..plan(&table("t"), Some(state.clone()), &["id"], rows(ids, sequence)) }
}

#[test]
fn a_row_is_replaced_with_what_is_in_it() {
    let (mut warehouse, state) = warehouse();
    let state = warehouse.destination.load(&next(&state, &[1], 6, vec![integers("n", &[9])], &[(1, &[0])])).unwrap();
    let rows = "1 null [{'n': 9, 'tags': NULL}] null 6\n2 null null [1.50, 0.05] 5";
    assert_eq!(stored(&warehouse), format!("{COLUMNS}\n{rows}"));
    let state = warehouse.destination.load(&next(&state, &[1], 4, vec![integers("n", &[0])], &[(1, &[0])])).unwrap();
    assert_eq!(stored(&warehouse), format!("{COLUMNS}\n{rows}"));
    assert_eq!((state.counts.loaded, state.counts.superseded, state.counts.live_rows), (3, 1, 2));
}

/// A load that brings no rows, only changes of the table and of its subtables.
fn change(
    warehouse: &mut Warehouse,
    state: &TableState,
    changes: Vec<Change>,
    of_parts: [Vec<Change>; 3],
) -> TableState {
    let sources: [&[&str]; 3] = [&["items"], &["items", "tags"], &["list"]];
    let part = |(source, changes): (&[&str], Vec<Change>)| {
        plan_subtable_changes(Some(state), &format!("t__{}", source.join("__")), source, changes, vec![], vec![])
    };
    let subtables = sources.into_iter().zip(of_parts).map(part).collect();
    let load = plan_changes(&table("t"), Some(state.clone()), &["id"], changes, vec![]);
    warehouse.destination.load(&TableLoad { subtables, ..load }).unwrap()
}

fn add(name: &str, column_type: ColumnType) -> Vec<Change> {
    vec![Change::AddColumn(column(name, column_type))]
}

#[test]
fn new_columns_are_new_fields_at_any_depth() {
    let (mut warehouse, state) = warehouse();
    let changes = [add("address__at__lat", ColumnType::Double), add("note", ColumnType::Json)].concat();
    let of_parts = [add("price__net", ColumnType::Decimal { scale: 2 }), vec![], vec![]];
    change(&mut warehouse, &state, changes, of_parts);
    assert_eq!(
        stored(&warehouse),
        "id BIGINT\naddress STRUCT(city VARCHAR, \"at\" STRUCT(lat DOUBLE))\n\
         items STRUCT(n BIGINT, price STRUCT(net DECIMAL(38,2)), tags BIGINT[])[]\n\
         list DECIMAL(38,2)[]\n_sdc_sequence BIGINT\nnote VARCHAR\n\
         1 {'city': Ice, 'at': NULL} [{'n': 7, 'price': NULL, 'tags': [70, 71]}, {'n': 8, 'price': NULL, 'tags': NULL}] \
         null 5 null\n2 null null [1.50, 0.05] 5 null"
    );
}

#[test]
fn rows_that_stand_follow_other_changes_at_any_depth() {
    let (mut warehouse, state) = warehouse();
    let rename = |from: &str, to: &str| vec![Change::RenameColumn { from: from.to_owned(), to: to.to_owned() }];
    let widen = |name: &str, column_type| vec![Change::WidenColumn(column(name, column_type))];
    let changes = [rename("address__city", "address__city__st"), add("address__city", ColumnType::Integer)].concat();
    let tags = [widen("value", ColumnType::Double), add("unit", ColumnType::String)].concat();
    let state = change(&mut warehouse, &state, changes, [vec![], tags, widen("value", ColumnType::DecimalText)]);
    assert_eq!(
        stored(&warehouse),
        "id BIGINT\naddress STRUCT(city__st VARCHAR, city BIGINT)\n\
         items STRUCT(n BIGINT, tags STRUCT(\"value\" DOUBLE, unit VARCHAR)[])[]\nlist VARCHAR[]\n_sdc_sequence BIGINT\n\
         1 {'city__st': Ice, 'city': NULL} [{'n': 7, 'tags': [{'value': 70.0, 'unit': NULL}, {'value': 71.0, \
         'unit': NULL}]}, {'n': 8, 'tags': NULL}] null 5\n2 null null [1.5, 0.05] 5"
    );
    assert_eq!(warehouse.query("SELECT table_name FROM duckdb_tables() ORDER BY 1"), "_sdc_tables\nt");
    let load = next(&state, &[1], 6, vec![integers("n", &[9])], &[(1, &[0])]);
    warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT id, items FROM t ORDER BY id"), "1 [{'n': 9, 'tags': NULL}]\n2 null");
}

/// Whatever a load changes, the columns of others keep what they hold.
#[test]
fn columns_of_others_are_left_alone() {
    let (mut warehouse, state) = warehouse();
    warehouse.execute("ALTER TABLE t ADD COLUMN \"my tags\" ENUM('x', 'y')[]; UPDATE t SET \"my tags\" = ['y', 'x']");
    let widen = vec![Change::WidenColumn(column("value", ColumnType::DecimalText))];
    let state = change(&mut warehouse, &state, add("address__zip", ColumnType::String), Default::default());
    let state = change(&mut warehouse, &state, vec![], [vec![], vec![], widen]);
    warehouse.destination.load(&next(&state, &[1, 2, 3], 6, vec![], &[])).unwrap();
    let rows = warehouse.query("SELECT id, _sdc_sequence, list, \"my tags\" FROM t ORDER BY id");
    assert_eq!(rows, "1 6 null [y, x]\n2 6 null [y, x]\n3 6 null null");
    assert_eq!(
        warehouse.query("SELECT column_type FROM (DESCRIBE t) WHERE column_name = 'my tags'"),
        "ENUM('x', 'y')[]"
    );
}

#[test]
fn a_name_that_others_took_is_refused() {
    let (mut warehouse, state) = warehouse();
    warehouse.execute("ALTER TABLE t ADD COLUMN Note VARCHAR");
    let mut load = next(&state, &[1], 6, vec![], &[]);
    let brought = rows(&[1], 6).into_iter().chain([texts("note__text", &[None])]).collect();
    let TableLoad { changes, columns, rows, .. } = plan(&table("t"), Some(state), &["id"], brought);
    (load.changes, load.columns, load.rows) = (changes, columns, rows);
    let error = warehouse.destination.load(&load).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().starts_with("the records bring a column `note`, and somebody added"), "{error}");
}

/// Of a dropped column of several types, all come back; without a key nothing is loaded.
#[test]
fn dropped_columns_come_back() {
    let (mut warehouse, state) = warehouse();
    warehouse.execute("ALTER TABLE t DROP COLUMN items; ALTER TABLE t DROP COLUMN address");
    let state = warehouse.destination.load(&next(&state, &[1], 6, vec![integers("n", &[9])], &[(1, &[0])])).unwrap();
    let rows = "SELECT id, address, items FROM t ORDER BY id";
    assert_eq!(warehouse.query(rows), "1 null [{'n': 9, 'tags': NULL}]\n2 null null");
    warehouse.execute("ALTER TABLE t DROP COLUMN items");
    let widen = vec![Change::WidenColumn(column("value", ColumnType::DecimalText))];
    let state = change(&mut warehouse, &state, vec![], [vec![], vec![], widen]);
    assert_eq!(warehouse.query("SELECT id, items, list FROM t ORDER BY id"), "1 null null\n2 null [1.5, 0.05]");
    warehouse.execute("ALTER TABLE t DROP COLUMN _sdc_sequence");
    let error = warehouse.destination.load(&next(&state, &[1], 7, vec![], &[])).unwrap_err();
    assert!(error.to_string().starts_with("the column `_sdc_sequence` of table t was dropped"), "{error}");
}

#[test]
fn a_table_stays_as_it_was_made() {
    for (made, opened) in [(Nesting::Flat, Nesting::Native), (Nesting::Native, Nesting::Flat)] {
        let mut warehouse = Warehouse::with(made);
        for (ids, sequence) in [(&[1][..], 5), (&[1, 2], 6)] {
            let found = warehouse.destination.state(&table("t")).unwrap();
            let list = elements(found.as_ref(), &["list"], &[(1, &[0])], vec![integers("value", &[7])]);
            let brought = rows(ids, sequence);
            let load = TableLoad { subtables: vec![list], ..plan(&table("t"), found, &["id"], brought) };
            warehouse.destination.load(&load).unwrap();
            warehouse.destination = DuckDb::open_with(warehouse.path(), Settings { nesting: opened }).unwrap();
        }
        let tables = warehouse.query("SELECT table_name FROM duckdb_tables() ORDER BY 1");
        assert_eq!(tables, if made == Nesting::Flat { "_sdc_tables\nt\nt__list" } else { "_sdc_tables\nt" });
        assert_eq!(warehouse.query("SELECT id FROM t ORDER BY id"), "1\n2");
    }
}

/// Tables of both kinds stand in one file.
#[test]
fn a_coalescing_view_is_of_a_flat_table() {
    let (mut warehouse, _) = warehouse();
    let error = warehouse.destination.create_coalescing_view(&table("t"), "v").unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("keeps objects and arrays nested"), "{error}");
    let mut flat = DuckDb::open(warehouse.path()).unwrap();
    flat.load(&plan(&table("flat"), None, &["id"], rows(&[1], 5))).unwrap();
    flat.create_coalescing_view(&table("flat"), "v").unwrap();
    assert_eq!(warehouse.query("SELECT id FROM v"), "1");
}

/// More rows than DuckDB hands out at once, in a table without keys.
#[test]
fn many_rows_are_written_anew() {
    let mut warehouse = Warehouse::with(Nesting::Native);
    let ids: Vec<i64> = (1..=20_000).collect();
    let keys: Vec<String> = ids.iter().map(|id| format!("key {id}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    let mut brought = rows(&ids, 5);
    brought.push(texts(system::PRIMARY_KEY, &keys));
    let numbers: Vec<i64> = ids.iter().flat_map(|id| [id * 10, id * 10 + 1]).collect();
    let source_keys: Vec<Option<&str>> = keys.iter().flat_map(|key| [*key, *key]).collect();
    let subrows = vec![
        integers("value", &numbers),
        texts("_sdc_source_key___sdc_primary_key", &source_keys),
        integers(&level_id(0), &numbers.iter().map(|number| number % 10).collect::<Vec<_>>()),
    ];
    let roots = (0..numbers.len() as u32).map(|number| number / 2).collect();
    let list = plan_subtable(None, "t__list", &["list"], subrows, roots);
    let load = TableLoad { subtables: vec![list], ..plan(&table("t"), None, &[], brought) };
    let state = warehouse.destination.load(&load).unwrap();
    warehouse.execute("ALTER TABLE t ADD COLUMN mine BIGINT; UPDATE t SET mine = id");

    let widen = vec![Change::WidenColumn(column("value", ColumnType::Double))];
    let list = plan_subtable_changes(Some(&state), "t__list", &["list"], widen, vec![], vec![]);
    let load = plan_changes(&table("t"), Some(state), &[], vec![], vec![doubles("_", &[])]);
    warehouse.destination.load(&TableLoad { subtables: vec![list], ..load }).unwrap();
    assert_eq!(warehouse.query("SELECT DISTINCT typeof(list) FROM t"), "DOUBLE[]");
    let sums =
        "SELECT count(*), count(DISTINCT id), sum(list[1] - 10 * id), sum(list[2] - 10 * id), sum(mine - id) FROM t";
    assert_eq!(warehouse.query(sums), "20000 20000 0.0 20000.0 0");
}
