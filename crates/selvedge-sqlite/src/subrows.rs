//! Writing what belongs to the rows of a load.

use rusqlite::Connection;
use selvedge_core::{LoadError, SubtableLoad, TableLoad};

use crate::cells::unfit;
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::keys::Keys;
use crate::rows::{Fate, append};

/// Puts the subrows of the load in the place of those that stand, for every row of the root that was written or deleted.
pub(crate) fn write(
    connection: &Connection,
    load: &TableLoad,
    rows: &[Fate],
    deletes: &[Fate],
    doing: &Doing<'_>,
) -> Result<(), LoadError> {
    for part in &load.subtables {
        let table = DIALECT.table(&part.subtable.table_name(&load.table)?);
        replace(connection, &table, load, part, rows, deletes).map_err(|cause| doing.failed(cause))?;
    }
    Ok(())
}

fn replace(
    connection: &Connection,
    table: &str,
    load: &TableLoad,
    part: &SubtableLoad,
    rows: &[Fate],
    deletes: &[Fate],
) -> rusqlite::Result<()> {
    for (batch, fates) in [(&load.rows, rows), (&load.deletes, deletes)] {
        // The table did not have the other rows, so nothing belongs to them.
        if fates.contains(&Fate::Replaced) && has_rows(connection, table)? {
            let is_replaced = |row| fates.get(row) == Some(&Fate::Replaced);
            let roots = Keys::of(&load.columns, &load.keys, batch)?;
            roots.delete_from(connection, table, part.subtable.source_keys(), is_replaced)?;
        }
    }
    let rows = part.written(|root| rows.get(root).is_some_and(|fate| *fate != Fate::Stale)).map_err(unfit)?;
    append(connection, table, &part.subtable.columns, &rows)
}

fn has_rows(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))
}
