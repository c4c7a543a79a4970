//! Deleting what stands under keys.

use arrow_array::RecordBatch;
use rusqlite::Connection;
use selvedge_core::{Column, system};
use selvedge_sql::quote;

use crate::cells::{Cells, unfit};

/// The keys of a table that the rows of a batch hold.
pub(crate) struct Keys<'k> {
    /// The key columns, each with its index in the batch.
    columns: Vec<(usize, &'k Column)>,
    rows: &'k RecordBatch,
}

impl<'k> Keys<'k> {
    /// Those in a batch for a table of these columns.
    ///
    /// # Errors
    /// When the batch or the table lacks one of the names.
    pub(crate) fn of(columns: &'k [Column], names: &[String], rows: &'k RecordBatch) -> rusqlite::Result<Self> {
        let schema = rows.schema_ref();
        let named = |name: &String| {
            let column = columns.iter().find(|column| column.name == *name);
            let column = column.ok_or_else(|| unfit(format!("the table lacks the key column {name}")))?;
            Ok((schema.index_of(name).map_err(unfit)?, column))
        };
        Ok(Self { columns: names.iter().map(named).collect::<rusqlite::Result<_>>()?, rows })
    }

    /// Deletes from a table, named as statements name it, what has one of those keys in the columns of these names, and says
    /// how many rows that were. `is_meant` picks among the rows of the batch.
    pub(crate) fn delete_from<'n>(
        &self,
        connection: &Connection,
        table: &str,
        names: impl Iterator<Item = &'n str>,
        is_meant: impl Fn(usize) -> bool,
    ) -> rusqlite::Result<u64> {
        let mut cells = Cells::new(&self.columns, self.rows)?;
        let mut delete = connection.prepare(&format!("DELETE FROM {table} WHERE {}", equal_keys(names)))?;
        let mut deleted = 0;
        for row in (0..self.rows.num_rows()).filter(|row| is_meant(*row)) {
            cells.bind(row, &mut delete)?;
            deleted += delete.raw_execute()? as u64;
        }
        Ok(deleted)
    }
}

/// The condition that columns of these names hold a key. Parameters are numbered as the names are.
pub(crate) fn equal_keys<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let equations: Vec<String> = names.zip(1..).map(|(name, number)| format!("{} = ?{number}", quote(name))).collect();
    equations.join(" AND ")
}

/// The names of what tells the rows of a table apart: its keys, or, if it has none, the one that selvedge generates.
pub(crate) fn names(keys: &[String]) -> Vec<String> {
    if keys.is_empty() { vec![system::PRIMARY_KEY.to_owned()] } else { keys.to_vec() }
}
