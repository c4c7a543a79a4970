//! Which of the rows that stand and those of a load stay.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::{Age, Contestants, Key, LoadError, Outcome, SubtableLoad, TableLoad};

use super::{Content, unfit};

/// A table after a load, and what became of the rows of the load.
pub(crate) struct Merged {
    pub(crate) content: Content,
    /// Of each, whether it was written: nothing newer stood there.
    pub(crate) written: Vec<bool>,
    pub(crate) new_rows: u64,
}

impl Merged {
    pub(crate) fn outcome(&self) -> Outcome {
        let stale = self.written.iter().filter(|written| !**written);
        Outcome { stale_rows: stale.count() as u64, new_rows: self.new_rows, removed_rows: 0 }
    }

    /// Whether a row of the load was written.
    pub(crate) fn is_written(&self, row: usize) -> bool {
        self.written.get(row) == Some(&true)
    }
}

/// The rule of the seam: the newer row of a key stays, at a tie the one of the load.
pub(crate) fn newest_stays(load: &TableLoad, stored: &Content) -> Result<Merged, LoadError> {
    let key = Key::of(load)?;
    let (old, new) = (key.contestants(&stored.rows)?, key.contestants(&load.rows)?);
    merge(load, stored, &old, &new, |old, new| old > new)
}

/// One row for each key, with its subrows; `stays` tells by the ages whether a stored row stays in the face of one of the load.
pub(crate) fn merge(
    load: &TableLoad,
    stored: &Content,
    old: &Contestants,
    new: &Contestants,
    stays: fn(Age, Age) -> bool,
) -> Result<Merged, LoadError> {
    const STORED: usize = 0;
    const LOADED: usize = 1;
    let mut of_key: BTreeMap<_, _> = (0..old.len()).map(|row| (old.key(row), (STORED, row))).collect();
    let mut written = vec![true; new.len()];
    let mut new_rows = 0;
    for (row, written) in written.iter_mut().enumerate() {
        match of_key.entry(new.key(row)) {
            Entry::Vacant(free) => {
                new_rows += 1;
                free.insert((LOADED, row));
            }
            Entry::Occupied(mut taken) => match *taken.get() {
                (STORED, before) if stays(old.age(before), new.age(row)) => *written = false,
                _ => drop(taken.insert((LOADED, row))),
            },
        }
    }
    let rows_of_keys: Vec<(usize, usize)> = of_key.into_values().collect();
    let rows = interleave_record_batch(&[&stored.rows, &load.rows], &rows_of_keys).map_err(unfit)?;
    let mut merged = Merged { content: Content { rows, subrows: Vec::new() }, written, new_rows };
    merged.content.subrows = subrows(load, stored, new, &merged)?;
    Ok(merged)
}

/// Of each subtable the rows that stand, but for those of roots that are written, and the rows of those.
fn subrows(
    load: &TableLoad,
    stored: &Content,
    new: &Contestants,
    merged: &Merged,
) -> Result<Vec<RecordBatch>, LoadError> {
    let key = Key::of(load)?;
    let is_written = |row| merged.is_written(row);
    let replaced: BTreeSet<_> = (0..new.len()).filter(|row| is_written(*row)).map(|row| new.key(row)).collect();
    let of_one = |(load, stored): (&SubtableLoad, &RecordBatch)| {
        let roots = key.roots(&load.subtable, stored)?;
        let stays: BooleanArray = roots.iter().map(|root| Some(!replaced.contains(&root))).collect();
        join(&filter_record_batch(stored, &stays).map_err(unfit)?, load.written(is_written))
    };
    load.subtables.iter().zip(&stored.subrows).map(of_one).collect()
}

/// Rows that stand, and some of a load after them.
pub(crate) fn join(stand: &RecordBatch, loaded: Result<RecordBatch, ArrowError>) -> Result<RecordBatch, LoadError> {
    loaded.and_then(|loaded| concat_batches(&stand.schema(), [stand, &loaded])).map_err(unfit)
}
