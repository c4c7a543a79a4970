//! Keys: their order, and the text they have in the manifest.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use selvedge_core::{LoadError, TableLoad};

use crate::error::refused;

/// The values of a key as text, in the order of the key columns. Values and not arrow's row format, because arrow promises
/// the order of that format and not its bytes.
pub(crate) type KeyText = Vec<Option<String>>;

/// The order of a table's keys: that of arrow's row format over the key columns.
#[derive(Debug)]
pub(crate) struct KeyOrder {
    names: Vec<String>,
    types: Vec<DataType>,
    converter: RowConverter,
}

impl KeyOrder {
    pub(crate) fn of(load: &TableLoad) -> Result<Self, LoadError> {
        let types = load.keys.iter().map(|key| {
            let column = load.columns.iter().find(|column| column.name == *key);
            column.map(|column| column.column_type.arrow()).ok_or_else(|| {
                refused(format!("table {} has no column `{key}`, which is part of its key; name another", load.table))
            })
        });
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect()).map_err(unordered)?;
        Ok(Self { names: load.keys.clone(), types, converter })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The keys of a batch, comparable with those of every other batch.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<Rows, LoadError> {
        self.convert(&key_columns(batch, &self.names)?)
    }

    /// The keys of texts that [`key_text`] wrote.
    pub(crate) fn parse(&self, texts: &[&KeyText]) -> Result<Rows, LoadError> {
        let parse = |(at, data_type): (usize, &DataType)| {
            let column: StringArray = texts.iter().map(|text| text.get(at).and_then(Option::as_deref)).collect();
            from_text(&column, data_type)
        };
        self.convert(&self.types.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?)
    }

    fn convert(&self, columns: &[ArrayRef]) -> Result<Rows, LoadError> {
        self.converter.convert_columns(columns).map_err(unordered)
    }
}

/// The key of a row as text.
pub(crate) fn key_text(batch: &RecordBatch, row: usize, keys: &[String]) -> Result<KeyText, LoadError> {
    let row = batch.slice(row, 1);
    let text = |column: &ArrayRef| -> Result<Option<String>, ArrowError> {
        let text = cast(&cast(column, &plain(column.data_type()))?, &DataType::Utf8)?;
        Ok(text.as_string::<i32>().iter().flatten().next().map(str::to_owned))
    };
    key_columns(&row, keys)?.iter().map(|column| text(column).map_err(unordered)).collect()
}

fn key_columns(batch: &RecordBatch, keys: &[String]) -> Result<Vec<ArrayRef>, LoadError> {
    let column = |key: &String| {
        let column = batch.column_by_name(key).cloned();
        column.ok_or_else(|| refused(format!("the rows lack the key column `{key}`; restore the table from a backup")))
    };
    keys.iter().map(column).collect()
}

/// A text that is no value becomes null instead of an error, because the error would quote it.
fn from_text(column: &StringArray, data_type: &DataType) -> Result<ArrayRef, LoadError> {
    let values = cast(column, &plain(data_type)).and_then(|plain| cast(&plain, data_type)).map_err(unordered)?;
    if values.null_count() != column.null_count() {
        return Err(refused("the manifest holds a key that is none; restore the table from a backup"));
    }
    Ok(values)
}

/// The type whose text stands for a type's values: moments are numbers, which no calendar or zone can bend.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(..) | DataType::Time64(_) => DataType::Int64,
        DataType::Date32 => DataType::Int32,
        other => other.clone(),
    }
}

fn unordered(error: ArrowError) -> LoadError {
    refused("the keys cannot be compared; report this as an error of selvedge").with_source(error)
}
