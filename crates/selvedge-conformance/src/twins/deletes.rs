//! Defects in what becomes of deletes.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use selvedge_core::{Destination, LoadError, TableLoad, TableState, system, tombstone};

use super::Broken;
use crate::memory::{Content, newest_stays, only, replaced_subrows, unfit};

pub(super) fn ignores_deletes(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load(&TableLoad { deletes: no_tombstones(load), ..load.clone() })
}

pub(super) fn deletes_win(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load(&TableLoad { deletes: newest_of_all(&load.deletes)?, ..load.clone() })
}

pub(super) fn forgets_tombstones(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_beside(broken, load, |_| Ok(no_tombstones(load)))
}

pub(super) fn tombstones_for_ever(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_beside(broken, load, newest_of_all)
}

pub(super) fn deletes_leave_subrows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let mut merged = newest_stays(load, stored)?;
        let deleted = std::mem::take(&mut merged.deleted);
        merged.content.subrows = replaced_subrows(load, stored, &merged)?;
        merged.deleted = deleted;
        Ok(merged)
    })
}

pub(super) fn counts_removed_rows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let mut merged = newest_stays(load, stored)?;
        merged.removed_rows = 0;
        Ok(merged)
    })
}

pub(super) fn hides_deleted_rows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let mut merged = newest_stays(load, stored)?;
        let rows = &mut merged.content.rows;
        if let Some(deleted_at) = rows.column_by_name(system::DELETED_AT).cloned() {
            *rows = only(rows, |row| deleted_at.is_null(row))?;
        }
        Ok(merged)
    })
}

/// Applies a load beside other tombstones than stand.
fn load_beside(
    broken: &mut Broken,
    load: &TableLoad,
    change: impl Fn(&RecordBatch) -> Result<RecordBatch, LoadError>,
) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        newest_stays(load, &Content { tombstones: change(&stored.tombstones)?, ..stored.clone() })
    })
}

fn no_tombstones(load: &TableLoad) -> RecordBatch {
    tombstone::none(&load.columns, &load.keys)
}

/// The same deletes with the greatest sequence there is.
fn newest_of_all(deletes: &RecordBatch) -> Result<RecordBatch, LoadError> {
    let fields = deletes.schema();
    let newest: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX; deletes.num_rows()]));
    let values = fields.fields().iter().zip(deletes.columns());
    let values = values
        .map(|(field, values)| if field.name() == system::SEQUENCE { Arc::clone(&newest) } else { Arc::clone(values) });
    RecordBatch::try_new(Arc::clone(&fields), values.collect()).map_err(unfit)
}
