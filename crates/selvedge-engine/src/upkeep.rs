//! What is done to a table by hand, while no engine runs on its queue: begin it anew, drop it.

use selvedge_core::{Destination, Removal, TableName};
use selvedge_queue::Queue;

use crate::error::EngineError;
use crate::intake::now;

/// Begins a table anew in one destination, which the queue knows as `name`: everything of it is removed there, and the next
/// engine makes it of what the queue still holds, with the keys of those batches, if they are others. What was loaded and
/// deleted from the queue has to be sent again.
///
/// A crash in between leaves a table that is paused as lost; resetting it again mends that.
///
/// # Errors
/// When the destination or the queue cannot do it. What is done by then stays done.
pub fn reset_table(
    queue: &dyn Queue,
    name: &str,
    destination: &mut dyn Destination,
    table: &TableName,
) -> Result<(), EngineError> {
    remove_table(name, destination, table)?;
    queue.restart_table(name, table, now())?;
    Ok(queue.forget_repeats(table)?)
}

/// Removes a table from these destinations, by their names, and everything the queue holds of it: what waits is given up, and so
/// is what is kept for replay. A batch that is pushed for it later makes it anew.
///
/// # Errors
/// As [`reset_table`].
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
