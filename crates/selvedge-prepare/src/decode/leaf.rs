//! One column being filled.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, PrimitiveBuilder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, NullArray};
use selvedge_core::ColumnType;

use crate::decode::datetime;
use crate::decode::json_type::JsonType;
use crate::decode::number::{self, Number};
use crate::decode::scanner::Scanner;
use crate::decode::string::shown;
use crate::refusal::Refusal;
use crate::schema::limits::{self, Limits};
use crate::schema::record_type::Scalar;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A column of one scalar type. Rows that hold no value here are filled with nulls when the next value comes, so a record
/// costs only what it holds.
pub(crate) struct Leaf {
    pub(crate) column_type: ColumnType,
    limits: Option<Arc<Limits>>,
    values: Values,
    filled: usize,
}

enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder, u8),
    Double(Float64Builder),
    DecimalText(StringBuilder),
    String(StringBuilder),
    Json(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
}

impl Leaf {
    pub(crate) fn new(scalar: &Scalar) -> Self {
        let column_type = scalar.column_type;
        let arrow = column_type.arrow();
        let values = match column_type {
            ColumnType::Boolean => Values::Boolean(BooleanBuilder::new()),
            ColumnType::Integer => Values::Integer(Int64Builder::new()),
            ColumnType::Decimal { scale } => Values::Decimal(Decimal128Builder::new().with_data_type(arrow), scale),
            ColumnType::Double => Values::Double(Float64Builder::new()),
            ColumnType::DecimalText => Values::DecimalText(StringBuilder::new()),
            ColumnType::String => Values::String(StringBuilder::new()),
            ColumnType::Json => Values::Json(StringBuilder::new()),
            ColumnType::Timestamp => Values::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(arrow)),
            ColumnType::Date => Values::Date(Date32Builder::new()),
            ColumnType::Time => Values::Time(Time64MicrosecondBuilder::new()),
        };
        Self { column_type, limits: scalar.limits.clone(), values, filled: 0 }
    }

    /// The column once all of `rows` records were read.
    pub(crate) fn finish(mut self, rows: usize) -> ArrayRef {
        if self.filled == 0 {
            return Arc::new(NullArray::new(rows));
        }
        if rows > self.filled {
            self.values.append_nulls(rows - self.filled);
        }
        let mut column: ArrayRef = match self.values {
            Values::Boolean(mut builder) => Arc::new(builder.finish()),
            Values::Integer(mut builder) => Arc::new(builder.finish()),
            Values::Decimal(mut builder, _) => Arc::new(builder.finish()),
            Values::Double(mut builder) => Arc::new(builder.finish()),
            Values::DecimalText(mut builder) | Values::String(mut builder) | Values::Json(mut builder) => {
                Arc::new(builder.finish())
            }
            Values::Timestamp(mut builder) => Arc::new(builder.finish()),
            Values::Date(mut builder) => Arc::new(builder.finish()),
            Values::Time(mut builder) => Arc::new(builder.finish()),
        };
        // Builders grow by doubling; a column waits in memory for its load at the size it has.
        Array::shrink_to_fit(&mut column);
        column
    }

    /// Puts a number into `row`, if this column's type takes it. Nothing changes otherwise.
    // The compiler would make calls of this and of `Scanner::number`, which makes all decoding slower by a twentieth.
    #[inline(always)]
    pub(crate) fn put_number(&mut self, row: usize, number: Number) -> Result<Put> {
        let limits = self.limits.as_deref();
        match &mut self.values {
            Values::Integer(builder) => {
                let Some(value) = number.integer() else { return integer_fault(number, limits) };
                limits.map_or(Ok(()), |limits| limits.check_exact(number, i128::from(value)))?;
                fill(builder, &mut self.filled, row);
                builder.append_value(value);
            }
            Values::Decimal(builder, scale) => {
                let value = number.scaled(*scale).ok_or_else(|| decimal_fault(number, *scale, limits))?;
                limits.map_or(Ok(()), |limits| limits.check_exact(number, value))?;
                fill(builder, &mut self.filled, row);
                builder.append_value(value);
            }
            Values::Double(builder) => {
                let value = number.double().ok_or_else(|| beyond("number", number.text, limits))?;
                limits.map_or(Ok(()), |limits| limits.check_double(number, value))?;
                fill(builder, &mut self.filled, row);
                builder.append_value(value);
            }
            _ => return Ok(Put::WrongType),
        }
        Ok(Put::Done)
    }

    /// Puts a string into `row`, if this column's type takes it. Nothing changes otherwise.
    #[inline(always)]
    pub(crate) fn put_string(&mut self, row: usize, text: &str) -> Result<Put> {
        let check = || self.limits.as_ref().map_or(Ok(()), |limits| limits.check_text(text));
        match &mut self.values {
            Values::String(builder) => {
                check()?;
                fill(builder, &mut self.filled, row);
                builder.append_value(text);
            }
            Values::DecimalText(builder) => {
                let exact = decimal_text(text)?;
                check()?;
                fill(builder, &mut self.filled, row);
                builder.append_value(exact);
            }
            Values::Timestamp(builder) => {
                let moment = datetime::timestamp(text).ok_or_else(|| timestamp_fault(text))?;
                check()?;
                fill(builder, &mut self.filled, row);
                builder.append_value(moment);
            }
            Values::Date(builder) => {
                let date = datetime::date(text).ok_or_else(|| not_a(text, "date", "yyyy-MM-dd"))?;
                check()?;
                fill(builder, &mut self.filled, row);
                builder.append_value(date);
            }
            Values::Time(builder) => {
                let time = datetime::time(text).ok_or_else(|| not_a(text, "time", "HH:mm:ss[.digits]"))?;
                check()?;
                fill(builder, &mut self.filled, row);
                builder.append_value(time);
            }
            _ => return Ok(Put::WrongType),
        }
        Ok(Put::Done)
    }

    /// Puts `true` or `false` into `row`, if this column's type takes it. Nothing changes otherwise.
    #[inline]
    pub(crate) fn put_boolean(&mut self, row: usize, literal: Literal) -> Result<Put> {
        let Values::Boolean(builder) = &mut self.values else { return Ok(Put::WrongType) };
        let value = literal == Literal::True;
        self.limits.as_ref().map_or(Ok(()), |limits| limits.check_boolean(value))?;
        fill(builder, &mut self.filled, row);
        builder.append_value(value);
        Ok(Put::Done)
    }

    /// Forgets the values so far, which have gone elsewhere. The column is never finished then.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    /// Puts the text of any JSON value into `row`, if this is the column of such texts.
    pub(crate) fn put_json(&mut self, row: usize, text: &str) {
        if let Values::Json(builder) = &mut self.values {
            fill(builder, &mut self.filled, row);
            builder.append_value(text);
        }
    }
}

