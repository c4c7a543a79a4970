//! From decoded batches of one table to one load.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use arrow_schema::ArrowError;
use selvedge_core::{Capabilities, Counts, Epoch, Position, QueueId, TableLoad, TableName, TableState, rejected};

use crate::dedupe::{self, Winners};
use crate::plan::plan;
use crate::records::Records;
use crate::shape::{Moment, shape};

/// A batch of a table that waits to be loaded.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Its number in the queue.
    pub batch: u64,
    /// The epoch of the queue in which it got that number.
    pub epoch: Epoch,
    /// When it was received, in microseconds since 1970 (UTC).
    pub received_at: i64,
    /// How many of its records an earlier load has applied already; less than it has.
    pub applied: u64,
    /// What it holds.
    pub records: Arc<Records>,
}

/// Prepares one load of `table` from `pending`, which is not empty, in the order of the queue, and of one set of keys.
///
/// The winner of each key is the record with the greatest (table version, sequence, position); a batch without a version
/// is below every version. `batched_at` is the present moment, in microseconds since 1970 (UTC). A table whose position is
/// of another queue is taken over: its rows and columns stay, its counts begin anew.
///
/// # Errors
/// When the table cannot take these batches until somebody acts; nothing is lost, they stay in the queue.
pub fn prepare(
    table: &TableName,
    planned_on: Option<&TableState>,
    queue: QueueId,
    pending: &[Pending],
    capabilities: &Capabilities,
    batched_at: i64,
) -> Result<TableLoad, Blocked> {
    let parts: Vec<Part> = pending.iter().map(Part::unapplied).collect();
    let plan = plan(planned_on, &parts)?;
    let Winners { rows, superseded } = dedupe::winners(&parts, capabilities.row_order)?;
    let rows = shape(&plan.columns, &parts, &rows, &Moment { queue, batched_at })?;
    let last = pending.last().ok_or_else(|| Blocked::new("there is nothing to load"))?;
    Ok(TableLoad {
        table: table.clone(),
        planned_on: planned_on.cloned(),
        changes: plan.changes,
        columns: plan.columns,
        keys: plan.keys,
        rows,
        subtables: Vec::new(),
        superseded,
        rejects: rejected::none(),
        counts: planned_on.map(|state| counts(state, queue)).unwrap_or_default(),
        to: Position { queue, epoch: last.epoch, batch: last.batch, record: last.records.len() as u64 },
    })
}

/// What the counts of a load from `queue` go on from. What became of another queue's records is not counted with its own;
/// the rows are there all the same.
fn counts(state: &TableState, queue: QueueId) -> Counts {
    if state.position.queue == queue {
        state.counts
    } else {
        Counts { live_rows: state.counts.live_rows, ..Counts::default() }
    }
}

/// The records of a batch that are still to be loaded.
pub(crate) struct Part {
    pub(crate) batch: u64,
    pub(crate) received_at: i64,
    /// The index in the batch of the first record here.
    pub(crate) first: u64,
    pub(crate) records: Records,
}

impl Part {
    fn unapplied(pending: &Pending) -> Self {
        let from = usize::try_from(pending.applied).unwrap_or(usize::MAX);
        let records = pending.records.after(from);
        Self { batch: pending.batch, received_at: pending.received_at, first: pending.applied, records }
    }
}

/// Why a table cannot be loaded until somebody acts.
#[derive(Debug)]
pub struct Blocked {
    reason: String,
    source: Option<ArrowError>,
}

impl Blocked {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Blocked {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<ArrowError> for Blocked {
    fn from(source: ArrowError) -> Self {
        Self {
            reason: "the records could not be put together; this is a defect of selvedge, please report it".to_owned(),
            source: Some(source),
        }
    }
}
