//! Merging the rows of a load into one stored file: first a plan from the keys and versions alone, then the rewriting.
//!
//! The plan costs little, because it reads only those columns, and it tells whether the file has to be rewritten at all and
//! how many rows it will have.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_row::{Row, Rows};
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::{LoadError, Outcome, system};

use crate::error::refused;
use crate::key::KeyOrder;
use crate::read::StoredRows;
use crate::write::FileWriter;

/// The rows of a load, ascending by key.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) rows: RecordBatch,
    keys: Rows,
    versions: Versions,
}

impl Incoming {
    /// Refuses rows that are not in order, because they would spoil the order of the files for good.
    pub(crate) fn new(rows: RecordBatch, order: &KeyOrder) -> Result<Self, LoadError> {
        let keys = order.rows(&rows)?;
        if keys.iter().zip(keys.iter().skip(1)).any(|(key, next)| key >= next) {
            return Err(refused(
                "the rows of the load are not in the order of their keys; report this as an error of selvedge",
            ));
        }
        Ok(Self { versions: Versions::of(&rows), keys, rows })
    }

    /// The first row at or after `from` whose key is greater than `key`.
    pub(crate) fn first_above(&self, key: Row<'_>, from: usize) -> usize {
        let (mut low, mut high) = (from, self.keys.num_rows());
        while low < high {
            let middle = low.midpoint(high);
            if self.keys.row(middle) > key {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// What decides between two rows of one key. A column the table does not have yet holds null.
#[derive(Debug)]
struct Versions {
    table_version: Option<Int64Array>,
    sequence: Option<Int64Array>,
}

impl Versions {
    fn of(rows: &RecordBatch) -> Self {
        let column =
            |name| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>()).cloned();
        Self { table_version: column(system::TABLE_VERSION), sequence: column(system::SEQUENCE) }
    }

    /// Ordered as rows win, because no value is less than any.
    fn at(&self, row: usize) -> (Option<i64>, Option<i64>) {
        let value = |column: &Option<Int64Array>| {
            column.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row))
        };
        (value(&self.table_version), value(&self.sequence))
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
        order: &KeyOrder,
    ) -> Result<Self, LoadError> {
        let mut plan = Self::default();
        let mut left = share;
        let mut base = 0;
        while !left.is_empty()
            && let Some(batch) = stored.next().transpose()?
        {
            plan.extend(base, &order.rows(&batch)?, &Versions::of(&batch), incoming, &mut left);
            base += batch.num_rows();
        }
        left.for_each(|row| plan.insert(base, row));
        Ok(plan)
    }

    /// The columns a plan has to know of a file.
    pub(crate) fn needs(column: &str, order: &KeyOrder) -> bool {
        column == system::TABLE_VERSION || column == system::SEQUENCE || order.names().iter().any(|key| key == column)
    }

    fn extend(&mut self, base: usize, keys: &Rows, versions: &Versions, incoming: &Incoming, left: &mut Range<usize>) {
        for (row, stored) in keys.iter().enumerate() {
            while left.start < left.end {
                match incoming.keys.row(left.start).cmp(&stored) {
                    Ordering::Less => self.insert(base + row, left.start),
                    Ordering::Equal if versions.at(row) > incoming.versions.at(left.start) => {
                        self.outcome.stale_rows += 1
                    }
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
