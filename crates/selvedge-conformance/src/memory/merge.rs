//! What of a table that stands, and of a load, stays.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::{Age, Key, LoadError, Outcome, Subtable, TableLoad};

use super::{Content, unfit};

/// A table after a load, and what became of the rows of the load.
pub(crate) struct Merged {
    pub(crate) content: Content,
    /// Of each row of the load, whether it was written: nothing newer stood there.
    pub(crate) written: Vec<bool>,
    /// Of each of its deletes, whether it took effect.
    pub(crate) deleted: Vec<bool>,
    pub(crate) new_rows: u64,
    pub(crate) removed_rows: u64,
}

impl Merged {
    pub(crate) fn outcome(&self) -> Outcome {
        let stale = self.written.iter().chain(&self.deleted).filter(|took_effect| !**took_effect);
        Outcome { stale_rows: stale.count() as u64, new_rows: self.new_rows, removed_rows: self.removed_rows }
    }

    /// Whether a row of the load was written.
    pub(crate) fn is_written(&self, row: usize) -> bool {
        self.written.get(row) == Some(&true)
    }

    /// The same, beside rows that went before.
    pub(crate) fn after(self, removed_rows: u64) -> Self {
        Self { removed_rows: self.removed_rows + removed_rows, ..self }
    }
}

/// How rows, tombstones and deletes contend for a key.
pub(crate) struct Contest {
    /// What of them is looked at.
    pub(crate) seen: fn(&RecordBatch) -> Result<RecordBatch, LoadError>,
    /// Whether what stands stays in the face of what comes.
    pub(crate) stays: fn(Age, Age) -> bool,
}

impl Contest {
    /// The rule of the seam: the newer one stays, at a tie that of the load.
    pub(crate) const NEWEST: Self = Self { seen: |rows| Ok(rows.clone()), stays: |old, new| old > new };
}

/// What the seam asks for: of an activated version on, the newest of each key.
pub(crate) fn newest_stays(load: &TableLoad, stored: &Content) -> Result<Merged, LoadError> {
    let left = activated(load, stored, |age| age.is_below(load.active_version))?;
    let removed = stored.rows.num_rows() - left.rows.num_rows();
    Ok(merge(load, &left, &Contest::NEWEST)?.after(removed as u64))
}

/// What is left once a load has activated its version, if it does: without the rows and tombstones that go by their age.
pub(crate) fn activated(load: &TableLoad, stored: &Content, goes: impl Fn(Age) -> bool) -> Result<Content, LoadError> {
    if !load.activates() {
        return Ok(stored.clone());
    }
    let key = Key::of(load)?;
    let rows = key.contestants(&stored.rows)?;
    let gone = (0..rows.len()).filter(|row| goes(rows.age(*row))).map(|row| rows.key(row).data()).collect();
    let mut left = Content {
        rows: only(&stored.rows, |row| !goes(rows.age(row)))?,
        subrows: subrows_without(load, &stored.subrows, &gone)?,
        tombstones: stored.tombstones.clone(),
    };
    if !load.keys.is_empty() {
        let tombstones = key.contestants(&stored.tombstones)?;
        left.tombstones = only(&stored.tombstones, |row| !goes(tombstones.age(row)))?;
    }
    Ok(left)
}

/// What is newest under a key.
struct Newest {
    kind: Kind,
    age: Age,
    /// Where it comes from, and which it is there.
    at: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Row,
    Tombstone,
}

const STORED: usize = 0;
const LOADED: usize = 1;

