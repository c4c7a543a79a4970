//! Taking something out though no record came for that.

use std::iter;

use arrow_array::{RecordBatch, StringArray};
use rusqlite::{Connection, params_from_iter};
use selvedge_core::{LoadError, Removal, TableName, TableState, tombstone};
use selvedge_sql::timestamp_text;

use crate::catalog::has_table;
use crate::cells::unfit;
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::keys::{self, Keys};
use crate::{coalescing, state};

/// How many rejected records one statement deletes. SQLite takes 32,766 parameters.
const REJECTS: usize = 10_000;

/// Removes it, within a transaction, from the table as the state says it is, and returns the state that is left.
pub(crate) fn apply(
    connection: &Connection,
    table: &TableName,
    state: &TableState,
    removal: Removal<'_>,
    doing: &Doing<'_>,
) -> Result<Option<TableState>, LoadError> {
    match removal {
        Removal::Table => {
            drop_tables(connection, table, state, doing)?;
            state::delete(connection, table).map_err(|cause| doing.failed(cause))?;
            Ok(None)
        }
        Removal::Keys(keys) => {
            let rows = remove_keys(connection, table, state, keys, doing)?;
            let mut left = state.clone();
            left.counts.live_rows = left.counts.live_rows.saturating_sub(rows);
            state::write(connection, table, &left, doing)?;
            Ok(Some(left))
        }
        Removal::Rejects(keys) => {
            remove_rejects(connection, table, keys).map_err(|cause| doing.failed(cause))?;
            Ok(Some(state.clone()))
        }
        Removal::RejectsBefore(moment) => {
            remove_rejects_before(connection, table, moment).map_err(|cause| doing.failed(cause))?;
            Ok(Some(state.clone()))
        }
        _ => Err(doing.refused("this version does not know how; report this as a defect")),
    }
}

/// Writes the database anew and empties its log, so that what was deleted is not in its files.
///
/// SQLite's own `secure_delete` would not do: it overwrites what is deleted, but not the copies that rows left behind when
/// they were updated, or when a page was split.
pub(crate) fn forget(connection: &Connection, doing: &Doing<'_>) -> Result<(), LoadError> {
    connection.execute_batch("VACUUM").map_err(|cause| doing.failed(cause))?;
    let is_in_use: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get("busy"))
        .map_err(|cause| doing.failed(cause))?;
    if is_in_use { Err(doing.in_use()) } else { Ok(()) }
}

fn drop_tables(
    connection: &Connection,
    table: &TableName,
    state: &TableState,
    doing: &Doing<'_>,
) -> Result<(), LoadError> {
    let drop = |name: &TableName| connection.execute_batch(&DIALECT.drop_table(name));
    coalescing::drop_all(connection, table, &state.columns).map_err(|cause| doing.failed(cause))?;
    for subtable in &state.subtables {
        drop(&subtable.table_name(table)?).map_err(|cause| doing.failed(cause))?;
    }
    drop(table).map_err(|cause| doing.failed(cause))?;
    let beside = [
        (DIALECT.tombstone_table(table), DIALECT.delete_tombstones(table)),
        (DIALECT.rejected_table(table), DIALECT.delete_rejected(table)),
    ];
    for (name, delete) in beside {
        delete_if_stands(connection, &name, &delete, table).map_err(|cause| doing.failed(cause))?;
    }
    Ok(())
}

fn delete_if_stands(connection: &Connection, name: &str, delete: &str, table: &TableName) -> rusqlite::Result<()> {
    if has_table(connection, name)? {
        connection.execute(delete, [table.table()])?;
    }
    Ok(())
}

/// Removes rows with their subrows, and tombstones, and says how many rows those were.
fn remove_keys(
    connection: &Connection,
    table: &TableName,
    state: &TableState,
    keys: &RecordBatch,
    doing: &Doing<'_>,
) -> Result<u64, LoadError> {
    let names = keys::names(&state.keys);
    let texts = tombstone::key_texts(keys, &names)?;
    let keys = Keys::of(&state.columns, &names, keys).map_err(|cause| doing.failed(cause))?;
    for subtable in &state.subtables {
        let name = DIALECT.table(&subtable.table_name(table)?);
        keys.delete_from(connection, &name, subtable.source_keys(), |_| true).map_err(|cause| doing.failed(cause))?;
    }
    remove_tombstones(connection, table, &texts).map_err(|cause| doing.failed(cause))?;
    keys.delete_from(connection, &DIALECT.table(table), names.iter().map(String::as_str), |_| true)
        .map_err(|cause| doing.failed(cause))
}

fn remove_tombstones(connection: &Connection, table: &TableName, keys: &StringArray) -> rusqlite::Result<()> {
    if !has_table(connection, &DIALECT.tombstone_table(table))? {
        return Ok(());
    }
    let mut delete = connection.prepare(&DIALECT.delete_tombstone(table))?;
    for key in keys.iter().flatten() {
        delete.execute((table.table(), key))?;
    }
    Ok(())
}

fn remove_rejects(connection: &Connection, table: &TableName, keys: &StringArray) -> rusqlite::Result<()> {
    if !has_table(connection, &DIALECT.rejected_table(table))? {
        return Ok(());
    }
    let keys: Vec<&str> = keys.iter().flatten().collect();
    for keys in keys.chunks(REJECTS) {
        let parameters = params_from_iter(iter::once(table.table()).chain(keys.iter().copied()));
        connection.execute(&DIALECT.delete_rejected_records(table, keys.len()), parameters)?;
    }
    Ok(())
}

fn remove_rejects_before(connection: &Connection, table: &TableName, moment: i64) -> rusqlite::Result<()> {
    if !has_table(connection, &DIALECT.rejected_table(table))? {
        return Ok(());
    }
    let moment = timestamp_text(moment).ok_or_else(|| unfit("the moment lies outside the years 0 to 9999"))?;
    let moment = String::from_utf8_lossy(&moment);
    connection.execute(&DIALECT.delete_rejected_before(table), (table.table(), moment)).map(drop)
}
