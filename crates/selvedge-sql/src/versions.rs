//! The statements that remove what stands below a version that is activated: what has a lower one, or none.

use selvedge_core::{Column, LoadError, Subtable, TableName, system};

use crate::{Dialect, quote};

/// The version is written into the statements, which have no parameter but where one is named. Run them in this order: what
/// belongs to a row is found by that row.
impl Dialect {
    /// Deletes the subrows of the rows of `root` that stand below a version. `columns` are those of the root; `keys` those
    /// of its key, in the order of the subtable's [source keys](Subtable::source_keys): the generated one in a keyless
    /// table.
    ///
    /// # Errors
    /// As [`Subtable::table_name`].
    pub fn delete_subrows_below(
        &self,
        root: &TableName,
        columns: &[Column],
        keys: &[String],
        subtable: &Subtable,
        version: i64,
    ) -> Result<String, LoadError> {
        let belongs = keys.iter().zip(subtable.source_keys());
        let mut conditions: Vec<String> =
            belongs.map(|(key, source)| format!("root.{} = sub.{}", quote(key), quote(source))).collect();
        conditions.extend(below("root.", columns, version));
        Ok(format!(
            "DELETE FROM {} AS sub WHERE EXISTS (SELECT 1 FROM {} AS root WHERE {})",
            self.table(&subtable.table_name(root)?),
            self.table(root),
            conditions.join(" AND "),
        ))
    }

    /// Deletes the rows of a table that stand below a version: all of them, if no column of its is that of versions.
    pub fn delete_rows_below(&self, table: &TableName, columns: &[Column], version: i64) -> String {
        let condition = below("", columns, version).map_or_else(String::new, |below| format!(" WHERE {below}"));
        format!("DELETE FROM {}{condition}", self.table(table))
    }

    /// Deletes the tombstones of a table that stand below a version. Parameter: the table's own name.
    pub fn delete_tombstones_below(&self, table: &TableName, version: i64) -> String {
        format!("{} AND {}", self.delete_tombstones(table), is_below("", version))
    }
}

/// The condition that a row of these columns is below; `None` where every row is.
fn below(row: &str, columns: &[Column], version: i64) -> Option<String> {
    columns.iter().any(|column| column.name == system::TABLE_VERSION).then(|| is_below(row, version))
}

fn is_below(row: &str, version: i64) -> String {
    let column = quote(system::TABLE_VERSION);
    format!("({row}{column} IS NULL OR {row}{column} < {version})")
}
