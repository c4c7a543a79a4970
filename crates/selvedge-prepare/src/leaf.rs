//! One column being filled.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{Array, ArrayRef, NullArray};
use selvedge_core::ColumnType;

use crate::datetime;
use crate::json_type::JsonType;
use crate::number::{self, Number};
use crate::record_type::{Bound, Itself, Limits, Scalar};
use crate::refusal::Refusal;
use crate::scanner::Scanner;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A column of one scalar type. Rows that hold no value here are filled with nulls when the next value comes, so a record
/// costs only what it holds.
pub(crate) struct Leaf {
    pub(crate) column_type: ColumnType,
    limits: Option<Limits>,
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
        Self { column_type, limits: scalar.limits(), values, filled: 0 }
    }

    /// The column once all of `rows` records were read.
    pub(crate) fn finish(mut self, rows: usize) -> ArrayRef {
        if self.filled == 0 {
            return Arc::new(NullArray::new(rows));
        }
        self.fill_to(rows);
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

    /// Fills rows before `row` that hold nothing yet.
    #[inline]
    fn fill_to(&mut self, row: usize) {
        if row > self.filled {
            self.values.append_nulls(row - self.filled);
            self.filled = row;
        }
    }

    /// Puts a number into `row`, if this column's type takes it.
    #[inline]
    pub(crate) fn put_number(&mut self, row: usize, number: Number) -> Result<Put> {
        self.fill_to(row);
        let limits = self.limits.as_ref();
        match &mut self.values {
            Values::Integer(builder) => {
                let Some(value) = number.integer() else { return integer_fault(number) };
                builder.append_value(value);
                limits.map_or(Ok(()), |limits| check_exact(limits, number, i128::from(value)))?;
            }
            Values::Decimal(builder, scale) => {
                let value = number.scaled(*scale).ok_or_else(|| decimal_fault(number, *scale))?;
                builder.append_value(value);
                limits.map_or(Ok(()), |limits| check_exact(limits, number, value))?;
            }
            Values::Double(builder) => {
                let value = number.double().ok_or_else(|| Refusal::violation("number out of range of a double"))?;
                builder.append_value(value);
                limits.map_or(Ok(()), |limits| check_double(limits, number, value))?;
            }
            _ => return Ok(Put::WrongType),
        }
        self.filled = row + 1;
        Ok(Put::Done)
    }

    /// Puts a string into `row`, if this column's type takes it.
    #[inline]
    pub(crate) fn put_string(&mut self, row: usize, text: &str) -> Result<Put> {
        self.fill_to(row);
        match &mut self.values {
            Values::String(builder) => builder.append_value(text),
            Values::DecimalText(builder) => builder.append_value(decimal_text(text)?),
            Values::Timestamp(builder) => {
                let moment = datetime::timestamp(text);
                builder.append_value(moment.ok_or_else(|| Refusal::violation(datetime::refused(text)))?);
            }
            Values::Date(builder) => {
                builder.append_value(datetime::date(text).ok_or_else(|| not_a(text, "date", "yyyy-MM-dd"))?);
            }
            Values::Time(builder) => {
                builder.append_value(datetime::time(text).ok_or_else(|| not_a(text, "time", "HH:mm:ss[.digits]"))?);
            }
            _ => return Ok(Put::WrongType),
        }
        self.filled = row + 1;
        self.limits.as_ref().map_or(Ok(()), |limits| check_length(limits, text))?;
        Ok(Put::Done)
    }

    /// Puts `true` or `false` into `row`, if this column's type takes it.
    #[inline]
    pub(crate) fn put_boolean(&mut self, row: usize, literal: Literal) -> Put {
        self.fill_to(row);
        let Values::Boolean(builder) = &mut self.values else { return Put::WrongType };
        builder.append_value(literal == Literal::True);
        self.filled = row + 1;
        Put::Done
    }

    /// Forgets the values so far, which have gone elsewhere. The column is never finished then.
    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    /// Puts the text of any JSON value into `row`, if this is the column of such texts.
    pub(crate) fn put_json(&mut self, row: usize, text: &str) {
        self.fill_to(row);
        if let Values::Json(builder) = &mut self.values {
            builder.append_value(text);
            self.filled = row + 1;
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

/// Checks a value that is known exactly, as an integer at the column's scale.
fn check_exact(limits: &Limits, number: Number, value: i128) -> Result<()> {
    if limits.multiple_of.is_some_and(|step| value % step != 0) {
        return Err(not_a_multiple(number.text));
    }
    check_bounds(limits, number.text, |bound| match bound.scaled {
        Some(limit) => value.cmp(&limit),
        // A bound between two values of the column's scale, or far beyond them, is never met itself.
        None => number.double().unwrap_or_default().total_cmp(&bound.value),
    })
}

fn check_double(limits: &Limits, number: Number, value: f64) -> Result<()> {
    check_bounds(limits, number.text, |bound| value.total_cmp(&bound.value))
}

fn check_bounds(limits: &Limits, text: &str, compared_to: impl Fn(&Bound) -> Ordering) -> Result<()> {
    let Limits { minimum, maximum, .. } = limits;
    if let Some(bound) = minimum
        && bound.refuses(compared_to(bound), Ordering::Less)
    {
        return Err(out_of_bounds(text, bound, "greater"));
    }
    if let Some(bound) = maximum
        && bound.refuses(compared_to(bound), Ordering::Greater)
    {
        return Err(out_of_bounds(text, bound, "less"));
    }
    Ok(())
}

fn check_length(limits: &Limits, text: &str) -> Result<()> {
    let Limits { min_length, max_length, .. } = limits;
    let length = text.chars().count() as u64;
    match (min_length, max_length) {
        (Some(least), _) if length < *least => {
            Err(Refusal::violation(format!("expected minLength: {least}, actual: {length}")))
        }
        (_, Some(most)) if length > *most => {
            Err(Refusal::violation(format!("expected maxLength: {most}, actual: {length}")))
        }
        _ => Ok(()),
    }
}

/// The exact decimal a string holds.
fn decimal_text(text: &str) -> Result<String> {
    let number = Scanner::new(text).number().ok().filter(|number| number.text.len() == text.len());
    let exact = number.and_then(|number| number::canonical(number.text));
    exact.ok_or_else(|| Refusal::violation("the string is no decimal number"))
}

#[cold]
fn integer_fault(number: Number) -> Result<Put> {
    if number.json_type() == JsonType::Integer {
        return Err(Refusal::violation("integer out of range of 64 bits"));
    }
    Ok(Put::WrongType)
}

#[cold]
fn out_of_bounds(text: &str, Bound { text: limit, itself, .. }: &Bound, side: &str) -> Box<Refusal> {
    Refusal::violation(match itself {
        Itself::Within => format!("{text} is not {side} or equal to {limit}"),
        Itself::Beyond => format!("{text} is not {side} than {limit}"),
    })
}

#[cold]
fn decimal_fault(number: Number, scale: u8) -> Box<Refusal> {
    let fits = |exact: String| exact.split_once('.').is_none_or(|(_, digits)| digits.len() <= usize::from(scale));
    if number.json_type() == JsonType::Integer || number::canonical(number.text).is_some_and(fits) {
        Refusal::violation("decimal out of range of 38 digits")
    } else {
        not_a_multiple(number.text)
    }
}

#[cold]
fn not_a_multiple(text: &str) -> Box<Refusal> {
    Refusal::violation(format!("{text} is not a multiple of the schema's multipleOf"))
}

#[cold]
fn not_a(text: &str, format: &str, expected: &str) -> Box<Refusal> {
    let shown: String = text.chars().take(60).collect();
    Refusal::violation(format!("[{shown}] is not a valid {format}. Expected [{expected}]"))
}
