//! One load: from the current generation of a table to the next.

use arrow_array::RecordBatch;
use selvedge_core::{Change, Column, LoadError, Outcome, TableLoad, TableState, rejected, schema};

use crate::Settings;
use crate::append::append;
use crate::draft::Draft;
use crate::error::refused;
use crate::generation::{Generation, TableFolder};
use crate::manifest::{DataFile, Manifest};
use crate::transition::Transition;
use crate::upsert::upsert;

/// Applies a load to the table in `folder`, and returns the state it left.
pub(crate) fn load(folder: &TableFolder, load: &TableLoad, settings: &Settings) -> Result<TableState, LoadError> {
    let before = folder.current()?;
    let found = before.as_ref().map(|generation| &generation.manifest.state);
    load.check_planned_on(found)?;
    check_shape(load, found)?;
    let rows = typed(load, &load.rows, &load.columns)?;
    let rejects = typed(load, &load.rejects, &rejected::columns())?;
    folder.sweep(settings.keep_outdated)?;
    let draft = Draft::after(before.as_ref(), folder)?;
    let (files, outcome) = write_rows(load, rows, &Transition::of_rows(before.as_ref(), &draft, load, settings)?)?;
    let rejects = write_rejects(&rejects, before.as_ref(), &draft, settings)?;
    let state = load.committed(outcome);
    draft.publish(&Manifest::new(state.clone(), files, rejects))?;
    Ok(state)
}

/// Refuses what stored files cannot follow. All other changes of a table show in its columns.
fn check_shape(load: &TableLoad, found: Option<&TableState>) -> Result<(), LoadError> {
    let known = |change: &Change| matches!(change, Change::CreateTable(_) | Change::AddColumn(_));
    let follows = |state: &TableState| state.keys == load.keys && load.columns.starts_with(&state.columns);
    if load.changes.iter().all(known) && found.is_none_or(follows) {
        return Ok(());
    }
    Err(refused(format!(
        "table {} is to change in a way Parquet files do not support; move its folder away and load it anew",
        load.table
    )))
}

fn typed(load: &TableLoad, rows: &RecordBatch, columns: &[Column]) -> Result<RecordBatch, LoadError> {
    RecordBatch::try_new(schema(columns), rows.columns().to_vec()).map_err(|error| {
        let table = &load.table;
        refused(format!(
            "the rows or rejects for table {table} do not fit their columns; report this as an error of selvedge"
        ))
        .with_source(error)
    })
}

fn write_rows(
    load: &TableLoad,
    rows: RecordBatch,
    transition: &Transition<'_>,
) -> Result<(Vec<DataFile>, Outcome), LoadError> {
    let (files, outcome) = if load.keys.is_empty() {
        let outcome = Outcome { stale_rows: 0, new_rows: rows.num_rows() as u64 };
        (append(&rows, transition)?, outcome)
    } else {
        upsert(load, rows, transition)?
    };
    if files.is_empty() {
        transition.empty_file()?;
    }
    Ok((files, outcome))
}

/// Rejects are kept as the rows of a keyless table are, but there is no trace of them before the first.
fn write_rejects(
    rejects: &RecordBatch,
    before: Option<&Generation>,
    draft: &Draft<'_>,
    settings: &Settings,
) -> Result<Vec<DataFile>, LoadError> {
    if rejects.num_rows() == 0 && before.is_none_or(|generation| generation.manifest.rejects.is_empty()) {
        return Ok(Vec::new());
    }
    append(rejects, &Transition::of_rejects(before, draft, settings)?)
}
