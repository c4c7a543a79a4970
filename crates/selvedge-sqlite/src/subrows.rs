//! Writing what belongs to the rows of a load.

use rusqlite::Connection;
use selvedge_core::{Column, LoadError, SubtableLoad, TableLoad};
use selvedge_sql::quote;

use crate::cells::{Cells, unfit};
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::rows::{Fate, append};

/// Puts the subrows of the load in the place of those that stand, for every row of the root that was written.
pub(crate) fn write(
    connection: &Connection,
    load: &TableLoad,
    fates: &[Fate],
    doing: &Doing<'_>,
) -> Result<(), LoadError> {
    for part in &load.subtables {
        let table = DIALECT.table(&part.subtable.table_name(&load.table)?);
        replace(connection, &table, load, part, fates).map_err(|cause| doing.failed(cause))?;
    }
    Ok(())
}

fn replace(
    connection: &Connection,
    table: &str,
    load: &TableLoad,
    part: &SubtableLoad,
    fates: &[Fate],
) -> rusqlite::Result<()> {
    // The table did not have the other rows, so nothing belongs to them.
    if fates.contains(&Fate::Replaced) && has_rows(connection, table)? {
        delete(connection, table, load, part, fates)?;
    }
    let rows = part.written(|root| fates.get(root).is_some_and(|fate| *fate != Fate::Stale)).map_err(unfit)?;
    append(connection, table, &part.subtable.columns, &rows)
}

fn has_rows(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))
}

/// Deletes what belongs to the rows of the root that were replaced.
fn delete(
    connection: &Connection,
    table: &str,
    load: &TableLoad,
    part: &SubtableLoad,
    fates: &[Fate],
) -> rusqlite::Result<()> {
    let mut keys = Cells::new(&keys(load), &load.rows)?;
    let mut delete = connection.prepare(&delete_statement(table, part))?;
    for (row, fate) in fates.iter().enumerate() {
        if *fate == Fate::Replaced {
            keys.bind(row, &mut delete)?;
            delete.raw_execute()?;
        }
    }
    Ok(())
}

/// The key columns of the root, each with its index.
fn keys(load: &TableLoad) -> Vec<(usize, &Column)> {
    let named = |key: &String| load.columns.iter().enumerate().find(|(_, column)| column.name == *key);
    load.keys.iter().filter_map(named).collect()
}

/// Deletes the subrows of a row of the root. Parameters are numbered as the keys of the root are.
fn delete_statement(table: &str, part: &SubtableLoad) -> String {
    let equation = |(name, number): (&str, usize)| format!("{} = ?{number}", quote(name));
    let equations: Vec<String> = part.subtable.source_keys().zip(1..).map(equation).collect();
    format!("DELETE FROM {table} WHERE {}", equations.join(" AND "))
}
