//! The keys that a load deletes without leaving a row behind.

use arrow_array::{ArrayRef, RecordBatch};
use selvedge_core::{Column, tombstone};

use crate::prepare::part::Part;
use crate::prepare::root::{deleted_at, sequences, table_versions};
use crate::prepare::shape::gather;
use crate::prepare::sheet::Rows;
use crate::prepare::{Blocked, keys};

/// The deletes at these places, for a table of these columns and keys.
pub(crate) fn deletes(
    parts: &[Part<'_>],
    places: &Rows,
    columns: &[Column],
    names: &[String],
) -> Result<RecordBatch, Blocked> {
    let none = tombstone::none(columns, names);
    if places.places.is_empty() {
        return Ok(none);
    }
    let key = |property: &String| {
        let arrays = parts.iter().map(|part| keys::values(part, property)).collect::<Result<Vec<ArrayRef>, _>>()?;
        let arrow = arrays.first().map(|array| array.data_type().clone());
        arrow.map(|arrow| gather(&arrow, arrays.into_iter().map(Some).collect(), &places.places)).transpose()
    };
    let properties = parts.first().map_or(&[][..], |part| part.keys);
    let mut values: Vec<ArrayRef> =
        properties.iter().filter_map(|property| key(property).transpose()).collect::<Result<_, _>>()?;
    values.push(sequences(parts, places)?);
    values.push(table_versions(parts, places));
    values.push(deleted_at(parts, places));
    Ok(RecordBatch::try_new(none.schema(), values)?)
}
