//! From flat rows to nested ones.

use std::cmp::Ordering;
use std::iter;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, RecordBatch, RecordBatchOptions, StructArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, Field as ArrowField, Fields};
use arrow_select::take::take;

use super::layout::{Content, Field, Layout};
use super::{Flat, Standing, Subrows, unfit};
use crate::Subtable;

pub(super) fn compose(flat: &Flat, layout: &Layout<'_>) -> Result<RecordBatch, ArrowError> {
    layout.subtables.iter().try_for_each(|subtable| has_outer(subtable, layout.subtables))?;
    let nesting = Nesting { flat, layout };
    let roots = Scope { rows: &flat.rows, standing: Standing::of_roots(flat.rows.num_rows()) };
    let columns = layout.fields.iter().map(|field| nesting.values(&field.content, &roots)).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(flat.rows.num_rows()));
    RecordBatch::try_new_with_options(layout.schema(), columns, &options)
}

/// Without a row for each element of the array around it, an element could not be put into it.
fn has_outer(subtable: &Subtable, subtables: &[Subtable]) -> Result<(), ArrowError> {
    let outer = subtable.source.0.split_last().map_or(&[][..], |(_, outer)| outer);
    if outer.is_empty() || subtables.iter().any(|subtable| subtable.source.0 == outer) {
        return Ok(());
    }
    Err(unfit(format!("there is no subtable of the array around that of {}", subtable.name)))
}

/// Rows of one table, of which fields are made.
struct Scope<'f> {
    rows: &'f RecordBatch,
    standing: Standing,
}

struct Nesting<'f> {
    flat: &'f Flat,
    layout: &'f Layout<'f>,
}

impl Nesting<'_> {
    /// What a field holds, for each row of the scope.
    fn values(&self, content: &Content, scope: &Scope<'_>) -> Result<ArrayRef, ArrowError> {
        match content {
            Content::Scalar(at) => scope.rows.columns().get(*at).cloned().ok_or_else(|| unfit("a column is missing")),
            Content::Struct(fields) => {
                let (fields, arrays) = self.fields(fields, scope)?;
                let nulls = all_null(&arrays);
                Ok(Arc::new(StructArray::try_new(fields, arrays, nulls)?))
            }
            Content::List { subtable, element } => self.list(*subtable, element, scope),
        }
    }

    fn fields(&self, fields: &[Field], scope: &Scope<'_>) -> Result<(Fields, Vec<ArrayRef>), ArrowError> {
        let arrays: Vec<ArrayRef> =
            fields.iter().map(|field| self.values(&field.content, scope)).collect::<Result<_, _>>()?;
        let field = |(field, array): (&Field, &ArrayRef)| ArrowField::new(&field.name, array.data_type().clone(), true);
        Ok((fields.iter().zip(&arrays).map(field).collect(), arrays))
    }

    /// The list that each row of the scope has of the rows of a subtable.
    fn list(&self, subtable: usize, element: &Content, outer: &Scope<'_>) -> Result<ArrayRef, ArrowError> {
        let (Some(subrows), Some(subtable)) = (self.flat.subrows.get(subtable), self.layout.subtables.get(subtable))
        else {
            return Err(unfit("a subtable is missing"));
        };
        let scope = Scope { rows: &subrows.rows, standing: standing(subrows, subtable)? };
        let elements = self.elements(element, &scope)?;
        let (offsets, slots) = slots(&outer.standing, &scope.standing)?;
        let elements = if slots.null_count() == 0 { elements } else { take(&elements, &slots, None)? };
        let field = Arc::new(ArrowField::new_list_field(elements.data_type().clone(), true));
        let nulls: BooleanBuffer = offsets.lengths().map(|length| length > 0).collect();
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, Some(NullBuffer::new(nulls)))?))
    }

    /// What the elements hold that are the rows of the scope. One that is a struct is there also when nothing in it is.
    fn elements(&self, element: &Content, scope: &Scope<'_>) -> Result<ArrayRef, ArrowError> {
        let Content::Struct(fields) = element else { return self.values(element, scope) };
        let (fields, arrays) = self.fields(fields, scope)?;
        Ok(Arc::new(StructArray::try_new(fields, arrays, None)?))
    }
}

/// Marks as null where all arrays are.
fn all_null(arrays: &[ArrayRef]) -> Option<NullBuffer> {
    let mut valid: Option<BooleanBuffer> = None;
    for array in arrays {
        let nulls = array.nulls()?.inner();
        valid = Some(valid.map_or_else(|| nulls.clone(), |valid| &valid | nulls));
    }
    valid.map(NullBuffer::new)
}

fn standing(subrows: &Subrows, subtable: &Subtable) -> Result<Standing, ArrowError> {
    let level = |name: &str| subrows.rows.column_by_name(name)?.as_primitive_opt::<Int64Type>().cloned();
    let levels: Vec<Int64Array> = subtable.level_ids().map_while(level).collect();
    let fits = levels.len() == subtable.source.levels()
        && subrows.roots.len() == subrows.rows.num_rows()
        && levels.iter().all(|level| level.null_count() == 0);
    if fits {
        Ok(Standing { roots: subrows.roots.clone(), levels })
    } else {
        Err(unfit(format!("subtable {} does not tell where its rows stand", subtable.name)))
    }
}

/// Where the lists of the outer rows begin and end, and which inner row is in each place of them.
fn slots(outer: &Standing, inner: &Standing) -> Result<(OffsetBuffer<i32>, UInt32Array), ArrowError> {
    let positions = inner.levels.last().ok_or_else(|| unfit("a subtable is of no array"))?;
    let mut lengths = vec![0; outer.len()];
    let mut slots = Vec::with_capacity(inner.len());
    let mut owner = 0;
    for (row, position) in (0_u32..).zip(positions.values()) {
        owner = find(outer, owner, inner, row as usize).ok_or_else(|| unfit("a subrow belongs to no row"))?;
        let length = lengths.get_mut(owner).ok_or_else(|| unfit("a subrow belongs to no row"))?;
        let position = usize::try_from(*position).ok().filter(|position| position >= length);
        let position = position.ok_or_else(|| unfit("a subrow is not in order"))?;
        slots.extend(iter::repeat_n(None, position - *length).chain([Some(row)]));
        *length = position + 1;
    }
    let offsets = OffsetBuffer::try_from_lengths(lengths).map_err(|cause| unfit(cause.to_string()))?;
    Ok((offsets, slots.into()))
}

/// The outer row, from `owner` on, that an inner row belongs to.
fn find(outer: &Standing, owner: usize, inner: &Standing, row: usize) -> Option<usize> {
    let sought = || inner.place(row).take(1 + outer.levels.len());
    let order = |owner: &usize| outer.place(*owner).cmp(sought());
    let found = (owner..outer.len()).find(|owner| order(owner) != Ordering::Less)?;
    (order(&found) == Ordering::Equal).then_some(found)
}

impl Standing {
    /// The root's row, then the indices.
    fn place(&self, row: usize) -> impl Iterator<Item = i64> {
        let levels = self.levels.iter().map(move |level| level.value(row));
        iter::once(i64::from(self.roots.value(row))).chain(levels)
    }
}
