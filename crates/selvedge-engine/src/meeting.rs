//! Whether a table's state in a destination and the queue belong together.

use selvedge_core::{QueueId, TableName, TableState};

/// A queue and a table of a destination that meet for the first time since the engine was started.
pub(crate) struct Meeting<'m> {
    pub(crate) destination: &'m str,
    pub(crate) table: &'m TableName,
    pub(crate) queue: QueueId,
    /// The newest batch of the table that the queue had deleted when the engine was started.
    pub(crate) deleted_to: u64,
    /// The newest batch of the table then.
    pub(crate) newest: u64,
}

impl Meeting<'_> {
    /// Checks that nothing would be skipped. Batches after `since` were kept for the destination.
    pub(crate) fn check(&self, state: Option<&TableState>, since: u64) -> Result<(), String> {
        let Self { destination, table, queue, deleted_to, newest } = self;
        let Some(TableState { position, .. }) = state else {
            if *deleted_to <= since {
                return Ok(());
            }
            return Err(format!(
                "{destination} knows nothing of {table}, but queue {queue} loaded it there up to batch {deleted_to} and has \
                 deleted those batches: the destination was removed or restored. Bring it back, or send the data again \
                 through a new queue folder"
            ));
        };
        let batch = position.batch;
        if position.queue != *queue {
            return Err(format!(
                "{table} in {destination} was loaded from queue {}, and this is queue {queue}. Use the folder of that queue, \
                 or load into another destination",
                position.queue
            ));
        }
        if batch > *newest {
            return Err(format!(
                "{table} in {destination} is at batch {batch}, but queue {queue} ended at batch {newest} of it: an older copy \
                 of the queue was restored. Bring the newer one back, or load into another destination"
            ));
        }
        if batch < *deleted_to {
            return Err(format!(
                "{table} in {destination} is at batch {batch}, but queue {queue} has deleted its batches up to {deleted_to}: \
                 an older copy of the destination was restored. Bring the newer one back, or load into another destination"
            ));
        }
        Ok(())
    }
}
