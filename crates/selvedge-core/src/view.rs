//! The logical view: what of a table depends on nothing but the accepted records.
//!
//! The same records give the same view however they were cut into batches, in whichever order and with whatever retries and
//! crashes they came, and in every destination. What is left out is what may differ: the names and the order of columns,
//! which type of a split path bears the plain name, columns without a value, and the moments selvedge itself notes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};

use crate::{Column, ColumnType, Inspect, LoadError, Part, TableName, TableState, system};

/// A table as the logical view has it: its rows by key.
///
/// The key of a row is its values in the key columns; in a keyless table, the key selvedge generated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogicalView {
    /// The rows.
    pub rows: BTreeMap<Vec<Value>, LogicalRow>,
}

/// A row by the places of its values, nulls left out. A place is the JSON pointer of a value's path in the records, or the
/// name of one of selvedge's own columns, which has no slash at its beginning.
pub type LogicalRow = BTreeMap<String, Value>;

/// A value and its type. Two values are equal when they are of one type and mean the same: decimals by value, whatever
/// their scale.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A [`ColumnType::Boolean`].
    Boolean(bool),
    /// A [`ColumnType::Integer`].
    Integer(i64),
    /// A [`ColumnType::Decimal`] or [`ColumnType::DecimalText`]: digits without an exponent or superfluous zeros.
    Decimal(String),
    /// A [`ColumnType::Double`].
    Double(Bits),
    /// A [`ColumnType::String`].
    String(String),
    /// A [`ColumnType::Timestamp`], in microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// A [`ColumnType::Date`], in days since 1970-01-01.
    Date(i32),
    /// A [`ColumnType::Time`], in microseconds since midnight.
    Time(i64),
    /// A [`ColumnType::Json`].
    Json(String),
}

/// A 64-bit floating point number by its bits, so that it can be compared and ordered. The two zeros are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits(u64);

impl From<f64> for Bits {
    fn from(number: f64) -> Self {
        Self(if number == 0.0 { 0 } else { number.to_bits() })
    }
}

impl From<Bits> for f64 {
    fn from(bits: Bits) -> Self {
        Self::from_bits(bits.0)
    }
}

/// The logical view of a table, or `None` before its first load. It is held in memory. Of rows that share a key, which no
/// sound destination has, one is in it; [`compare`](crate::compare) sees them all.
///
/// # Errors
/// When the destination cannot be read.
pub fn logical_view<I: Inspect + ?Sized>(
    destination: &mut I,
    table: &TableName,
) -> Result<Option<LogicalView>, LoadError> {
    let mut view = LogicalView::default();
    let found = destination.read(table, Part::Rows, &mut |state, batch| {
        let rows = LogicalRows::new(state, &batch);
        view.rows.extend((0..batch.num_rows()).map(|row| (rows.key(row), rows.row(row))));
        ControlFlow::Continue(())
    })?;
    Ok(found.map(|_| view))
}

/// The rows of a batch, seen as the logical view sees them.
pub(crate) struct LogicalRows<'b> {
    /// In the order of the places, and of the types at one place.
    cells: Vec<Cells<'b>>,
    /// The key columns.
    keys: Vec<Cells<'b>>,
}

/// The values of one column of a batch.
struct Cells<'b> {
    place: String,
    column_type: ColumnType,
    values: &'b ArrayRef,
}

impl<'b> LogicalRows<'b> {
    pub(crate) fn new(state: &TableState, batch: &'b RecordBatch) -> Self {
        let cells = |column: &Column| {
            let place = column.path.as_ref().map_or_else(|| column.name.clone(), ToString::to_string);
            Some(Cells { place, column_type: column.column_type, values: batch.column_by_name(&column.name)? })
        };
        let mut promised: Vec<Cells<'b>> =
            state.columns.iter().filter(|column| is_promised(column)).filter_map(cells).collect();
        promised.sort_by(|left, right| (&left.place, left.column_type).cmp(&(&right.place, right.column_type)));
        let generated = [system::PRIMARY_KEY.to_owned()];
        let keys = if state.keys.is_empty() { &generated[..] } else { &state.keys };
        let keys = keys.iter().filter_map(|name| state.column(name)).filter_map(cells).collect();
        Self { cells: promised, keys }
    }

    /// The key of a row.
    pub(crate) fn key(&self, row: usize) -> Vec<Value> {
        self.keys.iter().filter_map(|cells| cells.value(row)).collect()
    }

    /// The values of a row, in the order of their places.
    pub(crate) fn values(&self, row: usize) -> impl Iterator<Item = (&str, Value)> {
        self.cells.iter().filter_map(move |cells| Some((cells.place.as_str(), cells.value(row)?)))
    }

    /// A row by the places of its values.
    pub(crate) fn row(&self, row: usize) -> LogicalRow {
        self.values(row).map(|(place, value)| (place.to_owned(), value)).collect()
    }
}

fn is_promised(column: &Column) -> bool {
    column.path.is_some() || ![system::RECEIVED_AT, system::BATCHED_AT].contains(&column.name.as_str())
}

impl Cells<'_> {
    fn value(&self, row: usize) -> Option<Value> {
        Value::of(self.column_type, self.values, row)
    }
}

impl Value {
    /// The value in a row of a column of this type; `None` if it is null, or if the array is not
    /// [the type's](ColumnType::arrow).
    ///
    /// # Panics
    /// When the array has no such row.
    pub fn of(column_type: ColumnType, values: &dyn Array, row: usize) -> Option<Self> {
        if values.is_null(row) {
            return None;
        }
        let text = || values.as_string_opt::<i32>().map(|values| values.value(row));
        let integer = || values.as_primitive_opt::<Int64Type>().map(|values| values.value(row));
        Some(match column_type {
            ColumnType::Boolean => Self::Boolean(values.as_boolean_opt()?.value(row)),
            ColumnType::Integer => Self::Integer(integer()?),
            ColumnType::Decimal { scale } => {
                Self::Decimal(plain(values.as_primitive_opt::<Decimal128Type>()?.value(row), scale))
            }
            ColumnType::DecimalText => Self::Decimal(text()?.to_owned()),
            ColumnType::Double => Self::Double(values.as_primitive_opt::<Float64Type>()?.value(row).into()),
            ColumnType::String => Self::String(text()?.to_owned()),
            ColumnType::Timestamp => Self::Timestamp(values.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)),
            ColumnType::Date => Self::Date(values.as_primitive_opt::<Date32Type>()?.value(row)),
            ColumnType::Time => Self::Time(values.as_primitive_opt::<Time64MicrosecondType>()?.value(row)),
            ColumnType::Json => Self::Json(text()?.to_owned()),
        })
    }
}

/// A decimal without superfluous zeros.
fn plain(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// As a message to a person shows it: texts in quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Decimal(digits) => f.write_str(digits),
            Self::Double(bits) => write!(f, "{:?}", f64::from(*bits)),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Timestamp(micros) => write!(f, "timestamp {micros}"),
            Self::Date(days) => write!(f, "date {days}"),
            Self::Time(micros) => write!(f, "time {micros}"),
            Self::Json(text) => write!(f, "json {text:?}"),
        }
    }
}
