//! Defects in what the rows hold and what their columns are called.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Field};
use arrow_select::interleave::interleave;
use selvedge_core::{Change, Column, Destination, Key, LoadError, TableLoad, TableState, schema};

use super::Broken;
use crate::memory::{newest_stays, rows, unfit};

/// Applies a load whose values are bent before.
fn load_bent(
    broken: &mut Broken,
    load: &TableLoad,
    bend: impl Fn(usize, &ArrayRef) -> ArrayRef,
) -> Result<TableState, LoadError> {
    let values = load.rows.columns().iter().enumerate().map(|(at, values)| bend(at, values)).collect();
    let rows = RecordBatch::try_new(load.rows.schema(), values).map_err(unfit)?;
    broken.memory.load(&TableLoad { rows, ..load.clone() })
}

pub(super) fn rounds_moments(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, values| match values.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(moments) => {
            let rounded = moments.unary::<_, TimestampMicrosecondType>(|micros| micros / 1_000 * 1_000);
            Arc::new(rounded.with_data_type(values.data_type().clone()))
        }
        None => Arc::clone(values),
    })
}

pub(super) fn cuts_at_nul(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let cut = |text: Option<&str>| text.and_then(|text| text.split('\0').next().map(str::to_owned));
    load_bent(broken, load, |_, values| match values.as_string_opt::<i32>() {
        Some(texts) => Arc::new(texts.iter().map(cut).collect::<StringArray>()),
        None => Arc::clone(values),
    })
}

pub(super) fn through_double(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |_, values| match values.as_primitive_opt::<Int64Type>() {
        Some(integers) => Arc::new(integers.unary::<_, Int64Type>(|integer| integer as f64 as i64)),
        None => Arc::clone(values),
    })
}

pub(super) fn narrow(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |at, values| match at {
        0..500 => Arc::clone(values),
        _ => new_null_array(values.data_type(), values.len()),
    })
}

pub(super) fn one_type_a_path(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_bent(broken, load, |at, values| {
        let path = load.columns.get(at).and_then(|column| column.path.as_ref());
        let is_first =
            path.is_none() || load.columns.iter().position(|column| column.path.as_ref() == path) == Some(at);
        if is_first { Arc::clone(values) } else { new_null_array(values.data_type(), values.len()) }
    })
}

pub(super) fn null_keeps_the_old(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let rows = rows(load)?;
        let key = Key::of(load)?;
        let (old, new) = (key.contestants(stored)?, key.contestants(&rows)?);
        let stands = |row| (0..old.len()).find(|before| old.key(*before) == new.key(row));
        let filled = |(old, new): (&ArrayRef, &ArrayRef)| {
            let pick = |row| stands(row).filter(|_| new.is_null(row)).map_or((1, row), |before| (0, before));
            interleave(&[old, new], &(0..new.len()).map(pick).collect::<Vec<_>>())
        };
        let values = stored.columns().iter().zip(rows.columns()).map(filled).collect::<Result<_, _>>();
        let rows = RecordBatch::try_new(rows.schema(), values.map_err(unfit)?).map_err(unfit)?;
        newest_stays(&TableLoad { rows, ..load.clone() }, stored)
    })
}

pub(super) fn fills_new_columns(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let is_new =
            |name: &str| load.changes.iter().any(|change| matches!(change, Change::AddColumn(c) if c.name == name));
        let schema = stored.schema();
        let value = |(field, values): (&Arc<Field>, &ArrayRef)| -> ArrayRef {
            if *field.data_type() == DataType::Utf8 && is_new(field.name()) {
                Arc::new(StringArray::from(vec![""; values.len()]))
            } else {
                Arc::clone(values)
            }
        };
        let values = schema.fields().iter().zip(stored.columns()).map(value).collect();
        newest_stays(load, &RecordBatch::try_new(schema, values).map_err(unfit)?)
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

fn load_renamed(broken: &mut Broken, load: &TableLoad, name: fn(&Column) -> String) -> Result<TableState, LoadError> {
    let renamed = |column: &Column| Column { name: name(column), ..column.clone() };
    let columns: Vec<Column> = load.columns.iter().map(renamed).collect();
    let changes = load.changes.iter().map(|change| match change {
        Change::CreateTable(columns) => Change::CreateTable(columns.iter().map(renamed).collect()),
        Change::AddColumn(column) => Change::AddColumn(renamed(column)),
        other => other.clone(),
    });
    let key = |key: &String| load.columns.iter().find(|column| column.name == *key).map_or_else(|| key.clone(), name);
    let rows = RecordBatch::try_new(schema(&columns), load.rows.columns().to_vec()).map_err(unfit)?;
    let changes = changes.collect();
    let keys = load.keys.iter().map(key).collect();
    broken.memory.load(&TableLoad { columns, changes, keys, rows, ..load.clone() })
}
