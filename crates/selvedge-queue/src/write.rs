//! What the writer writes: each function is a part of its transaction.

use rusqlite::{Connection, OptionalExtension, params};
use selvedge_core::{IntegrationName, TableName};

use crate::queue::{Append, Appended, Cursor, Repeats};

/// For how many days a body is recognised as a repeat, at least, counted by the times of receipt.
pub const REPEATS_KEPT_DAYS: i64 = 7;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// How the file spells the integration of a table.
pub(crate) fn integration(table: &TableName) -> &str {
    table.integration().map_or("", IntegrationName::as_str)
}

/// The greatest batch number ever given.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(newest), 0) FROM tables", [], |row| row.get(0))
}

/// Appends one batch after batch number `newest`, unless it is a repeat.
pub(crate) fn append(connection: &Connection, append: &Append, newest: &mut i64) -> rusqlite::Result<Appended> {
    let table = table_id(connection, &append.table)?;
    if let Some(cursor) = &append.cursor {
        set_cursor(connection, cursor)?;
    }
    let first = match append.repeats {
        Repeats::Acknowledge => seen(connection, table, append)?,
        Repeats::Append => None,
    };
    if let Some(first) = first {
        return Ok(Appended { batch: first.unsigned_abs(), repeated: true });
    }
    *newest += 1;
    insert(connection, table, append, *newest)?;
    forget_oldest_seen(connection, append.received_at)?;
    Ok(Appended { batch: newest.unsigned_abs(), repeated: false })
}

fn table_id(connection: &Connection, table: &TableName) -> rusqlite::Result<i64> {
    let name = params![integration(table), table.table()];
    let known = connection
        .query_row("SELECT id FROM tables WHERE integration = ?1 AND name = ?2", name, |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    connection.execute("INSERT INTO tables (integration, name) VALUES (?1, ?2)", name)?;
    Ok(connection.last_insert_rowid())
}

/// The batch that first brought this body to this table.
fn seen(connection: &Connection, table: i64, append: &Append) -> rusqlite::Result<Option<i64>> {
    let seen = "SELECT number FROM seen WHERE table_id = ?1 AND hash = ?2";
    connection.query_row(seen, params![table, append.body.hash], |row| row.get(0)).optional()
}

fn insert(connection: &Connection, table: i64, append: &Append, number: i64) -> rusqlite::Result<()> {
    let Append { body, received_at, .. } = append;
    let (records, bytes) = (signed(append.records)?, signed(body.bytes as u64)?);
    connection.execute(
        "INSERT INTO batches (table_id, number, records, received_at, body_bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![table, number, records, received_at, bytes],
    )?;
    connection.execute(
        "INSERT INTO bodies (number, bytes, hash, compressed) VALUES (?1, ?2, ?3, ?4)",
        params![number, bytes, body.hash, body.compressed],
    )?;
    // A body appended again keeps the number of the batch that first brought it.
    connection.execute(
        "INSERT OR IGNORE INTO seen (number, table_id, hash, received_at) VALUES (?1, ?2, ?3, ?4)",
        params![number, table, body.hash, received_at],
    )?;
    connection.execute(
        "UPDATE tables SET accepted = accepted + ?2, kept_records = kept_records + ?2, kept_bytes = kept_bytes + ?3,
             newest = ?4 WHERE id = ?1",
        params![table, records, bytes, number],
    )?;
    Ok(())
}

/// Two out for each one in: the remembered hashes shrink to their window without ever costing one append much.
fn forget_oldest_seen(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    let expired = now.saturating_sub(REPEATS_KEPT_DAYS * MICROSECONDS_A_DAY);
    connection.execute(
        "DELETE FROM seen WHERE number IN (SELECT number FROM seen ORDER BY number LIMIT 2) AND received_at < ?1",
        [expired],
    )?;
    Ok(())
}

pub(crate) fn set_cursor(connection: &Connection, cursor: &Cursor) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO cursors (source, state) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET state = excluded.state",
        [&cursor.source, &cursor.state],
    )?;
    Ok(())
}

pub(crate) fn signed(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
