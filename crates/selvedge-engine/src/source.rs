//! Where a loader takes batches from: memory while they are there, else the queue.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use selvedge_core::{ArrayPath, TableName};
use selvedge_prepare::{Blocked, Elements, Pending, Records, Schemas, decode_rejecting};
use selvedge_queue::{Queue, QueueErrorKind, Stored};

use crate::backlog::Backlog;
use crate::error::with_causes;

/// The most batches of one load, for batches that are tiny.
const LOAD_BATCHES: usize = 10_000;
/// The most bytes of bodies in one load, whatever the budget: the offsets of Arrow's texts have 31 bits.
const LOAD_BODY_BYTES_MAX: u64 = 512 << 20;
/// What most values take in a row.
const CELL_BYTES: usize = 8;

/// The queue, with the decoded batches that are still in memory.
pub(crate) struct Source {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) backlog: Arc<Backlog>,
    /// What a load may take in memory: about half of it the decoded batches, the other half what is made of them.
    pub(crate) load_bytes: usize,
}

/// How far a table was loaded: all batches below `batch`, and of it the first `record` records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) batch: u64,
    pub(crate) record: u64,
}

impl Reached {
    pub(crate) const NOTHING: Self = Self { batch: 0, record: u64::MAX };
}

/// What an engine finds of a table that an earlier one did not load.
pub(crate) struct Left {
    pub(crate) records: u64,
    /// A batch number: all batches up to it are loaded.
    pub(crate) loaded_to: u64,
}

/// Why a table is not loaded now.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It may pass.
    PutOff(String),
    /// Somebody has to act.
    Pause(String),
    /// A row is in the way of others.
    BadRow(String),
}

impl Trouble {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::PutOff(reason) | Self::Pause(reason) | Self::BadRow(reason) => reason,
        }
    }
}

impl From<Blocked> for Trouble {
    fn from(blocked: Blocked) -> Self {
        Self::Pause(with_causes(&blocked))
    }
}

impl Source {
    /// The decoded batches of the next load: as many as fit, in the order of the queue, of one set of keys, and no more than hold
    /// `records_max` records.
    pub(crate) fn gather(
        &self,
        table: &TableName,
        reached: Reached,
        records_max: u64,
    ) -> Result<Vec<Pending>, Trouble> {
        let mut stored = self.read(table, reached.batch.saturating_sub(1))?;
        stored.retain(|batch| applied_of(batch, reached) < batch.records);
        let (mut bytes, mut records) = (0, 0);
        let chosen = stored.into_iter().take_while(|batch| {
            let fits = bytes == 0 || (bytes < LOAD_BODY_BYTES_MAX && records < records_max);
            bytes += batch.body_bytes;
            records += batch.records - applied_of(batch, reached);
            fits
        });
        let chosen: Vec<Stored> = chosen.collect();
        let mut left = chosen.as_slice();
        let decoded = |batch: &Stored| self.decoded(table, batch, applied_of(batch, reached));
        let mut pending = Vec::with_capacity(chosen.len());
        // A few at a time: how much memory a batch takes is known only when it is decoded.
        while !left.is_empty() {
            let (few, rest) = left.split_at(few(left, self.load_bytes as u64 / 4));
            left = rest;
            pending.extend(few.par_iter().map(decoded).collect::<Result<Vec<Pending>, Trouble>>()?);
            let together = loadable_together(&pending, self.load_bytes / 2);
            if together < pending.len() {
                pending.truncate(together);
                break;
            }
        }
        Ok(pending)
    }

    fn decoded(&self, table: &TableName, stored: &Stored, applied: u64) -> Result<Pending, Trouble> {
        let Stored { batch, epoch, received_at, .. } = *stored;
        let records = match self.backlog.cached(table, batch) {
            Some(records) => records,
            None => self.decode(batch)?,
        };
        Ok(Pending { batch, epoch, received_at, applied, until: stored.records, records })
    }

