//! Defects in what becomes of subtables.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_schema::Field;
use arrow_select::filter::filter_record_batch;
use selvedge_core::{Change, Destination, LoadError, SubtableLoad, TableLoad, TableState, Value};

use super::Broken;
use crate::memory::{Merged, join, newest_stays, unfit};

pub(super) fn keeps_old_subrows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_with_subrows(broken, load, |load, stored, merged, _| {
        join(stored, load.written(|root| merged.is_written(root)))
    })
}

pub(super) fn writes_stale_subrows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_with_subrows(broken, load, |load, _, merged, sound| join(sound, load.written(|root| !merged.is_written(root))))
}

pub(super) fn replaces_all_subrows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_with_subrows(broken, load, |load, _, merged, _| load.written(|root| merged.is_written(root)).map_err(unfit))
}

pub(super) fn first_elements(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let mut load = load.clone();
    for SubtableLoad { subtable, rows, roots, .. } in &mut load.subtables {
        let ids = subtable.level_ids().last().and_then(|name| rows.column_by_name(name));
        let Some(ids) = ids.and_then(|ids| ids.as_primitive_opt::<Int64Type>()) else { continue };
        let first: BooleanArray = ids.iter().map(|id| Some(id == Some(0))).collect();
        *roots =
            roots.iter().zip(&first).filter(|(_, first)| *first == Some(true)).filter_map(|(root, _)| root).collect();
        *rows = filter_record_batch(rows, &first).map_err(unfit)?;
    }
    broken.memory.load(&load)
}

pub(super) fn fixed_subtables(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let mut load = load.clone();
    for SubtableLoad { rows, changes, .. } in &mut load.subtables {
        let is_new =
            |name: &str| changes.iter().any(|change| matches!(change, Change::AddColumn(new) if new.name == name));
        let fields = rows.schema();
        let value = |(field, values): (&Arc<Field>, &ArrayRef)| {
            if is_new(field.name()) { new_null_array(values.data_type(), values.len()) } else { Arc::clone(values) }
        };
        let values = fields.fields().iter().zip(rows.columns()).map(value).collect();
        *rows = RecordBatch::try_new(fields, values).map_err(unfit)?;
    }
    broken.memory.load(&load)
}

pub(super) fn first_key_alone(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_with_subrows(broken, load, |load, stored, merged, _| {
        let written = load.written(|root| merged.is_written(root)).map_err(unfit)?;
        let replaced: BTreeSet<_> = first_keys(load, &written).into_iter().collect();
        let stays: BooleanArray = first_keys(load, stored).iter().map(|key| Some(!replaced.contains(key))).collect();
        join(&filter_record_batch(stored, &stays).map_err(unfit)?, Ok(written))
    })
}

/// Of each subrow the first key of the row it belongs to.
fn first_keys(load: &SubtableLoad, subrows: &RecordBatch) -> Vec<Option<Value>> {
    let name = load.subtable.source_keys().next();
    let column = load.subtable.columns.iter().find(|column| Some(column.name.as_str()) == name);
    let Some((column, values)) = column.and_then(|it| Some((it, subrows.column_by_name(&it.name)?))) else {
        return vec![None; subrows.num_rows()];
    };
    (0..subrows.num_rows()).map(|row| Value::of(column.column_type, values, row)).collect()
}

/// Applies a load with `subrows` of each subtable, by its load, the rows that stand in it, what is merged, and the rows that a
/// sound destination would leave.
fn load_with_subrows(
    broken: &mut Broken,
    load: &TableLoad,
    subrows: impl Fn(&SubtableLoad, &RecordBatch, &Merged, &RecordBatch) -> Result<RecordBatch, LoadError>,
) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let mut merged = newest_stays(load, stored)?;
        let each = load.subtables.iter().zip(&stored.subrows).zip(&merged.content.subrows);
        let all = each.map(|((load, stored), sound)| subrows(load, stored, &merged, sound));
        merged.content.subrows = all.collect::<Result<_, _>>()?;
        Ok(merged)
    })
}
