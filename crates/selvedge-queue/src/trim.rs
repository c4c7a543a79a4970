//! Deleting what every registered destination has, a little with each commit; and leaving nothing of it in the files, on demand.

use std::collections::BTreeSet;

use rusqlite::Connection;

/// How many batches are deleted with one commit: enough to outrun appends, few enough not to hold them up.
const BATCHES_A_COMMIT: i64 = 128;

/// How much free room a file keeps for later batches, in pages (64 MiB), before the rest is given back to the file system.
const FREE_PAGES_KEPT: i64 = 1024;

/// How many pages are given back with one commit (16 MiB): some have to be moved, while appends wait.
const PAGES_A_COMMIT: i64 = 256;

/// Tables that may hold batches every destination has: when the queue is opened, and when a destination is forgotten.
pub(crate) fn candidates(connection: &Connection) -> rusqlite::Result<BTreeSet<i64>> {
    let mut tables = connection.prepare("SELECT id FROM tables WHERE deleted_to < newest")?;
    tables.query_map([], |row| row.get(0))?.collect()
}

/// Deletes one portion of one of the tables, and strikes out those where nothing is left to do.
pub(crate) fn step(connection: &Connection, tables: &mut BTreeSet<i64>) -> rusqlite::Result<()> {
    while let Some(&table) = tables.first() {
        let deleted = delete_portion(connection, table)?;
        let shortened = shorten(connection)?;
        if deleted || shortened {
            return Ok(());
        }
        tables.remove(&table);
    }
    Ok(())
}

/// Deletes the oldest batches of `table` that every destination has; tells whether there were any.
fn delete_portion(connection: &Connection, table: i64) -> rusqlite::Result<bool> {
    let Some(last) = last_of_portion(connection, table)? else { return Ok(false) };
    for statement in [
        "DELETE FROM bodies WHERE number IN (SELECT number FROM batches WHERE table_id = ?1 AND number <= ?2)
             AND number NOT IN (SELECT number FROM kept_for_replay)",
        "UPDATE tables SET (deleted_to, kept_records, kept_bytes) = (
             SELECT ?2, kept_records - sum(records), kept_bytes - sum(body_bytes)
             FROM batches WHERE table_id = ?1 AND number <= ?2) WHERE id = ?1",
        "DELETE FROM batches WHERE table_id = ?1 AND number <= ?2",
    ] {
        connection.execute(statement, [table, last])?;
    }
    Ok(true)
}

fn last_of_portion(connection: &Connection, table: i64) -> rusqlite::Result<Option<i64>> {
    connection.query_row(
        "SELECT max(number) FROM (
             SELECT number FROM batches WHERE table_id = ?1 AND number <= (
                 SELECT min(coalesce(acknowledged.number, 0)) FROM destinations
                 LEFT JOIN acknowledged ON table_id = ?1 AND destination_id = destinations.id)
             ORDER BY number LIMIT ?2)",
        [table, BATCHES_A_COMMIT],
        |row| row.get(0),
    )
}

/// Shortens the file while more than half of it is free, so that no page is moved for less than one that was freed; tells
/// whether it did.
fn shorten(connection: &Connection) -> rusqlite::Result<bool> {
    let count = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (free, all) = (count("PRAGMA freelist_count")?, count("PRAGMA page_count")?);
    let needless = free > FREE_PAGES_KEPT && free > all / 2;
    if needless {
        // Each row asked for gives back one page.
        let mut pages = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_A_COMMIT})"))?;
        let mut pages = pages.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(needless)
}

/// Gives back every free page, whatever it holds.
pub(crate) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let mut pages = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = pages.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}

/// Empties the log, which holds pages as they were before, unless somebody reads from it for too long; tells whether it is empty.
pub(crate) fn empty_log(connection: &Connection) -> bool {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    // A log that cannot be emptied stands as it is, and no commit is lost with it.
    busy.is_ok_and(|busy| busy == 0)
}
