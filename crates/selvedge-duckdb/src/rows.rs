//! Writing the rows of a load: one join finds what stands, one delete removes what is replaced, one insert adds.
//!
//! This is 5 to 20 times faster than an upsert on keys spread over a large table, where an update in place would rewrite
//! much of it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_core::{LoadError, Outcome, TableLoad};
use selvedge_sql::quote_list;

use crate::catalog::ColumnNames;
use crate::contest::{self, Fate, having};
use crate::instance::ARROW;
use crate::keys::{key_batch, same_key};
use crate::others;
use crate::session::Session;
use crate::target::Target;
use crate::tombstones::{Tombstones, as_tombstones};

/// What became of the rows and the deletes of a load.
#[derive(Debug)]
pub(crate) struct Written {
    rows: Vec<Fate>,
    deletes: Vec<Fate>,
    /// The [keys](key_batch) of the stored rows that were replaced or deleted.
    pub(crate) gone: RecordBatch,
}

impl Written {
    /// Whether the row of this index was written.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|fate| *fate != Fate::Stale)
    }

    /// With the rows that a version that was activated had left behind.
    pub(crate) fn outcome(&self, left_behind: u64) -> Outcome {
        let having = |fates: &[Fate], wanted| fates.iter().filter(|fate| **fate == wanted).count() as u64;
        Outcome {
            stale_rows: having(&self.rows, Fate::Stale) + having(&self.deletes, Fate::Stale),
            new_rows: having(&self.rows, Fate::New),
            removed_rows: left_behind + having(&self.deletes, Fate::Replaces),
        }
    }
}

/// Writes the rows of a load as they are to stand in the table, and takes away those it deletes, except where the stored row
/// or the tombstone is newer.
pub(crate) fn write(
    session: &Session,
    target: &Target,
    load: &TableLoad,
    rows: &RecordBatch,
    others: &ColumnNames,
    tombstones: &Tombstones,
) -> Result<Written, LoadError> {
    let failed = session.failed("write rows to");
    if target.keys.is_empty() {
        insert(session, &target.spelled(), &target.schema, rows).map_err(failed)?;
        let gone = RecordBatch::new_empty(Arc::new(Schema::empty()));
        return Ok(Written { rows: vec![Fate::New; rows.num_rows()], deletes: Vec::new(), gone });
    }
    let row_fates = contend(session, target, load, tombstones, rows)?;
    let delete_fates = contend(session, target, load, tombstones, &load.deletes)?;
    let left = having(&load.deletes, &delete_fates, |fate| fate != Fate::Stale).map_err(&failed)?;
    tombstones.add(session, &as_tombstones(&load.table, &load.keys, &left)?).map_err(&failed)?;
    let written = Written {
        gone: gone(target, [(rows, &row_fates), (&load.deletes, &delete_fates)]).map_err(&failed)?,
        rows: row_fates,
        deletes: delete_fates,
    };
    replace(session, target, rows, others, &written).map_err(&failed)?;
    Ok(written)
}

/// What becomes of rows or deletes of a load. Tombstones that they beat are removed.
fn contend(
    session: &Session,
    target: &Target,
    load: &TableLoad,
    tombstones: &Tombstones,
    incoming: &RecordBatch,
) -> Result<Vec<Fate>, LoadError> {
    let failed = session.failed("compare keys with those of");
    let mut fates = if load.planned_on.is_none() {
        vec![Fate::New; incoming.num_rows()]
    } else {
        contest::fates(session, &target.spelled(), &target.schema, &target.keys, incoming).map_err(&failed)?
    };
    if tombstones.stand() {
        // Under a key stands either a row or a tombstone.
        for (fate, against) in fates.iter_mut().zip(tombstones.contend(session, &load.keys, incoming)?) {
            if against == Fate::Stale {
                *fate = Fate::Stale;
            }
        }
    }
    Ok(fates)
}

/// The keys of the stored rows that are replaced or deleted.
fn gone(target: &Target, incoming: [(&RecordBatch, &Vec<Fate>); 2]) -> duckdb::Result<RecordBatch> {
    let keys = incoming.map(|(rows, fates)| {
        let keys = key_batch(rows, &target.keys).map_err(arrow_failure)?;
        having(&keys, fates, |fate| fate == Fate::Replaces)
    });
    let [replaced, deleted] = keys;
    let (replaced, deleted) = (replaced?, deleted?);
    concat_batches(&replaced.schema(), [&replaced, &deleted]).map_err(arrow_failure)
}

/// Deletes the stored rows that go, and inserts those that come.
fn replace(
    connection: &Connection,
    target: &Target,
    rows: &RecordBatch,
    others: &ColumnNames,
    written: &Written,
) -> duckdb::Result<()> {
    let table = target.spelled();
    let rows = having(rows, &written.rows, |fate| fate != Fate::Stale)?;
    let keys = key_batch(&rows, &target.keys).map_err(arrow_failure)?;
    others::keeping(connection, others, target, &keys, || {
        delete(connection, &table, &target.keys, &written.gone)?;
        insert(connection, &table, &target.schema, &rows)
    })
}

/// Deletes the stored rows of a [batch of keys](key_batch) in these columns, and returns how many there were.
///
/// By key and not by `rowid`: a column of the sender's may have that name, and would hide DuckDB's.
pub(crate) fn delete(
    connection: &Connection,
    table: &str,
    keys: &[String],
    incoming: &RecordBatch,
) -> duckdb::Result<usize> {
    if incoming.num_rows() == 0 {
        return Ok(0);
    }
    let sql = format!("DELETE FROM {table} AS stored USING {ARROW}(?) AS incoming WHERE {}", same_key(keys));
    connection.execute(&sql, [&ArrowBatchRegistration::new(incoming.clone())])
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

pub(crate) fn arrow_failure(cause: ArrowError) -> duckdb::Error {
    duckdb::Error::ToSqlConversionFailure(Box::new(cause))
}
