//! Deleting what every registered destination has, a little with each commit.

use std::collections::BTreeSet;

use rusqlite::Connection;

/// How many batches are deleted with one commit: enough to outrun appends, few enough not to hold them up.
const BATCHES_A_COMMIT: i64 = 256;

/// How much free room a file keeps for later batches, in pages (64 MiB), before it is given back to the file system.
const FREE_PAGES_KEPT: i64 = 1024;

/// Tables that may hold batches every destination has, when the queue is opened.
pub(crate) fn candidates(connection: &Connection) -> rusqlite::Result<BTreeSet<i64>> {
    let mut tables = connection.prepare("SELECT id FROM tables WHERE deleted_to < newest")?;
    tables.query_map([], |row| row.get(0))?.collect()
}

/// Deletes one portion of one of the tables, and strikes out those where nothing is left to delete.
pub(crate) fn step(connection: &Connection, tables: &mut BTreeSet<i64>) -> rusqlite::Result<()> {
    while let Some(&table) = tables.first() {
        if let Some(last) = portion(connection, table)? {
            delete(connection, table, last)?;
            return give_back(connection);
        }
        tables.remove(&table);
    }
    Ok(())
}

/// The last batch of the next portion of `table`, if every destination has something of it that is still here.
fn portion(connection: &Connection, table: i64) -> rusqlite::Result<Option<i64>> {
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

/// Deletes the batches of `table` up to and including number `last`.
fn delete(connection: &Connection, table: i64, last: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM bodies WHERE number IN (SELECT number FROM batches WHERE table_id = ?1 AND number <= ?2)",
        "UPDATE tables SET deleted_to = ?2, kept_records = kept_records - (
             SELECT sum(records) FROM batches WHERE table_id = ?1 AND number <= ?2) WHERE id = ?1",
        "DELETE FROM batches WHERE table_id = ?1 AND number <= ?2",
    ] {
        connection.execute(statement, [table, last])?;
    }
    Ok(())
}

/// Shortens the file while more than half of it is free: then no page is moved more often than one was freed.
fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let count = |pragma| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (free, all) = (count("PRAGMA freelist_count")?, count("PRAGMA page_count")?);
    if free > FREE_PAGES_KEPT && free > all / 2 {
        connection.execute_batch("PRAGMA incremental_vacuum(256)")?;
    }
    Ok(())
}
