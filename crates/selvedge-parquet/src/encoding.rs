//! How the columns of a file are encoded.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use arrow_select::take::take;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::transition::memory_bytes;

const CREATED_BY: &str = concat!("selvedge version ", env!("CARGO_PKG_VERSION"));
/// Groups of 100,000 rows cost a quarter more disk than the largest; groups of this size cost nothing that could be measured,
/// and they leave a reader's threads something to share within a file.
const ROW_GROUP_ROWS: usize = 262_144;
/// What a writer holds of a row group before it goes to the file, for wide rows.
pub(crate) const ROW_GROUP_BYTES: usize = 32 << 20;
/// Bytes from which on, in the mean of a file's columns, encoding and compressing them pays.
const ENCODED_COLUMN_BYTES: u64 = 16 << 10;
/// Values looked at to see whether a column repeats itself.
const SAMPLE: u64 = 4_096;

/// The properties of a file of so many rows, chosen by a look at the first of them.
pub(crate) fn properties(
    first_rows: &RecordBatch,
    rows: u64,
    keys: &[String],
    metadata: Vec<KeyValue>,
) -> Result<WriterProperties, ParquetError> {
    let schema = first_rows.schema();
    let sorting = keys.iter().map(|key| sorting_column(schema.fields(), key)).collect::<Result<Vec<_>, _>>()?;
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_key_value_metadata(Some(metadata))
        .set_sorting_columns(Some(sorting).filter(|columns| !columns.is_empty()))
        .set_dictionary_enabled(false);
    if is_small(first_rows, rows) {
        // Of pages there is one to a column, of which the statistics would say the same as those of the column.
        let properties = properties.set_statistics_enabled(EnabledStatistics::Chunk).set_offset_index_disabled(true);
        return Ok(properties.build());
    }
    properties = properties.set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?));
    for (field, column) in schema.fields().iter().zip(first_rows.columns()) {
        properties = encode(column, ColumnPath::new(vec![field.name().clone()]), properties)?;
    }
    Ok(properties.build())
}

/// Parquet counts the columns that hold values, of which a struct or a list has any number.
fn sorting_column(fields: &Fields, key: &str) -> Result<SortingColumn, ParquetError> {
    let before =
        fields.iter().take_while(|field| field.name() != key).map(|field| values_columns(field)).sum::<usize>();
    let column_idx = i32::try_from(before).map_err(|error| ParquetError::External(error.into()))?;
    Ok(SortingColumn { column_idx, descending: false, nulls_first: true })
}

fn values_columns(field: &Field) -> usize {
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().map(|field| values_columns(field)).sum(),
        DataType::List(element) => values_columns(element),
        _ => 1,
    }
}

/// Whether what encoders and compressors save in a file would not be worth setting them up for each column.
fn is_small(first_rows: &RecordBatch, rows: u64) -> bool {
    let first_bytes = memory_bytes(first_rows);
    let bytes = first_bytes.saturating_mul(rows) / (first_rows.num_rows() as u64).max(1);
    bytes / (first_rows.num_columns() as u64).max(1) < ENCODED_COLUMN_BYTES
}

/// Chooses the encoding of a column, and of what is nested in it.
fn encode(
    column: &ArrayRef,
    path: ColumnPath,
    mut properties: WriterPropertiesBuilder,
) -> Result<WriterPropertiesBuilder, ParquetError> {
    let below = |names: &[&str]| {
        ColumnPath::new(path.parts().iter().cloned().chain(names.iter().map(ToString::to_string)).collect())
    };
    Ok(match column.data_type() {
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(column.as_struct().columns()) {
                properties = encode(column, below(&[field.name()]), properties)?;
            }
            properties
        }
        DataType::List(element) => {
            let list = column.as_list::<i32>();
            let end = |offset: i32| usize::try_from(offset).unwrap_or_default();
            let (first, last) = (end(list.offsets().first()), end(list.offsets().last()));
            let elements = list.values().slice(first, last - first);
            encode(&elements, below(&["list", element.name()]), properties)?
        }
        DataType::Boolean => properties,
        DataType::Int64 | DataType::Timestamp(..) | DataType::Date32 | DataType::Time64(_) => {
            properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        }
        _ => properties.set_column_dictionary_enabled(path, repeats(column)?),
    })
}

/// Whether a quarter of the values in a sample are repetitions: only then does a dictionary pay.
fn repeats(column: &ArrayRef) -> Result<bool, ArrowError> {
    let rows = column.len() as u64;
    let sampled = rows.min(SAMPLE);
    let sample = take(column, &UInt64Array::from_iter_values((0..sampled).map(|at| at * rows / sampled)), None)?;
    let values = RowConverter::new(vec![SortField::new(column.data_type().clone())])?.convert_columns(&[sample])?;
    let distinct = values.iter().collect::<HashSet<_>>().len() as u64;
    Ok(distinct * 4 <= sampled * 3)
}
