//! Writing the rows of a load.

use std::mem;

use arrow_array::{Array, RecordBatch};
use rusqlite::{Connection, Statement};
use selvedge_core::{Column, LoadError, Outcome, TableLoad, system};
use selvedge_sql::{quote, quote_list};

use crate::cells::Cells;
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::tombstones::Tombstones;

/// What became of a row of the load, or of a delete, which writes a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was written, and the table had no row of its key.
    New,
    /// It took the place of the stored row of its key.
    Replaced,
    /// It was not written: the stored row or tombstone of its key is newer.
    Stale,
}

/// Writes every row and says what became of each.
pub(crate) fn write(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<Vec<Fate>, LoadError> {
    if load.rows.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let table = DIALECT.table(&load.table);
    if load.keys.is_empty() {
        append(connection, &table, &load.columns, &load.rows).map_err(|cause| doing.failed(cause))?;
        return Ok(vec![Fate::New; load.rows.num_rows()]);
    }
    let tombstones = Tombstones::against(connection, load, doing)?;
    upsert(connection, &table, load, tombstones).map_err(|cause| doing.failed(cause))
}

/// What became of all rows and deletes, `below` rows having gone because a version was activated.
pub(crate) fn outcome(rows: &[Fate], deletes: &[Fate], below: u64) -> Outcome {
    let having = |fates: &[Fate], wanted| fates.iter().filter(|fate| **fate == wanted).count() as u64;
    Outcome {
        stale_rows: having(rows, Fate::Stale) + having(deletes, Fate::Stale),
        new_rows: having(rows, Fate::New),
        removed_rows: having(deletes, Fate::Replaced) + below,
    }
}

/// Inserts every row into a table, which is named as statements name it.
pub(crate) fn append(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    rows: &RecordBatch,
) -> rusqlite::Result<()> {
    if rows.num_rows() == 0 {
        return Ok(());
    }
    let brought = Brought::by(columns, rows);
    let mut cells = Cells::new(&brought.columns, rows)?;
    let mut insert = connection.prepare(&insert_statement(table, &brought))?;
    for row in 0..rows.num_rows() {
        cells.bind(row, &mut insert)?;
        insert.raw_execute()?;
    }
    Ok(())
}

/// Inserts the rows whose key the table lacks and updates the others, unless they or a tombstone are newer.
///
/// Two statements tell new rows from old ones exactly, which `ON CONFLICT DO UPDATE` does not. In the order of the keys a
/// row is usually like the one before it, so that the statement that served last is tried first.
fn upsert(
    connection: &Connection,
    table: &str,
    load: &TableLoad,
    mut tombstones: Option<Tombstones<'_>>,
) -> rusqlite::Result<Vec<Fate>> {
    let brought = Brought::by(&load.columns, &load.rows);
    let mut cells = Cells::new(&brought.columns, &load.rows)?;
    let mut fates = Vec::with_capacity(load.rows.num_rows());
    let insert = || connection.prepare(&insert_new_statement(table, load, &brought));
    let update = || connection.prepare(&update_statement(table, load, &brought));
    let mut likely = Writer { fate: Fate::New, prepare: &insert, statement: None };
    let mut other = Writer { fate: Fate::Replaced, prepare: &update, statement: None };
    for row in 0..load.rows.num_rows() {
        let is_buried = tombstones.as_mut().map_or(Ok(false), |tombstones| tombstones.outlast(row))?;
        if is_buried {
            fates.push(Fate::Stale);
        } else if likely.wrote(row, &mut cells)? {
            fates.push(likely.fate);
        } else if other.wrote(row, &mut cells)? {
            fates.push(other.fate);
            mem::swap(&mut likely, &mut other);
        } else {
            fates.push(Fate::Stale);
        }
    }
    Ok(fates)
}

/// A statement that writes rows of one fate alone. It is prepared for the first one, since in a table of many columns that
/// takes longer than to write a row.
struct Writer<'c> {
    fate: Fate,
    prepare: &'c dyn Fn() -> rusqlite::Result<Statement<'c>>,
    statement: Option<Statement<'c>>,
}

impl Writer<'_> {
    /// Runs the statement with the values of a row and says whether it wrote one.
    fn wrote(&mut self, row: usize, cells: &mut Cells<'_>) -> rusqlite::Result<bool> {
        let statement = match &mut self.statement {
            Some(statement) => statement,
            unprepared => unprepared.insert((self.prepare)()?),
        };
        cells.bind(row, statement)?;
        Ok(statement.raw_execute()? > 0)
    }
}

/// The columns that statements bind, each with its index: selvedge's own, and those of which some row has a value. The others are
/// null in every row.
struct Brought<'l> {
    columns: Vec<(usize, &'l Column)>,
}

impl<'l> Brought<'l> {
    fn by(columns: &'l [Column], rows: &RecordBatch) -> Self {
        let has_values = |index: usize| {
            let values = rows.columns().get(index);
            values.is_none_or(|values| values.logical_null_count() < rows.num_rows())
        };
        let bound = |(index, column): &(usize, &Column)| column.path.is_none() || has_values(*index);
        Self { columns: columns.iter().enumerate().filter(bound).collect() }
    }

    /// The parameter of the column with this index.
    fn parameter(&self, index: usize) -> String {
        let number = self.columns.binary_search_by_key(&index, |(index, _)| *index);
        number.map_or_else(|_| "NULL".to_owned(), |number| format!("?{}", number + 1))
    }
}

/// Inserts a row.
fn insert_statement(table: &str, brought: &Brought<'_>) -> String {
    let columns = quote_list(brought.columns.iter().map(|(_, column)| &column.name));
    let values = vec!["?"; brought.columns.len()].join(", ");
    format!("INSERT INTO {table} ({columns}) VALUES ({values})")
}

/// Inserts a row unless its key stands already.
fn insert_new_statement(table: &str, load: &TableLoad, brought: &Brought<'_>) -> String {
    // Only a conflict of these keys is expected: a unique index somebody added must not swallow rows.
    format!("{} ON CONFLICT ({}) DO NOTHING", insert_statement(table, brought), quote_list(&load.keys))
}

/// Replaces the row of a key unless it is newer.
fn update_statement(table: &str, load: &TableLoad, brought: &Brought<'_>) -> String {
    let is_key = |column: &Column| load.keys.contains(&column.name);
    let mut assignments = Vec::new();
    let mut conditions = Vec::new();
    for (index, column) in load.columns.iter().enumerate() {
        let equation = format!("{} = {}", quote(&column.name), brought.parameter(index));
        if is_key(column) { conditions.push(equation) } else { assignments.push(equation) }
    }
    conditions.push(not_newer(&load.columns, brought));
    format!("UPDATE {table} SET {} WHERE {}", assignments.join(", "), conditions.join(" AND "))
}

/// The condition that the stored row is not newer than the one bound: (version, sequence) compared, no version lowest.
fn not_newer(columns: &[Column], brought: &Brought<'_>) -> String {
    let mut stored = Vec::new();
    let mut bound = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let (name, parameter) = (quote(&column.name), brought.parameter(index));
        match column.name.as_str() {
            system::TABLE_VERSION => {
                stored.insert(0, format!("{name} IS NOT NULL, ifnull({name}, 0)"));
                bound.insert(0, format!("{parameter} IS NOT NULL, ifnull({parameter}, 0)"));
            }
            system::SEQUENCE => {
                stored.push(name);
                bound.push(parameter);
            }
            _ => {}
        }
    }
    format!("({}) <= ({})", stored.join(", "), bound.join(", "))
}
