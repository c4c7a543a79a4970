//! The rows of the root: those of the records themselves.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use selvedge_core::{ColumnType, system};

use crate::decode::reading::MAX_COLUMNS;
use crate::prepare::generated_key::generated_key;
use crate::prepare::part::Part;
use crate::prepare::placement::Rules;
use crate::prepare::policy::Policy;
use crate::prepare::shape::{Own, Shaped, gather, shape};
use crate::prepare::sheet::{Rows, Sheet};
use crate::prepare::{Blocked, LoadContext};

/// The names of selvedge's own columns in a root.
const OWN: [&str; 8] = [
    system::PRIMARY_KEY,
    system::EXTRACTED_AT,
    system::RECEIVED_AT,
    system::BATCHED_AT,
    system::SEQUENCE,
    system::TABLE_VERSION,
    system::DELETED_AT,
    system::EXTRA,
];

/// The root as a load leaves it, and its rows.
pub(crate) fn root(context: &LoadContext<'_>, parts: &[Part<'_>], sheet: &Sheet<'_>) -> Result<Shaped, Blocked> {
    let rules = Rules {
        table: context.table.table(),
        policy: if context.planned_on.is_some() { context.policy } else { context.policy.of_first_load() },
        keys: parts.first().map_or(&[], |part| part.keys),
        room: MAX_COLUMNS - OWN.len(),
        reserved: OWN.to_vec(),
    };
    let known = context.planned_on.map(|state| state.columns.as_slice());
    shape(known, sheet, &rules, own(context, parts, sheet.rows)?)
}

fn own(context: &LoadContext<'_>, parts: &[Part<'_>], rows: &Rows) -> Result<Vec<Own>, Blocked> {
    let of_part = |(part, _): &(usize, usize)| parts.get(*part);
    let mut own = Vec::with_capacity(OWN.len());
    if parts.iter().any(|part| part.keys.is_empty()) {
        let key = |place: &(usize, usize)| {
            of_part(place).map(|part| generated_key(context.queue, part.batch, place.1 as u64))
        };
        let keys: StringArray = rows.places.iter().map(key).collect();
        own.push(Own::new(system::PRIMARY_KEY, ColumnType::String, Arc::new(keys)));
    }
    if parts.iter().any(|part| part.records.extracted_at.is_some()) {
        let arrays = parts.iter().map(|part| part.records.extracted_at.clone()).collect();
        let values = gather(&ColumnType::Timestamp.arrow(), arrays, &rows.places)?;
        own.push(Own::new(system::EXTRACTED_AT, ColumnType::Timestamp, values));
    }
    let received = rows.places.iter().map(|place| of_part(place).map(|part| part.received_at));
    own.push(Own::new(system::RECEIVED_AT, ColumnType::Timestamp, timestamps(received)));
    let batched = rows.places.iter().map(|_| Some(context.batched_at));
    own.push(Own::new(system::BATCHED_AT, ColumnType::Timestamp, timestamps(batched)));
    own.push(Own::new(system::SEQUENCE, ColumnType::Integer, sequences(parts, rows)?));
    if parts.iter().any(|part| part.records.table_version.is_some()) {
        own.push(Own::new(system::TABLE_VERSION, ColumnType::Integer, table_versions(parts, rows)));
    }
    if leaves_marks(context.policy, parts) {
        own.push(Own::new(system::DELETED_AT, ColumnType::Timestamp, deleted_at(parts, rows)));
    }
    Ok(own)
}

/// Whether a delete among the records is to leave a marked row. One that loses counts as well: whether it meets the winner in
/// this load or in the table, the table gets the same columns.
fn leaves_marks(policy: Policy, parts: &[Part<'_>]) -> bool {
    parts.iter().any(|part| !part.erases(policy.deletes) && part.has_deletes())
}

/// The sequences of the records at these places.
pub(crate) fn sequences(parts: &[Part<'_>], rows: &Rows) -> Result<ArrayRef, Blocked> {
    let arrays = parts.iter().map(|part| Some(Arc::new(part.records.sequences.clone()) as ArrayRef)).collect();
    gather(&ColumnType::Integer.arrow(), arrays, &rows.places)
}

/// The versions of the table that the records at these places belong to.
pub(crate) fn table_versions(parts: &[Part<'_>], rows: &Rows) -> ArrayRef {
    let version = |(part, _): &(usize, usize)| parts.get(*part).and_then(|part| part.records.table_version);
    Arc::new(rows.places.iter().map(version).collect::<Int64Array>())
}

/// When the records at these places were deleted, those that are.
pub(crate) fn deleted_at(parts: &[Part<'_>], rows: &Rows) -> ArrayRef {
    let moment = |(part, row): &(usize, usize)| parts.get(*part).and_then(|part| part.deleted_at(*row));
    timestamps(rows.places.iter().map(moment))
}

fn timestamps(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}
