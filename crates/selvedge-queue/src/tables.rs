//! What is done to one table, by hand or because it cannot be loaded.

use rusqlite::{Connection, OptionalExtension, params};
use selvedge_core::TableName;

use crate::kept;
use crate::write::integration;

#[derive(Debug)]
pub(crate) enum TableChange {
    /// With the reason; without one it goes on.
    Pause(Option<String>),
    KeepForReplay(Vec<u64>),
    Restart {
        destination: String,
        registered_at: i64,
    },
    Drop {
        dropped_at: i64,
    },
    ForgetRepeats,
}

/// Changes a table, and gives its id in the file; `None` if it is not known.
pub(crate) fn change(
    connection: &Connection,
    table: &TableName,
    change: &TableChange,
) -> rusqlite::Result<Option<i64>> {
    let known = "SELECT id FROM tables WHERE integration = ?1 AND name = ?2";
    let known = connection.query_row(known, [integration(table), table.table()], |row| row.get(0)).optional()?;
    let Some(id) = known else { return Ok(None) };
    match change {
        TableChange::Pause(reason) => {
            connection.execute("UPDATE tables SET paused = ?2 WHERE id = ?1", params![id, reason])?;
        }
        TableChange::KeepForReplay(batches) => {
            batches.iter().try_for_each(|batch| kept::keep(connection, id, *batch))?
        }
        TableChange::Restart { destination, registered_at } => restart(connection, id, destination, *registered_at)?,
        TableChange::Drop { dropped_at } => drop_table(connection, id, *dropped_at)?,
        TableChange::ForgetRepeats => forget_repeats(connection, id)?,
    }
    Ok(Some(id))
}

fn restart(connection: &Connection, table: i64, destination: &str, registered_at: i64) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM acknowledged WHERE table_id = ?1
             AND destination_id = (SELECT id FROM destinations WHERE name = ?2)",
        params![table, destination],
    )?;
    connection.execute(
        "INSERT OR REPLACE INTO registered (destination_id, table_id, since, records, received_at)
         SELECT destinations.id, tables.id, deleted_to, accepted - kept_records, coalesce(
             (SELECT received_at FROM batches WHERE table_id = tables.id ORDER BY number LIMIT 1), ?3)
         FROM tables, destinations WHERE tables.id = ?1 AND destinations.name = ?2 AND deleted_to > 0",
        params![table, destination, registered_at],
    )?;
    Ok(())
}

fn drop_table(connection: &Connection, table: i64, dropped_at: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM bodies WHERE number IN (
             SELECT number FROM batches WHERE table_id = ?1
             UNION ALL SELECT number FROM kept_for_replay WHERE table_id = ?1)",
        "DELETE FROM batches WHERE table_id = ?1",
        "DELETE FROM kept_for_replay WHERE table_id = ?1",
        "DELETE FROM acknowledged WHERE table_id = ?1",
        "UPDATE tables SET accepted = 0, kept_records = 0, kept_bytes = 0, deleted_to = newest, paused = NULL
         WHERE id = ?1",
    ] {
        connection.execute(statement, [table])?;
    }
    connection.execute(
        "INSERT OR REPLACE INTO registered (destination_id, table_id, since, records, received_at)
         SELECT destinations.id, ?1, (SELECT newest FROM tables WHERE id = ?1), 0, ?2 FROM destinations",
        [table, dropped_at],
    )?;
    forget_repeats(connection, table)
}

fn forget_repeats(connection: &Connection, table: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM seen WHERE table_id = ?1", [table])?;
    Ok(())
}
