//! What is removed though no record came for that: by hand, a table, or keys or rejected records of one, thoroughly; and
//! rejected records that were kept long enough.

use std::time::Duration;

use arrow_array::RecordBatch;
use selvedge_core::{
    LoadError, Part, Removal, SubtableLoad, TableLoad, TableName, TableState, rejected, schema, tombstone,
};

use crate::Settings;
use crate::error::refused;
use crate::generation::{Generation, TableFolder};
use crate::leaving::Leaving;
use crate::load::advance;

/// Removes it from the table in `folder`, and returns the state it left.
pub(crate) fn remove(
    folder: &TableFolder,
    table: &TableName,
    found: &TableState,
    removal: Removal<'_>,
    settings: &Settings,
) -> Result<Option<TableState>, LoadError> {
    let load = nothing_new(table, found);
    match removal {
        Removal::Table => {
            load.check_planned_on(folder.current()?.map(|current| current.manifest.state).as_ref())?;
            folder.clear()?;
            Ok(None)
        }
        Removal::Keys(_) if found.keys.is_empty() => {
            Err(refused(format!("table {table} has no keys by which rows could be removed; remove the whole table")))
        }
        Removal::Keys(_) | Removal::Rejects(_) => {
            let state = advance(folder, &load, Some(removal), settings)?;
            // The generations before still hold what was removed.
            let swept = folder.current().and_then(|current| folder.sweep(current.as_ref(), Duration::ZERO));
            swept.map_err(LoadError::possibly_applied)?;
            Ok(Some(state))
        }
        Removal::RejectsBefore(moment) => {
            let current = folder.current()?;
            load.check_planned_on(current.as_ref().map(|current| &current.manifest.state))?;
            if has_rejects_before(current.as_ref(), moment)? {
                return advance(folder, &load, Some(removal), settings).map(Some);
            }
            // A table that gets no loads keeps the generation of an earlier removal no longer than another one.
            folder.sweep(current.as_ref(), settings.keep_outdated)?;
            Ok(Some(found.clone()))
        }
        _ => Err(refused(format!("this version cannot remove that from table {table}; use a newer one"))),
    }
}

fn has_rejects_before(current: Option<&Generation>, moment: i64) -> Result<bool, LoadError> {
    let Some(current) = current else { return Ok(false) };
    let stored = current.part(Part::Rejects.into())?;
    let leaving = Leaving::RejectedBefore(moment);
    for file in stored.files {
        if leaving.may_be_in(&stored.folder.join(&file.name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A load that leaves the table as it was found.
fn nothing_new(table: &TableName, found: &TableState) -> TableLoad {
    let subtable = |subtable: &selvedge_core::Subtable| SubtableLoad {
        rows: RecordBatch::new_empty(schema(&subtable.columns)),
        subtable: subtable.clone(),
        changes: Vec::new(),
        roots: Vec::<u32>::new().into(),
    };
    TableLoad {
        table: table.clone(),
        planned_on: Some(found.clone()),
        changes: Vec::new(),
        columns: found.columns.clone(),
        keys: found.keys.clone(),
        rows: RecordBatch::new_empty(schema(&found.columns)),
        subtables: found.subtables.iter().map(subtable).collect(),
        deletes: tombstone::none(&found.columns, &found.keys),
        active_version: found.active_version,
        activations: 0,
        superseded: 0,
        rejects: rejected::none(),
        counts: found.counts,
        to: found.position,
    }
}
