//! What is done to a table by hand, while no engine runs on its queue: begin it anew, drop it.

use selvedge_core::{Destination, Removal, TableName};
use selvedge_queue::Queue;

use crate::error::EngineError;
use crate::intake::now;

/// Begins a table anew in one destination, which the queue knows as `name`: everything of it is removed there, and the next
/// engine makes it of what the queue still holds, with the keys of those batches, if they are others. What was loaded and
/// deleted from the queue has to be sent again.
///
/// A crash in between leaves the table as it was; resetting it again does all of it.
///
/// # Errors
/// When the destination or the queue cannot do it. Nothing is removed, then, unless the destination lost its answer; and
/// nothing is done at all when the queue knows no such table or destination.
pub fn reset_table(
    queue: &dyn Queue,
    name: &str,
    destination: &mut dyn Destination,
    table: &TableName,
) -> Result<(), EngineError> {
    // The removal comes last. Before the others, it would leave a table that counts as loaded up to where it was, so that
    // batches are deleted that it lacks.
    queue.restart_table(name, table, now())?;
    queue.forget_repeats(table)?;
    remove_table(name, destination, table)
}

/// Removes a table from these destinations, by their names, and everything the queue holds of it: what waits is given up,
/// and so is what is kept for replay. A batch that is pushed for it later makes it anew.
///
/// # Errors
/// When a destination or the queue cannot do it. What is done by then stays done; dropping it again does the rest.
pub fn drop_table(
    queue: &dyn Queue,
    destinations: &mut [(String, Box<dyn Destination>)],
    table: &TableName,
) -> Result<(), EngineError> {
    for (name, destination) in destinations {
        remove_table(name, destination.as_mut(), table)?;
    }
    let is_known = queue.tables()?.iter().any(|bounds| bounds.table == *table);
    if is_known { Ok(queue.drop_table(table, now())?) } else { Ok(()) }
}

fn remove_table(name: &str, destination: &mut dyn Destination, table: &TableName) -> Result<(), EngineError> {
    let unchanged = |cause| EngineError::unchanged(format!("{table} in {name} was not removed"), cause);
    match destination.state(table).map_err(unchanged)? {
        Some(state) => destination.remove(table, &state, Removal::Table).map(drop).map_err(unchanged),
        None => Ok(()),
    }
}
