//! The table of tombstones: one for each integration, and one for the tables without.

use selvedge_core::{TableName, system, tombstone};

use crate::{Dialect, Keys, quote, quote_list};

/// The key of a tombstone.
const KEY: [&str; 2] = [tombstone::TABLE_NAME, tombstone::KEY];

/// The statements of the table of tombstones. It stands from the first tombstone on: ask before whether it does.
impl Dialect {
    /// The table that keeps the tombstones of a table's integration, as statements name it: `"shop"."_sdc_tombstones"` or
    /// `"shop___sdc_tombstones"`. Its columns are [`tombstone::columns`].
    pub fn tombstone_table(&self, table: &TableName) -> String {
        self.spelled(table.integration(), tombstone::TABLE)
    }

    /// The statement that makes it unless it stands, with its key as the dialect has keys. Where integrations are schemas,
    /// theirs has to stand.
    pub fn create_tombstone_table(&self, table: &TableName) -> String {
        let mut parts = self.definitions(&tombstone::columns());
        if self.keys == Keys::Primary {
            parts.push(format!("PRIMARY KEY ({})", quote_list(KEY)));
        }
        format!("CREATE TABLE IF NOT EXISTS {} ({})", self.tombstone_table(table), parts.join(", "))
    }

    /// Selects whether a table has any tombstone. Parameter: the table's own name.
    pub fn has_tombstones(&self, table: &TableName) -> String {
        let [of_table, _] = KEY.map(quote);
        format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {of_table} = $1)", self.tombstone_table(table))
    }

    /// Selects how new the tombstone of a key is: its table version and its sequence. Parameters: the table's own name, the
    /// [text of the key](tombstone::key_texts).
    pub fn select_tombstone(&self, table: &TableName) -> String {
        let age = quote_list([system::TABLE_VERSION, system::SEQUENCE]);
        format!("SELECT {age} FROM {} WHERE {}", self.tombstone_table(table), of_key())
    }

    /// Inserts a tombstone, or replaces the one of its key unless that is newer. Parameters: one for each of
    /// [`tombstone::columns`]. For dialects with [primary keys](Keys::Primary).
    pub fn upsert_tombstone(&self, table: &TableName) -> String {
        let names = tombstone::columns().map(|column| quote(&column.name));
        let values: Vec<String> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let rest = names.iter().skip(KEY.len());
        let assignments: Vec<String> = rest.map(|name| format!("{name} = excluded.{name}")).collect();
        format!(
            "INSERT INTO {} AS stored ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {} WHERE ({}) <= ({})",
            self.tombstone_table(table),
            names.join(", "),
            values.join(", "),
            quote_list(KEY),
            assignments.join(", "),
            age_of("stored"),
            age_of("excluded"),
        )
    }

    /// Deletes the tombstone of a key. Parameters: as for [`select_tombstone`](Self::select_tombstone).
    pub fn delete_tombstone(&self, table: &TableName) -> String {
        format!("DELETE FROM {} WHERE {}", self.tombstone_table(table), of_key())
    }

    /// Deletes all tombstones of a table. Parameter: the table's own name.
    pub fn delete_tombstones(&self, table: &TableName) -> String {
        let [of_table, _] = KEY.map(quote);
        format!("DELETE FROM {} WHERE {of_table} = $1", self.tombstone_table(table))
    }
}

fn of_key() -> String {
    let [of_table, key] = KEY.map(quote);
    format!("{of_table} = $1 AND {key} = $2")
}

/// What compares as the ages of tombstones do: by table version, no version being the lowest, then by sequence.
fn age_of(row: &str) -> String {
    let (version, sequence) = (quote(system::TABLE_VERSION), quote(system::SEQUENCE));
    format!("{row}.{version} IS NOT NULL, coalesce({row}.{version}, 0), {row}.{sequence}")
}
