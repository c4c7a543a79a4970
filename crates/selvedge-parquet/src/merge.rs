//! Merging the rows of a load into one stored file: first a plan from the keys and versions alone, then the rewriting.
//!
//! The plan costs little, because it reads only those columns, and it tells whether the file has to be rewritten at all and
//! how many rows it will have.

use std::cmp::Ordering;
use std::ops::Range;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::LoadError;

use crate::error::refused;
use crate::incoming::{Incoming, StoredKeys};
use crate::leaving::Leaving;
use crate::read::StoredRows;
use crate::write::FileWriter;

/// Rows brought together at a time.
const WOVEN_ROWS: usize = 8_192;

/// The keys of a load that concern a file.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    /// Those whose stored rows may be in the file.
    pub(crate) keys: Range<usize>,
    /// The first of them whose rows of the load go into this file; those of the one before went into the file before.
    pub(crate) inserted_from: usize,
}

/// What a load changes about a file.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Ascending.
    splices: Vec<Splice>,
    /// Keys of which the stored row is newer and stays.
    pub(crate) stale: Vec<usize>,
    /// How many rows came of keys that the file did not have.
    pub(crate) new_rows: u64,
    /// How many stored rows go without another in their place.
    pub(crate) removed_rows: u64,
}

/// Stored rows that give way to rows of the load. Either may be none.
#[derive(Debug)]
struct Splice {
    stored: Range<usize>,
    incoming: Range<usize>,
}

impl Plan {
    /// What the `share` of a load, and what is `leaving`, change about a stored file.
    pub(crate) fn new(
        stored: StoredRows<'_>,
        incoming: &Incoming<'_>,
        share: Share,
        leaving: &Leaving<'_>,
    ) -> Result<Self, LoadError> {
        let mut walk = Walk { incoming, left: share.keys, inserted_from: share.inserted_from, is_met: false };
        let mut plan = Self::default();
        let mut base = 0;
        for batch in stored {
            if walk.left.is_empty() && leaving.column().is_none() {
                return Ok(plan);
            }
            let batch = batch?;
            let keys = incoming.stored_keys(&batch)?;
            walk.along(&keys, leaving.staying(&batch).as_ref(), base, &mut plan);
            base += keys.len();
        }
        walk.end(base, &mut plan);
        Ok(plan)
    }

    /// Whether the file stays as it is.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.splices.is_empty()
    }

    /// How many stored rows go, for another or for none.
    pub(crate) fn removed(&self) -> u64 {
        self.splices.iter().map(|splice| splice.stored.len() as u64).sum()
    }

    /// How many rows come.
    pub(crate) fn added(&self) -> u64 {
        self.splices.iter().map(|splice| splice.incoming.len() as u64).sum()
    }

    /// Lets the file's row `at` go, which is above all that were decided on, unless it gives way anyway.
    fn remove(&mut self, at: usize) {
        match self.splices.last_mut() {
            Some(last) if last.stored.end > at => return,
            Some(last) if last.stored.end == at => last.stored.end = at + 1,
            _ => self.splices.push(Splice { stored: at..at + 1, incoming: 0..0 }),
        }
        self.removed_rows += 1;
    }

    /// Writes the stored rows with the plan's changes.
    pub(crate) fn rewrite(
        &self,
        stored: StoredRows<'_>,
        rows: &RecordBatch,
        files: &mut FileWriter<'_>,
    ) -> Result<(), LoadError> {
        let mut splices = self.splices.as_slice();
        // The first stored row of which nothing was decided yet.
        let mut from = 0;
        let mut base = 0;
        for batch in stored {
            let batch = batch?;
            let end = base + batch.num_rows();
            let (here, later) = splices.split_at(splices.partition_point(|splice| splice.stored.start < end));
            if here.is_empty() && from == base {
                files.write(&batch)?;
            } else {
                weave(&batch, base, from, here, rows, files)?;
            }
            from = here.last().map_or(from, |splice| splice.stored.end).max(end);
            (splices, base) = (later, end);
        }
        weave(&rows.slice(0, 0), base, base, splices, rows, files)
    }
}

/// A walk along the keys of a load and those of a file.
struct Walk<'a> {
    incoming: &'a Incoming<'a>,
    /// The keys of the load that are not done.
    left: Range<usize>,
    inserted_from: usize,
    /// Whether the first of them was found in the file.
    is_met: bool,
}

impl Walk<'_> {
    fn along(&mut self, stored: &StoredKeys, staying: Option<&BooleanArray>, base: usize, plan: &mut Plan) {
        for row in 0..stored.len() {
            while !self.left.is_empty() {
                match self.incoming.key(self.left.start).cmp(&stored.key(row)) {
                    Ordering::Less => self.pass(base + row, plan),
                    Ordering::Equal => {
                        self.meet(stored, row, base + row, plan);
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            if staying.is_some_and(|staying| !staying.value(row)) {
                plan.remove(base + row);
            }
        }
    }

    fn end(&mut self, at: usize, plan: &mut Plan) {
        while !self.left.is_empty() {
            self.pass(at, plan);
        }
    }

    /// Is done with a key: all stored rows from `at` on are greater.
    fn pass(&mut self, at: usize, plan: &mut Plan) {
        if !self.is_met {
            let incoming = self.rows();
            plan.new_rows += incoming.len() as u64;
            if !incoming.is_empty() {
                plan.splices.push(Splice { stored: at..at, incoming });
            }
        }
        self.left.start += 1;
        self.is_met = false;
    }

    /// Meets a stored row of the key, the file's row `at`. Others may follow it.
    fn meet(&mut self, stored: &StoredKeys, row: usize, at: usize, plan: &mut Plan) {
        if self.incoming.is_stale(self.left.start, stored, row) {
            plan.stale.push(self.left.start);
        } else if self.is_met {
            plan.splices.last_mut().into_iter().for_each(|splice| splice.stored.end = at + 1);
        } else {
            let incoming = self.rows();
            plan.removed_rows += u64::from(incoming.is_empty());
            plan.splices.push(Splice { stored: at..at + 1, incoming });
        }
        self.is_met = true;
    }

    /// What of the key goes into this file.
    fn rows(&self) -> Range<usize> {
        let key = self.left.start;
        self.incoming.rows_of(key.max(self.inserted_from)..(key + 1).max(self.inserted_from))
    }
}

/// Writes stored rows, of which the first is the file's row `base`, from the file's row `from` on, with the splices among
/// them.
fn weave(
    stored: &RecordBatch,
    base: usize,
    mut from: usize,
    splices: &[Splice],
    rows: &RecordBatch,
    files: &mut FileWriter<'_>,
) -> Result<(), LoadError> {
    const STORED: usize = 0;
    const INCOMING: usize = 1;
    let mut picks = Vec::with_capacity(stored.num_rows());
    for splice in splices {
        picks.extend((from..splice.stored.start).map(|row| (STORED, row - base)));
        picks.extend(splice.incoming.clone().map(|row| (INCOMING, row)));
        from = splice.stored.end;
    }
    picks.extend((from..base + stored.num_rows()).map(|row| (STORED, row - base)));
    for picks in picks.chunks(WOVEN_ROWS) {
        let woven = interleave_record_batch(&[stored, rows], picks)
            .map_err(|error| refused("rows cannot be merged; load them in smaller parts").with_source(error))?;
        files.write(&woven)?;
    }
    Ok(())
}
