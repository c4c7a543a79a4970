//! The way from the files of one generation to those of the next: kept as they are, read, written anew.

use std::fs::File;
use std::path::PathBuf;

use arrow_array::{Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use selvedge_core::LoadError;

use crate::Settings;
use crate::draft::DraftPart;
use crate::encoding::properties;
use crate::error::failed;
use crate::generation::StoredPart;
use crate::leaving::Leaving;
use crate::manifest::DataFile;
use crate::read::StoredRows;
use crate::reshape::Reshape;
use crate::write::{FileWriter, close};

/// Bytes after which a file is split, however few its rows. It bounds what one changed row makes be written again.
const FILE_BYTES: u64 = 128 << 20;
/// How many times smaller rows are on disk than in memory, roughly.
const COMPRESSION: u64 = 4;

/// What a load begins from and where it writes, for one part of the table.
#[derive(Debug)]
pub(crate) struct Transition<'a> {
    from: StoredPart<'a>,
    to: DraftPart,
    reshape: Reshape<'a>,
    description: Vec<KeyValue>,
    leaving: Leaving<'a>,
    /// The columns by which the rows are sorted, if they are.
    keys: Vec<String>,
    rows_per_file: u64,
}

impl<'a> Transition<'a> {
    /// Of rows that come in no order of their own.
    pub(crate) fn new(
        from: StoredPart<'a>,
        to: DraftPart,
        reshape: Reshape<'a>,
        description: Vec<KeyValue>,
        settings: &Settings,
    ) -> Self {
        let rows_per_file = settings.rows_per_file.max(1);
        Self { from, to, reshape, description, leaving: Leaving::Nothing, keys: Vec::new(), rows_per_file }
    }

    /// Of rows that are sorted by these columns.
    pub(crate) fn sorted_by(self, keys: Vec<String>) -> Self {
        Self { keys, ..self }
    }

    /// From which these rows go.
    pub(crate) fn losing(self, leaving: Leaving<'a>) -> Self {
        Self { leaving, ..self }
    }

    /// The stored files, in their order.
    pub(crate) fn stored(&self) -> &'a [DataFile] {
        self.from.files
    }

    /// Whether the stored files have other columns than the next generation. Then all are rewritten, so that every file of a
    /// generation has the same columns: a reader that takes the columns from the first file would silently miss the new
    /// ones.
    pub(crate) fn reshapes(&self) -> bool {
        self.reshape.changes()
    }

    /// What goes from a stored file.
    pub(crate) fn leaving(&self, file: &DataFile) -> Result<&Leaving<'a>, LoadError> {
        Ok(if self.leaving.may_be_in(&self.path_of(file))? { &self.leaving } else { &Leaving::Nothing })
    }

    /// Takes a stored file over as it is.
    pub(crate) fn keep(&self, file: &DataFile) -> Result<DataFile, LoadError> {
        self.to.link(&self.path_of(file), &file.name)?;
        Ok(file.clone())
    }

    /// The rows of a stored file, with the columns of the next generation.
    pub(crate) fn read(&self, file: &DataFile) -> Result<StoredRows<'_>, LoadError> {
        StoredRows::all(self.path_of(file), &self.reshape)
    }

    /// Some of a stored file's columns, those whose name is `wanted`.
    pub(crate) fn read_columns(
        &self,
        file: &DataFile,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<StoredRows<'_>, LoadError> {
        StoredRows::columns(self.path_of(file), wanted)
    }

    fn path_of(&self, file: &DataFile) -> PathBuf {
        self.from.folder.join(&file.name)
    }

    /// Whether a file of that size is so small that rows are better added to it than to a new one. Half of a full file is
    /// not, because a full one that grows is split into two halves.
    pub(crate) fn is_small(&self, rows: u64, bytes: u64) -> bool {
        rows < self.rows_per_file / 2 && bytes < FILE_BYTES / 2
    }

    /// New files of about equal size, for rows of which the number is known and the bytes on disk roughly.
    pub(crate) fn files(&self, rows: u64, bytes: u64) -> FileWriter<'_> {
        let files = rows.div_ceil(self.rows_per_file).max(bytes.div_ceil(FILE_BYTES)).max(1);
        FileWriter::new(self, rows.div_ceil(files).max(1))
    }

    /// The files of the next generation. If there are none, one without rows is written, so that a reader of an empty table
    /// finds the columns; the generation after that does not take it over.
    pub(crate) fn complete(&self, files: Vec<DataFile>) -> Result<Vec<DataFile>, LoadError> {
        if files.is_empty() {
            let (path, mut writer) = self.open(&RecordBatch::new_empty(self.reshape.schema()), 0)?;
            close(&path, &mut writer)?;
        }
        Ok(files)
    }

    /// Opens a new file that begins with these rows and is to have `rows` in all.
    pub(crate) fn open(&self, first_rows: &RecordBatch, rows: u64) -> Result<(PathBuf, ArrowWriter<File>), LoadError> {
        let path = self.to.new_file()?;
        let open = || {
            let properties = properties(first_rows, rows, &self.keys, self.description.clone())?;
            // Arrow's own description of the schema says nothing that Parquet's does not.
            let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
            ArrowWriter::try_new_with_options(File::create_new(&path)?, self.reshape.schema(), options)
        };
        let writer = open().map_err(|error: ParquetError| failed("write", &path, error))?;
        Ok((path, writer))
    }

    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }
}

/// About how many bytes rows take on disk.
pub(crate) fn disk_bytes(rows: &RecordBatch) -> u64 {
    memory_bytes(rows) / COMPRESSION
}

/// How many bytes the rows take in memory.
pub(crate) fn memory_bytes(rows: &RecordBatch) -> u64 {
    let bytes: usize = rows.columns().iter().filter_map(|column| column.to_data().get_slice_memory_size().ok()).sum();
    bytes as u64
}
