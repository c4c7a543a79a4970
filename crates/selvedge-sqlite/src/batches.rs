//! The rows of a query as Arrow batches.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};
use selvedge_core::{Column, ColumnType, LoadError, schema};
use selvedge_sql::{parse_date, parse_decimal, parse_time, parse_timestamp};

use crate::error::Doing;

/// How many rows make a batch.
const ROWS: usize = 4_096;
/// How many bytes of text make a batch of fewer rows.
const TEXT_BYTES: usize = 8 << 20;

/// What batches are handed to.
pub(crate) type EachBatch<'e> = dyn FnMut(RecordBatch) -> ControlFlow<()> + 'e;

/// Hands out the rows of a query that selects these columns in their order, until `each` breaks off.
pub(crate) fn hand_out(
    mut rows: Rows<'_>,
    columns: &[Column],
    doing: &Doing<'_>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let mut batch = BatchBuilder::new(columns);
    while let Some(row) = rows.next().map_err(|cause| doing.failed(cause))? {
        batch.append(row, doing)?;
        if batch.is_full() && each(batch.finish(doing)?).is_break() {
            return Ok(());
        }
    }
    if batch.rows > 0 {
        // There is nothing left to break off.
        let _ = each(batch.finish(doing)?);
    }
    Ok(())
}

/// A batch in the making.
struct BatchBuilder<'c> {
    columns: &'c [Column],
    schema: SchemaRef,
    cells: Vec<CellBuilder>,
    rows: usize,
    text_bytes: usize,
}

impl<'c> BatchBuilder<'c> {
    fn new(columns: &'c [Column]) -> Self {
        let cells = columns.iter().map(|column| CellBuilder::new(column.column_type)).collect();
        Self { columns, schema: schema(columns), cells, rows: 0, text_bytes: 0 }
    }

    fn append(&mut self, row: &Row<'_>, doing: &Doing<'_>) -> Result<(), LoadError> {
        for ((number, column), cells) in self.columns.iter().enumerate().zip(&mut self.cells) {
            let value = row.get_ref(number).map_err(|cause| doing.failed(cause))?;
            if let ValueRef::Text(text) = value {
                self.text_bytes += text.len();
            }
            cells.append(value).map_err(|found| doing.found_unreadable(column, &found))?;
        }
        self.rows += 1;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.text_bytes >= TEXT_BYTES
    }

    /// The rows so far, after which it is empty again.
    fn finish(&mut self, doing: &Doing<'_>) -> Result<RecordBatch, LoadError> {
        (self.rows, self.text_bytes) = (0, 0);
        let arrays: Vec<ArrayRef> = self.cells.iter_mut().map(|cells| cells.builder().finish()).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|cause| doing.refused("report this as a defect of selvedge").with_source(cause))
    }
}

/// The values of one column, read as they are written by `cells.rs`.
enum CellBuilder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder, u8),
    Double(Float64Builder),
    Text(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
}

impl CellBuilder {
    fn new(column_type: ColumnType) -> Self {
        let arrow = column_type.arrow();
        match column_type {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Integer => Self::Integer(Int64Builder::new()),
            ColumnType::Decimal { scale } => Self::Decimal(Decimal128Builder::new().with_data_type(arrow), scale),
            ColumnType::Double => Self::Double(Float64Builder::new()),
            ColumnType::DecimalText | ColumnType::String | ColumnType::Json => Self::Text(StringBuilder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(arrow)),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Time => Self::Time(Time64MicrosecondBuilder::new()),
        }
    }

    /// Adds a value, or says what else was found.
    fn append(&mut self, value: ValueRef<'_>) -> Result<(), String> {
        match self {
            Self::Boolean(to) => to.append_option(boolean(value)?),
            Self::Integer(to) => to.append_option(integer(value)?),
            Self::Decimal(to, scale) => to.append_option(parsed(value, |text| parse_decimal(text, *scale))?),
            Self::Double(to) => to.append_option(double(value)?),
            Self::Text(to) => to.append_option(text(value)?),
            Self::Timestamp(to) => to.append_option(parsed(value, parse_timestamp)?),
            Self::Date(to) => to.append_option(parsed(value, parse_date)?),
            Self::Time(to) => to.append_option(parsed(value, parse_time)?),
        }
        Ok(())
    }

    fn builder(&mut self) -> &mut dyn ArrayBuilder {
        match self {
            Self::Boolean(builder) => builder,
            Self::Integer(builder) => builder,
            Self::Decimal(builder, _) => builder,
            Self::Double(builder) => builder,
            Self::Text(builder) => builder,
            Self::Timestamp(builder) => builder,
            Self::Date(builder) => builder,
            Self::Time(builder) => builder,
        }
    }
}

fn boolean(value: ValueRef<'_>) -> Result<Option<bool>, String> {
    match integer(value)? {
        None => Ok(None),
        Some(number @ (0 | 1)) => Ok(Some(number == 1)),
        Some(_) => Err("a number other than 0 and 1".to_owned()),
    }
}

fn integer(value: ValueRef<'_>) -> Result<Option<i64>, String> {
    value.as_i64_or_null().map_err(|_| stored(value))
}

fn double(value: ValueRef<'_>) -> Result<Option<f64>, String> {
    value.as_f64_or_null().map_err(|_| stored(value))
}

fn text(value: ValueRef<'_>) -> Result<Option<&str>, String> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => str::from_utf8(text).map(Some).map_err(|_| "a text that is not UTF-8".to_owned()),
        other => Err(stored(other)),
    }
}

/// A value that is kept as text.
fn parsed<V>(value: ValueRef<'_>, parse: impl Fn(&[u8]) -> Option<V>) -> Result<Option<V>, String> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => parse(text).map(Some).ok_or_else(|| "a text of another form".to_owned()),
        other => Err(stored(other)),
    }
}

fn stored(value: ValueRef<'_>) -> String {
    format!("a value stored as {}", value.data_type())
}
