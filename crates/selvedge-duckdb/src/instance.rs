//! DuckDB itself, which is started once and has the file only while it works with it.
//!
//! To start DuckDB takes 35 ms of processor time, to attach a file that stands and release it again takes 2.

use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use duckdb::vtab::arrow::ArrowVTab;
use duckdb::{Config, Connection};
use selvedge_core::{LoadError, LoadErrorKind};

use crate::error::load_error;
use crate::rewriting;
use crate::session::{Access, Session, literal};

/// A share of the engine's budget of 256 MiB.
pub(crate) const DEFAULT_MEMORY_LIMIT_BYTES: usize = 128 << 20;
/// More threads do not make loads faster: the rows come in one stream.
const THREADS: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(1);
/// Of the files made here; DuckDB's own default is twice as much, and to append one row it takes a block for every column: in a
/// table of 500 columns, all the memory there is. Loads of many rows are a little slower so.
const BLOCK_BYTES: u32 = 128 << 10;

/// The table function that reads a registered batch of Arrow rows.
pub(crate) const ARROW: &str = "_sdc_arrow";

/// A file, and DuckDB to work with it.
#[derive(Debug)]
pub(crate) struct Instance {
    path: PathBuf,
    memory_limit_bytes: usize,
    threads: NonZero<usize>,
    /// DuckDB without the file, to be used again; `None` before the first stay and after one that failed.
    idle: Option<Connection>,
}

impl Instance {
    /// Takes a file and looks whether it can be worked with so. One that somebody else has is no error here.
    pub(crate) fn new(path: &Path, access: Access) -> Result<Self, LoadError> {
        let path = std::path::absolute(path).map_err(|cause| {
            let message = format!("`{}` is no path; give the path of a DuckDB file", path.display());
            LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
        })?;
        let mut instance = Self { path, memory_limit_bytes: DEFAULT_MEMORY_LIMIT_BYTES, threads: THREADS, idle: None };
        match instance.with_file(access, |_| Ok(())) {
            Err(error) if error.kind() != LoadErrorKind::Unavailable => Err(error),
            _ => Ok(instance),
        }
    }

    pub(crate) fn memory_limit(self, bytes: usize) -> Self {
        Self { memory_limit_bytes: bytes, idle: None, ..self }
    }

    pub(crate) fn threads(self, threads: NonZero<usize>) -> Self {
        Self { threads, idle: None, ..self }
    }

    /// Works with the file. After an error DuckDB is started anew, whatever state it was in.
    pub(crate) fn with_file<T>(
        &mut self,
        access: Access,
        work: impl FnOnce(&Session) -> Result<T, LoadError>,
    ) -> Result<T, LoadError> {
        let connection = match self.idle.take() {
            Some(connection) => connection,
            None => self.start()?,
        };
        let session = Session::open(connection, &self.path, access)?;
        let done = work(&session)?;
        self.idle = session.close();
        if access == Access::Load {
            self.sync_folder()?;
        }
        Ok(done)
    }

    /// DuckDB syncs its files, and never the folder they stand in. A power failure could take a new file away as a whole, or
    /// bring back a log that was emptied and removed, beside which DuckDB does not open the file any more.
    fn sync_folder(&self) -> Result<(), LoadError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| {
            let message = format!(
                "the folder of {} could not be synced; check that the disk is healthy, then start again",
                self.path.display()
            );
            LoadError::new(LoadErrorKind::Refused, message).with_source(cause).possibly_applied()
        })
    }

    /// Starts DuckDB, which will reach this file, a copy of it, and a folder for what does not fit in memory, and nothing else.
    fn start(&self) -> Result<Connection, LoadError> {
        let file = self.path.to_str().ok_or_else(|| {
            let message = format!("the path {} is not UTF-8, which DuckDB needs; rename it", self.path.display());
            LoadError::new(LoadErrorKind::Refused, message)
        })?;
        self.connect(file).map_err(|cause| load_error(&self.path, "start", cause))
    }

    fn connect(&self, file: &str) -> duckdb::Result<Connection> {
        let config = Config::default()
            .enable_autoload_extension(false)?
            .max_memory(&format!("{}B", self.memory_limit_bytes))?
            .with("threads", self.threads.to_string())?
            .with("default_block_size", BLOCK_BYTES.to_string())?
            .with("temp_directory", format!("{file}.tmp"))?;
        let connection = Connection::open_in_memory_with_flags(config)?;
        connection.register_table_function::<ArrowVTab>(ARROW)?;
        let logs = ["", ".wal", ".wal.checkpoint", ".wal.recovery"];
        let reachable = ["", rewriting::SUFFIX].map(|copy| logs.map(|log| literal(&format!("{file}{copy}{log}"))));
        connection.execute_batch(&format!(
            "SET allowed_paths = [{}]; SET enable_external_access = false; SET lock_configuration = true",
            reachable.concat().join(", "),
        ))?;
        Ok(connection)
    }
}
