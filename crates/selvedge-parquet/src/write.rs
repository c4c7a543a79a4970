//! Writing rows to new files.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use selvedge_core::LoadError;

use crate::error::failed;
use crate::key::key_text;
use crate::manifest::{DataFile, KeyRange};
use crate::transition::Transition;

/// Writes rows, in their order, to one file after the other.
#[derive(Debug)]
pub(crate) struct FileWriter<'a> {
    transition: &'a Transition<'a>,
    rows_per_file: u64,
    open: Option<OpenFile>,
    done: Vec<DataFile>,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
    first: RecordBatch,
    last: RecordBatch,
}

impl<'a> FileWriter<'a> {
    pub(crate) fn new(transition: &'a Transition<'a>, rows_per_file: u64) -> Self {
        Self { transition, rows_per_file, open: None, done: Vec::new() }
    }

    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), LoadError> {
        let mut from = 0;
        while from < rows.num_rows() {
            let rest = rows.slice(from, rows.num_rows() - from);
            let mut open =
                self.open.take().map_or_else(|| OpenFile::new(self.transition, &rest, self.rows_per_file), Ok)?;
            let room = usize::try_from(self.rows_per_file - open.rows).unwrap_or(usize::MAX);
            let part = rest.slice(0, room.min(rest.num_rows()));
            open.write(&part)?;
            from += part.num_rows();
            if open.rows == self.rows_per_file {
                self.done.push(open.close(self.transition.keys())?);
            } else {
                self.open = Some(open);
            }
        }
        Ok(())
    }

    /// The files written, all of them synced.
    pub(crate) fn finish(mut self) -> Result<Vec<DataFile>, LoadError> {
        if let Some(open) = self.open.take() {
            self.done.push(open.close(self.transition.keys())?);
        }
        Ok(self.done)
    }
}

impl OpenFile {
    fn new(transition: &Transition<'_>, first_rows: &RecordBatch, rows: u64) -> Result<Self, LoadError> {
        let (path, writer) = transition.open(first_rows, rows)?;
        Ok(Self { path, writer, rows: 0, first: first_rows.slice(0, 1), last: first_rows.slice(0, 1) })
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<(), LoadError> {
        self.writer.write(rows).map_err(|error| failed("write", &self.path, error))?;
        self.rows += rows.num_rows() as u64;
        self.last = rows.slice(rows.num_rows().saturating_sub(1), 1);
        Ok(())
    }

    fn close(mut self, keys: &[String]) -> Result<DataFile, LoadError> {
        let range = || Ok(KeyRange { first: key_text(&self.first, 0, keys)?, last: key_text(&self.last, 0, keys)? });
        let keys = if keys.is_empty() { None } else { Some(range()?) };
        let bytes = close(&self.path, &mut self.writer)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(DataFile { name, rows: self.rows, bytes, keys })
    }
}

/// Finishes and syncs a file; returns its size.
pub(crate) fn close(path: &Path, writer: &mut ArrowWriter<File>) -> Result<u64, LoadError> {
    let close = |writer: &mut ArrowWriter<File>| {
        writer.finish()?;
        writer.sync()?;
        writer.inner().sync_all()?;
        Ok(writer.inner().metadata()?.len())
    };
    close(writer).map_err(|error: ParquetError| failed("write", path, error))
}
