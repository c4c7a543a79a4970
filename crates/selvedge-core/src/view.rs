//! The logical view: what of a table depends on nothing but the accepted records.
//!
//! The same records give the same view however they were cut into batches, in whichever order and with whatever retries and
//! crashes they came, and in every destination. What is left out is what may differ: the names and the order of columns,
//! which type of a split path bears the plain name, in which type of column a whole number stands, columns without a value, and
//! the moments selvedge itself notes. What holds no value is as if it were not there: a null, an object or an array of nothing
//! else, and so an element that is one of these.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};

use crate::{
    Column, ColumnType, Inspect, LoadError, LoadErrorKind, Part, Path, Subtable, TableName, TableState, system,
};

/// A table as the logical view has it: its rows by key.
///
/// The key of a row is its values in the key columns; in a keyless table, the key selvedge generated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogicalView {
    /// The rows.
    pub rows: BTreeMap<Vec<Value>, LogicalRow>,
}

/// A row by the places of its values, nulls left out. A place is the JSON pointer of a value in the records, or the name of one
/// of selvedge's own columns, which has no slash at its beginning.
///
/// The values of subrows stand in the row they belong to, at the indices of their elements: `/line_items/0/price`, or `/tags/2`
/// for a scalar. What else is in subrows, selvedge's own columns, follows from that row and is left out. Subrows of which there
/// is no such row are one of their own, which no sound destination has.
///
/// Numbers are by value, in whatever type of column they stand: a whole double of at most 2^53, whichever its sign, and a whole
/// decimal of 64 bits are a [`Value::Integer`]. Values without a column of their own are one JSON text at the place
/// [`_sdc_extra`](system::EXTRA), those of an element at `/line_items/0/_sdc_extra`.
pub type LogicalRow = BTreeMap<String, Value>;

/// A value and its type. Two values are equal when they are of one type and mean the same: decimals by value, whatever
/// their scale. In a [`LogicalRow`] whole numbers are of one type.
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
/// When the destination cannot be read; as [`LoadErrorKind::Unavailable`], when somebody loads the table meanwhile.
pub fn logical_view<I: Inspect + ?Sized>(
    destination: &mut I,
    table: &TableName,
) -> Result<Option<LogicalView>, LoadError> {
    logical_view_of(destination, table, |_| true)
}

/// As [`logical_view`], of the keys that are wanted: a table can be gone through in portions, each of which fits in memory.
///
/// # Errors
/// As [`logical_view`].
pub fn logical_view_of<I: Inspect + ?Sized>(
    destination: &mut I,
    table: &TableName,
    is_wanted: impl Fn(&[Value]) -> bool,
) -> Result<Option<LogicalView>, LoadError> {
    let mut rows: BTreeMap<Vec<Value>, LogicalRow> = BTreeMap::new();
    let found = destination.read(table, Part::Rows, &mut |state, batch| {
        let of_batch = LogicalRows::new(state, &batch);
        let wanted = (0..batch.num_rows()).map(|row| (of_batch.key(row), row)).filter(|(key, _)| is_wanted(key));
        rows.extend(wanted.map(|(key, row)| (key, of_batch.row(row))));
        ControlFlow::Continue(())
    })?;
    let Some(state) = found else { return Ok(None) };
    for subtable in &state.subtables {
        let found = destination.read(table, Part::Subtable(&subtable.name), &mut |_, batch| {
            let of_batch = LogicalRows::of_subtable(subtable, &batch);
            for row in (0..batch.num_rows()).filter(|row| of_batch.has_values(*row)) {
                let key = of_batch.key(row);
                if is_wanted(&key) {
                    rows.entry(key).or_default().extend(of_batch.row(row));
                }
            }
            ControlFlow::Continue(())
        })?;
        if found.is_none_or(|found| found.position != state.position) {
            let message = format!("somebody loaded {table} while it was read; read it again when nobody does");
            return Err(LoadError::new(LoadErrorKind::Unavailable, message));
        }
    }
    Ok(Some(LogicalView { rows }))
}

/// The rows of a batch, of a root or a subtable, seen as the logical view sees them.
pub(crate) struct LogicalRows<'b> {
    /// The key columns; those of the root also in a subtable.
    keys: Vec<Cells<'b>>,
    /// For each of the arrays that the rows of a subtable stand in, its place in what is around it, and the indices in it.
    levels: Vec<Cells<'b>>,
    /// In the order of the places, and of the types at one place.
    cells: Vec<Cells<'b>>,
}

/// The values of one column of a batch.
struct Cells<'b> {
    /// In the record or the element.
    place: String,
    column_type: ColumnType,
    values: &'b ArrayRef,
}

