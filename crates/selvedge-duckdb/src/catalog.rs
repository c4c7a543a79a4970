//! What stands in the file.

use duckdb::Connection;

/// Whether there is a table, named as statements name it.
pub(crate) fn has_table(connection: &Connection, table: &str) -> duckdb::Result<bool> {
    match connection.prepare(&format!("SELECT 1 FROM {table}")) {
        Ok(_) => Ok(true),
        Err(cause) if cause.to_string().starts_with("Catalog Error") => Ok(false),
        Err(cause) => Err(cause),
    }
}
