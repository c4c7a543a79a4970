//! Who batches are kept for, and what each destination has.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use selvedge_core::TableName;

use crate::queue::{Registered, Registration, Since};
use crate::read::{named, unsigned};

/// An acknowledgement by the ids in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acknowledgement {
    pub(crate) destination: i64,
    pub(crate) table: i64,
    pub(crate) batch: i64,
}

pub(crate) fn register(
    connection: &Connection,
    destination: &str,
    registered_at: i64,
) -> rusqlite::Result<Registration> {
    let added = connection.execute("INSERT OR IGNORE INTO destinations (name) VALUES (?1)", [destination])?;
    if added > 0 {
        connection.execute(
            "INSERT INTO registered (destination_id, table_id, since, records, received_at)
             SELECT last_insert_rowid(), id, deleted_to, accepted - kept_records, coalesce(
                 (SELECT received_at FROM batches WHERE table_id = tables.id ORDER BY number LIMIT 1), ?1)
             FROM tables WHERE deleted_to > 0",
            [registered_at],
        )?;
    }
    let id = connection.query_row("SELECT id FROM destinations WHERE name = ?1", [destination], |row| row.get(0))?;
    registration(connection, id)
}

/// Forgets a destination; tells whether there was one of this name.
pub(crate) fn unregister(connection: &Connection, destination: &str) -> rusqlite::Result<bool> {
    for statement in [
        "DELETE FROM registered WHERE destination_id = (SELECT id FROM destinations WHERE name = ?1)",
        "DELETE FROM acknowledged WHERE destination_id = (SELECT id FROM destinations WHERE name = ?1)",
    ] {
        connection.execute(statement, [destination])?;
    }
    Ok(connection.execute("DELETE FROM destinations WHERE name = ?1", [destination])? > 0)
}

/// Notes an acknowledgement, unless its destination was forgotten on the way here.
pub(crate) fn acknowledge(connection: &Connection, acknowledgement: Acknowledgement) -> rusqlite::Result<()> {
    let Acknowledgement { destination, table, batch } = acknowledgement;
    connection.execute(
        "INSERT INTO acknowledged (destination_id, table_id, number) SELECT id, ?2, ?3 FROM destinations WHERE id = ?1
         ON CONFLICT DO UPDATE SET number = max(number, excluded.number)",
        [destination, table, batch],
    )?;
    Ok(())
}

/// All of them, as of one moment.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Registered>> {
    let moment = connection.unchecked_transaction()?;
    let mut destinations = moment.prepare("SELECT id, name FROM destinations ORDER BY id")?;
    let destinations = destinations.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let registered = |destination: rusqlite::Result<(i64, String)>| {
        let (id, name) = destination?;
        Ok(Registered { name, registration: registration(&moment, id)?, waiting: waiting(&moment, id)? })
    };
    destinations.map(registered).collect()
}

fn registration(connection: &Connection, destination: i64) -> rusqlite::Result<Registration> {
    let mut since = connection.prepare(
        "SELECT integration, name, since, records, received_at
         FROM registered JOIN tables ON tables.id = table_id WHERE destination_id = ?1",
    )?;
    let since = since.query_map([destination], |row| Ok((named(row)?, since_of(row)?)))?;
    Ok(Registration { since: since.collect::<rusqlite::Result<_>>()? })
}

fn since_of(row: &Row<'_>) -> rusqlite::Result<Since> {
    Ok(Since { batch: unsigned(row, 2)?, records: unsigned(row, 3)?, received_at: row.get(4)? })
}

fn waiting(connection: &Connection, destination: i64) -> rusqlite::Result<BTreeMap<TableName, u64>> {
    let mut waiting = connection.prepare(
        "SELECT integration, name, (
             SELECT sum(records) FROM batches WHERE table_id = tables.id AND number > coalesce(
                 (SELECT number FROM acknowledged WHERE table_id = tables.id AND destination_id = ?1), 0)) AS waiting
         FROM tables WHERE waiting > 0",
    )?;
    let waiting = waiting.query_map(params![destination], |row| Ok((named(row)?, unsigned(row, 2)?)))?;
    waiting.collect()
}
