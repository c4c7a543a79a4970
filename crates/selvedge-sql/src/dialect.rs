//! How a SQL database spells names, types and the statements that make tables.

use std::borrow::Cow;

use selvedge_core::{Column, ColumnType, IntegrationName, TableName, rejected, tombstone};

/// A database's way of spelling SQL: data that the crate of a destination fills in once.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The type a column is declared with, quoted where it has to be.
    pub declared_type: fn(ColumnType) -> Cow<'static, str>,
    /// Where the tables of an integration stand.
    pub integrations: Integrations,
    /// What the key columns of a table become.
    pub keys: Keys,
}

/// Where the tables of an integration stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrations {
    /// In a schema of its own: `"shop"."orders"`.
    Schemas {
        /// The schema of tables without an integration, and of selvedge's own table of states.
        default: &'static str,
    },
    /// Among all others, with its name before theirs: `"shop__orders"`.
    Prefixes,
}

/// What the key columns of a table become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Its primary key, which upserts by `ON CONFLICT` need.
    Primary,
    /// Nothing: that a key stands only once is the destination's own doing. For databases in which an index makes every
    /// load dearer.
    Unindexed,
}

impl Dialect {
    /// A table as statements name it, quoted: `"shop"."orders"` or `"shop__orders"`.
    ///
    /// Different tables may share a spelling (`a__b`, and `b` of integration `a`, where integrations are prefixes; names
    /// that differ in case): the second [`create_table`](Self::create_table) then fails.
    pub fn table(&self, table: &TableName) -> String {
        self.spelled(table.integration(), table.table())
    }

    /// Whether a table is spelled as one that selvedge keeps rejected records or tombstones in may be:
    /// `shop___sdc_rejected`, where integrations are prefixes. It is not to be made: a table of selvedge's own would be taken
    /// for standing.
    pub fn is_spelled_as_own(&self, table: &TableName) -> bool {
        let spelled = self.table(table).to_ascii_lowercase();
        self.integrations == Integrations::Prefixes
            && [rejected::TABLE, tombstone::TABLE].iter().any(|own| spelled.ends_with(&format!("__{own}\"")))
    }

    /// A table as statements name it; selvedge's own too, whose names no [`TableName`] takes by itself.
    pub(crate) fn spelled(&self, integration: Option<&IntegrationName>, name: &str) -> String {
        match self.integrations {
            Integrations::Schemas { default } => {
                let schema = integration.map_or(default, IntegrationName::as_str);
                format!("{}.{}", quote(schema), quote(name))
            }
            Integrations::Prefixes => {
                let prefix = integration.map_or_else(String::new, |integration| format!("{integration}__"));
                quote(&format!("{prefix}{name}"))
            }
        }
    }

    /// The statement that makes the schema of a table's integration unless it stands, where there is one to make.
    pub fn create_schema(&self, table: &TableName) -> Option<String> {
        let Integrations::Schemas { .. } = self.integrations else { return None };
        let integration = table.integration()?;
        Some(format!("CREATE SCHEMA IF NOT EXISTS {}", quote(integration.as_str())))
    }

    /// The statement that makes a table, with its keys as the dialect has them. It fails when one of that name stands.
    pub fn create_table(&self, table: &TableName, columns: &[Column], keys: &[String]) -> String {
        let mut parts = self.definitions(columns);
        if self.keys == Keys::Primary && !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", quote_list(keys)));
        }
        format!("CREATE TABLE {} ({})", self.table(table), parts.join(", "))
    }

    /// The statement that drops a table, if it stands.
    pub fn drop_table(&self, table: &TableName) -> String {
        format!("DROP TABLE IF EXISTS {}", self.table(table))
    }

    /// The statement that adds a column; rows that stand already hold null in it.
    pub fn add_column(&self, table: &TableName, column: &Column) -> String {
        format!("ALTER TABLE {} ADD COLUMN {}", self.table(table), self.definition(column))
    }

    /// The statement that calls a column by another name.
    pub fn rename_column(&self, table: &TableName, from: &str, to: &str) -> String {
        format!("ALTER TABLE {} RENAME COLUMN {} TO {}", self.table(table), quote(from), quote(to))
    }

    /// A value as one of this type.
    pub(crate) fn cast(&self, value: &str, column_type: ColumnType) -> String {
        format!("CAST({value} AS {})", (self.declared_type)(column_type))
    }

    pub(crate) fn definitions(&self, columns: &[Column]) -> Vec<String> {
        columns.iter().map(|column| self.definition(column)).collect()
    }

    fn definition(&self, column: &Column) -> String {
        format!("{} {}", quote(&column.name), (self.declared_type)(column.column_type))
    }
}

/// A name as an identifier, whatever it holds: within double quotes, its own doubled.
///
/// Databases end a statement at a NUL and refuse the rest, so that a name with one does no harm.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names as [`quote`]d identifiers with commas between them.
pub fn quote_list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| quote(name.as_ref())).collect();
    quoted.join(", ")
}
