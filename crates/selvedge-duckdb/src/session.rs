//! One stay in the file: attached when it begins, released when it ends.
//!
//! To start DuckDB takes 35 ms of processor time, to attach a file that stands and release it again takes 2. So DuckDB is
//! started once, with nothing but memory, and has the file only while it works with it.

use std::collections::HashSet;
use std::num::NonZero;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use duckdb::vtab::arrow::ArrowVTab;
use duckdb::{Config, Connection};
use selvedge_core::{LoadError, LoadErrorKind};

use crate::dialect::DIALECT;
use crate::error::{in_use, load_error};

/// The name the file is attached under. DuckDB refuses a name that is both a schema's and a database's; left alone it would
/// name the database after the file, and an integration may be called like that. No integration begins with `_sdc`.
const CATALOG: &str = "_sdc";
/// The table function that reads a registered batch of Arrow rows.
pub(crate) const ARROW: &str = "_sdc_arrow";

/// Starts DuckDB, which will reach this file and a folder for what does not fit in memory, and nothing else.
pub(crate) fn start(path: &Path, memory_limit_bytes: u64, threads: NonZero<usize>) -> Result<Connection, LoadError> {
    let file = path.to_str().ok_or_else(|| {
        let message = format!("the path {} is not UTF-8, which DuckDB needs; rename it", path.display());
        LoadError::new(LoadErrorKind::Refused, message)
    })?;
    connect(file, memory_limit_bytes, threads).map_err(|cause| load_error(path, "start", cause))
}

fn connect(file: &str, memory_limit_bytes: u64, threads: NonZero<usize>) -> duckdb::Result<Connection> {
    let config = Config::default()
        .enable_autoload_extension(false)?
        .max_memory(&format!("{memory_limit_bytes}B"))?
        .with("threads", threads.to_string())?
        .with("temp_directory", format!("{file}.tmp"))?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    connection.register_table_function::<ArrowVTab>(ARROW)?;
    let reachable = ["", ".wal", ".wal.checkpoint", ".wal.recovery"].map(|suffix| literal(&format!("{file}{suffix}")));
    connection.execute_batch(&format!(
        "SET allowed_paths = [{}]; SET enable_external_access = false; SET lock_configuration = true",
        reachable.join(", "),
    ))?;
    Ok(connection)
}

/// Text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// DuckDB with the file.
#[derive(Debug)]
pub(crate) struct Session {
    // Fields are dropped in their order: DuckDB closes the file before somebody else in this process may take it.
    connection: Connection,
    held: HeldFile,
}

impl Session {
    /// Attaches the file, making it and its state table unless they stand.
    pub(crate) fn open(connection: Connection, path: &Path) -> Result<Self, LoadError> {
        let held = HeldFile::take(path).ok_or_else(|| in_use(path))?;
        let session = Self { connection, held };
        let file = literal(&path.to_string_lossy());
        session
            .execute_batch(&format!("ATTACH {file} AS {CATALOG}; USE {CATALOG}; {}", DIALECT.create_state_table()))
            .map_err(session.failed("open"))?;
        Ok(session)
    }

    /// Releases the file; what was committed is moved from the log into it before. Returns DuckDB for the next stay, unless
    /// it would not let go: dropped, it must.
    pub(crate) fn close(self) -> Option<Connection> {
        self.connection.execute_batch(&format!("USE memory; DETACH {CATALOG}")).ok()?;
        Some(self.connection)
    }

    /// An error of DuckDB, told as what it was asked to do: `write rows to`.
    pub(crate) fn failed<'a>(&'a self, doing: &'a str) -> impl Fn(duckdb::Error) -> LoadError + 'a {
        move |cause| load_error(&self.held.0, doing, cause)
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// The files this process has open. DuckDB's own lock keeps other processes out, but not a second user in the same one, and
/// two of them would destroy the file.
static HELD: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// A file that nobody else in this process opens as a destination.
#[derive(Debug)]
struct HeldFile(PathBuf);

impl HeldFile {
    /// Takes the file, or `None` while somebody else has it.
    fn take(path: &Path) -> Option<Self> {
        // A file that is still to be made has no canonical path.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(path.clone()).then(|| Self(path))
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}
