//! The rows of a load, by the keys of the stored rows that give way to them.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use selvedge_core::{Age, Contestants, Key, LoadError, Subtable, SubtableLoad, system};

use crate::error::refused;
use crate::key::parse_keys;
use crate::manifest::DataFile;

/// Rows of a load, ascending by key. To the rows of a key, all stored rows of that key give way.
///
/// Of the table's own rows there is one for each key. Of a subtable's rows there are any number, also none: there, the key
/// is that of the row they belong to.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) rows: RecordBatch,
    keys: &'a Contestants,
    /// Where the rows of each key begin, and at last where they end.
    bounds: Vec<usize>,
    key: &'a Key,
    /// The subtable whose rows they are; `None` if they are the table's own.
    subtable: Option<&'a Subtable>,
}

/// The keys of stored rows.
#[derive(Debug)]
pub(crate) enum StoredKeys {
    Rows(Contestants),
    Subrows(Rows),
}

impl<'a> Incoming<'a> {
    /// The table's own rows. Refuses rows that are not in order, because they would spoil the order of the files for good.
    pub(crate) fn rows(rows: RecordBatch, keys: &'a Contestants, key: &'a Key) -> Result<Self, LoadError> {
        if (1..keys.len()).any(|row| keys.key(row - 1) >= keys.key(row)) {
            return Err(out_of_order());
        }
        Ok(Self { rows, keys, bounds: (0..=keys.len()).collect(), key, subtable: None })
    }

    /// The rows of a subtable that belong to written ones. Refuses those that are not in order, or belong to none.
    pub(crate) fn subrows(
        rows: RecordBatch,
        subtable: &'a Subtable,
        written: &'a Written<'_>,
    ) -> Result<Self, LoadError> {
        let Written { keys, key, .. } = written;
        let roots = key.roots(subtable, &rows)?;
        let mut bounds = vec![0];
        let mut end = 0;
        for root in (0..keys.len()).map(|at| keys.key(at)) {
            end = (end..roots.num_rows()).find(|row| roots.row(*row) != root).unwrap_or(roots.num_rows());
            bounds.push(end);
        }
        if end < roots.num_rows() || !ascend(&rows, &subtable.keys())? {
            return Err(out_of_order());
        }
        Ok(Self { rows, keys, bounds, key, subtable: Some(subtable) })
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, at: usize) -> Row<'_> {
        self.keys.key(at)
    }

    /// Whether a stored row of a key is newer than what came with it. Those of subtables never are: only what belongs to
    /// rows that were written comes at all.
    pub(crate) fn is_stale(&self, at: usize, stored: &StoredKeys, row: usize) -> bool {
        stored.age(row).is_some_and(|age| age > self.keys.age(at))
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
            None => StoredKeys::Rows(self.key.contestants(stored)?),
            Some(subtable) => StoredKeys::Subrows(self.key.roots(subtable, stored)?),
        })
    }

    /// The least and the greatest keys of files.
    pub(crate) fn ranges(&self, files: &[DataFile]) -> Result<(StoredKeys, StoredKeys), LoadError> {
        let ranges = || files.iter().filter_map(|file| file.keys.as_ref());
        let keys = |texts: Vec<_>| self.stored_keys(&parse_keys(&texts, &self.key_names(), self.rows.schema_ref())?);
        Ok((keys(ranges().map(|range| &range.first).collect())?, keys(ranges().map(|range| &range.last).collect())?))
    }

    /// The names of the columns that hold the key in stored rows.
    fn key_names(&self) -> Vec<String> {
        match self.subtable {
            None => self.key.names().to_vec(),
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

/// The rows of a load that are written, because no newer ones stood.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    mask: Vec<bool>,
    keys: Contestants,
    key: &'a Key,
}

impl<'a> Written<'a> {
    /// All of these rows but the stale ones.
    pub(crate) fn new(rows: &RecordBatch, stale: &[usize], key: &'a Key) -> Result<Self, LoadError> {
        let mut mask = vec![true; rows.num_rows()];
        for &row in stale {
            mask.get_mut(row).into_iter().for_each(|written| *written = false);
        }
        let keys = || {
            let names = key.names().iter().map(|name| rows.schema().index_of(name)).collect::<Result<Vec<_>, _>>()?;
            filter_record_batch(&rows.project(&names)?, &mask.clone().into())
        };
        let keys = key.contestants(&keys().map_err(unfit)?)?;
        Ok(Self { mask, keys, key })
    }

    /// The rows of a subtable that belong to them. Those that belong to no row at all are among these: their keys tell.
    pub(crate) fn subrows(&self, load: &SubtableLoad) -> Result<RecordBatch, LoadError> {
        load.written(|row| self.mask.get(row) != Some(&false)).map_err(unfit)
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

fn out_of_order() -> LoadError {
    refused("the rows of the load are not in the order of their keys; report this as an error of selvedge")
}

fn unfit(error: ArrowError) -> LoadError {
    refused("the rows of the load do not fit its columns; report this as an error of selvedge").with_source(error)
}
