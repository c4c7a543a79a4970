//! Reading beside the writer.
//!
//! In WAL mode a reader sees what was committed when its statement began, and neither waits for the writer nor holds it up.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use selvedge_core::{Epoch, IntegrationName, NameError, QueueId, TableName};

use crate::body::SealedBody;
use crate::destinations::{self, Acknowledgement};
use crate::error::{QueueError, QueueErrorKind};
use crate::queue::{Kept, Registered, Stored, TableBounds};
use crate::schema::{self, read_error};
use crate::write::integration;

/// Connections that only read: as many as threads ever read at once, reused.
#[derive(Debug)]
pub(crate) struct Readers {
    file: PathBuf,
    connect: Connect,
    idle: Mutex<Vec<Connection>>,
}

/// How a connection that only reads is made.
pub(crate) type Connect = fn(&Path) -> rusqlite::Result<Connection>;

/// Beside the writing connection of this process.
pub(crate) fn connect_beside_writer(file: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Beside another process, or nobody.
///
/// Beside a database in use SQLite keeps its log and an index of that. Where they are missing, a connection that may only
/// read makes them and leaves them behind; one that may write removes them when it closes. So this one may, and is kept
/// from writing in another way. A log that stands is another's, or was left by a crash: it stays as it is.
pub(crate) fn connect_beside_nobody(file: &Path) -> rusqlite::Result<Connection> {
    let log_stands = file.with_extension("db-wal").exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log_stands)?;
    Ok(connection)
}

impl Readers {
    pub(crate) fn new(file: PathBuf, connect: Connect) -> Self {
        Self { file, connect, idle: Mutex::new(Vec::new()) }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Runs `query` on a connection of its own; one that failed is not used again.
    fn with<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, QueueError> {
        let answer = self.idle_or_new().and_then(|connection| {
            let answer = query(&connection)?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(answer)
        });
        answer.map_err(|error| read_error(&self.file, error))
    }

    fn idle_or_new(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| (self.connect)(&self.file), Ok)
    }

    /// Checks that the file is a queue of this version.
    pub(crate) fn check_format(&self) -> Result<(), QueueError> {
        let connection = self.idle_or_new().map_err(|error| read_error(&self.file, error))?;
        schema::check_format(&connection, &self.file)
    }

    pub(crate) fn id(&self) -> Result<QueueId, QueueError> {
        self.with(schema::queue_id)
    }

    pub(crate) fn read(&self, table: &TableName, after: u64, limit: usize) -> Result<Vec<Stored>, QueueError> {
        let (after, limit) = (clamped(after), i64::try_from(limit).unwrap_or(i64::MAX));
        self.with(|connection| {
            let mut batches = connection.prepare(
                "SELECT number, records, received_at, body_bytes,
                     (SELECT id FROM epochs WHERE first <= number ORDER BY first DESC LIMIT 1)
                 FROM batches
                 WHERE table_id = (SELECT id FROM tables WHERE integration = ?1 AND name = ?2) AND number > ?3
                 ORDER BY number LIMIT ?4",
            )?;
            batches.query_map(params![integration(table), table.table(), after, limit], stored)?.collect()
        })
    }

    pub(crate) fn epoch(&self, batch: u64) -> Result<Option<Epoch>, QueueError> {
        let epoch = "SELECT id FROM epochs WHERE first <= ?1 AND ?1 <= (SELECT max(newest) FROM tables)
             ORDER BY first DESC LIMIT 1";
        self.with(|connection| {
            connection.query_row(epoch, [clamped(batch)], |row| row.get(0).map(Epoch::from_bytes)).optional()
        })
    }

    pub(crate) fn body(&self, batch: u64) -> Result<Vec<u8>, QueueError> {
        let sealed = self.with(|connection| {
            let body = "SELECT bytes, hash, compressed FROM bodies WHERE number = ?1";
            connection.query_row(body, [clamped(batch)], sealed).optional()
        })?;
        let sealed = sealed.ok_or_else(|| not_held(batch, &self.file))?;
        let file = self.file.display();
        sealed.open().ok_or_else(|| {
            let message = format!(
                "the body of batch {batch} in {file} is damaged: check the disk, restore the folder from a backup, or begin a \
                 new queue and send the batch again"
            );
            QueueError::new(QueueErrorKind::Corrupt, message)
        })
    }

    pub(crate) fn tables(&self) -> Result<Vec<TableBounds>, QueueError> {
        self.with(|connection| {
            let mut tables = connection.prepare(
                "SELECT integration, name, accepted, kept_records, newest, deleted_to, kept_bytes, paused
                 FROM tables ORDER BY id",
            )?;
            tables.query_map([], bounds)?.collect()
        })
    }

