//! What is removed by hand: a table, or keys or rejected records of one, thoroughly.

use std::time::Duration;

use arrow_array::RecordBatch;
use selvedge_core::{LoadError, Removal, SubtableLoad, TableLoad, TableName, TableState, rejected, schema, tombstone};

use crate::Settings;
use crate::error::refused;
use crate::generation::TableFolder;
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
        _ => Err(refused(format!("this version cannot remove that from table {table}; use a newer one"))),
    }
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
