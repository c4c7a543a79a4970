//! Writing the rows of a load: one join finds what stands, one delete removes what is replaced, one insert adds.
//!
//! This is 5 to 20 times faster than an upsert on keys spread over a large table, where an update in place would rewrite
//! much of it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, Schema};
use arrow::error::ArrowError;
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_core::{Outcome, TableLoad, system};
use selvedge_sql::{quote, quote_list};

use crate::catalog::ColumnNames;
use crate::instance::ARROW;
use crate::keys::{key_batch, same_key};
use crate::others;
use crate::target::Target;

/// What became of the rows of a load.
#[derive(Debug)]
pub(crate) struct Written {
    fates: Vec<Fate>,
    /// The [keys](key_batch) of the stored rows that were replaced.
    pub(crate) replaced: RecordBatch,
}

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

impl Written {
    /// Whether the row of this index was written.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.fates.get(row).is_some_and(|fate| *fate != Fate::Stale)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let having = |wanted| self.fates.iter().filter(|fate| **fate == wanted).count() as u64;
        Outcome { stale_rows: having(Fate::Stale), new_rows: having(Fate::New), removed_rows: 0 }
    }
}

/// Writes the rows of a load as they are to stand in the table, except those whose stored row is newer.
pub(crate) fn write(
    connection: &Connection,
    target: &Target,
    load: &TableLoad,
    rows: &RecordBatch,
    others: &ColumnNames,
) -> duckdb::Result<Written> {
    let table = target.spelled();
    let was_empty = load.planned_on.as_ref().is_none_or(|state| state.counts.live_rows == 0);
    if target.keys.is_empty() || was_empty {
        insert(connection, &table, &target.schema, rows)?;
        let replaced = RecordBatch::new_empty(Arc::new(Schema::empty()));
        return Ok(Written { fates: vec![Fate::New; rows.num_rows()], replaced });
    }
    let keys = key_batch(rows, &target.keys).map_err(arrow_failure)?;
    let fates = fates(connection, target, load, keys.clone())?;
    let rows = keep(rows, &fates, |fate| fate != Fate::Stale)?;
    let replaced = keep(&keys, &fates, |fate| fate == Fate::Replaces)?;
    others::keeping(connection, others, target, &replaced, || {
        delete(connection, &table, &target.keys, &replaced)?;
        insert(connection, &table, &target.schema, &rows)
    })?;
    Ok(Written { fates, replaced })
}

/// Compares each row of the load with the stored row of its key.
fn fates(connection: &Connection, target: &Target, load: &TableLoad, keys: RecordBatch) -> duckdb::Result<Vec<Fate>> {
    let sql = format!(
        "SELECT incoming.row, {}::BIGINT, {}::BIGINT FROM {ARROW}(?) AS incoming JOIN {} AS stored ON {}",
        stored_column(target, system::TABLE_VERSION),
        stored_column(target, system::SEQUENCE),
        target.spelled(),
        same_key(&target.keys),
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
fn stored_column(target: &Target, name: &str) -> String {
    let stands = target.schema.column_with_name(name).is_some();
    if stands { format!("stored.{}", quote(name)) } else { "NULL".to_owned() }
}

/// Deletes the stored rows of a [batch of keys](key_batch) in these columns.
///
/// By key and not by `rowid`: a column of the sender's may have that name, and would hide DuckDB's.
pub(crate) fn delete(
    connection: &Connection,
    table: &str,
    keys: &[String],
    incoming: &RecordBatch,
) -> duckdb::Result<()> {
    if incoming.num_rows() == 0 {
        return Ok(());
    }
    let sql = format!("DELETE FROM {table} AS stored USING {ARROW}(?) AS incoming WHERE {}", same_key(keys));
    connection.execute(&sql, [&ArrowBatchRegistration::new(incoming.clone())]).map(drop)
}

/// Inserts rows with these columns into a table, which is named as statements name it.
///
/// Columns without a value are left out. DuckDB plans the columns of a statement one by one, and a wide table has many that
/// a load brings nothing for.
pub(crate) fn insert(connection: &Connection, table: &str, schema: &Schema, rows: &RecordBatch) -> duckdb::Result<()> {
    if rows.num_rows() == 0 {
        return Ok(());
    }
    let is_null = |values: &ArrayRef| values.logical_null_count() == rows.num_rows();
    let brought: Vec<usize> =
        (0..schema.fields().len()).filter(|at| !rows.columns().get(*at).is_some_and(is_null)).collect();
    let rows = rows.project(&brought).map_err(arrow_failure)?;
    let names = quote_list(rows.schema_ref().fields().iter().map(|field| field.name()));
    let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM {ARROW}(?)");
    connection.execute(&sql, [&ArrowBatchRegistration::new(rows)]).map(drop)
}

/// The rows whose fate is a wanted one.
fn keep(rows: &RecordBatch, fates: &[Fate], wanted: impl Fn(Fate) -> bool) -> duckdb::Result<RecordBatch> {
    let mask: BooleanArray = fates.iter().map(|fate| Some(wanted(*fate))).collect();
    filter_record_batch(rows, &mask).map_err(arrow_failure)
}

pub(crate) fn arrow_failure(cause: ArrowError) -> duckdb::Error {
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
