//! Columns that others added: what they hold stays with the key when a row is replaced.

use arrow::array::RecordBatch;
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_sql::quote;

use crate::catalog::ColumnNames;
use crate::instance::ARROW;
use crate::keys::same_key;
use crate::target::Target;

/// Where it stands meanwhile: in DuckDB, so that it takes no harm on the way, whatever its type.
const KEPT: &str = r#"temp.main."_sdc_kept""#;

/// Replaces rows of a table. Where the key of one that stood is among the incoming [keys](crate::keys::key_batch), it has
/// afterwards what it held in the columns of others.
pub(crate) fn keeping(
    connection: &Connection,
    others: &ColumnNames,
    target: &Target,
    incoming: &RecordBatch,
    replace: impl FnOnce() -> duckdb::Result<()>,
) -> duckdb::Result<()> {
    if others.is_empty() || incoming.num_rows() == 0 {
        return replace();
    }
    put_aside(connection, others, target, incoming)?;
    replace()?;
    copy(connection, others, &target.keys, KEPT, &target.spelled())?;
    connection.execute_batch(&format!("DROP TABLE {KEPT}"))
}

fn put_aside(
    connection: &Connection,
    others: &ColumnNames,
    target: &Target,
    incoming: &RecordBatch,
) -> duckdb::Result<()> {
    let columns: Vec<String> = target
        .keys
        .iter()
        .map(String::as_str)
        .chain(others.iter())
        .map(|name| format!("stored.{}", quote(name)))
        .collect();
    let sql = format!(
        "CREATE TEMPORARY TABLE {KEPT} AS SELECT {} FROM {ARROW}(?) AS incoming JOIN {} AS stored ON {}",
        columns.join(", "),
        target.spelled(),
        same_key(&target.keys),
    );
    connection.execute(&sql, [&ArrowBatchRegistration::new(incoming.clone())]).map(drop)
}

/// Copies what the columns of others hold into a table, from a row of the same key in another one.
pub(crate) fn copy(
    connection: &Connection,
    others: &ColumnNames,
    keys: &[String],
    from: &str,
    to: &str,
) -> duckdb::Result<()> {
    let assign = |name: &str| format!("{name} = kept.{name}", name = quote(name));
    let equal = |name: &String| format!("stored.{name} = kept.{name}", name = quote(name));
    let assignments: Vec<String> = others.iter().map(assign).collect();
    let condition: Vec<String> = keys.iter().map(equal).collect();
    let (assignments, condition) = (assignments.join(", "), condition.join(" AND "));
    connection.execute_batch(&format!("UPDATE {to} AS stored SET {assignments} FROM {from} AS kept WHERE {condition}"))
}
