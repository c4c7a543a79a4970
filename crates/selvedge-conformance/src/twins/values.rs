//! Defects in what the rows hold and what their columns are called.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow_select::interleave::interleave;
use selvedge_core::{
    Change, Column, ColumnType, Destination, Key, LoadError, Subtable, SubtableLoad, TableLoad, TableState, schema,
};

use super::Broken;
use crate::memory::{Content, newest_stays, unfit};

/// Applies a load whose values are bent before, those of subtables too.
fn load_bent(
    broken: &mut Broken,
    load: &TableLoad,
    bend: impl Fn(&[Column], usize, &ArrayRef) -> ArrayRef,
) -> Result<TableState, LoadError> {
    let bent = |columns: &[Column], rows: &RecordBatch| {
        let values = rows.columns().iter().enumerate().map(|(at, values)| bend(columns, at, values)).collect();
        RecordBatch::try_new(rows.schema(), values).map_err(unfit)
    };
    let mut load = TableLoad { rows: bent(&load.columns, &load.rows)?, ..load.clone() };
    for SubtableLoad { subtable, rows, .. } in &mut load.subtables {
        *rows = bent(&subtable.columns, rows)?;
    }
    broken.memory.load(&load)
}

pub(super) fn rounds_moments(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, _, values| match values.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(moments) => {
            let rounded = moments.unary::<_, TimestampMicrosecondType>(|micros| micros / 1_000 * 1_000);
            Arc::new(rounded.with_data_type(values.data_type().clone()))
        }
        None => Arc::clone(values),
    })
}

pub(super) fn cuts_at_nul(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let cut = |text: Option<&str>| text.and_then(|text| text.split('\0').next().map(str::to_owned));
    load_bent(broken, load, |_, _, values| match values.as_string_opt::<i32>() {
        Some(texts) => Arc::new(texts.iter().map(cut).collect::<StringArray>()),
        None => Arc::clone(values),
    })
}

pub(super) fn through_double(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, _, values| match values.as_primitive_opt::<Int64Type>() {
        Some(integers) => Arc::new(integers.unary::<_, Int64Type>(|integer| integer as f64 as i64)),
        None => Arc::clone(values),
    })
}

pub(super) fn whole_doubles(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, _, values| match values.as_primitive_opt::<Float64Type>() {
        Some(doubles) => Arc::new(doubles.unary::<_, Float64Type>(f64::trunc)),
        None => Arc::clone(values),
    })
}

pub(super) fn rounds_decimals(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |columns, at, values| rounded(columns.get(at), values))
}

/// Decimals as they come out of doubles.
fn rounded(column: Option<&Column>, values: &ArrayRef) -> ArrayRef {
    let through_double = |digits: &str| digits.parse::<f64>().map_or_else(|_| digits.to_owned(), |n| n.to_string());
    match column.map(|column| column.column_type) {
        Some(ColumnType::Decimal { .. }) => match values.as_primitive_opt::<Decimal128Type>() {
            Some(decimals) => {
                let rounded = decimals.unary::<_, Decimal128Type>(|decimal| decimal as f64 as i128);
                Arc::new(rounded.with_data_type(values.data_type().clone()))
            }
            None => Arc::clone(values),
        },
        Some(ColumnType::DecimalText) => match values.as_string_opt::<i32>() {
            Some(texts) => Arc::new(texts.iter().map(|digits| digits.map(through_double)).collect::<StringArray>()),
            None => Arc::clone(values),
        },
        _ => Arc::clone(values),
    }
}

pub(super) fn narrow(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, at, values| match at {
        0..500 => Arc::clone(values),
        _ => new_null_array(values.data_type(), values.len()),
    })
}

pub(super) fn one_type_a_path(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |columns, at, values| {
        let path = columns.get(at).and_then(|column| column.path.as_ref());
        let is_first = path.is_none() || columns.iter().position(|column| column.path.as_ref() == path) == Some(at);
        if is_first { Arc::clone(values) } else { new_null_array(values.data_type(), values.len()) }
    })
}

pub(super) fn null_keeps_the_old(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let rows = &load.rows;
        let key = Key::of(load)?;
        let (old, new) = (key.contestants(&stored.rows)?, key.contestants(rows)?);
        let stands = |row| (0..old.len()).find(|before| old.key(*before) == new.key(row));
        let filled = |(old, new): (&ArrayRef, &ArrayRef)| {
            let pick = |row| stands(row).filter(|_| new.is_null(row)).map_or((1, row), |before| (0, before));
            interleave(&[old, new], &(0..new.len()).map(pick).collect::<Vec<_>>())
        };
        let values = stored.rows.columns().iter().zip(rows.columns()).map(filled).collect::<Result<_, _>>();
        let rows = RecordBatch::try_new(rows.schema(), values.map_err(unfit)?).map_err(unfit)?;
        newest_stays(&TableLoad { rows, ..load.clone() }, stored)
    })
}

