//! The destination and its settings.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use duckdb::Connection;
use selvedge_core::{Capabilities, Destination, LoadError, LoadErrorKind, RowOrder, TableLoad, TableName, TableState};

use crate::session::{self, Session};
use crate::{load, state};

/// A share of the engine's budget of 256 MiB.
const MEMORY_LIMIT_BYTES: u64 = 128 << 20;
/// More threads do not make loads faster: the rows come in one stream.
const THREADS: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(1);

/// A DuckDB file as a destination.
///
/// The file belongs to the program that has it open, and this destination has it only during a call. Within one program
/// DuckDB cannot tell two users of a file apart: while an engine runs, do not open its file through DuckDB in the same
/// process.
#[derive(Debug)]
pub struct DuckDb {
    path: PathBuf,
    memory_limit_bytes: u64,
    threads: NonZero<usize>,
    /// DuckDB without the file, to be used again; `None` before the first call and after one that failed.
    idle: Option<Connection>,
    capabilities: Capabilities,
}

impl DuckDb {
    /// Takes a file and makes it unless it stands. A file that another program has open is no error here: loads wait for it.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when it cannot be opened or is no DuckDB database, [`LoadErrorKind::Full`] when there is no
    /// room to make it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = std::path::absolute(&path).map_err(|cause| {
            let message = format!("`{}` is no path; give the path of a DuckDB file", path.as_ref().display());
            LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
        })?;
        let mut destination = Self {
            path,
            memory_limit_bytes: MEMORY_LIMIT_BYTES,
            threads: THREADS,
            idle: None,
            capabilities: Capabilities { kind: "duckdb", row_order: RowOrder::Any, worthwhile_records: 200_000 },
        };
        match destination.with_file(|_| Ok(())) {
            Err(error) if error.kind() != LoadErrorKind::Unavailable => Err(error),
            _ => Ok(destination),
        }
    }

    /// How much memory DuckDB may use, in bytes; 128 MiB unless set. What does not fit goes to a folder beside the file.
    #[must_use]
    pub fn memory_limit(self, bytes: u64) -> Self {
        Self { memory_limit_bytes: bytes, idle: None, ..self }
    }

    /// How many threads DuckDB may use; 2 unless set.
    #[must_use]
    pub fn threads(self, threads: NonZero<usize>) -> Self {
        Self { threads, idle: None, ..self }
    }

    /// Works with the file. After an error DuckDB is started anew, whatever state it was in.
    fn with_file<T>(&mut self, work: impl FnOnce(&Session) -> Result<T, LoadError>) -> Result<T, LoadError> {
        let connection = match self.idle.take() {
            Some(connection) => connection,
            None => session::start(&self.path, self.memory_limit_bytes, self.threads)?,
        };
        let session = Session::open(connection, &self.path)?;
        let done = work(&session)?;
        self.idle = session.close();
        Ok(done)
    }
}

impl Destination for DuckDb {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        self.with_file(|session| state::read(session, table))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        self.with_file(|session| load::apply(session, load))
    }
}
