//! Loads of rows, deletes and activated versions into one table, whose rows have subrows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use selvedge_core::{
    ArrayPath, Change, Column, ColumnType, Destination, Path, Subtable, SubtableLoad, TableLoad, TableState, schema,
    system,
};

use crate::database::{Database, column, integers, of_property, plan, rows_of, table};

/// Key, sequence, table version.
pub(crate) type Record = (i64, i64, Option<i64>);

/// What one load brings to the table `orders`, keyed by `id`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load<'l> {
    pub(crate) rows: &'l [Record],
    pub(crate) deletes: &'l [Record],
    pub(crate) activates: Option<i64>,
}

/// Makes one load. A row has as many subrows as its sequence is above a multiple of 3, each of that sequence and version.
pub(crate) fn load(database: &mut Database, load: &Load<'_>) -> TableState {
    let planned_on = database.state(&table("orders"));
    database.destination.load(&planned(planned_on, load)).unwrap()
}

pub(crate) fn planned(planned_on: Option<TableState>, load: &Load<'_>) -> TableLoad {
    let numbers = |name, of: fn(&Record) -> Option<i64>| integers(name, load.rows.iter().map(of));
    let root = [
        numbers("id", |record| Some(record.0)),
        numbers(system::SEQUENCE, |record| Some(record.1)),
        numbers(system::TABLE_VERSION, |record| record.2),
    ];
    let deleted = integers("id", load.deletes.iter().map(|record| record.0));
    let ages: Vec<_> = load.deletes.iter().map(|record| (record.1, record.2)).collect();
    let subtables = vec![items(planned_on.as_ref(), load.rows)];
    let planned = plan(planned_on, &table("orders"), &["id"], &root);
    TableLoad {
        subtables,
        deletes: deletes(&[deleted], &ages),
        active_version: planned.active_version.max(load.activates),
        activations: load.activates.is_some().into(),
        ..planned
    }
}

/// Deletes of these keys, each with its sequence and table version.
pub(crate) fn deletes(keys: &[(Column, ArrayRef)], ages: &[(i64, Option<i64>)]) -> RecordBatch {
    let mut columns = keys.to_vec();
    columns.push(integers(system::SEQUENCE, ages.iter().map(|age| age.0)));
    columns.push(integers(system::TABLE_VERSION, ages.iter().map(|age| age.1)));
    let moments = TimestampMicrosecondArray::from(vec![1; ages.len()]).with_timezone("UTC");
    columns.push((column(system::DELETED_AT, ColumnType::Timestamp), Arc::new(moments)));
    rows_of(columns).1
}

fn items(planned_on: Option<&TableState>, rows: &[Record]) -> SubtableLoad {
    let all: Vec<(u32, &Record, i64)> = (0..)
        .zip(rows)
        .flat_map(|(root, record)| (0..record.1.rem_euclid(3)).map(move |item| (root, record, item)))
        .collect();
    let (columns, rows) = rows_of(vec![
        of_property(integers("of", all.iter().map(|item| item.1.1))),
        integers("_sdc_source_key_id", all.iter().map(|item| item.1.0)),
        integers("_sdc_level_0_id", all.iter().map(|item| item.2)),
        integers(system::TABLE_VERSION, all.iter().map(|item| item.1.2)),
    ]);
    let changes = if planned_on.is_none() { vec![Change::CreateTable(columns.clone())] } else { Vec::new() };
    let source = ArrayPath(vec![Path(vec!["items".to_owned()])]);
    let subtable = Subtable { name: "orders__items".to_owned(), source, columns };
    SubtableLoad { subtable, changes, rows, roots: UInt32Array::from_iter_values(all.iter().map(|item| item.0)) }
}

/// Expects these rows with exactly their subrows, and these tombstones.
#[track_caller]
pub(crate) fn check_stands(database: &Database, rows: &[Record], tombstones: &[Record]) {
    let written = |records: &[Record], key: fn(i64) -> String| -> Vec<String> {
        let version = |record: &Record| record.2.map_or("NULL".to_owned(), |version| version.to_string());
        records.iter().map(|record| format!("{} | {} | {}", key(record.0), record.1, version(record))).collect()
    };
    let age = [system::SEQUENCE, system::TABLE_VERSION];
    let stored = database.rows(&["id", age[0], age[1]], "orders ORDER BY id");
    assert_eq!(stored, written(rows, |id| id.to_string()), "the rows");

    let of_row = |record: &Record| {
        let (id, sequence, _) = *record;
        (0..sequence.rem_euclid(3)).map(move |item| format!("{id} | {item} | {sequence}"))
    };
    let subrows = database.rows(&["_sdc_source_key_id", "_sdc_level_0_id", "of"], "orders__items ORDER BY 1");
    assert_eq!(subrows, rows.iter().flat_map(of_row).collect::<Vec<_>>(), "the subrows");

    let stored = match tombstone_tables(database).as_slice() {
        [] => Vec::new(),
        _ => database.rows(&["key", age[0], age[1]], "_sdc_tombstones WHERE table_name = 'orders' ORDER BY key"),
    };
    assert_eq!(stored, written(tombstones, |id| format!("'[{id}]'")), "the tombstones");
}

/// The names of all tables of tombstones.
pub(crate) fn tombstone_tables(database: &Database) -> Vec<String> {
    database.strings("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%tombstones' ORDER BY name")
}

/// Some keys, to remove what stands under them.
pub(crate) fn ids(ids: &[i64]) -> RecordBatch {
    let (columns, values) = integers("id", ids.iter().copied());
    RecordBatch::try_new(schema(&[columns]), vec![values]).unwrap()
}
