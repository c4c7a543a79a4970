//! The rows of a load, by the keys of the stored rows that give way to them.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::ArrowError;
use selvedge_core::{Age, Contestants, Key, LoadError, Subtable, system};

use crate::contenders::{Contenders, out_of_order, unfit};
use crate::key::parse_keys;
use crate::manifest::DataFile;

/// Rows of a load, ascending by key. To the rows of a key, all stored rows of that key give way.
///
/// Of the table's own rows, and of its tombstones, there is at most one for each key: to a key without one, what is stored
/// gives way all the same. Of a subtable's rows there are any number: there, the key is that of the row they belong to.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) rows: RecordBatch,
    contenders: &'a Contenders<'a>,
    /// Where the rows of each key begin, and at last where they end.
    bounds: Vec<usize>,
    /// The subtable whose rows they are; `None` if they are the table's own, or tombstones.
    subtable: Option<&'a Subtable>,
}

/// The keys of stored rows.
#[derive(Debug)]
pub(crate) enum StoredKeys {
    Rows(Contestants),
    Subrows(Rows),
}

impl<'a> Incoming<'a> {
    /// Those of the table's own rows, or of its tombstones, that the contenders bring. `all` are those of the load, which
    /// the contenders count from `first` on.
    pub(crate) fn brought(all: &RecordBatch, first: usize, contenders: &'a Contenders<'a>) -> Result<Self, LoadError> {
        let bounds = contenders.bounds(&(first..first + all.num_rows()));
        Ok(Self { rows: contenders.brought(all, first)?, contenders, bounds, subtable: None })
    }

    /// The rows of a subtable that belong to rows that are written. Refuses those that are not in order, or belong to none.
    pub(crate) fn subrows(
        rows: RecordBatch,
        subtable: &'a Subtable,
        written: &'a Contenders<'a>,
    ) -> Result<Self, LoadError> {
        let roots = written.table_key().roots(subtable, &rows)?;
        let mut bounds = vec![0];
        let mut end = 0;
        for root in (0..written.len()).map(|at| written.key(at)) {
            end = (end..roots.num_rows()).find(|row| roots.row(*row) != root).unwrap_or(roots.num_rows());
            bounds.push(end);
        }
        if end < roots.num_rows() || !ascend(&rows, &subtable.keys())? {
            return Err(out_of_order());
        }
        Ok(Self { rows, contenders: written, bounds, subtable: Some(subtable) })
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.contenders.len()
    }

    pub(crate) fn key(&self, at: usize) -> Row<'_> {
        self.contenders.key(at)
    }

    /// Whether a stored row of a key is newer than what came with it. Those of subtables never are: only what belongs to
    /// rows that were written comes at all.
    pub(crate) fn is_stale(&self, at: usize, stored: &StoredKeys, row: usize) -> bool {
        stored.age(row).is_some_and(|age| age > self.contenders.age(at))
    }

    /// The rows that came with these keys.
    pub(crate) fn rows_of(&self, keys: Range<usize>) -> Range<usize> {
        let bound = |at| self.bounds.get(at).copied().unwrap_or(self.rows.num_rows());
        bound(keys.start)..bound(keys.end)
    }

    /// The first key at or after `from` that is greater than `key`.
    pub(crate) fn first_above(&self, key: Row<'_>, from: usize) -> usize {
        let (mut low, mut high) = (from, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) > key {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The columns that tell how stored rows meet these.
    pub(crate) fn is_telling(&self, column: &str) -> bool {
        let is_key = self.key_names().iter().any(|name| name == column);
        is_key || self.subtable.is_none() && [system::TABLE_VERSION, system::SEQUENCE].contains(&column)
    }

    /// The keys of stored rows.
    pub(crate) fn stored_keys(&self, stored: &RecordBatch) -> Result<StoredKeys, LoadError> {
        Ok(match self.subtable {
            None => StoredKeys::Rows(self.table_key().contestants(stored)?),
            Some(subtable) => StoredKeys::Subrows(self.table_key().roots(subtable, stored)?),
        })
    }

    /// The least and the greatest keys of files.
    pub(crate) fn ranges(&self, files: &[DataFile]) -> Result<(StoredKeys, StoredKeys), LoadError> {
        let ranges = || files.iter().filter_map(|file| file.keys.as_ref());
        let keys = |texts: Vec<_>| self.stored_keys(&parse_keys(&texts, &self.key_names(), self.rows.schema_ref())?);
        Ok((keys(ranges().map(|range| &range.first).collect())?, keys(ranges().map(|range| &range.last).collect())?))
    }

    fn table_key(&self) -> &'a Key {
        self.contenders.table_key()
    }

    /// The names of the columns that hold the key in stored rows.
    fn key_names(&self) -> Vec<String> {
        match self.subtable {
            None => self.table_key().names().to_vec(),
            Some(subtable) => subtable.source_keys().map(str::to_owned).collect(),
        }
    }
}

impl StoredKeys {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Subrows(rows) => rows.num_rows(),
        }
    }

    pub(crate) fn key(&self, row: usize) -> Row<'_> {
        match self {
            Self::Rows(rows) => rows.key(row),
            Self::Subrows(rows) => rows.row(row),
        }
    }

    fn age(&self, row: usize) -> Option<Age> {
        match self {
            Self::Rows(rows) => Some(rows.age(row)),
            Self::Subrows(_) => None,
        }
    }
}

/// Whether rows are in the order of `keys`, no two alike.
fn ascend(rows: &RecordBatch, keys: &[String]) -> Result<bool, LoadError> {
    let keys = || {
        let columns = keys.iter().map(|key| Ok(rows.column(rows.schema().index_of(key)?).clone()));
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        RowConverter::new(fields)?.convert_columns(&columns)
    };
    let keys = keys().map_err(unfit)?;
    Ok((1..keys.num_rows()).all(|row| keys.row(row - 1) < keys.row(row)))
}
