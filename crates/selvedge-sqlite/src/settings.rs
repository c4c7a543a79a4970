//! Opening a database with the settings that durability and speed need.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use selvedge_core::LoadError;

use crate::dialect::DIALECT;
use crate::error::Doing;

/// How long a load waits for another writer. Short, because the engine comes again anyway and has other tables to load.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// `page_size` counts for new databases only: 16 KiB make upserts into a large table half as fast again as 4 KiB.
/// `cache_size` is in KiB: that of [`CACHE_BYTES`].
const SETTINGS: &str = "
PRAGMA page_size = 16384;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;
";

/// Holds the inner pages of the trees of a large table, and bounds what a load needs of memory; pages beyond spill into the
/// write-ahead log.
pub(crate) const CACHE_BYTES: usize = 64 << 20;

/// The number SQLite has for `synchronous = FULL`.
const FULL: i64 = 2;

/// Opens `file`, with the table of states in it.
pub(crate) fn open(file: &Path) -> Result<Connection, LoadError> {
    let doing = Doing::opening(file);
    let connection = connect(file).map_err(|cause| doing.failed(cause))?;
    if !is_durable(&connection).map_err(|cause| doing.failed(cause))? {
        return Err(doing.refused("it cannot be kept in WAL mode there: use a file on a local disk"));
    }
    connection.execute_batch(&DIALECT.create_state_table()).map_err(|cause| doing.failed(cause))?;
    Ok(connection)
}

/// Opens a database that stands, to read from it alone.
///
/// Beside a database in use SQLite keeps its log and an index of that. Where they are missing, a connection that may only
/// read makes them and leaves them behind; one that may write removes them when it closes. So this one may, and is kept
/// from writing in another way. A log that stands is another program's, or was left by a crash: it is read, and stays as
/// it is.
pub(crate) fn open_to_read(file: &Path) -> Result<Connection, LoadError> {
    let doing = Doing::opening(file);
    let file = file
        .canonicalize()
        .map_err(|cause| doing.refused("give the path of a database that was loaded into").with_source(cause))?;
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    connect_to_read(&file, Path::new(&log)).map_err(|cause| doing.failed(cause))
}

fn connect_to_read(file: &Path, log: &Path) -> rusqlite::Result<Connection> {
    let log_stands = log.exists();
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log_stands)?;
    // SQLite looks at the file with the first query.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(SETTINGS)?;
    Ok(connection)
}

/// SQLite does not fail when it cannot grant a setting, so they are read back.
fn is_durable(connection: &Connection) -> rusqlite::Result<bool> {
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    Ok(journal == "wal" && synchronous == FULL)
}
