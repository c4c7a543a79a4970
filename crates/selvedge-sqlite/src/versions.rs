//! Removing what stands below a version that a load activates.

use rusqlite::Connection;
use selvedge_core::{LoadError, SubtableLoad, TableLoad};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::error::Doing;

/// Removes rows with their subrows, and tombstones, and says how many rows those were.
///
/// This comes after the rows of the load, so that one which takes the place of a row below keeps what others added to it.
pub(crate) fn write(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<u64, LoadError> {
    let Some(version) = load.active_version.filter(|_| load.activates()) else { return Ok(0) };
    for SubtableLoad { subtable, .. } in &load.subtables {
        let name = subtable.table_name(&load.table)?;
        let delete = DIALECT.delete_rows_below(&name, &subtable.columns, version);
        connection.execute_batch(&delete).map_err(|cause| doing.failed(cause))?;
    }
    remove_rows(connection, load, version).map_err(|cause| doing.failed(cause))
}

fn remove_rows(connection: &Connection, load: &TableLoad, version: i64) -> rusqlite::Result<u64> {
    if has_table(connection, &DIALECT.tombstone_table(&load.table))? {
        connection.execute(&DIALECT.delete_tombstones_below(&load.table, version), [load.table.table()])?;
    }
    let rows = connection.execute(&DIALECT.delete_rows_below(&load.table, &load.columns, version), [])?;
    Ok(rows as u64)
}
