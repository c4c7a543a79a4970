//! What a file tells about itself: the logical types of its columns, and where in the records they come from.

use parquet::file::metadata::KeyValue;
use selvedge_core::{Column, LoadError, Subtable};
use serde::Serialize;

use crate::error::refused;

/// The JSON of the columns, as `selvedge_core::Column`s.
const COLUMNS: &str = "selvedge.columns";
/// In files whose rows have subrows in them, the JSON of those, as `selvedge_core::Subtable`s.
const SUBTABLES: &str = "selvedge.subtables";

/// The description of rows with these columns, and with rows of these subtables in them.
pub(crate) fn description(columns: &[Column], subtables: &[Subtable]) -> Result<Vec<KeyValue>, LoadError> {
    let bare_subtable = |subtable: &Subtable| Subtable { columns: bare(&subtable.columns), ..subtable.clone() };
    let mut description = vec![pair(COLUMNS, &bare(columns))?];
    if !subtables.is_empty() {
        description.push(pair(SUBTABLES, &subtables.iter().map(bare_subtable).collect::<Vec<_>>())?);
    }
    Ok(description)
}

/// Without what was loaded into the columns so far: a file that is kept would be out of date.
fn bare(columns: &[Column]) -> Vec<Column> {
    let bare = |column: &Column| Column::new(column.name.clone(), column.path.clone(), column.column_type);
    columns.iter().map(bare).collect()
}

fn pair(key: &str, value: &impl Serialize) -> Result<KeyValue, LoadError> {
    let json =
        serde_json::to_string(value).map_err(|error| refused("the columns cannot be described").with_source(error))?;
    Ok(KeyValue::new(key.to_owned(), json))
}
