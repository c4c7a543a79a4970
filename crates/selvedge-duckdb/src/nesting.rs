//! What is noted in the file about how the objects and arrays of a table are kept.

use duckdb::{Connection, Row};
use selvedge_core::{LoadError, Nesting, TableName};
use selvedge_sql::state_key;

use crate::dialect::DIALECT;
use crate::session::Session;

/// Where it is noted, beside a table's state. The table of states has this column only in files with tables that are nested.
const NESTED: &str = "nested";

/// The nesting of a table whose state this is.
pub(crate) fn of_state(state: &Row<'_>) -> duckdb::Result<Nesting> {
    match state.get::<_, Option<bool>>(NESTED) {
        Ok(Some(true)) => Ok(Nesting::Native),
        Ok(_) | Err(duckdb::Error::InvalidColumnName(_)) => Ok(Nesting::Flat),
        Err(cause) => Err(cause),
    }
}

/// Notes the nesting of a table whose state was written for the first time.
pub(crate) fn note(session: &Session, table: &TableName, nesting: Nesting) -> Result<(), LoadError> {
    match nesting {
        Nesting::Flat => Ok(()),
        Nesting::Native => note_nested(session, table).map_err(session.failed("note the nesting of a table in")),
    }
}

fn note_nested(connection: &Connection, table: &TableName) -> duckdb::Result<()> {
    let states = DIALECT.state_table();
    connection.execute_batch(&format!("ALTER TABLE {states} ADD COLUMN IF NOT EXISTS {NESTED} BOOLEAN"))?;
    let sql = format!("UPDATE {states} SET {NESTED} = true WHERE integration = $1 AND table_name = $2");
    connection.execute(&sql, state_key(table)).map(drop)
}
