//! Which incoming rows stay: they contend with what stands under their keys.

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, Schema};
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_core::system;
use selvedge_sql::quote;

use crate::instance::ARROW;
use crate::keys::{key_batch, same_key};
use crate::rows::arrow_failure;

/// What becomes of an incoming row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing stands under its key.
    New,
    /// It takes the place of what stands under its key.
    Replaces,
    /// What stands under its key is newer.
    Stale,
}

/// Compares each incoming row with what a table, which is named as statements name it, has under its key.
pub(crate) fn fates(
    connection: &Connection,
    table: &str,
    schema: &Schema,
    keys: &[String],
    incoming: &RecordBatch,
) -> duckdb::Result<Vec<Fate>> {
    let mut fates = vec![Fate::New; incoming.num_rows()];
    if incoming.num_rows() == 0 {
        return Ok(fates);
    }
    let sql = format!(
        "SELECT incoming.row, {}::BIGINT, {}::BIGINT FROM {ARROW}(?) AS incoming JOIN {table} AS stored ON {}",
        stored_column(schema, system::TABLE_VERSION),
        stored_column(schema, system::SEQUENCE),
        same_key(keys),
    );
    let registration = ArrowBatchRegistration::new(key_batch(incoming, keys).map_err(arrow_failure)?);
    let incoming = Ages::of_rows(incoming);
    for found in connection.prepare(&sql)?.query_arrow([&registration])? {
        let stored = Ages::of_found(&found);
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

/// The rows whose fate is a wanted one.
pub(crate) fn having(rows: &RecordBatch, fates: &[Fate], wanted: impl Fn(Fate) -> bool) -> duckdb::Result<RecordBatch> {
    let mask: BooleanArray = fates.iter().map(|fate| Some(wanted(*fate))).collect();
    filter_record_batch(rows, &mask).map_err(arrow_failure)
}

/// A column of the table, or null when the table does not have it.
fn stored_column(schema: &Schema, name: &str) -> String {
    let stands = schema.column_with_name(name).is_some();
    if stands { format!("stored.{}", quote(name)) } else { "NULL".to_owned() }
}

/// The (table version, sequence) of rows. The order of options puts a missing one below all others.
struct Ages {
    table_versions: Int64Array,
    sequences: Int64Array,
}

impl Ages {
    fn of_rows(rows: &RecordBatch) -> Self {
        let column = |name| match rows.column_by_name(name) {
            Some(column) => column.as_primitive::<Int64Type>().clone(),
            None => Int64Array::new_null(rows.num_rows()),
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
