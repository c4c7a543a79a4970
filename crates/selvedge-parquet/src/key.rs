//! The text that keys have in the manifest.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Schema};
use selvedge_core::LoadError;

use crate::error::refused;

/// The values of a key as text, in the order of the key columns. Values and not arrow's row format, because arrow promises
/// the order of that format and not its bytes.
pub(crate) type KeyText = Vec<Option<String>>;

/// The key of a row as text.
pub(crate) fn key_text(batch: &RecordBatch, row: usize, keys: &[String]) -> Result<KeyText, LoadError> {
    let row = batch.slice(row, 1);
    let text = |key: &String| row.schema_ref().index_of(key).map_err(lacking).and_then(|at| to_text(row.column(at)));
    keys.iter().map(text).collect()
}

/// The key columns that [`key_text`] wrote as texts; `schema` is the table's.
pub(crate) fn parse_keys(texts: &[&KeyText], keys: &[String], schema: &Schema) -> Result<RecordBatch, LoadError> {
    let column = |(at, key): (usize, &String)| {
        let field = schema.field_with_name(key).map_err(lacking)?;
        let texts: StringArray = texts.iter().map(|text| text.get(at).and_then(Option::as_deref)).collect();
        Ok((key.clone(), from_text(&texts, field.data_type())?))
    };
    let columns = keys.iter().enumerate().map(column).collect::<Result<Vec<_>, LoadError>>()?;
    RecordBatch::try_from_iter(columns).map_err(lacking)
}

/// The first value of a column as text. Moments and decimals are the whole numbers that stand for them, which no calendar
/// and no rounding can bend.
fn to_text(column: &ArrayRef) -> Result<Option<String>, LoadError> {
    if column.is_null(0) {
        return Ok(None);
    }
    Ok(Some(match column.data_type() {
        DataType::Boolean => column.as_boolean().value(0).to_string(),
        DataType::Utf8 => column.as_string::<i32>().value(0).to_owned(),
        DataType::Int64 => first::<Int64Type>(column),
        DataType::Float64 => first::<Float64Type>(column),
        DataType::Decimal128(..) => first::<Decimal128Type>(column),
        DataType::Timestamp(..) => first::<TimestampMicrosecondType>(column),
        DataType::Date32 => first::<Date32Type>(column),
        DataType::Time64(_) => first::<Time64MicrosecondType>(column),
        other => return Err(no_key_type(other)),
    }))
}

fn first<T: ArrowPrimitiveType<Native: Display>>(column: &ArrayRef) -> String {
    column.as_primitive::<T>().value(0).to_string()
}

/// The column of texts that [`to_text`] wrote. The error does not quote a text that is no value.
fn from_text(texts: &StringArray, data_type: &DataType) -> Result<ArrayRef, LoadError> {
    let column: ArrayRef = match data_type {
        DataType::Boolean => Arc::new(texts.iter().map(|text| text?.parse().ok()).collect::<BooleanArray>()),
        DataType::Utf8 => Arc::new(texts.clone()),
        DataType::Int64 => parsed::<Int64Type>(texts, data_type),
        DataType::Float64 => parsed::<Float64Type>(texts, data_type),
        DataType::Decimal128(..) => parsed::<Decimal128Type>(texts, data_type),
        DataType::Timestamp(..) => parsed::<TimestampMicrosecondType>(texts, data_type),
        DataType::Date32 => parsed::<Date32Type>(texts, data_type),
        DataType::Time64(_) => parsed::<Time64MicrosecondType>(texts, data_type),
        other => return Err(no_key_type(other)),
    };
    if column.null_count() != texts.null_count() {
        return Err(refused("the manifest holds a key that is none; restore the table from a backup"));
    }
    Ok(column)
}

fn parsed<T: ArrowPrimitiveType<Native: FromStr>>(texts: &StringArray, data_type: &DataType) -> ArrayRef {
    let values = texts.iter().map(|text| text?.parse::<T::Native>().ok());
    Arc::new(values.collect::<PrimitiveArray<T>>().with_data_type(data_type.clone()))
}

fn no_key_type(data_type: &DataType) -> LoadError {
    refused(format!("a column of Arrow type {data_type} cannot be a key; report this as an error of selvedge"))
}

fn lacking(error: ArrowError) -> LoadError {
    refused("the rows lack a key column; report this as an error of selvedge").with_source(error)
}
