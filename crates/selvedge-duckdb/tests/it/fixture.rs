//! A DuckDB file in a folder of its own, and loads for it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use duckdb::Connection;
use selvedge_core::{
    ArrayPath, Change, Column, ColumnType, Destination, Epoch, IntegrationName, LoadError, Path, Position, QueueId,
    Subtable, SubtableLoad, TableLoad, TableName, TableState, rejected, schema, tombstone,
};
use selvedge_duckdb::{DuckDb, Nesting, Settings};
use tempfile::TempDir;

pub(crate) struct Warehouse {
    folder: TempDir,
    pub(crate) destination: DuckDb,
}

impl Warehouse {
    pub(crate) fn new() -> Self {
        Self::with(Nesting::Flat)
    }

    /// One whose new tables keep objects and arrays so.
    pub(crate) fn with(nesting: Nesting) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("warehouse.duckdb");
        Self { folder, destination: DuckDb::open_with(path, Settings { nesting }).unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("warehouse.duckdb")
    }

    /// The table as a load would find it, which then brings these columns.
    pub(crate) fn load(&mut self, table: &TableName, keys: &[&str], columns: Vec<(Column, ArrayRef)>) -> Loaded {
        let found = self.destination.state(table).unwrap();
        self.destination.load(&plan(table, found, keys, columns))
    }

    /// What plain DuckDB answers: a line for each row, with spaces between its values.
    pub(crate) fn query(&self, sql: &str) -> String {
        let connection = Connection::open(self.path()).unwrap();
        let mut statement = connection.prepare(&format!("SELECT COLUMNS(*)::VARCHAR FROM ({sql})")).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let count = row.as_ref().column_count();
            let value = |at| row.get::<_, Option<String>>(at).unwrap().unwrap_or_else(|| "null".to_owned());
            lines.push((0..count).map(value).collect::<Vec<_>>().join(" "));
        }
        lines.join("\n")
    }

    /// Lets plain DuckDB run a statement.
    pub(crate) fn execute(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

pub(crate) type Loaded = Result<TableState, LoadError>;

pub(crate) fn table(name: &str) -> TableName {
    TableName::new(None, name).unwrap()
}

pub(crate) fn integration_table(integration: &str, name: &str) -> TableName {
    TableName::new(Some(IntegrationName::new(integration).unwrap()), name).unwrap()
}

pub(crate) fn column(name: &str, column_type: ColumnType) -> Column {
    let path = (!name.starts_with("_sdc")).then(|| Path(vec![name.to_owned()]));
    Column::new(name, path, column_type)
}

/// A load as preparation plans it: columns the table has and the load does not are null, new ones are added at the end.
pub(crate) fn plan(
    table: &TableName,
    planned_on: Option<TableState>,
    keys: &[&str],
    brought: Vec<(Column, ArrayRef)>,
) -> TableLoad {
    let changes = additions(planned_on.as_ref().map(|state| state.columns.as_slice()), &brought);
    plan_changes(table, planned_on, keys, changes, brought)
}

/// A load that brings these changes, and columns that the table has after them.
pub(crate) fn plan_changes(
    table: &TableName,
    planned_on: Option<TableState>,
    keys: &[&str],
    changes: Vec<Change>,
    brought: Vec<(Column, ArrayRef)>,
) -> TableLoad {
    let columns = changed(planned_on.as_ref().map(|state| state.columns.as_slice()), &changes);
    let batch = planned_on.as_ref().map_or(1, |state| state.position.batch + 1);
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let active_version = planned_on.as_ref().and_then(|state| state.active_version);
    let deletes = tombstone::none(&columns, &keys);
    TableLoad {
        table: table.clone(),
        changes,
        rows: rows(&columns, &brought),
        columns,
        keys,
        subtables: Vec::new(),
        deletes,
        active_version,
        activations: 0,
        superseded: 0,
        rejects: rejected::none(),
        counts: planned_on.as_ref().map(|state| state.counts).unwrap_or_default(),
        to: Position { queue: QueueId::from_bytes([7; 16]), epoch: Epoch::from_bytes([9; 16]), batch, record: 0 },
        planned_on,
    }
}

/// What a load brings for a subtable, of which each row belongs to one of these rows of the root.
pub(crate) fn plan_subtable(
    planned_on: Option<&TableState>,
    name: &str,
    source: &[&str],
    brought: Vec<(Column, ArrayRef)>,
    roots: Vec<u32>,
) -> SubtableLoad {
    let stood = planned_on.and_then(|state| state.subtable(name)).map(|subtable| subtable.columns.as_slice());
    let changes = additions(stood, &brought);
    plan_subtable_changes(planned_on, name, source, changes, brought, roots)
}

/// What a load brings for a subtable, with these changes.
pub(crate) fn plan_subtable_changes(
    planned_on: Option<&TableState>,
    name: &str,
    source: &[&str],
    changes: Vec<Change>,
    brought: Vec<(Column, ArrayRef)>,
    roots: Vec<u32>,
) -> SubtableLoad {
    let stood = planned_on.and_then(|state| state.subtable(name)).map(|subtable| subtable.columns.as_slice());
    let columns = changed(stood, &changes);
    let source = ArrayPath(source.iter().map(|name| Path(vec![(*name).to_owned()])).collect());
    SubtableLoad {
        changes,
        rows: rows(&columns, &brought),
        roots: roots.into(),
        subtable: Subtable { name: name.to_owned(), source, columns },
    }
}

/// The changes that make room for what is brought: a table, or the columns it lacks.
fn additions(stood: Option<&[Column]>, brought: &[(Column, ArrayRef)]) -> Vec<Change> {
    let stands = |column: &&Column| stood.is_some_and(|stood| stood.contains(column));
    let added = brought.iter().map(|(column, _)| column).filter(|column| !stands(column)).cloned();
    if stood.is_none() { vec![Change::CreateTable(added.collect())] } else { added.map(Change::AddColumn).collect() }
}

/// The columns a table has after changes.
fn changed(stood: Option<&[Column]>, changes: &[Change]) -> Vec<Column> {
    let mut columns = stood.unwrap_or_default().to_vec();
    for change in changes {
        match change {
            Change::CreateTable(all) => columns.clone_from(all),
            Change::AddColumn(column) => columns.push(column.clone()),
            Change::WidenColumn(column) => named(&mut columns, &column.name).clone_from(column),
            Change::RenameColumn { from, to } => named(&mut columns, from).name.clone_from(to),
            _ => panic!("an unknown change"),
        }
    }
    columns
}

fn named<'c>(columns: &'c mut [Column], name: &str) -> &'c mut Column {
    columns.iter_mut().find(|column| column.name == name).unwrap()
}

/// Rows with these columns; those that are not brought are null.
fn rows(columns: &[Column], brought: &[(Column, ArrayRef)]) -> RecordBatch {
    let count = brought.first().map_or(0, |(_, values)| values.len());
    let values = columns.iter().map(|column| {
        let brought = brought.iter().find(|(candidate, _)| candidate == column);
        brought.map_or_else(|| new_null_array(&column.column_type.arrow(), count), |(_, values)| Arc::clone(values))
    });
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    RecordBatch::try_new_with_options(schema(columns), values.collect(), &options).unwrap()
}
