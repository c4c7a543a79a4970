//! The rows of a table, laid out as it is.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::DataType;
use arrow_select::interleave::interleave;
use selvedge_core::{Change, Column, ColumnType, schema, system};

use crate::prepare::Blocked;
use crate::prepare::convert::convert;
use crate::prepare::digits;
use crate::prepare::extra::extra;
use crate::prepare::placement::{Placement, Rules, place};
use crate::prepare::plan::changes;
use crate::prepare::sheet::{Sheet, Source};

/// A table as a load leaves it, and what is loaded into it.
pub(crate) struct Shaped {
    /// Those it had, then the new ones.
    pub(crate) columns: Vec<Column>,
    pub(crate) changes: Vec<Change>,
    pub(crate) rows: RecordBatch,
}

/// One of selvedge's own columns.
pub(crate) struct Own {
    pub(crate) column: Column,
    /// As long as the rows.
    pub(crate) values: ArrayRef,
}

impl Own {
    pub(crate) fn new(name: impl Into<String>, column_type: ColumnType, values: ArrayRef) -> Self {
        Self { column: Column::new(name, None, column_type), values }
    }
}

/// Lays out what comes to a table, which has the columns `known` if it stands. `own` are those of selvedge's own that have
/// values.
pub(crate) fn shape(
    known: Option<&[Column]>,
    sheet: &Sheet<'_>,
    rules: &Rules<'_>,
    mut own: Vec<Own>,
) -> Result<Shaped, Blocked> {
    let Placement { mut columns, fed_by, overflow } =
        place(known.unwrap_or_default(), sheet.sources, sheet.rows, rules)?;
    let extra = extra(sheet, &overflow);
    own.extend(extra.map(|extra| Own::new(system::EXTRA, ColumnType::Json, Arc::new(extra))));
    for Own { column, .. } in &own {
        if !columns.iter().any(|standing| standing.is_like(column)) {
            columns.push(column.clone());
        }
    }
    let mut values = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter_mut().enumerate() {
        let arrow = column.column_type.arrow();
        if column.path.is_some() {
            let sources: Vec<&Source<'_>> =
                fed_by.get(index).into_iter().flatten().filter_map(|source| sheet.sources.get(*source)).collect();
            let array = gathered(column.column_type, &sources, &sheet.rows.places)?;
            column.digits = digits_after(column, &array);
            values.push(array);
        } else {
            let own = own.iter().find(|own| own.column.is_like(column)).map(|own| Arc::clone(&own.values));
            values.push(own.unwrap_or_else(|| new_null_array(&arrow, sheet.rows.places.len())));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(sheet.rows.places.len()));
    let rows = RecordBatch::try_new_with_options(schema(&columns), values, &options)?;
    Ok(Shaped { changes: changes(known, &columns), columns, rows })
}

/// The most digits before the point of what is in a column once these values are loaded.
fn digits_after(column: &Column, values: &ArrayRef) -> u8 {
    match column.column_type {
        ColumnType::Integer | ColumnType::Decimal { .. } => column.digits.max(digits::most(values, column.column_type)),
        _ => 0,
    }
}

/// The values of the sources that go to one column. A row has a value of one of them at most.
fn gathered(column_type: ColumnType, sources: &[&Source<'_>], places: &[(usize, usize)]) -> Result<ArrayRef, Blocked> {
    let parts = places.iter().map(|(part, _)| part + 1).max().unwrap_or(0);
    let array =
        |source: &Source<'_>, part| source.array(part).map(|array| convert(array, source.column_type, column_type));
    match sources {
        [source] => gather(&column_type.arrow(), (0..parts).map(|part| array(source, part)).collect(), places),
        _ => {
            // The arrays of a part stand beside each other, and a row is taken from the one that has a value for it.
            let all = (0..parts).flat_map(|part| sources.iter().map(move |source| array(source, part)));
            let all: Vec<Option<ArrayRef>> = all.collect();
            let of_row = |(part, row): &(usize, usize)| {
                let first = part * sources.len();
                let arrays = all.get(first..first + sources.len()).unwrap_or_default();
                let has_value = |array: &Option<ArrayRef>| array.as_ref().is_some_and(|array| array.is_valid(*row));
                (first + arrays.iter().position(has_value).unwrap_or(0), *row)
            };
            let places: Vec<(usize, usize)> = places.iter().map(of_row).collect();
            gather(&column_type.arrow(), all, &places)
        }
    }
}

/// Values from these arrays, null where there is none.
pub(crate) fn gather(
    arrow: &DataType,
    arrays: Vec<Option<ArrayRef>>,
    places: &[(usize, usize)],
) -> Result<ArrayRef, Blocked> {
    if arrays.iter().all(Option::is_none) {
        return Ok(new_null_array(arrow, places.len()));
    }
    let nulls = arrays.iter().any(Option::is_none).then(|| {
        let longest = places.iter().map(|(_, row)| row + 1).max().unwrap_or(0);
        new_null_array(arrow, longest)
    });
    let arrays: Vec<&dyn Array> =
        arrays.iter().filter_map(|array| array.as_ref().or(nulls.as_ref())).map(AsRef::as_ref).collect();
    Ok(interleave(&arrays, places)?)
}
