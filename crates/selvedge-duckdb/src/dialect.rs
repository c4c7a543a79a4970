//! How DuckDB spells.

use std::borrow::Cow;

use selvedge_core::{ColumnType, DECIMAL_PRECISION};
use selvedge_sql::{Dialect, Integrations, Keys};

/// Where tables without an integration stand.
pub(crate) const DEFAULT_SCHEMA: &str = "main";

/// Integrations are schemas. An index would make every load dearer.
pub(crate) const DIALECT: Dialect =
    Dialect { declared_type, integrations: Integrations::Schemas { default: DEFAULT_SCHEMA }, keys: Keys::Unindexed };

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
