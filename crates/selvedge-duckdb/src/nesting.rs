//! How objects and arrays are kept, and what is noted about it in the file.

use duckdb::{Connection, Row};
use selvedge_core::{LoadError, TableName};
use selvedge_sql::state_key;

use crate::dialect::DIALECT;
use crate::session::Session;

/// How objects and arrays in the records of a table are kept.
///
/// It is chosen when a table is first loaded, and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Nesting {
    /// An object's values are columns of the table, an array's elements rows of a subtable, which is a table beside it.
    #[default]
    Flat,
    /// An object is a `STRUCT`, an array a `LIST`, as [`nested`](selvedge_core::nested) says: a row is the record it came as.
    /// JSON without a column of its own is a `VARCHAR` there. A struct that gets another field, anywhere deep in the records, is
    /// a change of the table's columns, for which DuckDB writes them anew.
    Native,
}

/// The nesting of a table that was loaded before.
pub(crate) fn read(session: &Session, table: &TableName) -> Result<Nesting, LoadError> {
    let nested = session.query_row(&DIALECT.select_state(), state_key(table), is_nested);
    let nested = nested.map_err(session.failed("read the nesting of a table in"))?;
    Ok(if nested { Nesting::Native } else { Nesting::Flat })
}

/// Notes the nesting of a table beside its state, which was written for the first time.
pub(crate) fn write(session: &Session, table: &TableName, nesting: Nesting) -> Result<(), LoadError> {
    match nesting {
        Nesting::Flat => Ok(()),
        Nesting::Native => note(session, table).map_err(session.failed("note the nesting of a table in")),
    }
}

/// Where it is noted in the table of states, which has this column only in files with tables that are nested.
const NESTED: &str = "nested";

fn is_nested(state: &Row<'_>) -> duckdb::Result<bool> {
    match state.get::<_, Option<bool>>(NESTED) {
        Err(duckdb::Error::InvalidColumnName(_)) => Ok(false),
        nested => nested.map(Option::unwrap_or_default),
    }
}

fn note(connection: &Connection, table: &TableName) -> duckdb::Result<()> {
    let states = DIALECT.state_table();
    connection.execute_batch(&format!("ALTER TABLE {states} ADD COLUMN IF NOT EXISTS {NESTED} BOOLEAN"))?;
    let sql = format!("UPDATE {states} SET {NESTED} = true WHERE integration = $1 AND table_name = $2");
    connection.execute(&sql, state_key(table)).map(drop)
}
