//! Making a table and widening it.

use rusqlite::Connection;
use selvedge_core::{Change, LoadError, TableLoad};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::error::Doing;

/// Applies the changes of a load, in order.
pub(crate) fn apply(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<(), LoadError> {
    for change in &load.changes {
        let statement = match change {
            Change::CreateTable(columns) => {
                refuse_a_stranger(connection, load, doing)?;
                DIALECT.create_table(&load.table, columns, &load.keys)
            }
            Change::AddColumn(column) => DIALECT.add_column(&load.table, column),
            _ => return Err(doing.refused("it asks for a change this version does not know; report this as a defect")),
        };
        connection.execute_batch(&statement).map_err(|cause| doing.failed(cause))?;
    }
    Ok(())
}

/// A table that selvedge has no state of, and yet stands, is somebody else's: it must not be written to.
fn refuse_a_stranger(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<(), LoadError> {
    let name = DIALECT.table(&load.table);
    if !has_table(connection, &name).map_err(|cause| doing.failed(cause))? {
        return Ok(());
    }
    Err(doing.refused(&format!(
        "a table {name} that is not selvedge's, or is another of its tables, stands there: rename it"
    )))
}
