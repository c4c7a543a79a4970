//! The statements that remove what stands below a version that is activated: what has a lower one, or none.

use selvedge_core::{Column, TableName, system};

use crate::{Dialect, quote};

/// The version is written into the statements, which have no parameter but where one is named.
impl Dialect {
    /// Deletes the rows of a table that stand below a version: all of them, if no column of its is that of versions. Those
    /// of a subtable go by it as well: they have the version of the row they belong to.
    pub fn delete_rows_below(&self, table: &TableName, columns: &[Column], version: i64) -> String {
        let has_versions = columns.iter().any(|column| column.name == system::TABLE_VERSION);
        let condition = if has_versions { format!(" WHERE {}", is_below(version)) } else { String::new() };
        format!("DELETE FROM {}{condition}", self.table(table))
    }

    /// Deletes the tombstones of a table that stand below a version. Parameter: the table's own name.
    pub fn delete_tombstones_below(&self, table: &TableName, version: i64) -> String {
        format!("{} AND {}", self.delete_tombstones(table), is_below(version))
    }
}

fn is_below(version: i64) -> String {
    let column = quote(system::TABLE_VERSION);
    format!("({column} IS NULL OR {column} < {version})")
}
