//! What is left of a table once something is removed from it.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{RecordBatch, StringArray};
use selvedge_core::tombstone::key_texts;
use selvedge_core::{Counts, LoadError, TableState, rejected, system};

use super::merge::only;
use super::{Content, Table};

/// The table without the rows, subrows and tombstones of these keys; those of a keyless table are generated.
pub(super) fn without_keys(table: &Table, keys: &RecordBatch) -> Result<Table, LoadError> {
    let Table { state, content: Content { rows, subrows, tombstones }, rejects } = table;
    let names = match &state.keys[..] {
        [] => vec![system::PRIMARY_KEY.to_owned()],
        names => names.to_vec(),
    };
    let removed = key_texts(keys, &names)?;
    let removed: BTreeSet<_> = removed.iter().collect();
    let without = |rows: &RecordBatch, names: &[String]| {
        // A keyless table has no tombstones, and they have no such column.
        if rows.num_rows() == 0 {
            return Ok(rows.clone());
        }
        let texts = key_texts(rows, names)?;
        only(rows, |row| !removed.contains(&Some(texts.value(row))))
    };
    let subrows = state.subtables.iter().zip(subrows).map(|(subtable, rows)| {
        let source_keys: Vec<String> = subtable.source_keys().map(str::to_owned).collect();
        without(rows, &source_keys)
    });
    let content = Content {
        rows: without(rows, &names)?,
        subrows: subrows.collect::<Result<_, _>>()?,
        tombstones: without(tombstones, &names)?,
    };
    let counts = Counts { live_rows: content.rows.num_rows() as u64, ..state.counts };
    Ok(Table { state: TableState { counts, ..state.clone() }, content, rejects: rejects.clone() })
}

/// The table without the rejected records of these generated keys.
pub(super) fn without_rejects(table: &Table, keys: &StringArray) -> Result<Table, LoadError> {
    let removed: BTreeSet<_> = keys.iter().collect();
    let found = table.rejects.column_by_name(system::PRIMARY_KEY).and_then(|keys| keys.as_string_opt::<i32>());
    let stays = |row| found.is_none_or(|found| !removed.contains(&Some(found.value(row))));
    Ok(Table { rejects: only(&table.rejects, stays)?, ..table.clone() })
}

/// The table without the records that were rejected before a moment.
pub(super) fn without_rejects_before(table: &Table, moment: i64) -> Result<Table, LoadError> {
    let found = table.rejects.column_by_name(rejected::REJECTED_AT);
    let found = found.and_then(|moments| moments.as_primitive_opt::<TimestampMicrosecondType>());
    let stays = |row| found.is_none_or(|found| found.value(row) >= moment);
    Ok(Table { rejects: only(&table.rejects, stays)?, ..table.clone() })
}
