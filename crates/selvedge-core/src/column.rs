//! Columns: where they come from, what they hold, and the Arrow type that carries them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// Digits a [`ColumnType::Decimal`] holds in all, before and after the point.
pub const DECIMAL_PRECISION: u8 = 38;
/// The largest number of digits after the point of a [`ColumnType::Decimal`].
pub const MAX_DECIMAL_SCALE: u8 = 38;

/// The logical type of a column, the same in every destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// A 64-bit signed integer.
    Integer,
    /// A decimal of 38 digits with a fixed number of them, `scale`, after the point.
    Decimal {
        /// Digits after the point, at most [`MAX_DECIMAL_SCALE`].
        scale: u8,
    },
    /// A decimal of any size, kept as exact text without an exponent or superfluous zeros.
    DecimalText,
    /// The nearest 64-bit floating point number.
    Double,
    /// Text.
    String,
    /// A moment, as microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// A day of the calendar, as days since 1970-01-01.
    Date,
    /// A time of day, as microseconds since midnight.
    Time,
    /// Any JSON value, as its text.
    Json,
}

impl ColumnType {
    /// The Arrow type that carries values of this type through a [`TableLoad`](crate::TableLoad).
    pub fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Decimal { scale } => DataType::Decimal128(DECIMAL_PRECISION, scale.cast_signed()),
            Self::Double => DataType::Float64,
            Self::DecimalText | Self::String | Self::Json => DataType::Utf8,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
        }
    }

    /// The suffix a column takes when its path already has a column of another type, as the Stitch Import API's
    /// destinations have it.
    pub fn split_suffix(self) -> &'static str {
        match self {
            Self::Boolean => "__bo",
            Self::Integer => "__bi",
            Self::Decimal { .. } | Self::DecimalText => "__de",
            Self::Double => "__do",
            Self::String => "__st",
            Self::Timestamp => "__ti",
            Self::Date => "__da",
            Self::Time => "__tm",
            Self::Json => "__js",
        }
    }
}

/// The spelling used in destinations' state: `integer`, `decimal(2)`, `timestamp`, …
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Integer => f.write_str("integer"),
            Self::Decimal { scale } => write!(f, "decimal({scale})"),
            Self::DecimalText => f.write_str("decimal"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Date => f.write_str("date"),
            Self::Time => f.write_str("time"),
            Self::Json => f.write_str("json"),
        }
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "decimal" => Self::DecimalText,
            "double" => Self::Double,
            "string" => Self::String,
            "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "time" => Self::Time,
            "json" => Self::Json,
            _ => text
                .strip_prefix("decimal(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|digits| digits.parse().ok())
                .filter(|scale| *scale <= MAX_DECIMAL_SCALE)
                .map(|scale| Self::Decimal { scale })
                .ok_or_else(|| format!("`{text}` is no column type"))?,
        })
    }
}

impl Serialize for ColumnType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where in a record a value stands: the names of the properties from the record's root down to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub Vec<String>);

/// A JSON pointer (RFC 6901): `/address/city`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.0 {
            write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// A column of a table in a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name in the table, unique there without regard to case.
    pub name: String,
    /// The path of the values in the records; `None` for selvedge's own columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// What it holds.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// The most digits before the point of any value that was ever loaded into it, in a column of integers or decimals: whether
    /// another type could hold them too. 0 in all others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub digits: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(digits: &u8) -> bool {
    *digits == 0
}

impl Column {
    /// A column into which nothing was loaded yet.
    pub fn new(name: impl Into<String>, path: Option<Path>, column_type: ColumnType) -> Self {
        Self { name: name.into(), path, column_type, digits: 0 }
    }

    /// Whether both have one name, path and type. What was loaded into them may differ.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.name, &self.path, self.column_type) == (&other.name, &other.path, other.column_type)
    }

    /// The Arrow field of this column in a load's rows. Every column may hold nulls.
    pub fn arrow_field(&self) -> Field {
        Field::new(&self.name, self.column_type.arrow(), true)
    }
}

/// The Arrow schema of rows with these columns.
pub fn schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(Column::arrow_field).collect::<Vec<_>>()))
}

/// The names of selvedge's own columns.
pub mod system {
    /// When the source extracted the record: the message's `time_extracted`.
    pub const EXTRACTED_AT: &str = "_sdc_extracted_at";
    /// When selvedge received the record's batch.
    pub const RECEIVED_AT: &str = "_sdc_received_at";
    /// When the record was prepared for loading.
    pub const BATCHED_AT: &str = "_sdc_batched_at";
    /// The message's sequence: of two versions of a key, the greater wins.
    pub const SEQUENCE: &str = "_sdc_sequence";
    /// The version of the table the record belongs to; null when the sender names none, which is below every version.
    pub const TABLE_VERSION: &str = "_sdc_table_version";
    /// When the record was deleted: the delete's `time_extracted`, or, where it has none, when selvedge received it. Null in a row
    /// that lives.
    pub const DELETED_AT: &str = "_sdc_deleted_at";
    /// The generated key of a row in a table without key columns.
    pub const PRIMARY_KEY: &str = "__sdc_primary_key";
    /// Values of the record for which the table has no room left for columns: a JSON object of them, by the names their columns
    /// would have.
    pub const EXTRA: &str = "_sdc_extra";
}
