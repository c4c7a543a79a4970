//! Bodies that outlive their batches, and what is put in their place.

use rusqlite::{Connection, OptionalExtension, params};

use crate::body::SealedBody;
use crate::read::clamped;
use crate::write::signed;

/// How many batches are pruned with one commit.
const BATCHES_A_COMMIT: i64 = 128;

/// Keeps the body of a batch that the table still has.
pub(crate) fn keep(connection: &Connection, table: i64, batch: u64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR IGNORE INTO kept_for_replay (number, table_id, records, received_at)
         SELECT number, table_id, records, received_at FROM batches WHERE table_id = ?1 AND number = ?2",
        [table, clamped(batch)],
    )?;
    Ok(())
}

/// Lets go of the oldest batches received before a moment, and tells how many it was.
pub(crate) fn prune_portion(connection: &Connection, received_before: i64) -> rusqlite::Result<usize> {
    const PORTION: &str = "SELECT number FROM kept_for_replay WHERE received_at < ?1 ORDER BY number LIMIT ?2";
    const WAITING: &str = "SELECT number FROM kept_for_replay JOIN batches USING (table_id, number)";
    let portion = params![received_before, BATCHES_A_COMMIT];
    connection
        .execute(&format!("DELETE FROM bodies WHERE number IN ({PORTION}) AND number NOT IN ({WAITING})"), portion)?;
    connection.execute(&format!("DELETE FROM kept_for_replay WHERE number IN ({PORTION})"), portion)
}

/// Puts another body in the place of one; tells whether there was one.
pub(crate) fn replace(connection: &Connection, batch: u64, body: &SealedBody) -> rusqlite::Result<bool> {
    let (number, bytes) = (clamped(batch), signed(body.bytes as u64)?);
    let replaced = connection.execute(
        "UPDATE bodies SET bytes = ?2, hash = ?3, compressed = ?4 WHERE number = ?1",
        params![number, bytes, body.hash, body.compressed],
    )?;
    if replaced == 0 {
        return Ok(false);
    }
    if let Some(table) = table_of(connection, number)? {
        connection.execute(
            "UPDATE tables SET kept_bytes = kept_bytes + ?3 -
                 (SELECT body_bytes FROM batches WHERE table_id = ?1 AND number = ?2) WHERE id = ?1",
            [table, number, bytes],
        )?;
        connection.execute(
            "UPDATE batches SET body_bytes = ?3 WHERE table_id = ?1 AND number = ?2",
            [table, number, bytes],
        )?;
    }
    Ok(true)
}

/// The table in which a batch waits.
fn table_of(connection: &Connection, number: i64) -> rusqlite::Result<Option<i64>> {
    let waits = "SELECT tables.id FROM tables JOIN batches ON table_id = tables.id WHERE number = ?1";
    connection.query_row(waits, [number], |row| row.get(0)).optional()
}