impl<'b> LogicalRows<'b> {
    /// Rows of a root.
    pub(crate) fn new(state: &TableState, batch: &'b RecordBatch) -> Self {
        let generated = [system::PRIMARY_KEY.to_owned()];
        let keys = if state.keys.is_empty() { &generated[..] } else { &state.keys };
        let keys = keys.iter().filter_map(|name| Cells::named(name, &state.columns, batch)).collect();
        let promised = state.columns.iter().filter(|column| is_promised(column));
        Self { keys, levels: Vec::new(), cells: ordered(promised, batch) }
    }

    /// Rows of a subtable.
    pub(crate) fn of_subtable(subtable: &Subtable, batch: &'b RecordBatch) -> Self {
        let named = |name| Cells::named(name, &subtable.columns, batch);
        let level = |(path, name): (&Path, _)| Some(Cells { place: path.to_string(), ..named(name)? });
        let mut cells = ordered(subtable.columns.iter().filter(|column| Subtable::is_of_elements(column)), batch);
        for extra in cells.iter_mut().filter(|cells| cells.place == system::EXTRA) {
            extra.place.insert(0, '/');
        }
        Self {
            keys: subtable.source_keys().filter_map(named).collect(),
            levels: subtable.source.0.iter().zip(subtable.level_ids()).filter_map(level).collect(),
            cells,
        }
    }

    /// The key of the root's row that a row is, or belongs to.
    pub(crate) fn key(&self, row: usize) -> Vec<Value> {
        self.keys.iter().filter_map(|cells| cells.value(row)).collect()
    }

    /// The place of a row in that of the root: of an element, its pointer; empty in the root.
    pub(crate) fn place(&self, row: usize) -> String {
        let level = |level: &Cells<'_>| {
            let index = level.value(row).map(|index| index.to_string()).unwrap_or_default();
            format!("{}/{index}", level.place)
        };
        self.levels.iter().map(level).collect()
    }

    /// The values of a row, in the order of their places, which begin at that of the row.
    pub(crate) fn values(&self, row: usize) -> impl Iterator<Item = (&str, Value)> {
        self.cells.iter().filter_map(move |cells| Some((cells.place.as_str(), cells.value(row)?)))
    }

    /// Whether a row is more than an element without a value.
    pub(crate) fn has_values(&self, row: usize) -> bool {
        self.cells.iter().any(|cells| cells.values.is_valid(row))
    }

    /// A row by the places of its values.
    pub(crate) fn row(&self, row: usize) -> LogicalRow {
        let begin = self.place(row);
        self.values(row).map(|(place, value)| (format!("{begin}{place}"), value)).collect()
    }
}

fn is_promised(column: &Column) -> bool {
    column.path.is_some() || ![system::RECEIVED_AT, system::BATCHED_AT].contains(&column.name.as_str())
}

fn ordered<'b, 'c>(columns: impl Iterator<Item = &'c Column>, batch: &'b RecordBatch) -> Vec<Cells<'b>> {
    let mut cells: Vec<Cells<'b>> = columns.filter_map(|column| Cells::new(column, batch)).collect();
    cells.sort_by(|left, right| (&left.place, left.column_type).cmp(&(&right.place, right.column_type)));
    cells
}

impl<'b> Cells<'b> {
    fn new(column: &Column, batch: &'b RecordBatch) -> Option<Self> {
        let place = column.path.as_ref().map_or_else(|| column.name.clone(), ToString::to_string);
        Some(Self { place, column_type: column.column_type, values: batch.column_by_name(&column.name)? })
    }

    fn named(name: &str, columns: &[Column], batch: &'b RecordBatch) -> Option<Self> {
        Self::new(columns.iter().find(|column| column.name == name)?, batch)
    }

    fn value(&self, row: usize) -> Option<Value> {
        Value::of(self.column_type, self.values, row).map(Value::by_value)
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

    /// The value as a [`LogicalRow`] has it: a whole number is an integer, if it is one of 64 bits. Doubles are it up to 2^53:
    /// beyond, several integers round to one.
    #[must_use]
    pub fn by_value(self) -> Self {
        const LARGEST: f64 = (1_u64 << 53) as f64;
        match self {
            Self::Double(bits) => {
                let number = f64::from(bits);
                let is_integer = number.fract() == 0.0 && number.abs() <= LARGEST;
                if is_integer { Self::Integer(number as i64) } else { self }
            }
            Self::Decimal(digits) => digits.parse().map_or(Self::Decimal(digits), Self::Integer),
            other => other,
        }
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
