//! Keeping the rejected records of a load.

use rusqlite::Connection;
use selvedge_core::{TableLoad, rejected};

use crate::dialect::DIALECT;
use crate::rows;

/// Adds the rejected records, if there are any, to those of the table's integration.
pub(crate) fn write(connection: &Connection, load: &TableLoad) -> rusqlite::Result<()> {
    if load.rejects.num_rows() == 0 {
        return Ok(());
    }
    connection.execute_batch(&DIALECT.create_rejected_table(&load.table))?;
    rows::append(connection, &DIALECT.rejected_table(&load.table), &rejected::columns(), &load.rejects)
}
