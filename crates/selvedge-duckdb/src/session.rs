//! One stay in the file: attached when it begins, released when it ends.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use duckdb::Connection;
use selvedge_core::{LoadError, LoadErrorKind};

use crate::dialect::DIALECT;
use crate::error::{in_use, load_error};
use crate::held::HeldFile;
use crate::stillborn;

/// The name the file is attached under. DuckDB refuses a name that is both a schema's and a database's; left alone it would
/// name the database after the file, and an integration may be called like that. No integration begins with `_sdc`.
pub(crate) const CATALOG: &str = "_sdc";
/// How long a reader waits between two attempts to get the file.
const PAUSE: Duration = Duration::from_millis(20);

/// What a stay in the file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Loading. The file and its table of states are made unless they stand.
    Load,
    /// Reading. Nothing is made or written.
    ///
    /// Where a crash left logs, DuckDB reads them into memory beside the file and leaves them as they are: the log, and the
    /// one that was begun if a checkpoint was cut off. So what was committed is seen, and the next load mends the file.
    Read,
}

impl Access {
    /// How long somebody else who has the file is waited for. A load is not: the engine comes again, and has other tables.
    fn patience(self) -> Duration {
        match self {
            Self::Load => Duration::ZERO,
            Self::Read => Duration::from_secs(2),
        }
    }

    fn attach(self, path: &Path) -> String {
        let file = literal(&path.to_string_lossy());
        match self {
            Self::Load => format!("ATTACH {file} AS {CATALOG}"),
            Self::Read => format!("ATTACH {file} AS {CATALOG} (READ_ONLY)"),
        }
    }

    fn begin(self) -> String {
        match self {
            Self::Load => format!("USE {CATALOG}; {}", DIALECT.create_state_table()),
            Self::Read => format!("USE {CATALOG}"),
        }
    }
}

/// Text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// DuckDB with the file.
#[derive(Debug)]
pub(crate) struct Session {
    // Fields are dropped in their order: DuckDB closes the file before somebody else in this process may take it.
    connection: Connection,
    _held: HeldFile,
    path: PathBuf,
}

impl Session {
    /// Attaches the file.
    pub(crate) fn open(connection: Connection, path: &Path, access: Access) -> Result<Self, LoadError> {
        let _held = within(access.patience(), || attach(&connection, path, access))?;
        let session = Self { connection, _held, path: path.to_owned() };
        session.execute_batch(&access.begin()).map_err(session.failed("open"))?;
        Ok(session)
    }

    /// Releases the file; what was committed is moved from the log into it before. Returns DuckDB for the next stay, unless
    /// it would not let go: dropped, it must.
    pub(crate) fn close(self) -> Option<Connection> {
        self.connection.execute_batch(&format!("USE memory; DETACH {CATALOG}")).ok()?;
        Some(self.connection)
    }

    /// The file, as it was named to DuckDB.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A second connection to the file, which sees what was committed.
    pub(crate) fn second(&self) -> duckdb::Result<Connection> {
        let connection = self.connection.try_clone()?;
        connection.execute_batch(&format!("USE {CATALOG}"))?;
        Ok(connection)
    }

    /// An error of DuckDB, told as what it was asked to do: `write rows to`.
    pub(crate) fn failed<'a>(&'a self, doing: &'a str) -> impl Fn(duckdb::Error) -> LoadError + 'a {
        move |cause| load_error(self.path(), doing, cause)
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

fn attach(connection: &Connection, path: &Path, access: Access) -> Result<HeldFile, LoadError> {
    let held = HeldFile::take(path).ok_or_else(|| in_use(path))?;
    let attach = || connection.execute_batch(&access.attach(path)).map_err(|cause| load_error(path, "open", cause));
    match attach() {
        // Unless it is unavailable, DuckDB had the file to itself just now.
        Err(error)
            if error.kind() != LoadErrorKind::Unavailable && access == Access::Load && stillborn::remove(path) =>
        {
            attach()?;
        }
        attached => attached?,
    }
    Ok(held)
}

/// Tries again while the file is unavailable, until the patience is at its end.
fn within<T>(patience: Duration, attempt: impl Fn() -> Result<T, LoadError>) -> Result<T, LoadError> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if error.kind() == LoadErrorKind::Unavailable && begun.elapsed() < patience => {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}
