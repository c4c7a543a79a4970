//! How SQLite spells.

use std::borrow::Cow;

use selvedge_core::{ColumnType, DECIMAL_PRECISION};
use selvedge_sql::{Dialect, Integrations, Keys};

/// SQLite has no schemas, and upserts by primary keys.
pub(crate) const DIALECT: Dialect =
    Dialect { declared_type, integrations: Integrations::Prefixes, keys: Keys::Primary };

/// SQLite takes the affinity from a word inside the declared type, so the names say both what a column holds and how it is
/// stored.
fn declared_type(column_type: ColumnType) -> Cow<'static, str> {
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
