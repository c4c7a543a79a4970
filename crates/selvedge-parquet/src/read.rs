//! Reading stored files, a bounded batch at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::statistics::Statistics;
use selvedge_core::LoadError;

use crate::error::failed;
use crate::reshape::Reshape;

/// Decoded rows held at a time, unless a single row is larger.
pub(crate) const BATCH_BYTES: usize = 16 << 20;
/// A file of as many bytes is read at once. Otherwise each column costs some calls of the system, which is most of the cost
/// where columns are many and rows few.
const SMALL_FILE_BYTES: usize = 4 << 20;
/// Beyond this many rows a batch saves no more time.
const BATCH_ROWS: usize = 65_536;

/// How many rows a file has, from its footer.
pub(crate) fn count_rows(path: &Path) -> Result<u64, LoadError> {
    let count = || {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&File::open(path)?)?;
        u64::try_from(metadata.file_metadata().num_rows()).map_err(|error| ParquetError::External(error.into()))
    };
    count().map_err(|error| failed("read", path, error))
}

/// The least value of a column of integers, if the file's statistics tell it, and that none of the values is null.
pub(crate) fn least(path: &Path, column: &str) -> Result<Option<i64>, LoadError> {
    let metadata = || ParquetMetaDataReader::new().parse_and_finish(&File::open(path)?);
    let metadata = metadata().map_err(|error: ParquetError| failed("read", path, error))?;
    let least_of = |group: &RowGroupMetaData| {
        let column = group.columns().iter().find(|chunk| chunk.column_path().parts() == [column])?;
        match column.statistics()? {
            Statistics::Int64(values) if values.null_count_opt() == Some(0) => values.min_opt().copied(),
            _ => None,
        }
    };
    let least: Option<Vec<i64>> = metadata.row_groups().iter().map(least_of).collect();
    Ok(least.and_then(|least| least.into_iter().min()))
}

/// The rows of a stored file.
#[derive(Debug)]
pub(crate) struct StoredRows<'a> {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    /// `None` leaves the batches as they were read.
    reshape: Option<&'a Reshape<'a>>,
}

impl<'a> StoredRows<'a> {
    /// What becomes of the rows.
    pub(crate) fn all(path: PathBuf, reshape: &'a Reshape<'a>) -> Result<Self, LoadError> {
        let reader = open(&path, |_| true)?;
        Ok(Self { path, reader, reshape: Some(reshape) })
    }

    /// Those of the columns the file has whose name is `wanted`.
    pub(crate) fn columns(path: PathBuf, wanted: impl Fn(&str) -> bool) -> Result<Self, LoadError> {
        let reader = open(&path, wanted)?;
        Ok(Self { path, reader, reshape: None })
    }
}

impl Iterator for StoredRows<'_> {
    type Item = Result<RecordBatch, LoadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?.map_err(Into::into);
        let batch = batch.and_then(|batch| match self.reshape {
            Some(reshape) => reshape.apply(&batch),
            None => Ok(batch),
        });
        Some(batch.map_err(|error| failed("read", &self.path, error)))
    }
}

fn open(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<ParquetRecordBatchReader, LoadError> {
    let open = || {
        let file = File::open(path)?;
        match usize::try_from(file.metadata()?.len()) {
            Ok(bytes) if bytes <= SMALL_FILE_BYTES => reader(file.get_bytes(0, bytes)?, wanted),
            _ => reader(file, wanted),
        }
    };
    open().map_err(|error: ParquetError| failed("read", path, error))
}

fn reader<R: ChunkReader + 'static>(
    file: R,
    wanted: impl Fn(&str) -> bool,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let fields = builder.schema().fields().iter().enumerate();
    let roots: Vec<_> = fields.filter(|(_, field)| wanted(field.name())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let rows = batch_rows(builder.metadata());
    builder.with_projection(mask).with_batch_size(rows).build()
}

/// How many rows fill [`BATCH_BYTES`], where the rows are widest.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let row_bytes = metadata.row_groups().iter().map(row_bytes).max().unwrap_or(1);
    (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS)
}

/// How many bytes a row of the group takes in memory, on average. Dictionaries make texts that repeat small in the file, so
/// the texts' own length counts where it is more, and so does the place of each value, of which a list has any number.
fn row_bytes(group: &RowGroupMetaData) -> usize {
    let rows = group.num_rows().max(1);
    let in_memory = |column: &ColumnChunkMetaData| {
        let texts = column.unencoded_byte_array_data_bytes().unwrap_or_default();
        let bytes = texts.max(column.uncompressed_size()).saturating_add(column.num_values().saturating_mul(8));
        usize::try_from(bytes / rows).unwrap_or(usize::MAX)
    };
    group.columns().iter().map(in_memory).fold(0, usize::saturating_add)
}