    pub(crate) fn kept_for_replay(&self, table: Option<&TableName>) -> Result<Vec<Kept>, QueueError> {
        self.with(|connection| {
            let mut all = connection.prepare(
                "SELECT integration, name, number, records, received_at
                 FROM kept_for_replay JOIN tables ON tables.id = table_id
                 WHERE ?2 IS NULL OR (integration = ?1 AND name = ?2) ORDER BY number",
            )?;
            all.query_map(params![table.map(integration), table.map(TableName::table)], kept)?.collect()
        })
    }

    pub(crate) fn cursor(&self, source: &str) -> Result<Option<String>, QueueError> {
        self.with(|connection| {
            connection.query_row("SELECT state FROM cursors WHERE source = ?1", [source], |row| row.get(0)).optional()
        })
    }

    pub(crate) fn destinations(&self) -> Result<Vec<Registered>, QueueError> {
        self.with(destinations::all)
    }

    pub(crate) fn acknowledged(&self, destination: &str, table: &TableName) -> Result<u64, QueueError> {
        self.with(|connection| {
            let number = "SELECT coalesce(max(number), 0) FROM acknowledged
                 JOIN destinations ON destinations.id = destination_id JOIN tables ON tables.id = table_id
                 WHERE destinations.name = ?1 AND integration = ?2 AND tables.name = ?3";
            let wanted = params![destination, integration(table), table.table()];
            connection.query_row(number, wanted, |row| unsigned(row, 0))
        })
    }

    /// The acknowledgement by the ids in the file, if the destination is registered and the batch not beyond the newest.
    pub(crate) fn acknowledgement(
        &self,
        destination: &str,
        table: &TableName,
        batch: u64,
    ) -> Result<Option<Acknowledgement>, QueueError> {
        let batch = clamped(batch);
        self.with(|connection| {
            let ids = "SELECT destinations.id, tables.id FROM destinations, tables
                 WHERE destinations.name = ?1 AND integration = ?2 AND tables.name = ?3 AND newest >= ?4";
            let wanted = params![destination, integration(table), table.table(), batch];
            let found = |row: &Row<'_>| Ok(Acknowledgement { destination: row.get(0)?, table: row.get(1)?, batch });
            connection.query_row(ids, wanted, found).optional()
        })
    }
}

/// There is no body of this batch.
pub(crate) fn not_held(batch: u64, file: &Path) -> QueueError {
    let message =
        format!("batch {batch} is not in {}: it was deleted, or never appended; read the bounds again", file.display());
    QueueError::new(QueueErrorKind::Refused, message)
}

/// A batch number as SQLite compares it: none is beyond 63 bits.
pub(crate) fn clamped(batch: u64) -> i64 {
    i64::try_from(batch).unwrap_or(i64::MAX)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        batch: unsigned(row, 0)?,
        records: unsigned(row, 1)?,
        received_at: row.get(2)?,
        body_bytes: unsigned(row, 3)?,
        epoch: Epoch::from_bytes(row.get(4)?),
    })
}

fn sealed(row: &Row<'_>) -> rusqlite::Result<SealedBody> {
    let bytes: i64 = row.get(0)?;
    let bytes = usize::try_from(bytes).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, bytes))?;
    Ok(SealedBody { bytes, hash: row.get(1)?, compressed: row.get(2)? })
}

fn bounds(row: &Row<'_>) -> rusqlite::Result<TableBounds> {
    Ok(TableBounds {
        table: named(row)?,
        accepted: unsigned(row, 2)?,
        kept_records: unsigned(row, 3)?,
        newest: unsigned(row, 4)?,
        deleted_to: unsigned(row, 5)?,
        kept_bytes: unsigned(row, 6)?,
        paused: row.get(7)?,
    })
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept { table: named(row)?, batch: unsigned(row, 2)?, records: unsigned(row, 3)?, received_at: row.get(4)? })
}

/// The table whose integration and name stand in the first two columns.
pub(crate) fn named(row: &Row<'_>) -> rusqlite::Result<TableName> {
    let (integration, table): (String, String) = (row.get(0)?, row.get(1)?);
    table_name(integration, table)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
}

fn table_name(integration: String, table: String) -> Result<TableName, NameError> {
    let integration = if integration.is_empty() { None } else { Some(IntegrationName::new(integration)?) };
    TableName::new(integration, table)
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}
