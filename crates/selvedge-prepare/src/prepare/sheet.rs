//! What comes to one table, the root or a subtable, before it is laid out as the table is.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use foldhash::fast::RandomState;
use selvedge_core::{ColumnType, Path};

use crate::prepare::digits;
use crate::records::{RecordColumn, Typing};

/// The rows of a table and all values they may hold.
pub(crate) struct Sheet<'s> {
    pub(crate) sources: &'s [Source<'s>],
    /// Of each part, the values without a column.
    pub(crate) extra: &'s [Option<&'s StringArray>],
    pub(crate) rows: &'s Rows,
}

/// Which rows of the parts come to the table, in their order.
#[derive(Default, Clone)]
pub(crate) struct Rows {
    /// (index of the part, index of the row in it).
    pub(crate) places: Vec<(usize, usize)>,
    /// How many rows of the parts are not among them.
    pub(crate) left_out: usize,
}

/// The values of one type at one path, in all parts of a load.
#[derive(Clone)]
pub(crate) struct Source<'p> {
    pub(crate) path: &'p Path,
    pub(crate) column_type: ColumnType,
    pub(crate) typing: Typing,
    /// Of each part; parts at the end may be missing.
    arrays: Vec<Option<&'p ArrayRef>>,
}

/// The sources of a table, from the columns that each part has for it.
pub(crate) fn sources<'p>(parts: impl IntoIterator<Item = &'p [RecordColumn]>) -> Vec<Source<'p>> {
    let mut sources: Vec<Source<'p>> = Vec::new();
    let mut known: HashMap<(&Path, ColumnType, bool), usize, RandomState> = HashMap::default();
    for (part, columns) in parts.into_iter().enumerate() {
        for RecordColumn { path, column_type, typing, values } in columns {
            let identity = (path, *column_type, *typing == Typing::Declared);
            let index = *known.entry(identity).or_insert_with(|| {
                sources.push(Source { path, column_type: *column_type, typing: *typing, arrays: Vec::new() });
                sources.len() - 1
            });
            if let Some(source) = sources.get_mut(index).filter(|_| *values.data_type() != DataType::Null) {
                source.arrays.resize(part, None);
                source.arrays.push(Some(values));
            }
        }
    }
    sources
}

impl<'p> Source<'p> {
    /// The values in a part, if it has any.
    pub(crate) fn array(&self, part: usize) -> Option<&'p ArrayRef> {
        self.arrays.get(part).copied().flatten()
    }

    /// Whether the rows hold a value of this.
    pub(crate) fn has_values(&self, rows: &Rows) -> bool {
        let values: usize = self.arrays.iter().flatten().map(|array| array.len() - array.null_count()).sum();
        let is_valid = |(part, row): &(usize, usize)| self.array(*part).is_some_and(|array| array.is_valid(*row));
        values > 0 && (values > rows.left_out || rows.places.iter().any(is_valid))
    }

    /// The most digits before the point of the values in these rows.
    pub(crate) fn digits(&self, rows: &Rows) -> u8 {
        let of_part = |array: &ArrayRef| digits::most(array, self.column_type);
        let of_row = |(part, row): &(usize, usize)| {
            self.array(*part).map_or(0, |array| digits::of_value(array, self.column_type, *row))
        };
        let most = match rows.left_out {
            0 => self.arrays.iter().copied().flatten().map(of_part).max(),
            _ => rows.places.iter().map(of_row).max(),
        };
        most.unwrap_or(0)
    }
}

impl Sheet<'_> {
    /// The values without a column that the parts bring for a row, as members of a JSON object.
    pub(crate) fn extra_members(&self, (part, row): (usize, usize)) -> Option<&str> {
        let members = self.extra.get(part).copied().flatten()?;
        members.is_valid(row).then(|| members.value(row))
    }
}
