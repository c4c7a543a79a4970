//! The table of states, `_sdc_tables`: a row for each table, written in the load's transaction.

use selvedge_core::{IntegrationName, LoadError, LoadErrorKind, TableName};

use crate::{Dialect, quote, quote_list};

/// The columns of the key, with their types.
const KEY: [(&str, &str); 2] = [("integration", "TEXT NOT NULL"), ("table_name", "TEXT NOT NULL")];

/// The columns of a [`StateRow`](crate::StateRow), in its order, with their types.
const FIELDS: [(&str, &str); 13] = [
    ("format", "BIGINT NOT NULL"),
    ("columns", "TEXT NOT NULL"),
    ("keys", "TEXT NOT NULL"),
    ("subtables", "TEXT NOT NULL"),
    ("queue_id", "TEXT NOT NULL"),
    ("epoch", "TEXT NOT NULL"),
    ("active_version", "BIGINT"),
    ("batch", "BIGINT NOT NULL"),
    ("record", "BIGINT NOT NULL"),
    ("loaded", "BIGINT NOT NULL"),
    ("superseded", "BIGINT NOT NULL"),
    ("rejected", "BIGINT NOT NULL"),
    ("live_rows", "BIGINT NOT NULL"),
];

/// The statements of the table of states. Parameters are written `$1`, `$2`, … and first appear in that order, which is
/// how SQLite, DuckDB and PostgreSQL alike number them.
impl Dialect {
    /// The table of states as statements name it: one a database, in the default schema.
    pub fn state_table(&self) -> String {
        self.spelled(None, "_sdc_tables")
    }

    /// Makes the table of states unless it stands.
    pub fn create_state_table(&self) -> String {
        let definition = |(name, declared): &(&str, &str)| format!("{} {declared}, ", quote(name));
        let definitions: String = KEY.iter().chain(&FIELDS).map(definition).collect();
        let key = quote_list(KEY.map(name));
        format!("CREATE TABLE IF NOT EXISTS {} ({definitions}PRIMARY KEY ({key}))", self.state_table())
    }

    /// Deletes a state. Parameters: [`state_key`].
    pub fn delete_state(&self) -> String {
        let [integration, table] = KEY.map(|(name, _)| quote(name));
        format!("DELETE FROM {} WHERE {integration} = $1 AND {table} = $2", self.state_table())
    }

    /// Selects the integration and the name of every table that has a state, for [`table_name`], in the order of both.
    pub fn select_tables(&self) -> String {
        let key = quote_list(KEY.map(name));
        format!("SELECT {key} FROM {} ORDER BY {key}", self.state_table())
    }

    /// Selects a [`StateRow`](crate::StateRow), with all the columns there are: another version may have others. Parameters:
    /// [`state_key`].
    pub fn select_state(&self) -> String {
        let [integration, table] = KEY.map(|(name, _)| quote(name));
        format!("SELECT * FROM {} WHERE {integration} = $1 AND {table} = $2", self.state_table())
    }

    /// Inserts or replaces a state. Parameters: [`StateRow::parameters`](crate::StateRow::parameters).
    pub fn upsert_state(&self) -> String {
        let columns = KEY.iter().chain(&FIELDS);
        let names = quote_list(columns.clone().map(|column| column.0));
        let values: Vec<String> = columns.zip(1..).map(|(_, number)| format!("${number}")).collect();
        let assignments = FIELDS.map(|(name, _)| format!("{name} = excluded.{name}", name = quote(name)));
        format!(
            "INSERT INTO {} ({names}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
            self.state_table(),
            values.join(", "),
            quote_list(KEY.map(name)),
            assignments.join(", "),
        )
    }
}

fn name(column: (&'static str, &'static str)) -> &'static str {
    column.0
}

/// What stands in the key of a table's state: the integration's name, empty without one, and the table's own.
pub fn state_key(table: &TableName) -> [&str; 2] {
    [table.integration().map_or("", IntegrationName::as_str), table.table()]
}

/// The table that a [`state_key`] stands for.
///
/// # Errors
/// [`LoadErrorKind::Refused`] when no table is called so.
pub fn table_name(integration: &str, table: &str) -> Result<TableName, LoadError> {
    let named = || {
        let integration = (!integration.is_empty()).then(|| IntegrationName::new(integration)).transpose()?;
        TableName::new(integration, table)
    };
    named().map_err(|cause| {
        let message = "_sdc_tables names a table that selvedge cannot have loaded; delete that row, or restore the \
                       destination from a backup";
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}
