//! From nested rows to flat ones.

use std::ops::Not;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::ArrowError;
use arrow_select::nullif::nullif;
use arrow_select::take::take;

use super::layout::{Content, Layout};
use super::{Flat, Standing, Subrows, unfit};
use crate::{Column, Subtable, schema, system};

pub(super) fn decompose(batch: &RecordBatch, layout: &Layout<'_>, keys: &[String]) -> Result<Flat, ArrowError> {
    let mut roots = Table::new(layout.columns, Standing::of_roots(batch.num_rows()));
    let none = || Standing { roots: UInt32Array::from_iter_values([]), levels: Vec::new() };
    let mut subtables: Vec<Table<'_>> =
        layout.subtables.iter().map(|subtable| Table::new(&subtable.columns, none())).collect();
    for field in &layout.fields {
        let Some(array) = batch.column_by_name(&field.name) else { continue };
        Part { array, nulls: None, content: &field.content }.put(&mut roots, &mut subtables)?;
    }
    let rows = roots.rows(|_| Ok(None))?;
    let subrows = subtables.into_iter().zip(layout.subtables);
    let subrows = subrows.map(|(table, subtable)| table.subrows(subtable, &rows, keys)).collect::<Result<_, _>>()?;
    Ok(Flat { rows, subrows })
}

/// A flat table while its columns are found.
struct Table<'t> {
    columns: &'t [Column],
    values: Vec<Option<ArrayRef>>,
    standing: Standing,
}

/// A part of the nested rows.
struct Part<'p> {
    array: &'p ArrayRef,
    /// Of the structs around it.
    nulls: Option<NullBuffer>,
    content: &'p Content,
}

impl Part<'_> {
    /// Puts what it holds into the table and its subtables.
    fn put(&self, table: &mut Table<'_>, subtables: &mut [Table<'_>]) -> Result<(), ArrowError> {
        match self.content {
            Content::Scalar(at) => {
                let column = table.values.get_mut(*at).ok_or_else(|| unfit("a column is missing"))?;
                *column = Some(self.values()?);
                Ok(())
            }
            Content::Struct(fields) => {
                let values = self.array.as_struct_opt().ok_or_else(|| unfit("a struct is none"))?;
                let nulls = self.nulls();
                for field in fields {
                    let Some(array) = values.column_by_name(&field.name) else { continue };
                    Part { array, nulls: nulls.clone(), content: &field.content }.put(table, subtables)?;
                }
                Ok(())
            }
            Content::List { subtable, element } => {
                let (elements, standing) = self.elements(element, &table.standing)?;
                let missing = || unfit("a subtable is missing");
                let columns = subtables.get(*subtable).ok_or_else(missing)?.columns;
                let mut inner = Table::new(columns, standing);
                Part { array: &elements, nulls: None, content: element }.put(&mut inner, subtables)?;
                *subtables.get_mut(*subtable).ok_or_else(missing)? = inner;
                Ok(())
            }
        }
    }

    fn nulls(&self) -> Option<NullBuffer> {
        NullBuffer::union(self.nulls.as_ref(), self.array.nulls())
    }

    /// The values, null where a struct around them is.
    fn values(&self) -> Result<ArrayRef, ArrowError> {
        match &self.nulls {
            Some(nulls) => nullif(self.array, &BooleanArray::new(nulls.inner().not(), None)),
            None => Ok(Arc::clone(self.array)),
        }
    }

    /// The elements of the lists one after another, and where they stand.
    fn elements(&self, element: &Content, outer: &Standing) -> Result<(ArrayRef, Standing), ArrowError> {
        let lists = self.array.as_list_opt::<i32>().ok_or_else(|| unfit("a list is none"))?;
        let (nulls, elements) = (self.nulls(), lists.values());
        let is_there = |slot: usize| !matches!(element, Content::Struct(_)) || elements.is_valid(slot);
        let (mut owners, mut slots, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        let mut end = lists.offsets().first() as usize;
        for (owner, length) in lists.offsets().lengths().enumerate() {
            let begin = end;
            end += length;
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(owner)) {
                continue;
            }
            for (position, slot) in (begin..end).enumerate().filter(|(_, slot)| is_there(*slot)) {
                owners.push(owner);
                slots.push(slot as u32);
                positions.push(position as i64);
            }
        }
        let mut levels: Vec<Int64Array> = outer.levels.iter().map(|level| picked(level, &owners)).collect();
        levels.push(positions.into());
        let roots = owners.iter().map(|owner| outer.roots.value(*owner)).collect::<Vec<_>>().into();
        Ok((take(elements, &UInt32Array::from(slots), None)?, Standing { roots, levels }))
    }
}

fn picked(level: &Int64Array, rows: &[usize]) -> Int64Array {
    rows.iter().map(|row| level.value(*row)).collect::<Vec<_>>().into()
}

impl<'t> Table<'t> {
    fn new(columns: &'t [Column], standing: Standing) -> Self {
        Self { columns, values: vec![None; columns.len()], standing }
    }

    /// The rows; a column that was not found is what `otherwise` makes of it, or null.
    fn rows(
        self,
        otherwise: impl Fn(&Column) -> Result<Option<ArrayRef>, ArrowError>,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = self.standing.len();
        let values = self.values.into_iter().zip(self.columns).map(|(found, column)| {
            let found = if found.is_some() { found } else { otherwise(column)? };
            Ok(found.unwrap_or_else(|| new_null_array(&column.column_type.arrow(), rows)))
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema(self.columns), values.collect::<Result<_, ArrowError>>()?, &options)
    }

    /// The rows as those of a subtable; its own columns are made from the rows of the root.
    fn subrows(self, subtable: &Subtable, root: &RecordBatch, keys: &[String]) -> Result<Subrows, ArrowError> {
        let Standing { roots, levels } = self.standing.clone();
        let generated = [system::PRIMARY_KEY.to_owned()];
        let keys = if keys.is_empty() { &generated } else { keys };
        let own = |column: &Column| {
            let level = subtable.level_ids().position(|name| name == column.name).and_then(|level| levels.get(level));
            if let Some(level) = level {
                return Ok(Some(Arc::new(level.clone()) as ArrayRef));
            }
            let key = subtable.source_keys().position(|name| name == column.name).and_then(|key| keys.get(key));
            let of_root =
                root.column_by_name(key.unwrap_or(&column.name)).filter(|_| !Subtable::is_of_elements(column));
            of_root.map(|of_root| take(of_root, &roots, None)).transpose()
        };
        Ok(Subrows { rows: self.rows(own)?, roots })
    }
}
