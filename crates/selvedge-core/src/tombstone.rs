//! Tombstones: what is kept of a deleted key, so that a late older record does not bring its row back.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};

use crate::{Column, ColumnType, LoadError, LoadErrorKind, schema, system};

/// What the tombstones are called in a destination: a table of each integration in SQL, a folder of each table in Parquet.
pub const TABLE: &str = "_sdc_tombstones";

/// The table the key was of.
pub const TABLE_NAME: &str = "table_name";
/// The deleted key, as [`key_texts`] writes it.
pub const KEY: &str = "key";

/// The columns of a tombstone as SQL destinations keep it: table and key, then how new the delete is, and when it was.
pub fn columns() -> [Column; 5] {
    let column = |name: &str, column_type| Column::new(name, None, column_type);
    [
        column(TABLE_NAME, ColumnType::String),
        column(KEY, ColumnType::String),
        column(system::SEQUENCE, ColumnType::Integer),
        column(system::TABLE_VERSION, ColumnType::Integer),
        column(system::DELETED_AT, ColumnType::Timestamp),
    ]
}

/// No deletes, for a load into a table of these columns and keys.
pub fn none(columns: &[Column], keys: &[String]) -> RecordBatch {
    RecordBatch::new_empty(schema(&tombstone_columns(columns, keys)))
}

/// The columns of the deletes of a load into a table of these columns and keys.
pub(crate) fn tombstone_columns(columns: &[Column], keys: &[String]) -> Vec<Column> {
    let key = |name: &String| columns.iter().find(|column| column.name == *name).cloned();
    let own = [
        Column::new(system::SEQUENCE, None, ColumnType::Integer),
        Column::new(system::TABLE_VERSION, None, ColumnType::Integer),
        Column::new(system::DELETED_AT, None, ColumnType::Timestamp),
    ];
    keys.iter().filter_map(key).chain(own).collect()
}

/// The key of each row as a text: two rows of one table have the same text exactly if they have the same key.
///
/// It is a list in brackets, `[17,"north"]`: numbers in decimal digits, texts in double quotes with `"` and `\\` escaped by a
/// backslash, moments, days and times of day as the number of microseconds or days that Arrow holds.
///
/// # Errors
/// [`LoadErrorKind::Refused`] when the rows lack a key column, or hold one of a type that no key has.
///
/// # Examples
/// ```
/// # use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use selvedge_core::tombstone::key_texts;
///
/// let ids: ArrayRef = Arc::new(Int64Array::from(vec![17]));
/// let sides: ArrayRef = Arc::new(StringArray::from(vec!["north"]));
/// let rows = RecordBatch::try_from_iter([("id", ids), ("side", sides)])?;
/// assert_eq!(key_texts(&rows, &["id".to_owned(), "side".to_owned()])?.value(0), r#"[17,"north"]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn key_texts(rows: &RecordBatch, keys: &[String]) -> Result<StringArray, LoadError> {
    let column = |key: &String| rows.column_by_name(key).cloned().ok_or_else(|| lacks(key));
    let columns: Vec<ArrayRef> = keys.iter().map(column).collect::<Result<_, _>>()?;
    let text = |row| {
        let mut text = String::from("[");
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            write_value(&mut text, column, row)?;
        }
        text.push(']');
        Ok(Some(text))
    };
    (0..rows.num_rows()).map(text).collect()
}

fn write_value(text: &mut String, column: &ArrayRef, row: usize) -> Result<(), LoadError> {
    if column.is_null(row) {
        text.push_str("null");
        return Ok(());
    }
    let written = match column.data_type() {
        DataType::Boolean => write!(text, "{}", column.as_boolean().value(row)),
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(row)),
        // An exponent is written as soon as digits would be many.
        DataType::Float64 => write!(text, "{:?}", column.as_primitive::<Float64Type>().value(row)),
        // The scale is the column's, so that the digits alone tell two values apart.
        DataType::Decimal128(..) => write!(text, "{}", column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Utf8 => {
            write_text(text, column.as_string::<i32>().value(row));
            Ok(())
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            write!(text, "{}", column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Date32 => write!(text, "{}", column.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(TimeUnit::Microsecond) => {
            write!(text, "{}", column.as_primitive::<Time64MicrosecondType>().value(row))
        }
        other => {
            let message =
                format!("a key column has type {other}, which no key has; report this as a defect of selvedge");
            return Err(LoadError::new(LoadErrorKind::Refused, message));
        }
    };
    // A String takes whatever is written into it.
    written.map_err(|_| LoadError::new(LoadErrorKind::Refused, "a key could not be written; report it as a defect"))
}

fn write_text(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

fn lacks(key: &str) -> LoadError {
    LoadError::new(
        LoadErrorKind::Refused,
        format!("the rows lack the key column `{key}`; report this as a defect of selvedge"),
    )
}
