//! How stored rows are found by incoming keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::error::ArrowError;
use selvedge_core::system;
use selvedge_sql::quote;

/// The values of these columns, called `key_0`, `key_1`, … whatever their own names are, and the number of the row, `row`.
pub(crate) fn key_batch(rows: &RecordBatch, keys: &[String]) -> Result<RecordBatch, ArrowError> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows.num_rows() as i64));
    let mut columns = vec![("row".to_owned(), numbers)];
    for (number, key) in keys.iter().enumerate() {
        let column = rows.schema().index_of(key)?;
        columns.push((format!("key_{number}"), Arc::clone(rows.column(column))));
    }
    RecordBatch::try_from_iter(columns)
}

/// The condition that the key of a row `stored`, in these columns, is one of a [batch](key_batch) called `incoming`.
pub(crate) fn same_key(keys: &[String]) -> String {
    let equal = |(number, key): (usize, &String)| format!("stored.{} = incoming.key_{number}", quote(key));
    keys.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
}

/// The columns by which the rows of a table with these keys are told apart: the generated one where it has none.
pub(crate) fn root_keys(keys: &[String]) -> Vec<String> {
    if keys.is_empty() { vec![system::PRIMARY_KEY.to_owned()] } else { keys.to_vec() }
}
