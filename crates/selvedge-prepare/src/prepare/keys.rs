//! The keys of a table, which stay what they are.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use selvedge_core::{Column, ColumnType, Path};

use crate::prepare::names;
use crate::prepare::part::Part;
use crate::prepare::policy::Loading;
use crate::prepare::{Blocked, LoadContext};

/// Checks that all parts have the keys of the table: properties, their order and their types. The first load decides them.
pub(crate) fn check(context: &LoadContext<'_>, parts: &[Part<'_>]) -> Result<(), Blocked> {
    let Some(first) = parts.first() else { return Ok(()) };
    let state = context.planned_on;
    if let Some(state) = state
        && context.policy.loading == Loading::Append
        && !state.keys.is_empty()
    {
        return Err(appended(&state.keys));
    }
    let standing = match state {
        Some(state) => state.keys.iter().filter_map(|key| state.column(key).cloned()).collect(),
        None => keys(first)?.into_iter().map(|(path, column_type)| made(path, column_type)).collect::<Vec<Column>>(),
    };
    for part in parts {
        let found = keys(part)?;
        let is_same = |(column, (path, column_type)): (&Column, &(Path, ColumnType))| {
            column.path.as_ref() == Some(path) && column.column_type == *column_type
        };
        if standing.len() != found.len() || !standing.iter().zip(&found).all(is_same) {
            let known = state.map_or(&standing, |state| &state.columns);
            return Err(others(&standing, known, &found));
        }
    }
    Ok(())
}

/// The names of the columns that hold the keys of the parts.
pub(crate) fn names(parts: &[Part<'_>], columns: &[Column]) -> Result<Vec<String>, Blocked> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    let name = |(path, column_type): (Path, ColumnType)| {
        let column = columns.iter().find(|c| c.column_type == column_type && c.path.as_ref() == Some(&path));
        column.map(|column| column.name.clone()).ok_or_else(|| without_column(&path))
    };
    keys(first)?.into_iter().map(name).collect()
}

/// The values of a key property in a part; null where a record is rejected or is none.
pub(crate) fn values(part: &Part<'_>, key: &str) -> Result<ArrayRef, Blocked> {
    let path = Path(vec![key.to_owned()]);
    let column = part.records.columns.iter().find(|column| column.path == path);
    let column = column.ok_or_else(|| without_column(&path))?;
    Ok(match column.values.data_type() {
        DataType::Null => new_null_array(&column.column_type.arrow(), column.values.len()),
        _ => Arc::clone(&column.values),
    })
}

/// The key properties of a part with the types of their values.
fn keys(part: &Part<'_>) -> Result<Vec<(Path, ColumnType)>, Blocked> {
    let key = |(name, column_type): (&str, Option<ColumnType>)| {
        let path = Path(vec![name.to_owned()]);
        column_type.ok_or_else(|| without_column(&path)).map(|column_type| (path, column_type))
    };
    let types = part.records.key_types().into_iter();
    types.filter(|(name, _)| part.keys.iter().any(|key| key == name)).map(key).collect()
}

/// The column of a key in a table that has no other of its path.
fn made(path: Path, column_type: ColumnType) -> Column {
    Column::new(names::plain(&path), Some(path), column_type)
}

fn without_column(path: &Path) -> Blocked {
    Blocked::new(format!("the key `{}` has no column", path.0.join("")))
}

fn others(standing: &[Column], known: &[Column], found: &[(Path, ColumnType)]) -> Blocked {
    let name = |(path, column_type): &(Path, ColumnType)| {
        let of_path = || known.iter().filter(|column| column.path.as_ref() == Some(path));
        match of_path().find(|column| column.column_type == *column_type) {
            Some(column) => column.name.clone(),
            None if of_path().next().is_some() => names::split(path, *column_type),
            None => names::plain(path),
        }
    };
    let standing: Vec<&str> = standing.iter().map(|column| column.name.as_str()).collect();
    let found: Vec<String> = found.iter().map(name).collect();
    Blocked::new(format!(
        "the table's keys are ({}), but the batch's are ({}), or of other types. The batch waits, and what comes after it for \
         this table. Decide with `selvedge table rekey`, `selvedge table reset` or `selvedge table drop`, or send records of \
         other keys under another table name",
        standing.join(", "),
        found.join(", ")
    ))
}

fn appended(keys: &[String]) -> Blocked {
    Blocked::new(format!(
        "the table was made with the keys ({}), and is to be loaded by appending now, which needs a table without keys. Its \
         batches wait. Make it anew with `selvedge table reset`, or have it loaded by upserting again",
        keys.join(", ")
    ))
}
