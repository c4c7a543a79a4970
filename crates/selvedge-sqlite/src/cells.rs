//! The values of rows, as SQLite stores them.

use std::error::Error;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use rusqlite::Statement;
use rusqlite::types::{ToSqlOutput, ValueRef};
use selvedge_core::{Column, ColumnType};
use selvedge_sql::{date_text, time_text, timestamp_text, write_decimal};

/// The columns of some rows, each downcast once.
pub(crate) struct Cells<'a> {
    columns: Vec<Cell<'a>>,
    /// The text of the decimal at hand: reused, so that a value costs no allocation.
    decimal: String,
}

/// One column: an array with how its values are stored.
enum Cell<'a> {
    Boolean(&'a BooleanArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Double(&'a Float64Array),
    Text(&'a StringArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Time(&'a Time64MicrosecondArray),
}

impl<'a> Cells<'a> {
    /// Some columns of rows, each with its index there.
    ///
    /// # Errors
    /// When they are not typed as the columns say.
    pub(crate) fn new(columns: &[(usize, &Column)], rows: &'a RecordBatch) -> rusqlite::Result<Self> {
        let mut cells = Vec::with_capacity(columns.len());
        for (index, column) in columns {
            let array = rows.columns().get(*index);
            let cell = array.and_then(|array| Cell::new(array, column.column_type)).ok_or_else(|| {
                unfit(format!("the rows do not hold {} for column {}", column.column_type, column.name))
            })?;
            cells.push(cell);
        }
        Ok(Self { columns: cells, decimal: String::new() })
    }

    /// Binds the values of a row to parameters, in the order of the columns.
    pub(crate) fn bind(&mut self, row: usize, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        for (column, parameter) in self.columns.iter().zip(1..) {
            column.bind(row, parameter, statement, &mut self.decimal)?;
        }
        Ok(())
    }
}

impl<'a> Cell<'a> {
    fn new(array: &'a ArrayRef, column_type: ColumnType) -> Option<Self> {
        Some(match column_type {
            ColumnType::Boolean => Self::Boolean(array.as_boolean_opt()?),
            ColumnType::Integer => Self::Integer(array.as_primitive_opt::<Int64Type>()?),
            ColumnType::Decimal { scale } => Self::Decimal(array.as_primitive_opt::<Decimal128Type>()?, scale),
            ColumnType::Double => Self::Double(array.as_primitive_opt::<Float64Type>()?),
            ColumnType::DecimalText | ColumnType::String | ColumnType::Json => {
                Self::Text(array.as_string_opt::<i32>()?)
            }
            ColumnType::Timestamp => Self::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?),
            ColumnType::Date => Self::Date(array.as_primitive_opt::<Date32Type>()?),
            ColumnType::Time => Self::Time(array.as_primitive_opt::<Time64MicrosecondType>()?),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::Integer(array) => array.is_null(row),
            Self::Decimal(array, _) => array.is_null(row),
            Self::Double(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Timestamp(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
        }
    }

    fn bind(
        &self,
        row: usize,
        parameter: usize,
        statement: &mut Statement<'_>,
        decimal: &mut String,
    ) -> rusqlite::Result<()> {
        let mut bind = |value| statement.raw_bind_parameter(parameter, ToSqlOutput::Borrowed(value));
        if self.is_null(row) {
            return bind(ValueRef::Null);
        }
        match self {
            Self::Boolean(array) => bind(ValueRef::Integer(array.value(row).into())),
            Self::Integer(array) => bind(ValueRef::Integer(array.value(row))),
            Self::Double(array) => bind(ValueRef::Real(array.value(row))),
            Self::Text(array) => bind(ValueRef::Text(array.value(row).as_bytes())),
            Self::Timestamp(array) => bind(text(&timestamp_text(array.value(row)))?),
            Self::Date(array) => bind(text(&date_text(array.value(row)))?),
            Self::Time(array) => bind(text(&time_text(array.value(row)))?),
            Self::Decimal(array, scale) => {
                decimal.clear();
                write_decimal(decimal, array.value(row), *scale).map_err(unfit)?;
                bind(ValueRef::Text(decimal.as_bytes()))
            }
        }
    }
}

fn text<const LENGTH: usize>(text: &Option<[u8; LENGTH]>) -> rusqlite::Result<ValueRef<'_>> {
    let text = text.as_ref().ok_or_else(|| unfit("a date or time lies outside the years 0 to 9999, or a day"))?;
    Ok(ValueRef::Text(text))
}

/// The error for rows that do not fit their columns.
pub(crate) fn unfit(reason: impl Into<Box<dyn Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(reason.into())
}