    fn decode(&self, batch: u64) -> Result<Arc<Records>, Trouble> {
        let body = self.body(batch)?;
        let records = decode_rejecting(&body, &self.schemas).map_err(|refusal| {
            Trouble::Pause(format!(
                "batch {batch} was accepted once but is refused now, at record {} and `{}`; it was accepted by another \
                 version of selvedge, use that one",
                refusal.record().unwrap_or_default(),
                refusal.pointer(),
            ))
        })?;
        Ok(Arc::new(records))
    }

    /// The body of a batch, as it was accepted.
    pub(crate) fn body(&self, batch: u64) -> Result<Vec<u8>, Trouble> {
        self.queue.body(batch).map_err(|error| match error.kind() {
            QueueErrorKind::Io => Trouble::PutOff(with_causes(&error)),
            _ => Trouble::Pause(with_causes(&error)),
        })
    }

    /// What is left to load of the batches up to `newest`. Those that are loaded are not looked at: they may be deleted at
    /// any moment.
    pub(crate) fn left(&self, table: &TableName, reached: Reached, newest: u64) -> Result<Left, Trouble> {
        let mut left = Left { records: 0, loaded_to: newest };
        let mut after = reached.batch.saturating_sub(1);
        loop {
            let mut stored = self.read(table, after)?;
            stored.retain(|batch| batch.batch <= newest);
            let Some(last) = stored.last() else { return Ok(left) };
            after = last.batch;
            stored.retain(|batch| applied_of(batch, reached) < batch.records);
            if let Some(first) = stored.first() {
                left.loaded_to = left.loaded_to.min(first.batch - 1);
            }
            left.records += stored.iter().map(|batch| batch.records - applied_of(batch, reached)).sum::<u64>();
        }
    }

    fn read(&self, table: &TableName, after: u64) -> Result<Vec<Stored>, Trouble> {
        self.queue.read(table, after, LOAD_BATCHES).map_err(|error| Trouble::PutOff(with_causes(&error)))
    }
}

/// How many of the batches, from the first on, are decoded side by side: as many as threads are busy with, of so many bytes of
/// bodies at most. At least one, unless there is none.
fn few(batches: &[Stored], body_bytes_max: u64) -> usize {
    let mut bytes = 0;
    let fits = |batch: &&Stored| {
        let fits = bytes == 0 || bytes + batch.body_bytes <= body_bytes_max;
        bytes += batch.body_bytes;
        fits
    };
    batches.iter().take(2 * rayon::current_num_threads()).take_while(fits).count()
}

/// How many of the batches, from the first on, make one load: of one set of keys, and not too large. At least one.
///
/// Neither they nor the rows that are made of them take more than so many bytes. A row is as wide as its table, however little its
/// record holds.
fn loadable_together(pending: &[Pending], bytes_max: usize) -> usize {
    let Some(first) = pending.first() else { return 0 };
    let keys = first.records.key_types();
    let mut rows = 0;
    let mut width = 0;
    let mut subtables = HashMap::new();
    let mut together = 0;
    let mut bytes = 0;
    for Pending { records, .. } in pending {
        rows += records.len();
        width = width.max(records.columns.len());
        records.arrays.iter().for_each(|elements| add_elements(&mut subtables, elements));
        let subtable_cells: usize = subtables.values().map(|(rows, width): &(usize, usize)| rows * width).sum();
        bytes += records.memory_bytes();
        let row_bytes = (rows * width + subtable_cells) * CELL_BYTES;
        if records.key_types() != keys || bytes.max(row_bytes) > bytes_max {
            break;
        }
        together += 1;
    }
    together.max(1)
}

/// Adds elements to the rows that come to each subtable; as the root, one is as wide as its widest batch.
fn add_elements<'p>(subtables: &mut HashMap<&'p ArrayPath, (usize, usize)>, elements: &'p Elements) {
    let (rows, width) = subtables.entry(&elements.source).or_default();
    *rows += elements.parents.len();
    *width = (*width).max(elements.columns.len() + elements.source.levels());
}

/// How many of a batch's records were applied by loads up to the place reached.
pub(crate) fn applied_of(batch: &Stored, reached: Reached) -> u64 {
    match batch.batch.cmp(&reached.batch) {
        Ordering::Less => batch.records,
        Ordering::Equal => batch.records.min(reached.record),
        Ordering::Greater => 0,
    }
}
