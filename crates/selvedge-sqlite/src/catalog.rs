//! What stands in the database.

use rusqlite::{Connection, ErrorCode};

/// Whether there is a table, named as statements name it.
pub(crate) fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    match connection.prepare(&format!("SELECT 1 FROM {table}")) {
        Ok(_) => Ok(true),
        // The code of statements that do not fit the database. Nothing else about this one could fail to.
        Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(false),
        Err(cause) => Err(cause),
    }
}
