//! A DuckDB file in a folder of its own, and loads for it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::Schema;
use duckdb::Connection;
use selvedge_core::{
    Change, Column, ColumnType, Destination, Epoch, IntegrationName, LoadError, Path, Position, QueueId, TableLoad,
    TableName, TableState, rejected,
};
use selvedge_duckdb::DuckDb;
use tempfile::TempDir;

pub(crate) struct Warehouse {
    folder: TempDir,
    pub(crate) destination: DuckDb,
}

impl Warehouse {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let destination = DuckDb::open(folder.path().join("warehouse.duckdb")).unwrap();
        Self { folder, destination }
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
    let count = brought.first().map_or(0, |(_, values)| values.len());
    let mut columns = planned_on.as_ref().map(|state| state.columns.clone()).unwrap_or_default();
    let added: Vec<Column> =
        brought.iter().map(|(column, _)| column.clone()).filter(|c| !columns.contains(c)).collect();
    let changes = match planned_on {
        None => vec![Change::CreateTable(added.clone())],
        Some(_) => added.iter().cloned().map(Change::AddColumn).collect(),
    };
    columns.extend(added);
    let values = columns.iter().map(|column| {
        let brought = brought.iter().find(|(candidate, _)| candidate == column);
        brought.map_or_else(|| new_null_array(&column.column_type.arrow(), count), |(_, values)| Arc::clone(values))
    });
    let schema = Schema::new(columns.iter().map(Column::arrow_field).collect::<Vec<_>>());
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let rows = RecordBatch::try_new_with_options(Arc::new(schema), values.collect(), &options).unwrap();
    let counts = planned_on.as_ref().map(|state| state.counts).unwrap_or_default();
    let batch = planned_on.as_ref().map_or(1, |state| state.position.batch + 1);
    TableLoad {
        table: table.clone(),
        planned_on,
        changes,
        columns,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        rows,
        subtables: Vec::new(),
        superseded: 0,
        rejects: rejected::none(),
        counts,
        to: Position { queue: QueueId::from_bytes([7; 16]), epoch: Epoch::from_bytes([9; 16]), batch, record: 0 },
    }
}
