//! Loads that write rows, delete them and activate versions, beside a simple model of what stands afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use proptest::prelude::*;
use selvedge_core::{Column, ColumnType, Destination, Nesting, Path, TableLoad, TableState, level_id, schema, system};

use crate::fixture::{Warehouse, column, plan, plan_subtable, table};

/// A record of the table `orders`, whose array `items` has the one element `ID@SEQUENCE`; or a delete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    id: i64,
    version: Option<i64>,
    sequence: i64,
    is_delete: bool,
}

pub(crate) fn row(id: i64, version: Option<i64>, sequence: i64) -> Record {
    Record { id, version, sequence, is_delete: false }
}

pub(crate) fn delete(id: i64, version: Option<i64>, sequence: i64) -> Record {
    Record { is_delete: true, ..row(id, version, sequence) }
}

/// A load of records with a key each, after which this version is active.
pub(crate) fn plan_records(found: Option<TableState>, records: &[Record], active_version: Option<i64>) -> TableLoad {
    let (deletes, rows): (Vec<Record>, Vec<Record>) = records.iter().partition(|record| record.is_delete);
    let items = items(&rows);
    let roots = (0..rows.len() as u32).collect();
    let part = plan_subtable(found.as_ref(), "orders__items", &["items"], items, roots);
    let load = plan(&table("orders"), found, &["id"], columns(&rows));
    let activations = u64::from(active_version != load.active_version);
    let deletes = delete_rows(&load.tombstone_columns(), &deletes);
    TableLoad { subtables: vec![part], deletes, active_version, activations, ..load }
}

fn integers(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

fn columns(rows: &[Record]) -> Vec<(Column, ArrayRef)> {
    vec![
        (column("id", ColumnType::Integer), integers(rows.iter().map(|row| Some(row.id)))),
        (column(system::TABLE_VERSION, ColumnType::Integer), integers(rows.iter().map(|row| row.version))),
        (column(system::SEQUENCE, ColumnType::Integer), integers(rows.iter().map(|row| Some(row.sequence)))),
    ]
}

fn items(rows: &[Record]) -> Vec<(Column, ArrayRef)> {
    let value = Column::new("value", Some(Path::default()), ColumnType::String);
    let texts = rows.iter().map(|row| Some(format!("{}@{}", row.id, row.sequence)));
    vec![
        (value, Arc::new(texts.collect::<StringArray>())),
        (column("_sdc_source_key_id", ColumnType::Integer), integers(rows.iter().map(|row| Some(row.id)))),
        (column(&level_id(0), ColumnType::Integer), integers(rows.iter().map(|_| Some(0)))),
        (column(system::TABLE_VERSION, ColumnType::Integer), integers(rows.iter().map(|row| row.version))),
    ]
}

fn delete_rows(columns: &[Column], deletes: &[Record]) -> RecordBatch {
    let at = TimestampMicrosecondArray::from(vec![1; deletes.len()]).with_timezone("UTC");
    let columns_of = vec![
        integers(deletes.iter().map(|delete| Some(delete.id))),
        integers(deletes.iter().map(|delete| Some(delete.sequence))),
        integers(deletes.iter().map(|delete| delete.version)),
        Arc::new(at),
    ];
    RecordBatch::try_new(schema(columns), columns_of).unwrap()
}

/// Applies records to the table as it stands.
pub(crate) fn load(warehouse: &mut Warehouse, records: &[Record], active_version: Option<i64>) -> TableState {
    let found = warehouse.destination.state(&table("orders")).unwrap();
    warehouse.destination.load(&plan_records(found, records, active_version)).unwrap()
}

/// What stands: rows, elements and tombstones, each with version and sequence.
pub(crate) fn stored(warehouse: &Warehouse, nesting: Nesting) -> String {
    let items = match nesting {
        Nesting::Flat => "SELECT value FROM orders__items ORDER BY 1",
        Nesting::Native => "SELECT unnest(items) AS value FROM orders ORDER BY 1",
    };
    let rows = warehouse.query("SELECT id, _sdc_table_version, _sdc_sequence FROM orders ORDER BY id");
    let stands = warehouse.query("SELECT 1 FROM duckdb_tables() WHERE table_name = '_sdc_tombstones'") == "1";
    let tombstones = "SELECT key, _sdc_table_version, _sdc_sequence FROM _sdc_tombstones ORDER BY key";
    let tombstones = if stands { warehouse.query(tombstones) } else { String::new() };
    [rows, warehouse.query(items), tombstones].map(|lines| lines.replace('\n', "; ")).join(" | ")
}

/// What is newest of each id: how new, and whether it is a row.
type Model = BTreeMap<i64, ((Option<i64>, i64), bool)>;

fn apply(model: &mut Model, records: &[Record], active_version: Option<i64>) {
    model.retain(|_, ((version, _), _)| *version >= active_version);
    for record in records {
        let age = (record.version, record.sequence);
        if model.get(&record.id).is_none_or(|(stands, _)| *stands <= age) {
            model.insert(record.id, (age, !record.is_delete));
        }
    }
}

/// What [`stored`] says of a table that holds this.
fn shown(model: &Model) -> String {
    let having = |wanted| model.iter().filter(move |(_, (_, is_row))| *is_row == wanted);
    let version = |version: Option<i64>| version.map_or_else(|| "null".to_owned(), |version| version.to_string());
    let rows = having(true).map(|(id, ((table, sequence), _))| format!("{id} {} {sequence}", version(*table)));
    let items = having(true).map(|(id, ((_, sequence), _))| format!("{id}@{sequence}"));
    let tombstones = having(false).map(|(id, ((table, sequence), _))| format!("[{id}] {} {sequence}", version(*table)));
    let join = |lines: Vec<String>| lines.join("; ");
    [join(rows.collect()), join(items.collect()), join(tombstones.collect())].join(" | ")
}

/// A load: records by their ids, and the version that it activates, if that is higher than the active one.
type Load = (BTreeMap<i64, Record>, Option<i64>);

fn loads() -> impl Strategy<Value = Vec<Load>> {
    let record = (0..6_i64, prop::option::of(0..4_i64), 0..5_i64, any::<bool>())
        .prop_map(|(id, version, sequence, is_delete)| (id, Record { id, version, sequence, is_delete }));
    let records = prop::collection::vec(record, 0..5).prop_map(BTreeMap::from_iter);
    prop::collection::vec((records, prop::option::weighted(0.2, 0..4_i64)), 1..7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_loads_leave_what_a_simple_model_says(loads in loads(), is_native in any::<bool>()) {
        let nesting = if is_native { Nesting::Native } else { Nesting::Flat };
        let mut warehouse = Warehouse::with(nesting);
        let (mut model, mut active_version) = (Model::new(), None);
        for (records, activated) in loads {
            active_version = active_version.max(activated);
            let records: Vec<Record> =
                records.into_values().filter(|record| record.version >= active_version).collect();
            apply(&mut model, &records, active_version);
            let state = load(&mut warehouse, &records, active_version);
            prop_assert_eq!(stored(&warehouse, nesting), shown(&model));
            prop_assert_eq!(state.counts.live_rows, model.values().filter(|(_, is_row)| *is_row).count() as u64);
        }
    }
}
