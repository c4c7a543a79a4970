//! Deleting rows because records say so, which leaves tombstones.

use arrow_array::RecordBatch;
use rusqlite::{Connection, Statement};
use selvedge_core::{Column, LoadError, TableLoad, system, tombstone};
use selvedge_sql::quote;

use crate::cells::Cells;
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::keys::{Keys, equal_keys};
use crate::rows::Fate;
use crate::tombstones;

/// Applies every delete of the load and says what became of each.
pub(crate) fn write(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<Vec<Fate>, LoadError> {
    if load.deletes.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let tombstones = tombstones::left_by(load)?;
    bury(connection, load, &tombstones).map_err(|cause| doing.failed(cause))
}

fn bury(connection: &Connection, load: &TableLoad, tombstones: &RecordBatch) -> rusqlite::Result<Vec<Fate>> {
    connection.execute_batch(&DIALECT.create_tombstone_table(&load.table))?;
    let table = DIALECT.table(&load.table);
    let columns = load.tombstone_columns();
    let fates = fates(connection, &table, load, &columns, tombstones)?;
    let keys = load.keys.iter().map(String::as_str);
    Keys::of(&columns, &load.keys, &load.deletes)?
        .delete_from(connection, &table, keys, |delete| fates.get(delete) == Some(&Fate::Replaced))?;
    Ok(fates)
}

/// Writes the tombstone of every delete that is not older than what stands, and says what that is to take the place of.
fn fates(
    connection: &Connection,
    table: &str,
    load: &TableLoad,
    columns: &[Column],
    tombstones: &RecordBatch,
) -> rusqlite::Result<Vec<Fate>> {
    let of_tombstones = tombstone::columns();
    let mut tombstones = Cells::new(&numbered(&of_tombstones), tombstones)?;
    let mut upsert = connection.prepare(&DIALECT.upsert_tombstone(&load.table))?;
    let columns: Vec<(usize, &Column)> =
        numbered(columns).into_iter().filter(|(_, column)| column.name != system::DELETED_AT).collect();
    let mut deletes = Cells::new(&columns, &load.deletes)?;
    let mut select = connection.prepare(&select_statement(table, load))?;
    let mut fates = Vec::with_capacity(load.deletes.num_rows());
    for delete in 0..load.deletes.num_rows() {
        deletes.bind(delete, &mut select)?;
        let row_is_newer = found(&mut select)?;
        if row_is_newer == Some(true) {
            fates.push(Fate::Stale);
            continue;
        }
        tombstones.bind(delete, &mut upsert)?;
        let is_written = upsert.raw_execute()? > 0;
        fates.push(match row_is_newer {
            Some(_) => Fate::Replaced,
            None if is_written => Fate::New,
            None => Fate::Stale,
        });
    }
    Ok(fates)
}

fn numbered(columns: &[Column]) -> Vec<(usize, &Column)> {
    columns.iter().enumerate().collect()
}

fn found(select: &mut Statement<'_>) -> rusqlite::Result<Option<bool>> {
    select.raw_query().next()?.map(|row| row.get(0)).transpose()
}

/// Selects whether the row of a key is newer than a delete. Parameters are the columns of the delete: its key, its
/// sequence, its table version.
fn select_statement(table: &str, load: &TableLoad) -> String {
    let (sequence, version) = (load.keys.len() + 1, load.keys.len() + 2);
    let has_version = load.columns.iter().any(|column| column.name == system::TABLE_VERSION);
    let stored_version = if has_version { quote(system::TABLE_VERSION) } else { "NULL".to_owned() };
    format!(
        "SELECT ({stored_version} IS NOT NULL, ifnull({stored_version}, 0), {})
             > (?{version} IS NOT NULL, ifnull(?{version}, 0), ?{sequence})
         FROM {table} WHERE {}",
        quote(system::SEQUENCE),
        equal_keys(load.keys.iter().map(String::as_str)),
    )
}
