//! Rows with their subrows in them, for tables whose objects and arrays are kept as structs and lists.

use std::error::Error;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};
use selvedge_core::nested::{Flat, Subrows, compose, decompose, schema};
use selvedge_core::{Change, Column, LoadError, Part, Subtable, SubtableLoad, TableLoad, TableState};

use crate::columns::Columns;
use crate::part;

/// The way of nested rows along a load.
#[derive(Debug)]
pub(crate) struct Nested<'a> {
    from: Option<&'a TableState>,
    rows: Columns,
    /// Of all subtables, those that are new among them.
    subrows: Vec<Columns>,
    columns: &'a [Column],
    subtables: Vec<Subtable>,
    schema: SchemaRef,
}

impl<'a> Nested<'a> {
    /// Follows the changes of a load. `None` if they do not lead from what stands to what is to be, or cannot be followed.
    pub(crate) fn along(from: Option<&'a TableState>, load: &'a TableLoad) -> Option<Self> {
        let along = |part: Part<'_>, changes: &[Change], columns: &[Column]| {
            let stored = from.map(|state| part::columns(state, part)).unwrap_or_default();
            Columns::along(&stored, changes, columns)
        };
        let subrows = |SubtableLoad { subtable, changes, .. }: &SubtableLoad| {
            along(Part::Subtable(&subtable.name), changes, &subtable.columns)
        };
        let subtables: Vec<_> = load.subtables.iter().map(|load| load.subtable.clone()).collect();
        Some(Self {
            from,
            rows: along(Part::Rows, &load.changes, &load.columns)?,
            subrows: load.subtables.iter().map(subrows).collect::<Option<_>>()?,
            columns: &load.columns,
            schema: schema(&load.columns, &subtables),
            subtables,
        })
    }

    /// The Arrow schema of the rows as they are to be.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns that rows without any subrows would have, then the subtables.
    pub(crate) fn shape(&self) -> (&'a [Column], &[Subtable]) {
        (self.columns, &self.subtables)
    }

    /// Whether stored rows differ from what they are to be.
    pub(crate) fn changes(&self) -> bool {
        self.rows.changes() || self.subrows.iter().any(Columns::changes)
    }

    /// The rows of the load.
    pub(crate) fn rows(&self, load: &TableLoad) -> Result<RecordBatch, LoadError> {
        compose(&Flat::from(load), self.columns, &self.subtables)
    }

    /// Stored rows as they are to be.
    pub(crate) fn apply(&self, stored: &RecordBatch) -> Result<RecordBatch, Box<dyn Error + Send + Sync>> {
        let Some(from) = self.from.filter(|_| self.changes()) else {
            return Ok(RecordBatch::try_new(self.schema.clone(), stored.columns().to_vec())?);
        };
        let Flat { rows, subrows } = decompose(stored, &from.columns, &from.subtables, &from.keys)?;
        let mut stored = subrows.into_iter();
        let subrows = |columns: &Columns| {
            let Subrows { rows, roots } = stored.next().unwrap_or_else(|| none(columns));
            Ok(Subrows { rows: columns.apply(&rows)?, roots })
        };
        let subrows = self.subrows.iter().map(subrows).collect::<Result<_, ArrowError>>()?;
        Ok(compose(&Flat { rows: self.rows.apply(&rows)?, subrows }, self.columns, &self.subtables)?)
    }
}

/// Of a subtable that is new.
fn none(columns: &Columns) -> Subrows {
    Subrows { rows: RecordBatch::new_empty(columns.schema().clone()), roots: UInt32Array::from(Vec::<u32>::new()) }
}

/// The rows of a part in nested rows of a table that stands so.
pub(crate) fn unnested(stored: &RecordBatch, state: &TableState, part: Part<'_>) -> Result<RecordBatch, LoadError> {
    let flat = decompose(stored, &state.columns, &state.subtables, &state.keys)?;
    Ok(match part {
        Part::Subtable(name) => {
            let subtables = state.subtables.iter().zip(flat.subrows);
            let found = subtables.into_iter().find(|(subtable, _)| subtable.name == name);
            found.map_or_else(|| flat.rows.slice(0, 0), |(_, subrows)| subrows.rows)
        }
        _ => flat.rows,
    })
}
