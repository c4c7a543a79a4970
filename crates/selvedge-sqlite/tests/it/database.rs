//! A database in a folder of its own, and loads into it.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use rusqlite::Connection;
use selvedge_core::{
    Change, Column, ColumnType, Destination, Epoch, IntegrationName, LoadError, Path, Position, QueueId, TableLoad,
    TableName, TableState, rejected, schema, tombstone,
};
use selvedge_sqlite::Sqlite;
use tempfile::TempDir;

pub(crate) struct Database {
    pub(crate) destination: Sqlite,
    folder: TempDir,
}

impl Database {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { destination: Sqlite::open(folder.path().join("warehouse.db")).unwrap(), folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("warehouse.db")
    }

    /// Another program's connection.
    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    pub(crate) fn reopen(self) -> Self {
        let Self { destination, folder } = self;
        drop(destination);
        Self { destination: Sqlite::open(folder.path().join("warehouse.db")).unwrap(), folder }
    }

    pub(crate) fn state(&mut self, table: &TableName) -> Option<TableState> {
        self.destination.state(table).unwrap()
    }

    /// Loads rows on top of whatever the table holds.
    pub(crate) fn load(&mut self, table: &TableName, keys: &[&str], columns: &[(Column, ArrayRef)]) -> TableState {
        self.try_load(table, keys, columns).unwrap()
    }

    pub(crate) fn try_load(
        &mut self,
        table: &TableName,
        keys: &[&str],
        columns: &[(Column, ArrayRef)],
    ) -> Result<TableState, LoadError> {
        let planned_on = self.state(table);
        self.destination.load(&plan(planned_on, table, keys, columns))
    }

    /// Each row of a query, its values joined by ` | ` as SQLite's `quote` spells them.
    pub(crate) fn rows(&self, columns: &[&str], from: &str) -> Vec<String> {
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        self.strings(&format!("SELECT {} FROM {from}", quoted.join(" || ' | ' || ")))
    }

    /// The first column of a query.
    pub(crate) fn strings(&self, query: &str) -> Vec<String> {
        let connection = self.connection();
        let mut statement = connection.prepare(query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// A load of these columns: makes the table, or adds the columns the state lacks, and goes one batch further.
pub(crate) fn plan(
    planned_on: Option<TableState>,
    table: &TableName,
    keys: &[&str],
    columns: &[(Column, ArrayRef)],
) -> TableLoad {
    let (columns, arrays): (Vec<Column>, Vec<ArrayRef>) = columns.iter().cloned().unzip();
    let changes = match &planned_on {
        None => vec![Change::CreateTable(columns.clone())],
        Some(state) => {
            let new = columns.iter().filter(|column| state.column(&column.name).is_none());
            new.cloned().map(Change::AddColumn).collect()
        }
    };
    let fields: Vec<_> = columns.iter().map(Column::arrow_field).collect();
    let counts = planned_on.as_ref().map(|state| state.counts).unwrap_or_default();
    let batch = planned_on.as_ref().map_or(1, |state| state.position.batch + 1);
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let active_version = planned_on.as_ref().and_then(|state| state.active_version);
    let deletes = tombstone::none(&columns, &keys);
    TableLoad {
        table: table.clone(),
        planned_on,
        changes,
        columns,
        keys,
        rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap(),
        subtables: Vec::new(),
        deletes,
        active_version,
        activations: 0,
        superseded: 0,
        rejects: rejected::none(),
        counts,
        to: Position { queue: QueueId::from_bytes([7; 16]), epoch: Epoch::from_bytes([9; 16]), batch, record: 5 },
    }
}

pub(crate) fn table(name: &str) -> TableName {
    TableName::new(None, name).unwrap()
}

pub(crate) fn table_of(integration: &str, name: &str) -> TableName {
    TableName::new(Some(IntegrationName::new(integration).unwrap()), name).unwrap()
}

pub(crate) fn column(name: &str, column_type: ColumnType) -> Column {
    Column::new(name, None, column_type)
}

/// A column that a property of the records fills.
pub(crate) fn property(name: &str, column_type: ColumnType) -> Column {
    Column::new(name, Some(Path(vec![name.to_owned()])), column_type)
}

/// Values as those of a property.
pub(crate) fn of_property((column, values): (Column, ArrayRef)) -> (Column, ArrayRef) {
    (property(&column.name, column.column_type), values)
}

pub(crate) fn rows_of(columns: Vec<(Column, ArrayRef)>) -> (Vec<Column>, RecordBatch) {
    let (columns, arrays): (Vec<Column>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let rows = RecordBatch::try_new(schema(&columns), arrays).unwrap();
    (columns, rows)
}

pub(crate) fn integers(name: &str, values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> (Column, ArrayRef) {
    let array: Int64Array = values.into_iter().map(Into::into).collect();
    (column(name, ColumnType::Integer), Arc::new(array))
}

pub(crate) fn texts<'a>(
    name: &str,
    values: impl IntoIterator<Item = impl Into<Option<&'a str>>>,
) -> (Column, ArrayRef) {
    let array: StringArray = values.into_iter().map(Into::into).collect();
    (column(name, ColumnType::String), Arc::new(array))
}
