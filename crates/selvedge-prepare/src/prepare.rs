//! From decoded batches of one table to one load.

mod activations;
mod convert;
pub mod datetime_text;
mod decimal;
mod dedupe;
mod deletes;
mod digits;
mod elements;
mod extra;
pub(crate) mod generated_key;
mod keys;
pub(crate) mod names;
mod part;
mod placement;
mod plan;
pub(crate) mod policy;
pub(crate) mod record_text;
mod rejects;
mod root;
mod shape;
mod sheet;
mod subtables;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use arrow_schema::ArrowError;
use selvedge_core::{Capabilities, Counts, Epoch, Position, QueueId, TableLoad, TableName, TableState};

use crate::prepare::activations::{Activations, activations};
use crate::prepare::dedupe::Winners;
use crate::prepare::elements::layers;
use crate::prepare::part::Part;
use crate::prepare::policy::Policy;
use crate::prepare::root::root;
use crate::prepare::sheet::{Sheet, sources};
use crate::prepare::subtables::{Root, subtables};
use crate::records::Records;

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

impl Pending {
    /// The index of the first record that is still to be loaded.
    fn first(&self) -> usize {
        usize::try_from(self.applied).unwrap_or(usize::MAX).min(self.records.len())
    }
}

/// What a load is prepared for, and from where and when it comes.
#[derive(Debug, Clone, Copy)]
pub struct LoadContext<'c> {
    /// The table.
    pub table: &'c TableName,
    /// As it stands in the destination; `None` before its first load.
    pub planned_on: Option<&'c TableState>,
    /// How it may change.
    pub policy: Policy,
    /// What the destination wants.
    pub capabilities: &'c Capabilities,
    /// The queue the batches are of. A table whose position is of another queue is taken over: its rows and columns stay, its
    /// counts begin anew.
    pub queue: QueueId,
    /// The present moment, in microseconds since 1970 (UTC).
    pub batched_at: i64,
}

/// Prepares one load from `pending`, which is not empty, in the order of the queue, and of one set of keys.
///
/// The winner of each key is the record with the greatest (table version, sequence, position); a batch without a version
/// is below every version. Records below the version that is active once the load is applied are superseded, wherever the
/// message stands that activates it. Records that are rejected take no part. `body_of` gives the body of a batch by its number: it is
/// asked for those that hold rejected records, of which the load brings the text.
///
/// # Errors
/// When the table cannot take these batches until somebody acts, and when `body_of` fails. Nothing is lost, the batches stay
/// in the queue.
pub fn prepare<E: From<Blocked>>(
    context: &LoadContext<'_>,
    pending: &[Pending],
    body_of: impl FnMut(u64) -> Result<Vec<u8>, E>,
) -> Result<TableLoad, E> {
    let last = pending.last().ok_or_else(|| Blocked::new("there is nothing to load"))?;
    let mut parts: Vec<Part<'_>> = pending.iter().map(|pending| Part::new(pending, context.policy.loading)).collect();
    keys::check(context, &parts)?;
    let sources = sources(pending.iter().map(|pending| pending.records.columns.as_slice()));
    let layers = layers(&parts);
    rejects::reject(context, &mut parts, &sources, &layers);
    let rejects = rejects::rejects(&parts, context, body_of)?;

    let Activations { active_version, effective, ignored } = activations(context.planned_on, pending);
    let Winners { rows, deletes, superseded } = dedupe::winners(context, &parts, active_version)?;
    let extra: Vec<_> = pending.iter().map(|pending| pending.records.extra.as_ref()).collect();
    let root = root(context, &parts, &Sheet { sources: &sources, extra: &extra, rows: &rows })?;
    let keys = keys::names(&parts, &root.columns)?;
    let subtables = subtables(context, &layers, &Root { rows: &rows, shaped: &root, keys: &keys })?;
    Ok(TableLoad {
        table: context.table.clone(),
        planned_on: context.planned_on.cloned(),
        changes: root.changes,
        deletes: deletes::deletes(&parts, &deletes, &root.columns, &keys)?,
        columns: root.columns,
        keys,
        rows: root.rows,
        subtables,
        active_version,
        activations: effective,
        superseded: superseded + ignored.len() as u64,
        rejects,
        counts: context.planned_on.map(|state| counts(state, context.queue)).unwrap_or_default(),
        to: Position { queue: context.queue, epoch: last.epoch, batch: last.batch, record: last.records.len() as u64 },
    })
}

/// The versions whose activation has no effect because a greater one is active by then: in the table as it stands, or by what is
/// pending before. One for each message that would activate it.
pub fn ignored_activations(planned_on: Option<&TableState>, pending: &[Pending]) -> Vec<i64> {
    activations(planned_on, pending).ignored
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
