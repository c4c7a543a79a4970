//! What stands in the file.

use std::collections::HashSet;

use duckdb::Connection;
use selvedge_core::{LoadError, LoadErrorKind, TableName};

use crate::dialect::DIALECT;
use crate::session::{Session, literal};

/// Whether there is a table, named as statements name it.
///
/// To be asked before a transaction is begun, which DuckDB aborts if there is none. Nobody else has the file meanwhile.
pub(crate) fn has_table(connection: &Connection, table: &str) -> duckdb::Result<bool> {
    match connection.prepare(&format!("SELECT 1 FROM {table}")) {
        Ok(_) => Ok(true),
        Err(cause) if is_missing(&cause) => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// The columns that a table of selvedge's has in the file, those of others among them.
pub(crate) fn columns(session: &Session, table: &TableName) -> Result<ColumnNames, LoadError> {
    column_names(session, &DIALECT.table(table)).map(ColumnNames::new).map_err(|cause| {
        if !is_missing(&cause) {
            return session.failed("read the columns of a table in")(cause);
        }
        let message =
            format!("table {table} was dropped from {}; restore the file from a backup", session.path().display());
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}

/// This does not plan a query of all columns, as `DESCRIBE` does, which takes 7 ms where there are a thousand.
fn column_names(connection: &Connection, table: &str) -> duckdb::Result<Vec<String>> {
    let mut select = connection.prepare(&format!("SELECT name FROM pragma_table_info({})", literal(table)))?;
    select.query_map([], |row| row.get(0))?.collect()
}

fn is_missing(cause: &duckdb::Error) -> bool {
    cause.to_string().starts_with("Catalog Error")
}

/// The names of the columns that stand in a table.
#[derive(Debug, Default)]
pub(crate) struct ColumnNames {
    names: Vec<String>,
    folded: HashSet<String>,
}

impl ColumnNames {
    fn new(names: Vec<String>) -> Self {
        let folded = names.iter().map(|name| fold(name)).collect();
        Self { names, folded }
    }

    /// Whether a column stands. To DuckDB, upper and lower case are the same.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.folded.contains(&fold(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Those that are none of these.
    pub(crate) fn except<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let own: HashSet<String> = names.into_iter().map(fold).collect();
        Self::new(self.names.iter().filter(|name| !own.contains(&fold(name))).cloned().collect())
    }
}

fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}
