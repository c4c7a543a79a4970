//! Giving a table other keys: its rows become batches again, which are loaded under the new ones.

mod data;
mod node;
mod shape;
mod under_way;

use std::hash::{DefaultHasher, Hash, Hasher};

use selvedge_core::{Counted, Inspect, LoadError, TableName, TableState, Value, logical_view_of};
use selvedge_prepare::{Schemas, decode_rejecting};
use selvedge_queue::{Queue, Stored};

use crate::error::{EngineError, EngineErrorKind};
use crate::rekey::shape::Shape;
use crate::rekey::under_way::{Stage, UnderWay};
use crate::source::{Reached, applied_of};

/// So many rows are held in memory at once.
const PORTION_ROWS: u64 = 100_000;

/// Puts the rows that a table has in its destinations, which come with their names, into the queue as batches with these
/// keys, with the sequences and table versions they have, and has the version that is active activated again. With
/// [`reset_table`](crate::reset_table) every destination is then made of them, and of what waits; [`requeued`] ends it.
///
/// From its first step to the last the table is paused, so that no engine changes what a step finds: done again after a
/// crash, it goes on where it was, and nothing is in the queue twice. Resuming the table meanwhile gives it up, and it
/// begins anew.
///
/// Rows that have nothing in one of the new keys come back as rejected records. Tombstones are of the old keys, and are not
/// carried over. Returns how many rows it were, in the destination that has the most.
///
/// # Errors
/// [`Refused`](EngineErrorKind::Refused), with nothing done, when a key is no property of the records, when what waits next
/// is of other keys, and while the table is being given others. Else when a destination cannot be read, or the queue cannot
/// take the batches.
pub fn requeue(
    queue: &dyn Queue,
    sources: &mut [(String, Box<dyn Inspect>)],
    table: &TableName,
    keys: &[String],
) -> Result<u64, EngineError> {
    let mut standing = Vec::new();
    for (name, source) in sources {
        if let Some(counted) = source.count(table).map_err(|cause| unreadable(table, name, cause))? {
            standing.push(Standing { name, source: source.as_mut(), counted });
        }
    }
    let under_way = match UnderWay::of(queue, table)? {
        Some(under_way) => under_way.check_keys(table, keys)?,
        None => {
            standing.iter().try_for_each(|standing| standing.check(queue, table, keys))?;
            UnderWay::begin(queue, table, keys)?
        }
    };
    if under_way.stage == Stage::Begun {
        standing.iter_mut().try_for_each(|standing| standing.put(queue, table, keys))?;
        under_way.reach(Stage::RowsQueued, queue, table)?;
    }
    Ok(standing.iter().map(|standing| standing.counted.rows).max().unwrap_or_default())
}

/// Ends what [`requeue`] began, once every destination is reset: the table goes on, unless it was paused before.
///
/// # Errors
/// When the queue cannot be read or written.
pub fn requeued(queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
    match UnderWay::of(queue, table)? {
        Some(under_way) => under_way.end(queue, table),
        None => Ok(()),
    }
}

/// The table as it stands in a destination.
struct Standing<'s> {
    name: &'s str,
    source: &'s mut dyn Inspect,
    counted: Counted,
}

impl Standing<'_> {
    /// Checks that the table can be given these keys, and that nothing stands in their way.
    fn check(&self, queue: &dyn Queue, table: &TableName, keys: &[String]) -> Result<(), EngineError> {
        let state = &self.counted.state;
        let shape = Shape::of(state, table, keys)?;
        let Some(Stored { batch, .. }) = next(queue, table, state)? else { return Ok(()) };
        let waiting = decode_rejecting(&queue.body(batch)?, &Schemas::new()).map_err(EngineError::refused_stored)?;
        if waiting.key_types() == shape.key_types() {
            return Ok(());
        }
        let message = format!(
            "batch {batch} of {table} waits for {}, and would be loaded before the rows that get the keys ({}), but its keys \
             are ({}), or of other types than the table has for them: have it loaded first, or give the table its keys",
            self.name,
            keys.join(", "),
            waiting.keys.join(", ")
        );
        Err(EngineError::new(EngineErrorKind::Refused, message))
    }

    fn put(&mut self, queue: &dyn Queue, table: &TableName, keys: &[String]) -> Result<(), EngineError> {
        let Counted { state, rows } = &self.counted;
        let shape = Shape::of(state, table, keys)?;
        let portions = rows.div_ceil(PORTION_ROWS).max(1);
        for portion in 0..portions {
            let is_wanted = |key: &[Value]| hash(key) % portions == portion;
            let view = logical_view_of(self.source, table, is_wanted);
            let view = view.map_err(|cause| unreadable(table, self.name, cause))?.unwrap_or_default();
            // Sent again by a run that was cut short, or by another destination: the body tells that it is there.
            queue.append(shape.batches(table, view.rows.values()))?;
        }
        if let Some(version) = state.active_version {
            queue.append(vec![shape.activation(table, version)])?;
        }
        Ok(())
    }
}

/// The first batch that a destination lacks of a table.
fn next(queue: &dyn Queue, table: &TableName, state: &TableState) -> Result<Option<Stored>, EngineError> {
    let position = &state.position;
    let is_own = position.queue == queue.id();
    let reached = if is_own { Reached { batch: position.batch, record: position.record } } else { Reached::NOTHING };
    // A load may have ended within a batch.
    let stored = queue.read(table, reached.batch.saturating_sub(1), usize::MAX)?;
    Ok(stored.into_iter().find(|batch| applied_of(batch, reached) < batch.records))
}

fn hash(key: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

fn unreadable(table: &TableName, name: &str, cause: LoadError) -> EngineError {
    EngineError::unchanged(format!("{table} in {name} cannot be read"), cause)
}
