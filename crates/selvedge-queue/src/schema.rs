//! The format on disk, version 3: one SQLite database, `queue.db`, with its write-ahead log beside it.
//!
//! Limits: a compressed body has at most [`MAX_STORED_BYTES`](crate::MAX_STORED_BYTES); numbers are 63 bits; the file as
//! SQLite allows, far beyond any disk. The header names the format: `application_id` is `SlvQ`, `user_version` the version.
//! Pages have 64 KiB, because most of the file is bodies of megabytes.
//!
//! | Table | One row for | Holds |
//! |---|---|---|
//! | `queue` | the queue | its random id (16 bytes) |
//! | `epochs` | each opening in which a batch was appended, and the last | the first number given then, a random id (16 bytes) |
//! | `tables` | each table ever seen | names (integration `''` if none), records accepted and kept, bytes of the bodies kept, newest and newest deleted batch, why it is paused if it is |
//! | `batches` | each batch kept, by table | records, time of receipt (µs since 1970 UTC), length of the body |
//! | `bodies` | each batch kept, to be loaded or for replay | length and xxh3-128 (big-endian) of the body, the body as one zstd frame |
//! | `kept_for_replay` | each batch whose body outlives it | table, records, time of receipt |
//! | `seen` | each batch of the last days, deleted or not | table, hash of the body, time of receipt |
//! | `destinations` | each registered destination | its name |
//! | `registered` | each table that had lost batches when a destination came | newest batch and records lost, time of receipt from which all is kept |
//! | `acknowledged` | each table of each destination | the newest batch that it has |
//! | `cursors` | each source | the state it committed last |
//!
//! `batches` and `bodies` are apart so that a scan of one table's batches touches no bodies. `seen` is ordered by batch
//! number, so that the oldest are found at its beginning. A batch number is one more than the greatest `newest`, which
//! outlives every batch; its epoch is the one with the greatest first number up to it. An id of a destination is never used
//! twice, so that an acknowledgement under way cannot count for a destination that was removed and registered anew.
//!
//! What is deleted from a page is overwritten there; pages that are free as a whole keep what they held until they are used
//! again, or until what was deleted has to be erased: that gives every free page back to the file system and empties the log.

use std::path::Path;

use rusqlite::Connection;
use selvedge_core::{Epoch, QueueId};

use crate::error::{QueueError, QueueErrorKind};

/// `SlvQ`.
const APPLICATION_ID: i64 = 0x536c_7651;
const FORMAT_VERSION: i64 = 3;

