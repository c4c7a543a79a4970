//! How a SQL database spells names, types and the statements that make tables.

use std::borrow::Cow;

use selvedge_core::{Column, ColumnType, DECIMAL_PRECISION, TableName};

/// A database's way of spelling SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite: no schemas, and types that are affinities with a name.
    Sqlite,
    /// DuckDB: integrations are schemas, and types are types.
    DuckDb,
}

impl Dialect {
    /// The type a column is declared with, quoted where it has to be.
    ///
    /// SQLite takes the affinity from a word inside the declared type, so the names say both what a column holds and how
    /// it is stored.
    pub fn declared_type(self, column_type: ColumnType) -> Cow<'static, str> {
        match self {
            Self::Sqlite => sqlite_type(column_type),
            Self::DuckDb => duckdb_type(column_type),
        }
    }

    /// A table as statements name it, quoted: `"shop__orders"` in SQLite, `"shop"."orders"` in DuckDB, where a table
    /// without an integration stands in the schema `main`.
    ///
    /// Different tables may share a spelling (`a__b`, and `b` of integration `a`, in SQLite; names that differ in case):
    /// the second [`create_table`](Self::create_table) then fails.
    pub fn table(self, table: &TableName) -> String {
        let name = table.table();
        match (self, table.integration()) {
            (Self::Sqlite, None) => quote(name),
            (Self::Sqlite, Some(integration)) => quote(&format!("{integration}__{name}")),
            (Self::DuckDb, None) => format!("\"main\".{}", quote(name)),
            (Self::DuckDb, Some(integration)) => format!("{}.{}", quote(integration.as_str()), quote(name)),
        }
    }

    /// The statement that makes the schema of a table's integration unless it stands, where there is one to make.
    pub fn create_schema(self, table: &TableName) -> Option<String> {
        match (self, table.integration()) {
            (Self::DuckDb, Some(integration)) => {
                Some(format!("CREATE SCHEMA IF NOT EXISTS {}", quote(integration.as_str())))
            }
            _ => None,
        }
    }

    /// The statement that makes a table. It fails when one of that name stands already.
    ///
    /// SQLite gets a primary key over `keys`, for its upserts. DuckDB gets none: an index there makes every load dearer,
    /// and that a key stands only once is the destination's own doing.
    pub fn create_table(self, table: &TableName, columns: &[Column], keys: &[String]) -> String {
        let mut parts: Vec<String> = columns.iter().map(|column| self.definition(column)).collect();
        if self == Self::Sqlite && !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", quote_list(keys)));
        }
        format!("CREATE TABLE {} ({})", self.table(table), parts.join(", "))
    }

    /// The statement that adds a column; rows that stand already hold null in it.
    pub fn add_column(self, table: &TableName, column: &Column) -> String {
        format!("ALTER TABLE {} ADD COLUMN {}", self.table(table), self.definition(column))
    }

    fn definition(self, column: &Column) -> String {
        format!("{} {}", quote(&column.name), self.declared_type(column.column_type))
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

fn sqlite_type(column_type: ColumnType) -> Cow<'static, str> {
    Cow::Borrowed(match column_type {
        ColumnType::Boolean => "BOOLEAN_INTEGER",
        ColumnType::Integer => "INTEGER",
        ColumnType::Decimal { scale } => return Cow::Owned(format!("\"DECIMAL_TEXT({DECIMAL_PRECISION},{scale})\"")),
        ColumnType::DecimalText => "DECIMAL_TEXT",
        ColumnType::Double => "REAL",
        ColumnType::String => "TEXT",
        ColumnType::Timestamp => "TIMESTAMP_TEXT",
        ColumnType::Date => "DATE_TEXT",
        ColumnType::Time => "TIME_TEXT",
        ColumnType::Json => "JSON_TEXT",
    })
}

fn duckdb_type(column_type: ColumnType) -> Cow<'static, str> {
    Cow::Borrowed(match column_type {
        ColumnType::Boolean => "BOOLEAN",
        ColumnType::Integer => "BIGINT",
        ColumnType::Decimal { scale } => return Cow::Owned(format!("DECIMAL({DECIMAL_PRECISION},{scale})")),
        ColumnType::DecimalText | ColumnType::String => "VARCHAR",
        ColumnType::Double => "DOUBLE",
        ColumnType::Timestamp => "TIMESTAMPTZ",
        ColumnType::Date => "DATE",
        ColumnType::Time => "TIME",
        ColumnType::Json => "JSON",
    })
}
