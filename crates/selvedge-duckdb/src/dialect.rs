//! How DuckDB spells.

use std::borrow::Cow;

use selvedge_core::{ColumnType, DECIMAL_PRECISION, IntegrationName, TableName};
use selvedge_sql::{Dialect, Integrations, Keys, quote};

/// Where tables without an integration stand.
const DEFAULT_SCHEMA: &str = "main";

/// Integrations are schemas. An index would make every load dearer.
pub(crate) const DIALECT: Dialect =
    Dialect { declared_type, integrations: Integrations::Schemas { default: DEFAULT_SCHEMA }, keys: Keys::Unindexed };

/// The schema that a table stands in, which DuckDB may spell in another case.
pub(crate) fn schema_of(table: &TableName) -> &str {
    table.integration().map_or(DEFAULT_SCHEMA, IntegrationName::as_str)
}

/// What has this name in the schema of a table, as statements name it.
pub(crate) fn beside(table: &TableName, name: &str) -> String {
    format!("{}.{}", quote(schema_of(table)), quote(name))
}

fn declared_type(column_type: ColumnType) -> Cow<'static, str> {
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
