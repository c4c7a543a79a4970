//! Erasing all that is kept of one key, as when a person asks for it.

use std::thread;
use std::time::{Duration, Instant};

use arrow_array::StringArray;
use selvedge_core::{Destination, LoadError, Removal, TableName};
use selvedge_prepare::erased_body;
use selvedge_queue::{Queue, SealedBody};

use crate::error::{EngineError, EngineErrorKind};
use crate::record_key::RecordKey;

/// Checks that nothing of a table waits in the queue, where a key that is to be purged could be. What every destination has is
/// deleted from the queue some time after: that is waited for.
///
/// # Errors
/// [`Unusable`](EngineErrorKind::Unusable) when something does.
pub fn check_purgeable(queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
    let begun = Instant::now();
    while holds(queue, table)? {
        if waits(queue, table)? || begun.elapsed() > DELETING_TAKES {
            let message = format!(
                "records of {table} are in the queue, and the key may be among them: have every destination load them first \
                 (`selvedge table list` tells which do not), and do it again"
            );
            return Err(EngineError::new(EngineErrorKind::Unusable, message));
        }
        thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// So long is waited at most until the queue has deleted what every destination has.
const DELETING_TAKES: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

fn holds(queue: &dyn Queue, table: &TableName) -> Result<bool, EngineError> {
    Ok(queue.tables()?.iter().any(|bounds| bounds.table == *table && bounds.kept_records > 0))
}

/// Whether a destination lacks any of what the queue holds; without one, nothing is ever deleted.
fn waits(queue: &dyn Queue, table: &TableName) -> Result<bool, EngineError> {
    let destinations = queue.destinations()?;
    Ok(destinations.is_empty() || destinations.iter().any(|registered| registered.waiting.contains_key(table)))
}

/// Erases the records of a key, best one [of its table](RecordKey::of_table), from what the queue keeps for replay, and returns
/// how many it were. Nothing of what was deleted from the queue before is in its files afterwards either.
///
/// # Errors
/// When the queue cannot do it. What is done by then stays done.
pub fn purge_kept(queue: &dyn Queue, table: &TableName, key: &RecordKey) -> Result<u64, EngineError> {
    let mut erased = 0;
    for kept in queue.kept_for_replay(Some(table))? {
        let body = queue.body(kept.batch)?;
        let before = erased;
        let remaining = erased_body(&body, |_, record| {
            let is_erased = key.is_of(record);
            erased += u64::from(is_erased);
            is_erased
        })
        .map_err(EngineError::refused_stored)?;
        if erased > before {
            queue.replace_body(kept.batch, SealedBody::seal(&remaining))?;
        }
    }
    queue.wipe_deleted()?;
    Ok(erased)
}

/// Erases from a destination what stands under a key, its tombstone too, and the rejected records of these generated keys.
/// Returns how many rows it were: one or none.
///
/// # Errors
/// When the table has other keys, or the destination cannot do it.
pub fn purge(
    name: &str,
    destination: &mut dyn Destination,
    table: &TableName,
    key: &RecordKey,
    rejects: &[String],
) -> Result<u64, EngineError> {
    let unchanged = |cause: LoadError| EngineError::unchanged(format!("{table} in {name} was not purged"), cause);
    let Some(state) = destination.state(table).map_err(unchanged)? else { return Ok(0) };
    let before = state.counts.live_rows;
    let mut state =
        destination.remove(table, &state, Removal::Keys(&key.row(table, &state)?)).map_err(unchanged)?.unwrap_or(state);
    if !rejects.is_empty() {
        let ids = StringArray::from_iter_values(rejects);
        state = destination.remove(table, &state, Removal::Rejects(&ids)).map_err(unchanged)?.unwrap_or(state);
    }
    Ok(before.saturating_sub(state.counts.live_rows))
}
