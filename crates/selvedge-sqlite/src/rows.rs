//! Writing the rows of a load.

use std::mem;

use arrow_array::RecordBatch;
use rusqlite::{Connection, Statement};
use selvedge_core::{Column, Outcome, TableLoad, system};
use selvedge_sql::{quote, quote_list};

use crate::cells::Cells;
use crate::dialect::DIALECT;

/// What became of a row of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was inserted: the table did not have its key.
    New,
    /// It took the place of the stored row of its key.
    Replaced,
    /// It was not written: the stored row of its key is newer.
    Stale,
}

/// Writes every row and says what became of each.
pub(crate) fn write(connection: &Connection, load: &TableLoad) -> rusqlite::Result<Vec<Fate>> {
    if load.rows.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let table = DIALECT.table(&load.table);
    if load.keys.is_empty() {
        append(connection, &table, &load.columns, &load.rows)?;
        return Ok(vec![Fate::New; load.rows.num_rows()]);
    }
    upsert(connection, &table, load)
}

/// What became of all of them.
pub(crate) fn outcome(fates: &[Fate]) -> Outcome {
    let having = |wanted| fates.iter().filter(|fate| **fate == wanted).count() as u64;
    Outcome { stale_rows: having(Fate::Stale), new_rows: having(Fate::New) }
}

/// Inserts every row into a table, which is named as statements name it.
pub(crate) fn append(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    rows: &RecordBatch,
) -> rusqlite::Result<()> {
    let mut cells = Cells::new(columns, rows)?;
    let mut insert = connection.prepare(&insert_statement(table, columns))?;
    for row in 0..rows.num_rows() {
        wrote(row, &mut cells, &mut insert)?;
    }
    Ok(())
}

/// Inserts the rows whose key the table lacks and updates the others, unless they are newer.
///
/// Two statements tell new rows from old ones exactly, which `ON CONFLICT DO UPDATE` does not. In the order of the keys a
/// row is usually like the one before it, so that the statement that served last is tried first.
fn upsert(connection: &Connection, table: &str, load: &TableLoad) -> rusqlite::Result<Vec<Fate>> {
    let mut cells = Cells::new(&load.columns, &load.rows)?;
    let mut fates = Vec::with_capacity(load.rows.num_rows());
    let mut likely = (connection.prepare(&insert_new_statement(table, load))?, Fate::New);
    let mut other = (connection.prepare(&update_statement(table, load))?, Fate::Replaced);
    for row in 0..load.rows.num_rows() {
        if wrote(row, &mut cells, &mut likely.0)? {
            fates.push(likely.1);
        } else if wrote(row, &mut cells, &mut other.0)? {
            fates.push(other.1);
            mem::swap(&mut likely, &mut other);
        } else {
            fates.push(Fate::Stale);
        }
    }
    Ok(fates)
}

/// Runs a statement with the values of a row and says whether it wrote one.
fn wrote(row: usize, cells: &mut Cells<'_>, statement: &mut Statement<'_>) -> rusqlite::Result<bool> {
    cells.bind(row, statement)?;
    Ok(statement.raw_execute()? > 0)
}

/// Inserts a row. Parameters are numbered as the columns are.
fn insert_statement(table: &str, columns: &[Column]) -> String {
    let values = vec!["?"; columns.len()].join(", ");
    let columns = quote_list(columns.iter().map(|column| &column.name));
    format!("INSERT INTO {table} ({columns}) VALUES ({values})")
}

/// Inserts a row unless its key stands already.
fn insert_new_statement(table: &str, load: &TableLoad) -> String {
    // Only a conflict of these keys is expected: a unique index somebody added must not swallow rows.
    format!("{} ON CONFLICT ({}) DO NOTHING", insert_statement(table, &load.columns), quote_list(&load.keys))
}

/// Replaces the row of a key unless it is newer. Parameters are numbered as the columns are.
fn update_statement(table: &str, load: &TableLoad) -> String {
    let is_key = |column: &Column| load.keys.contains(&column.name);
    let mut assignments = Vec::new();
    let mut conditions = Vec::new();
    for (column, number) in load.columns.iter().zip(1..) {
        let equation = format!("{} = ?{number}", quote(&column.name));
        if is_key(column) { conditions.push(equation) } else { assignments.push(equation) }
    }
    conditions.push(not_newer(&load.columns));
    format!("UPDATE {table} SET {} WHERE {}", assignments.join(", "), conditions.join(" AND "))
}

/// The condition that the stored row is not newer than the one bound: (version, sequence) compared, no version lowest.
fn not_newer(columns: &[Column]) -> String {
    let mut stored = Vec::new();
    let mut bound = Vec::new();
    for (column, number) in columns.iter().zip(1..) {
        let name = quote(&column.name);
        match column.name.as_str() {
            system::TABLE_VERSION => {
                stored.insert(0, format!("{name} IS NOT NULL, ifnull({name}, 0)"));
                bound.insert(0, format!("?{number} IS NOT NULL, ifnull(?{number}, 0)"));
            }
            system::SEQUENCE => {
                stored.push(name);
                bound.push(format!("?{number}"));
            }
            _ => {}
        }
    }
    format!("({}) <= ({})", stored.join(", "), bound.join(", "))
}
