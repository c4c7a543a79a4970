//! The statements that read what a destination holds.

use selvedge_core::{Column, TableName, rejected};

use crate::{Dialect, quote, quote_list};

impl Dialect {
    /// Selects these columns of every row of a table.
    pub fn select_rows(&self, table: &TableName, columns: &[Column]) -> String {
        select(columns, &self.table(table))
    }

    /// Selects these columns of every row of a table, null in place of those that do not stand.
    pub fn select_standing(&self, table: &TableName, columns: &[Column], stands: impl Fn(&Column) -> bool) -> String {
        let item = |column: &Column| {
            let name = quote(&column.name);
            if stands(column) { name } else { format!("{} AS {name}", self.cast("NULL", column.column_type)) }
        };
        let items: Vec<String> = columns.iter().map(item).collect();
        format!("SELECT {} FROM {}", items.join(", "), self.table(table))
    }

    /// Counts the rows of a table.
    pub fn count_rows(&self, table: &TableName) -> String {
        format!("SELECT count(*) FROM {}", self.table(table))
    }

    /// Selects the rejected records that were for a table. Parameter: the table's own name. Ask before whether the table of
    /// rejected records stands: it does only from the first one on.
    pub fn select_rejected(&self, table: &TableName) -> String {
        let records = select(&rejected::columns(), &self.rejected_table(table));
        format!("{records} WHERE {} = $1", quote(rejected::TABLE_NAME))
    }
}

fn select(columns: &[Column], table: &str) -> String {
    format!("SELECT {} FROM {table}", quote_list(columns.iter().map(|column| &column.name)))
}
