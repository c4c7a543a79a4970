//! The table of rejected records: one for each integration, and one for the tables without.

use selvedge_core::{TableName, rejected, system};

use crate::{Dialect, quote};

impl Dialect {
    /// The table that keeps the rejected records of a table's integration, as statements name it:
    /// `"shop"."_sdc_rejected"` or `"shop___sdc_rejected"`. Its columns are [`rejected::columns`]. It stands from the first
    /// rejected record on.
    pub fn rejected_table(&self, table: &TableName) -> String {
        self.spelled(table.integration(), rejected::TABLE)
    }

    /// The statement that makes it unless it stands. Where integrations are schemas, theirs has to stand.
    pub fn create_rejected_table(&self, table: &TableName) -> String {
        let definitions = self.definitions(&rejected::columns()).join(", ");
        format!("CREATE TABLE IF NOT EXISTS {} ({definitions})", self.rejected_table(table))
    }

    /// Deletes so many rejected records that were for a table by their [generated keys](system::PRIMARY_KEY), for which
    /// there is no index. Parameters: the table's own name, then the keys.
    pub fn delete_rejected_records(&self, table: &TableName, count: usize) -> String {
        let keys: Vec<String> = (2..).take(count).map(|number| format!("${number}")).collect();
        format!("{} AND {} IN ({})", self.delete_rejected(table), quote(system::PRIMARY_KEY), keys.join(", "))
    }

    /// Deletes the rejected records that were for a table and were rejected before a moment. Parameters: the table's own
    /// name, then the moment as [`timestamp_text`](crate::timestamp_text) spells it.
    pub fn delete_rejected_before(&self, table: &TableName) -> String {
        format!("{} AND {} < $2", self.delete_rejected(table), quote(rejected::REJECTED_AT))
    }

    /// Deletes the rejected records that were for a table. Parameter: the table's own name.
    pub fn delete_rejected(&self, table: &TableName) -> String {
        format!("DELETE FROM {} WHERE {} = $1", self.rejected_table(table), quote(rejected::TABLE_NAME))
    }
}