const TABLES: &str = "
    CREATE TABLE queue (id BLOB NOT NULL) STRICT;
    CREATE TABLE epochs (first INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT;
    CREATE TABLE tables (
        id INTEGER PRIMARY KEY,
        integration TEXT NOT NULL,
        name TEXT NOT NULL,
        accepted INTEGER NOT NULL DEFAULT 0,
        kept_records INTEGER NOT NULL DEFAULT 0,
        kept_bytes INTEGER NOT NULL DEFAULT 0,
        newest INTEGER NOT NULL DEFAULT 0,
        deleted_to INTEGER NOT NULL DEFAULT 0,
        paused TEXT,
        UNIQUE (integration, name)
    ) STRICT;
    CREATE TABLE batches (
        table_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        records INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        body_bytes INTEGER NOT NULL,
        PRIMARY KEY (table_id, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE bodies (
        number INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL,
        hash BLOB NOT NULL,
        compressed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE kept_for_replay (
        number INTEGER PRIMARY KEY,
        table_id INTEGER NOT NULL,
        records INTEGER NOT NULL,
        received_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE seen (
        number INTEGER PRIMARY KEY,
        table_id INTEGER NOT NULL,
        hash BLOB NOT NULL,
        received_at INTEGER NOT NULL,
        UNIQUE (table_id, hash)
    ) STRICT;
    CREATE TABLE destinations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE registered (
        destination_id INTEGER NOT NULL,
        table_id INTEGER NOT NULL,
        since INTEGER NOT NULL,
        records INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        PRIMARY KEY (destination_id, table_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE acknowledged (
        destination_id INTEGER NOT NULL,
        table_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (table_id, destination_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cursors (
        source TEXT PRIMARY KEY,
        state TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// What SQLite must answer about the writing connection; anything else would break a promise silently.
const SETTINGS: [(&str, &str); 5] = [
    ("page_size", "65536"),
    ("auto_vacuum", "2"),
    ("journal_mode", "wal"),
    ("synchronous", "2"),
    ("secure_delete", "2"),
];

/// Creates the database if the file is new or a creation was cut short.
pub(crate) fn create(file: &Path) -> Result<(), QueueError> {
    let create = || {
        let connection = Connection::open(file)?;
        if is_new(&connection)? { fill(&connection) } else { Ok(()) }
    };
    create().map_err(|error| opening(file, error))
}

/// Opens the database for writing.
pub(crate) fn open(file: &Path) -> Result<Connection, QueueError> {
    let connection = Connection::open(file).map_err(|error| opening(file, error))?;
    check_format(&connection, file)?;
    configure(&connection).map_err(|error| opening(file, error))?;
    check_settings(&connection, file)?;
    Ok(connection)
}

/// The identity stored at creation.
pub(crate) fn queue_id(connection: &Connection) -> rusqlite::Result<QueueId> {
    connection.query_row("SELECT id FROM queue", [], |row| row.get(0)).map(QueueId::from_bytes)
}

/// Begins a new epoch: batch numbers given from now on are told from those another copy of this queue gives. It takes the
/// place of an epoch in which none was given.
pub(crate) fn begin_epoch(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO epochs (first, id) VALUES ((SELECT coalesce(max(newest), 0) + 1 FROM tables), ?1)",
        [Epoch::random().as_bytes()],
    )?;
    Ok(())
}

fn is_new(connection: &Connection) -> rusqlite::Result<bool> {
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(objects == 0 && pragma(connection, "application_id")? == "0")
}

/// Page size and vacuum mode can only be chosen before the first table; the rest is one transaction.
fn fill(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA page_size = 65536; PRAGMA auto_vacuum = INCREMENTAL;")?;
    let creation = connection.unchecked_transaction()?;
    creation.execute_batch(TABLES)?;
    creation.execute("INSERT INTO queue (id) VALUES (?1)", [QueueId::random().as_bytes()])?;
    creation.pragma_update(None, "application_id", APPLICATION_ID)?;
    creation.pragma_update(None, "user_version", FORMAT_VERSION)?;
    creation.commit()
}

pub(crate) fn check_format(connection: &Connection, file: &Path) -> Result<(), QueueError> {
    let found = |name| pragma(connection, name).map_err(|error| opening(file, error));
    let (application, version) = (found("application_id")?, found("user_version")?);
    if application != APPLICATION_ID.to_string() {
        return Err(not_a_queue(file));
    }
    if version != FORMAT_VERSION.to_string() {
        let message = format!(
            "{} has queue format {version}, this selvedge reads format {FORMAT_VERSION}: use the version of selvedge that \
             wrote it",
            file.display()
        );
        return Err(QueueError::new(QueueErrorKind::Format, message));
    }
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Room for one large batch; the log is cut back after a burst. Deleted content is overwritten where its page is written
    // anyway: overwriting the pages of large bodies as well would double what every deletion writes.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;
         PRAGMA journal_size_limit = 134217728; PRAGMA secure_delete = FAST;",
    )
}

fn check_settings(connection: &Connection, file: &Path) -> Result<(), QueueError> {
    for (name, wanted) in SETTINGS {
        let found = pragma(connection, name).map_err(|error| opening(file, error))?;
        if found != wanted {
            let message = format!(
                "{} has {name} {found} where the queue needs {wanted}: it was changed by another program, or the file system \
                 does not support it; use a local file system, and restore the file or begin a new queue",
                file.display()
            );
            return Err(QueueError::new(QueueErrorKind::Format, message));
        }
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    use rusqlite::types::Value;
    connection.query_row(&format!("PRAGMA {name}"), [], |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            _ => String::new(),
        })
    })
}

fn opening(file: &Path, error: rusqlite::Error) -> QueueError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        return not_a_queue(file).with_source(error);
    }
    read_error(file, error)
}

fn not_a_queue(file: &Path) -> QueueError {
    let message = format!("{} is not a queue of selvedge: give selvedge a folder of its own", file.display());
    QueueError::new(QueueErrorKind::Format, message)
}

/// A failure to read the database, told by what a caller does about it.
pub(crate) fn read_error(file: &Path, error: rusqlite::Error) -> QueueError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    let file = file.display();
    // No code: a value that is not what was written. Unknown: a table or column that is not there.
    if matches!(error.sqlite_error_code(), None | Some(DatabaseCorrupt | NotADatabase | Unknown)) {
        let message = format!("{file} is damaged: check the disk, and restore the folder from a backup");
        return QueueError::new(QueueErrorKind::Corrupt, message).with_source(error);
    }
    let message = format!(
        "{file} cannot be opened or read: check that its disk is there and has room, and that its files may be read and \
         written"
    );
    QueueError::new(QueueErrorKind::Io, message).with_source(error)
}
