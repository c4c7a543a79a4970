//! What SQL destinations share: how names, types and statements are spelled ([`Dialect`]), how a table's state is stored
//! ([`StateRow`]), where rejected records and tombstones are kept, and the exact text of values where a destination keeps
//! them as text.
//!
//! Nothing here talks to a database: a destination fills in its dialect and runs the statements with its own driver. One
//! for PostgreSQL would begin like this:
//!
//! ```
//! use std::borrow::Cow;
//!
//! use selvedge_core::{Column, ColumnType, IntegrationName, TableName};
//! use selvedge_sql::{Dialect, Integrations, Keys};
//!
//! const DIALECT: Dialect =
//!     Dialect { declared_type, integrations: Integrations::Schemas { default: "public" }, keys: Keys::Primary };
//!
//! fn declared_type(column_type: ColumnType) -> Cow<'static, str> {
//!     Cow::Borrowed(match column_type {
//!         ColumnType::Boolean => "boolean",
//!         ColumnType::Integer => "bigint",
//!         ColumnType::Decimal { scale } => return Cow::Owned(format!("numeric(38, {scale})")),
//!         ColumnType::DecimalText => "numeric",
//!         ColumnType::Double => "double precision",
//!         ColumnType::String => "text",
//!         ColumnType::Timestamp => "timestamptz",
//!         ColumnType::Date => "date",
//!         ColumnType::Time => "time",
//!         ColumnType::Json => "json",
//!     })
//! }
//!
//! let orders = TableName::new(Some(IntegrationName::new("shop")?), "orders")?;
//! let id = Column::new("id", None, ColumnType::Integer);
//! assert_eq!(DIALECT.create_schema(&orders).as_deref(), Some(r#"CREATE SCHEMA IF NOT EXISTS "shop""#));
//! assert_eq!(
//!     DIALECT.create_table(&orders, &[id], &["id".to_owned()]),
//!     r#"CREATE TABLE "shop"."orders" ("id" bigint, PRIMARY KEY ("id"))"#
//! );
//! # Ok::<(), selvedge_core::NameError>(())
//! ```

mod coalescing;
mod dialect;
mod parse;
mod rejected;
mod select;
mod state_row;
mod state_table;
mod text;
mod tombstones;
mod versions;

pub use dialect::{Dialect, Integrations, Keys, quote, quote_list};
pub use parse::{parse_date, parse_decimal, parse_time, parse_timestamp};
pub use state_row::{Field, StateRow};
pub use state_table::{state_key, table_name};
pub use text::{date_text, time_text, timestamp_text, write_decimal};
