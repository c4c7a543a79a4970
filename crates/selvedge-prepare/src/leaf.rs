//! One column being filled.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use selvedge_core::ColumnType;

use crate::datetime;
use crate::number;
use crate::record_type::{Bound, Itself, Limits, Scalar};
use crate::refusal::Refusal;
use crate::scanner::Scanner;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A column of one scalar type. Rows that hold no value here are filled with nulls when the next value comes, so a record
/// costs only what it holds.
pub(crate) struct Leaf {
    pub(crate) column_type: ColumnType,
    limits: Limits,
    values: Values,
    filled: usize,
}

enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder, u8),
    Double(Float64Builder),
    /// Strings, exact decimals and JSON.
    Text(StringBuilder),
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
            ColumnType::String | ColumnType::DecimalText | ColumnType::Json => Values::Text(StringBuilder::new()),
            ColumnType::Timestamp => Values::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(arrow)),
            ColumnType::Date => Values::Date(Date32Builder::new()),
            ColumnType::Time => Values::Time(Time64MicrosecondBuilder::new()),
        };
        Self { column_type, limits: scalar.limits.clone(), values, filled: 0 }
    }

    /// The column once all of `rows` records were read.
    pub(crate) fn finish(mut self, rows: usize) -> ArrayRef {
        self.fill_to(rows);
        match self.values {
            Values::Boolean(mut builder) => Arc::new(builder.finish()),
            Values::Integer(mut builder) => Arc::new(builder.finish()),
            Values::Decimal(mut builder, _) => Arc::new(builder.finish()),
            Values::Double(mut builder) => Arc::new(builder.finish()),
            Values::Text(mut builder) => Arc::new(builder.finish()),
            Values::Timestamp(mut builder) => Arc::new(builder.finish()),
            Values::Date(mut builder) => Arc::new(builder.finish()),
            Values::Time(mut builder) => Arc::new(builder.finish()),
        }
    }

    #[inline]
    fn fill_to(&mut self, row: usize) {
        let missing = row.saturating_sub(self.filled);
        self.filled = row;
        if missing == 0 {
            return;
        }
        match &mut self.values {
            Values::Boolean(builder) => builder.append_nulls(missing),
            Values::Integer(builder) => builder.append_nulls(missing),
            Values::Decimal(builder, _) => builder.append_nulls(missing),
            Values::Double(builder) => builder.append_nulls(missing),
            Values::Text(builder) => builder.append_nulls(missing),
            Values::Timestamp(builder) => builder.append_nulls(missing),
            Values::Date(builder) => builder.append_nulls(missing),
            Values::Time(builder) => builder.append_nulls(missing),
        }
    }

    /// Makes room for the value of `row`, which the caller appends at once.
    #[inline]
    fn begin(&mut self, row: usize) {
        self.fill_to(row);
        self.filled = row + 1;
    }

    /// Whether JSON numbers go into this column.
    pub(crate) fn takes_number(&self, text: &str) -> bool {
        match self.values {
            Values::Integer(_) => number::is_whole(text),
            Values::Decimal(..) | Values::Double(_) => true,
            _ => false,
        }
    }

    /// Whether JSON strings go into this column.
    pub(crate) fn takes_string(&self) -> bool {
        match self.values {
            Values::Timestamp(_) | Values::Date(_) | Values::Time(_) => true,
            Values::Text(_) => self.column_type != ColumnType::Json,
            _ => false,
        }
    }

    /// Whether JSON's `true` and `false` go into this column.
    pub(crate) fn takes_boolean(&self) -> bool {
        matches!(self.values, Values::Boolean(_))
    }

    /// Puts the number `text` into `row`; `false` when it is none for this column's type.
    #[inline]
    pub(crate) fn put_number(&mut self, row: usize, text: &str) -> Result<Put> {
        self.begin(row);
        match &mut self.values {
            Values::Integer(builder) => {
                let Some(value) = number::integer(text) else { return integer_fault(text) };
                builder.append_value(value);
                if self.limits.multiple_of.is_some_and(|step| i128::from(value) % step != 0) {
                    return Err(not_a_multiple(text));
                }
                check_bounds(&self.limits, value as f64, text)?;
            }
            Values::Decimal(builder, scale) => {
                let value = number::scaled(text, *scale).ok_or_else(|| decimal_fault(text, *scale))?;
                builder.append_value(value);
                if self.limits.multiple_of.is_some_and(|step| value % step != 0) {
                    return Err(not_a_multiple(text));
                }
                if self.limits.minimum.is_some() || self.limits.maximum.is_some() {
                    check_bounds(&self.limits, number::double(text).unwrap_or(f64::INFINITY), text)?;
                }
            }
            Values::Double(builder) => {
                let value =
                    number::double(text).ok_or_else(|| Refusal::violation("number out of range of a double"))?;
                builder.append_value(value);
                check_bounds(&self.limits, value, text)?;
            }
            _ => return Ok(Put::WrongType),
        }
        Ok(Put::Done)
    }

    /// Puts a string into `row`.
    #[inline]
    pub(crate) fn put_string(&mut self, row: usize, text: &str) -> Result<Put> {
        self.begin(row);
        match &mut self.values {
            Values::Text(builder) if self.column_type == ColumnType::String => {
                builder.append_value(text);
                check_length(&self.limits, text)?;
            }
            Values::Text(builder) if self.column_type == ColumnType::DecimalText => {
                builder.append_value(
                    decimal_text(text).ok_or_else(|| Refusal::violation("the string is no decimal number"))?,
                );
            }
            Values::Timestamp(builder) => {
                builder.append_value(datetime::timestamp(text).ok_or_else(|| not_a_date_time(text))?);
            }
            Values::Date(builder) => {
                builder.append_value(datetime::date(text).ok_or_else(|| not_a(text, "date", "yyyy-MM-dd"))?);
            }
            Values::Time(builder) => {
                builder.append_value(datetime::time(text).ok_or_else(|| not_a(text, "time", "HH:mm:ss[.digits]"))?);
            }
            _ => return Ok(Put::WrongType),
        }
        Ok(Put::Done)
    }

    /// Puts `true` or `false` into `row`.
    #[inline]
    pub(crate) fn put_boolean(&mut self, row: usize, literal: Literal) {
        self.begin(row);
        if let Values::Boolean(builder) = &mut self.values {
            builder.append_value(literal == Literal::True);
        }
    }

    /// Puts the text of any JSON value into `row`.
    pub(crate) fn put_json(&mut self, row: usize, text: &str) {
        self.begin(row);
        if let Values::Text(builder) = &mut self.values {
            builder.append_value(text);
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

#[inline]
fn check_bounds(limits: &Limits, value: f64, text: &str) -> Result<()> {
    let Limits { minimum, maximum, .. } = limits;
    if let Some(Bound { text: limit, value: least, itself }) = minimum
        && (value < *least || (value == *least && *itself == Itself::Beyond))
    {
        return Err(Refusal::violation(match itself {
            Itself::Within => format!("{text} is not greater or equal to {limit}"),
            Itself::Beyond => format!("{text} is not greater than {limit}"),
        }));
    }
    if let Some(Bound { text: limit, value: most, itself }) = maximum
        && (value > *most || (value == *most && *itself == Itself::Beyond))
    {
        return Err(Refusal::violation(match itself {
            Itself::Within => format!("{text} is not less or equal to {limit}"),
            Itself::Beyond => format!("{text} is not less than {limit}"),
        }));
    }
    Ok(())
}

#[inline]
fn check_length(limits: &Limits, text: &str) -> Result<()> {
    let Limits { min_length, max_length, .. } = limits;
    if min_length.is_none() && max_length.is_none() {
        return Ok(());
    }
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

/// The exact decimal a string holds, if it holds one.
fn decimal_text(text: &str) -> Option<String> {
    let mut scanner = Scanner::new(text);
    let number = scanner.number().ok()?;
    (number.len() == text.len()).then(|| number::canonical(number))?
}

#[cold]
fn integer_fault(text: &str) -> Result<Put> {
    if number::is_whole(text) {
        return Err(Refusal::violation("integer out of range of 64 bits"));
    }
    Ok(Put::WrongType)
}

#[cold]
fn decimal_fault(text: &str, scale: u8) -> Box<Refusal> {
    let fits = number::canonical(text)
        .is_some_and(|text| text.split_once('.').is_none_or(|(_, digits)| digits.len() <= usize::from(scale)));
    if fits { Refusal::violation("decimal out of range of 38 digits") } else { not_a_multiple(text) }
}

#[cold]
fn not_a_multiple(text: &str) -> Box<Refusal> {
    Refusal::violation(format!("{text} is not a multiple of the schema's multipleOf"))
}

#[cold]
fn not_a_date_time(text: &str) -> Box<Refusal> {
    not_a(text, "date-time", "yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z")
}

#[cold]
fn not_a(text: &str, format: &str, expected: &str) -> Box<Refusal> {
    let shown: String = text.chars().take(60).collect();
    Refusal::violation(format!("[{shown}] is not a valid {format}. Expected [{expected}]"))
}
