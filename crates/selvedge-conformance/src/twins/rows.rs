//! Defects in which rows stay.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use selvedge_core::{Destination, LoadError, TableLoad, TableState, rejected, system};

use super::Broken;
use crate::memory::{Contest, merge, newest_stays, unfit};

pub(super) fn inserts_only(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { stays: |_, _| true, ..Contest::NEWEST })
}

pub(super) fn last_load_wins(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { stays: |_, _| false, ..Contest::NEWEST })
}

pub(super) fn first_wins_ties(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { stays: |old, new| old >= new, ..Contest::NEWEST })
}

pub(super) fn ignores_versions(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { seen: unversioned, ..Contest::NEWEST })
}

pub(super) fn folds_case(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { seen: folded, ..Contest::NEWEST })
}

/// Applies a load in which keys are contended for in another way.
fn load_comparing(broken: &mut Broken, load: &TableLoad, contest: Contest) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| merge(load, stored, &contest))
}

pub(super) fn strips_quotes(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_comparing(broken, load, Contest { seen: stripped, ..Contest::NEWEST })
}

fn unversioned(rows: &RecordBatch) -> Result<RecordBatch, LoadError> {
    let fields = rows.schema();
    let others = fields.fields().iter().enumerate().filter(|(_, field)| field.name() != system::TABLE_VERSION);
    rows.project(&others.map(|(at, _)| at).collect::<Vec<_>>()).map_err(unfit)
}

fn folded(rows: &RecordBatch) -> Result<RecordBatch, LoadError> {
    with_texts(rows, str::to_lowercase)
}

fn stripped(rows: &RecordBatch) -> Result<RecordBatch, LoadError> {
    with_texts(rows, |text| text.replace(['"', '\\', ','], ""))
}

fn with_texts(rows: &RecordBatch, change: fn(&str) -> String) -> Result<RecordBatch, LoadError> {
    let changed = |values: &ArrayRef| -> ArrayRef {
        let Some(texts) = values.as_string_opt::<i32>() else { return Arc::clone(values) };
        Arc::new(texts.iter().map(|text| text.map(change)).collect::<StringArray>())
    };
    RecordBatch::try_new(rows.schema(), rows.columns().iter().map(changed).collect()).map_err(unfit)
}

pub(super) fn loses_a_row(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let mut merged = newest_stays(load, stored)?;
        let rows = &mut merged.content.rows;
        if load.keys.is_empty() && rows.num_rows() > 0 {
            *rows = rows.slice(1, rows.num_rows() - 1);
        }
        Ok(merged)
    })
}

pub(super) fn skips_empty_loads(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    match &load.planned_on {
        Some(state) if load.rows.num_rows() == 0 => Ok(state.clone()),
        _ => broken.memory.load(load),
    }
}

pub(super) fn drops_rejects(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load(&TableLoad { rejects: rejected::none(), ..load.clone() })
}