pub(super) fn fills_new_columns(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_beside_bent(broken, load, |changes, column, values| {
        let is_new = changes.iter().any(|change| matches!(change, Change::AddColumn(new) if new.name == column.name));
        if is_new && column.column_type == ColumnType::String {
            Arc::new(StringArray::from(vec![""; values.len()]))
        } else {
            Arc::clone(values)
        }
    })
}

pub(super) fn widens_through_double(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_beside_bent(broken, load, |changes, column, values| {
        let is_widened = |change: &Change| matches!(change, Change::WidenColumn(wider) if wider.name == column.name);
        if changes.iter().any(is_widened) { rounded(Some(column), values) } else { Arc::clone(values) }
    })
}

pub(super) fn forgets_renamed(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_beside_bent(broken, load, |changes, column, values| {
        let is_renamed = |change: &Change| matches!(change, Change::RenameColumn { to, .. } if *to == column.name);
        if changes.iter().any(is_renamed) {
            new_null_array(values.data_type(), values.len())
        } else {
            Arc::clone(values)
        }
    })
}

/// Applies a load beside rows, and subrows, that are bent when the columns change.
fn load_beside_bent(
    broken: &mut Broken,
    load: &TableLoad,
    bend: impl Fn(&[Change], &Column, &ArrayRef) -> ArrayRef,
) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let bent = |changes: &[Change], columns: &[Column], stored: &RecordBatch| {
            let values = columns.iter().zip(stored.columns()).map(|(column, values)| bend(changes, column, values));
            RecordBatch::try_new(stored.schema(), values.collect()).map_err(unfit)
        };
        let subrows = load
            .subtables
            .iter()
            .zip(&stored.subrows)
            .map(|(load, stored)| bent(&load.changes, &load.subtable.columns, stored));
        let rows = bent(&load.changes, &load.columns, &stored.rows)?;
        newest_stays(load, &Content { rows, subrows: subrows.collect::<Result<_, _>>()?, ..stored.clone() })
    })
}

pub(super) fn single_underscores(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_renamed(broken, load, |column| match column.path {
        Some(_) => column.name.replace("__", "_"),
        None => column.name.clone(),
    })
}

pub(super) fn lower_case(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_renamed(broken, load, |column| column.name.to_lowercase())
}

pub(super) fn short_names(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_renamed(broken, load, |column| column.name.chars().take(63).collect())
}

fn load_renamed(broken: &mut Broken, load: &TableLoad, name: fn(&Column) -> String) -> Result<TableState, LoadError> {
    let renamed = |column: &Column| Column { name: name(column), ..column.clone() };
    let all = |columns: &[Column]| columns.iter().map(renamed).collect::<Vec<_>>();
    let changes = |changes: &[Change]| {
        let changes = changes.iter().map(|change| match change {
            Change::CreateTable(columns) => Change::CreateTable(all(columns)),
            Change::AddColumn(column) => Change::AddColumn(renamed(column)),
            Change::WidenColumn(column) => Change::WidenColumn(renamed(column)),
            other => other.clone(),
        });
        changes.collect::<Vec<_>>()
    };
    let rows = |columns: &[Column], rows: &RecordBatch| {
        RecordBatch::try_new(schema(&all(columns)), rows.columns().to_vec()).map_err(unfit)
    };
    let subtable = |load: &SubtableLoad| {
        let columns = all(&load.subtable.columns);
        Ok(SubtableLoad {
            changes: changes(&load.changes),
            rows: rows(&load.subtable.columns, &load.rows)?,
            subtable: Subtable { columns, ..load.subtable.clone() },
            ..load.clone()
        })
    };
    let key = |key: &String| load.columns.iter().find(|column| column.name == *key).map_or_else(|| key.clone(), name);
    broken.memory.load(&TableLoad {
        columns: all(&load.columns),
        changes: changes(&load.changes),
        keys: load.keys.iter().map(key).collect(),
        rows: rows(&load.columns, &load.rows)?,
        subtables: load.subtables.iter().map(subtable).collect::<Result<_, LoadError>>()?,
        ..load.clone()
    })
}

/// Without the columns that no record of the load has a value for, unless they stand.
pub(super) fn drops_empty_columns(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let stands = |name: &str| load.planned_on.as_ref().is_some_and(|state| state.column(name).is_some());
    let is_kept = |(column, values): (&Column, &ArrayRef)| {
        column.path.is_none() || stands(&column.name) || values.null_count() < values.len()
    };
    let columns = load.columns.iter().zip(load.rows.columns());
    let kept: Vec<usize> = columns.enumerate().filter(|(_, column)| is_kept(*column)).map(|(at, _)| at).collect();
    let rows = load.rows.project(&kept).map_err(unfit)?;
    let columns: Vec<Column> = kept.iter().filter_map(|at| load.columns.get(*at)).cloned().collect();
    let is_kept = |column: &Column| columns.iter().any(|kept| kept.name == column.name);
    let changes = load.changes.iter().filter_map(|change| match change {
        Change::CreateTable(_) => Some(Change::CreateTable(columns.clone())),
        Change::AddColumn(column) if !is_kept(column) => None,
        other => Some(other.clone()),
    });
    let changes = changes.collect();
    broken.memory.load(&TableLoad { columns, changes, rows, ..load.clone() })
}
