//! Writing the rows of a load: one join finds what stands, one delete removes what is replaced, one insert adds.
//!
//! This is 5 to 20 times faster than an upsert on keys spread over a large table, where an update in place would rewrite
//! much of it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_core::{Column, Outcome, TableLoad, system};
use selvedge_sql::{quote, quote_list};

use crate::dialect::DIALECT;
use crate::instance::ARROW;

/// What becomes of a row of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The table does not have its key.
    New,
    /// It takes the place of the stored row of its key.
    Replaces,
    /// The stored row of its key is newer.
    Stale,
}

/// Writes the rows of a load, except those whose stored row is newer.
pub(crate) fn write(connection: &Connection, load: &TableLoad) -> duckdb::Result<Outcome> {
    let was_empty = load.planned_on.as_ref().is_none_or(|state| state.counts.live_rows == 0);
    let table = DIALECT.table(&load.table);
    if load.keys.is_empty() || was_empty {
        insert(connection, &table, &load.columns, load.rows.clone())?;
        return Ok(Outcome { stale_rows: 0, new_rows: load.rows.num_rows() as u64 });
    }
    let keys = incoming_keys(load).map_err(arrow_failure)?;
    let fates = fates(connection, load, keys.clone())?;
    let having = |wanted| fates.iter().filter(|fate| **fate == wanted).count();
    if having(Fate::Replaces) > 0 {
        delete(connection, load, keep(&keys, &fates, |fate| fate == Fate::Replaces)?)?;
    }
    insert(connection, &table, &load.columns, keep(&load.rows, &fates, |fate| fate != Fate::Stale)?)?;
    Ok(Outcome { stale_rows: having(Fate::Stale) as u64, new_rows: having(Fate::New) as u64 })
}

/// The keys of the load's rows, in columns `key_0`, `key_1`, … beside the number of the row, `row`.
fn incoming_keys(load: &TableLoad) -> Result<RecordBatch, ArrowError> {
    let rows: ArrayRef = Arc::new(Int64Array::from_iter_values(0..load.rows.num_rows() as i64));
    let mut columns = vec![("row".to_owned(), rows)];
    for (number, key) in load.keys.iter().enumerate() {
        let column = load.rows.schema().index_of(key)?;
        columns.push((format!("key_{number}"), Arc::clone(load.rows.column(column))));
    }
    RecordBatch::try_from_iter(columns)
}

/// The condition that an incoming key is a stored one.
fn same_key(load: &TableLoad) -> String {
    let equal = |(number, key): (usize, &String)| format!("stored.{} = incoming.key_{number}", quote(key));
    load.keys.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
}

/// Compares each row of the load with the stored row of its key.
fn fates(connection: &Connection, load: &TableLoad, keys: RecordBatch) -> duckdb::Result<Vec<Fate>> {
    let sql = format!(
        "SELECT incoming.row, {}::BIGINT, {}::BIGINT FROM {ARROW}(?) AS incoming JOIN {} AS stored ON {}",
        stored_column(load, system::TABLE_VERSION),
        stored_column(load, system::SEQUENCE),
        DIALECT.table(&load.table),
        same_key(load),
    );
    let registration = ArrowBatchRegistration::new(keys);
    let incoming = Versions::of_load(load);
    let mut fates = vec![Fate::New; load.rows.num_rows()];
    for found in connection.prepare(&sql)?.query_arrow([&registration])? {
        let stored = Versions::of_found(&found);
        let rows: &Int64Array = found.column(0).as_primitive();
        for (at, row) in rows.values().iter().enumerate() {
            let row = usize::try_from(*row).unwrap_or(usize::MAX);
            if let Some(fate) = fates.get_mut(row) {
                *fate = if stored.at(at) > incoming.at(row) { Fate::Stale } else { Fate::Replaces };
            }
        }
    }
    Ok(fates)
}

/// A column of the table, or null when the table does not have it.
fn stored_column(load: &TableLoad, name: &str) -> String {
    let stands = load.columns.iter().any(|column| column.name == name);
    if stands { format!("stored.{}", quote(name)) } else { "NULL".to_owned() }
}

/// Deletes the stored rows of these keys.
///
/// By key and not by `rowid`: a column of the sender's may have that name, and would hide DuckDB's.
fn delete(connection: &Connection, load: &TableLoad, keys: RecordBatch) -> duckdb::Result<()> {
    let table = DIALECT.table(&load.table);
    let sql = format!("DELETE FROM {table} AS stored USING {ARROW}(?) AS incoming WHERE {}", same_key(load));
    connection.execute(&sql, [&ArrowBatchRegistration::new(keys)]).map(drop)
}

/// Inserts rows into a table, which is named as statements name it.
pub(crate) fn insert(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    rows: RecordBatch,
) -> duckdb::Result<()> {
    let columns = quote_list(columns.iter().map(|column| &column.name));
    let sql = format!("INSERT INTO {table} ({columns}) SELECT * FROM {ARROW}(?)");
    connection.execute(&sql, [&ArrowBatchRegistration::new(rows)]).map(drop)
}

/// The rows whose fate is a wanted one.
fn keep(rows: &RecordBatch, fates: &[Fate], wanted: impl Fn(Fate) -> bool) -> duckdb::Result<RecordBatch> {
    let mask: BooleanArray = fates.iter().map(|fate| Some(wanted(*fate))).collect();
    filter_record_batch(rows, &mask).map_err(arrow_failure)
}

fn arrow_failure(cause: ArrowError) -> duckdb::Error {
    duckdb::Error::ToSqlConversionFailure(Box::new(cause))
}

/// The (table version, sequence) of rows. The order of options puts a missing one below all others.
struct Versions {
    table_versions: Int64Array,
    sequences: Int64Array,
}

impl Versions {
    fn of_load(load: &TableLoad) -> Self {
        let column = |name| match load.rows.column_by_name(name) {
            Some(column) => column.as_primitive::<Int64Type>().clone(),
            None => Int64Array::new_null(load.rows.num_rows()),
        };
        Self { table_versions: column(system::TABLE_VERSION), sequences: column(system::SEQUENCE) }
    }

    /// Of what the join in [`fates`] found.
    fn of_found(found: &RecordBatch) -> Self {
        let column = |at| found.column(at).as_primitive::<Int64Type>().clone();
        Self { table_versions: column(1), sequences: column(2) }
    }

    fn at(&self, row: usize) -> (Option<i64>, Option<i64>) {
        let value = |column: &Int64Array| column.is_valid(row).then(|| column.value(row));
        (value(&self.table_versions), value(&self.sequences))
    }
}