impl Values {
    /// Finishing a builder leaves it empty.
    fn clear(&mut self) {
        match self {
            Self::Boolean(builder) => drop(builder.finish()),
            Self::Integer(builder) => drop(builder.finish()),
            Self::Decimal(builder, _) => drop(builder.finish()),
            Self::Double(builder) => drop(builder.finish()),
            Self::DecimalText(builder) | Self::String(builder) | Self::Json(builder) => drop(builder.finish()),
            Self::Timestamp(builder) => drop(builder.finish()),
            Self::Date(builder) => drop(builder.finish()),
            Self::Time(builder) => drop(builder.finish()),
        }
    }

    fn append_nulls(&mut self, count: usize) {
        match self {
            Self::Boolean(builder) => builder.append_nulls(count),
            Self::Integer(builder) => builder.append_nulls(count),
            Self::Decimal(builder, _) => builder.append_nulls(count),
            Self::Double(builder) => builder.append_nulls(count),
            Self::DecimalText(builder) | Self::String(builder) | Self::Json(builder) => builder.append_nulls(count),
            Self::Timestamp(builder) => builder.append_nulls(count),
            Self::Date(builder) => builder.append_nulls(count),
            Self::Time(builder) => builder.append_nulls(count),
        }
    }
}

/// What became of a value offered to a column.
#[derive(PartialEq, Eq)]
pub(crate) enum Put {
    Done,
    WrongType,
}

/// JSON's two truth values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal {
    True,
    False,
}

/// A builder of any type, as far as rows without values go.
trait Nulls {
    fn append_nulls(&mut self, count: usize);
}

impl<T: ArrowPrimitiveType> Nulls for PrimitiveBuilder<T> {
    fn append_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

impl Nulls for BooleanBuilder {
    fn append_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

impl Nulls for StringBuilder {
    fn append_nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

/// Fills rows before `row` that hold nothing yet, and counts `row` as filled: its value comes next.
#[inline]
fn fill(builder: &mut impl Nulls, filled: &mut usize, row: usize) {
    if row > *filled {
        append_nulls(builder, row - *filled);
    }
    *filled = row + 1;
}

// Out of the way of the values themselves: within `fill`, it makes all decoding slower by a twentieth.
#[inline(never)]
fn append_nulls(builder: &mut impl Nulls, count: usize) {
    builder.append_nulls(count);
}

/// The exact decimal a string holds.
fn decimal_text(text: &str) -> Result<String> {
    let number = Scanner::new(text).number().ok().filter(|number| number.text.len() == text.len());
    let number = number.ok_or_else(|| Refusal::violation("the string is no decimal number"))?;
    number::canonical(number.text).ok_or_else(|| Refusal::out_of_range("decimal", text))
}

#[cold]
fn timestamp_fault(text: &str) -> Box<Refusal> {
    if datetime::is_beyond_years(text) {
        return Refusal::out_of_range("timestamp", text);
    }
    Refusal::violation(datetime::refused(text))
}

#[cold]
fn integer_fault(number: Number, limits: Option<&Limits>) -> Result<Put> {
    match number.json_type() {
        JsonType::Integer => Err(beyond("integer", number.text, limits)),
        _ => Ok(Put::WrongType),
    }
}

#[cold]
fn decimal_fault(number: Number, scale: u8, limits: Option<&Limits>) -> Box<Refusal> {
    let fits = |exact: String| exact.split_once('.').is_none_or(|(_, digits)| digits.len() <= usize::from(scale));
    if number.json_type() == JsonType::Integer || number::canonical(number.text).is_some_and(fits) {
        return beyond("decimal", number.text, limits);
    }
    let step = limits.and_then(Limits::step).map_or_else(|| smallest(scale), str::to_owned);
    limits::not_a_multiple(number.text, &step)
}

/// The smallest number above 0 of this scale.
fn smallest(scale: u8) -> String {
    number::canonical(&format!("1e-{scale}")).unwrap_or_default()
}

/// What is said of a number beyond the range of its column: what the schema does, if it forbids it, or that it is out of
/// range.
#[cold]
fn beyond(what: &str, text: &str, limits: Option<&Limits>) -> Box<Refusal> {
    match limits.map(|limits| limits.check_beyond(text)) {
        Some(Err(refusal)) => refusal,
        _ => Refusal::out_of_range(what, text),
    }
}

#[cold]
fn not_a(text: &str, format: &str, expected: &str) -> Box<Refusal> {
    Refusal::violation(format!("[{}] is not a valid {format}. Expected [{expected}]", shown(text)))
}
