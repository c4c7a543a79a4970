//! Merging the rows of a load into one stored file: first a plan from the keys and versions alone, then the rewriting.
//!
//! The plan costs little, because it reads only those columns, and it tells whether the file has to be rewritten at all and
//! how many rows it will have.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_row::Row;
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::{Contestants, Key, LoadError, Outcome, system};

use crate::error::refused;
use crate::read::StoredRows;
use crate::write::FileWriter;

/// The rows of a load, ascending by key.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) rows: RecordBatch,
    contestants: Contestants,
}

impl Incoming {
    /// Refuses rows that are not in order, because they would spoil the order of the files for good.
    pub(crate) fn new(rows: RecordBatch, key: &Key) -> Result<Self, LoadError> {
        let contestants = key.contestants(&rows)?;
        if (1..contestants.len()).any(|row| contestants.key(row - 1) >= contestants.key(row)) {
            return Err(refused(
                "the rows of the load are not in the order of their keys; report this as an error of selvedge",
            ));
        }
        Ok(Self { rows, contestants })
    }

    /// The first row at or after `from` whose key is greater than `key`.
    pub(crate) fn first_above(&self, key: Row<'_>, from: usize) -> usize {
        let (mut low, mut high) = (from, self.contestants.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.contestants.key(middle) > key {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// What a load changes about a file.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Ascending by `at`.
    edits: Vec<Edit>,
    pub(crate) outcome: Outcome,
}

/// A row of the load that goes into the file.
#[derive(Debug)]
struct Edit {
    /// The row of the file that is replaced, or before which the new row stands.
    at: usize,
    /// The row of the load.
    row: usize,
    replaces: bool,
}

impl Plan {
    /// What the rows `share` of the load change about a stored file.
    pub(crate) fn new(
        mut stored: StoredRows,
        incoming: &Incoming,
        share: Range<usize>,
        key: &Key,
    ) -> Result<Self, LoadError> {
        let mut plan = Self::default();
        let mut left = share;
        let mut base = 0;
        while !left.is_empty()
            && let Some(batch) = stored.next().transpose()?
        {
            plan.extend(base, &key.contestants(&batch)?, &incoming.contestants, &mut left);
            base += batch.num_rows();
        }
        left.for_each(|row| plan.insert(base, row));
        Ok(plan)
    }

    /// The columns a plan has to know of a file.
    pub(crate) fn needs(column: &str, key: &Key) -> bool {
        column == system::TABLE_VERSION || column == system::SEQUENCE || key.names().iter().any(|name| name == column)
    }

    fn extend(&mut self, base: usize, stored: &Contestants, incoming: &Contestants, left: &mut Range<usize>) {
        for row in 0..stored.len() {
            let key = stored.key(row);
            while left.start < left.end {
                match incoming.key(left.start).cmp(&key) {
                    Ordering::Less => self.insert(base + row, left.start),
                    Ordering::Equal if stored.age(row) > incoming.age(left.start) => self.outcome.stale_rows += 1,
                    Ordering::Equal => self.edits.push(Edit { at: base + row, row: left.start, replaces: true }),
                    Ordering::Greater => break,
                }
                left.start += 1;
            }
        }
    }

    fn insert(&mut self, at: usize, row: usize) {
        self.outcome.new_rows += 1;
        self.edits.push(Edit { at, row, replaces: false });
    }

    /// Whether the file stays as it is.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.edits.is_empty()
    }

    /// Writes the stored rows with the plan's edits.
    pub(crate) fn rewrite(
        self,
        stored: StoredRows,
        rows: &RecordBatch,
        files: &mut FileWriter<'_>,
    ) -> Result<(), LoadError> {
        let mut edits = self.edits.as_slice();
        let mut base = 0;
        for batch in stored {
            let batch = batch?;
            let end = base + batch.num_rows();
            let (here, later) = edits.split_at(edits.partition_point(|edit| edit.at < end));
            files.write(&weave(&batch, base, here, rows)?)?;
            (edits, base) = (later, end);
        }
        files.write(&weave(&rows.slice(0, 0), base, edits, rows)?)
    }
}

/// The stored rows, of which the first is the file's row `base`, with the edits among them.
fn weave(stored: &RecordBatch, base: usize, edits: &[Edit], rows: &RecordBatch) -> Result<RecordBatch, LoadError> {
    const STORED: usize = 0;
    const INCOMING: usize = 1;
    if edits.is_empty() {
        return Ok(stored.clone());
    }
    let mut picks = Vec::with_capacity(stored.num_rows() + edits.len());
    let mut from = 0;
    for edit in edits {
        let at = edit.at - base;
        picks.extend((from..at).map(|row| (STORED, row)));
        picks.push((INCOMING, edit.row));
        from = if edit.replaces { at + 1 } else { at };
    }
    picks.extend((from..stored.num_rows()).map(|row| (STORED, row)));
    interleave_record_batch(&[stored, rows], &picks)
        .map_err(|error| refused("rows cannot be merged; load them in smaller parts").with_source(error))
}