/// One row or tombstone for each key, and the subrows of the rows; in a keyless table, every row.
pub(crate) fn merge(load: &TableLoad, stored: &Content, contest: &Contest) -> Result<Merged, LoadError> {
    if load.keys.is_empty() {
        return appended(load, stored);
    }
    let key = Key::of(load)?;
    let seen = |rows| key.contestants(&(contest.seen)(rows)?);
    let (old_rows, old_tombstones) = (seen(&stored.rows)?, seen(&stored.tombstones)?);
    let (new_rows, deletes) = (seen(&load.rows)?, seen(&load.deletes)?);

    let mut newest = BTreeMap::new();
    for (kind, all) in [(Kind::Row, &old_rows), (Kind::Tombstone, &old_tombstones)] {
        newest.extend(
            (0..all.len()).map(|row| (all.key(row).data(), Newest { kind, age: all.age(row), at: (STORED, row) })),
        );
    }
    let (mut written, mut deleted) = (Vec::new(), Vec::new());
    for (kind, all, took_effect) in [(Kind::Row, &new_rows, &mut written), (Kind::Tombstone, &deletes, &mut deleted)] {
        for row in 0..all.len() {
            let (key, newcomer) = (all.key(row).data(), Newest { kind, age: all.age(row), at: (LOADED, row) });
            let stays = newest.get(key).is_some_and(|stands| (contest.stays)(stands.age, newcomer.age));
            took_effect.push(!stays);
            if !stays {
                newest.insert(key, newcomer);
            }
        }
    }

    let is_removed = |row: &usize| newest.get(old_rows.key(*row).data()).is_some_and(|it| it.kind == Kind::Tombstone);
    let removed_rows = (0..old_rows.len()).filter(is_removed).count() as u64;
    let all_of = |kind| newest.values().filter(|it| it.kind == kind).map(|it| it.at).collect::<Vec<_>>();
    let (rows, tombstones) = (all_of(Kind::Row), all_of(Kind::Tombstone));
    let content = Content {
        rows: interleave_record_batch(&[&stored.rows, &load.rows], &rows).map_err(unfit)?,
        subrows: Vec::new(),
        tombstones: interleave_record_batch(&[&stored.tombstones, &load.deletes], &tombstones).map_err(unfit)?,
    };
    let new_rows = rows.len() as u64 + removed_rows - old_rows.len() as u64;
    let mut merged = Merged { content, written, deleted, new_rows, removed_rows };
    merged.content.subrows = replaced_subrows(load, stored, &merged)?;
    Ok(merged)
}

/// The rows of a keyless table, and their subrows, with those of the load.
fn appended(load: &TableLoad, stored: &Content) -> Result<Merged, LoadError> {
    let subrows = load.subtables.iter().zip(&stored.subrows);
    let content = Content {
        rows: join(&stored.rows, Ok(load.rows.clone()))?,
        subrows: subrows.map(|(load, stored)| join(stored, Ok(load.rows.clone()))).collect::<Result<_, _>>()?,
        tombstones: stored.tombstones.clone(),
    };
    let rows = load.rows.num_rows();
    Ok(Merged { content, written: vec![true; rows], deleted: Vec::new(), new_rows: rows as u64, removed_rows: 0 })
}

/// Of each subtable the rows that stand, but for those of roots that are written or deleted, and the rows of the former.
pub(crate) fn replaced_subrows(
    load: &TableLoad,
    stored: &Content,
    merged: &Merged,
) -> Result<Vec<RecordBatch>, LoadError> {
    let key = Key::of(load)?;
    let (rows, deletes) = (key.contestants(&load.rows)?, key.contestants(&load.deletes)?);
    let written = (0..rows.len()).filter(|row| merged.is_written(*row)).map(|row| rows.key(row).data());
    let deleted = (0..deletes.len()).filter(|row| merged.deleted.get(*row) == Some(&true));
    let replaced = written.chain(deleted.map(|row| deletes.key(row).data())).collect();
    let left = subrows_without(load, &stored.subrows, &replaced)?;
    let with_loaded = left.iter().zip(&load.subtables);
    with_loaded.map(|(left, load)| join(left, load.written(|row| merged.is_written(row)))).collect()
}

/// Of each subtable the rows that belong to none of these keys.
fn subrows_without(
    load: &TableLoad,
    subrows: &[RecordBatch],
    keys: &BTreeSet<&[u8]>,
) -> Result<Vec<RecordBatch>, LoadError> {
    let key = Key::of(load)?;
    let of_one = |subtable: &Subtable, subrows: &RecordBatch| {
        let roots = key.roots(subtable, subrows)?;
        only(subrows, |row| !keys.contains(roots.row(row).data()))
    };
    load.subtables.iter().zip(subrows).map(|(load, subrows)| of_one(&load.subtable, subrows)).collect()
}

/// Those of the rows that stay.
pub(crate) fn only(rows: &RecordBatch, stays: impl Fn(usize) -> bool) -> Result<RecordBatch, LoadError> {
    let stays: BooleanArray = (0..rows.num_rows()).map(|row| Some(stays(row))).collect();
    filter_record_batch(rows, &stays).map_err(unfit)
}

/// Rows that stand, and some of a load after them.
pub(crate) fn join(stand: &RecordBatch, loaded: Result<RecordBatch, ArrowError>) -> Result<RecordBatch, LoadError> {
    loaded.and_then(|loaded| concat_batches(&stand.schema(), [stand, &loaded])).map_err(unfit)
}
