//! Whether a table's state in a destination and the queue belong together.

use selvedge_core::{Epoch, Position, QueueId, TableName, TableState};

/// A queue and a table of a destination that meet for the first time since the engine was started.
pub(crate) struct Meeting<'m> {
    pub(crate) destination: &'m str,
    pub(crate) table: &'m TableName,
    pub(crate) queue: QueueId,
    pub(crate) of_other_queues: OfOtherQueues,
    /// Batches of the table after this one were kept for the destination.
    pub(crate) since: u64,
    /// The newest batch of the table that the queue had deleted when the engine was started.
    pub(crate) deleted_to: u64,
    /// The newest batch that the destination acknowledged, 0 if it did for none. A crash may have lost the last ones.
    pub(crate) acknowledged: u64,
    /// The newest batch of the queue then.
    pub(crate) newest: u64,
    /// The epoch in which the queue gave the number that the table is at, if it did.
    pub(crate) epoch: Option<Epoch>,
}

/// What becomes of tables that another queue loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfOtherQueues {
    /// They are left alone.
    Refused,
    /// They are taken over.
    Adopted,
}

impl Meeting<'_> {
    /// Checks that nothing would be skipped.
    pub(crate) fn check(&self, state: Option<&TableState>) -> Result<(), String> {
        match state.map(|state| &state.position) {
            None => self.check_missing(),
            Some(position) if position.queue != self.queue => self.check_other(position),
            Some(position) => self.check_own(position),
        }
    }

    /// Whether the queue has deleted batches it had to keep for the destination, which it does once the destination has
    /// acknowledged them.
    fn has_deleted(&self) -> bool {
        self.deleted_to > self.since
    }

    fn check_missing(&self) -> Result<(), String> {
        let Self { destination, table, queue, deleted_to, .. } = self;
        if !self.has_deleted() {
            return Ok(());
        }
        Err(format!(
            "{destination} knows nothing of {table}, but queue {queue} loaded it there up to batch {deleted_to} and has \
             deleted those batches: the destination was removed or restored. Bring it back; or remove {destination} from the \
             queue and add it again, to go on with what is still kept; or send the data again through a new queue folder"
        ))
    }

    fn check_other(&self, position: &Position) -> Result<(), String> {
        let Self { destination, table, queue, acknowledged, .. } = self;
        let other = position.queue;
        if *acknowledged > self.since {
            return Err(format!(
                "{table} in {destination} was loaded from queue {other}, and this is queue {queue}, which had loaded it up to \
                 batch {acknowledged}: the other queue took the table over, or an older copy of the destination was restored. \
                 Use the folder of that queue, or bring the newer copy back; or remove {destination} from this queue and add it \
                 again, which loads once more what is still kept, and adopt the table (`--adopt`)"
            ));
        }
        if self.of_other_queues == OfOtherQueues::Adopted {
            return Ok(());
        }
        Err(format!(
            "{table} in {destination} was loaded from queue {other}, and this is queue {queue}. Use the folder of that queue, \
             or load into another destination; or adopt the table (`--adopt`), which keeps its rows and makes it one of this \
             queue"
        ))
    }

    fn check_own(&self, position: &Position) -> Result<(), String> {
        self.check_given(position)?;
        self.check_kept(position)
    }

    /// Whether the table is at a batch of this copy of the queue.
    fn check_given(&self, position: &Position) -> Result<(), String> {
        let Self { destination, table, queue, newest, .. } = self;
        let batch = position.batch;
        let found = match self.epoch {
            Some(epoch) if epoch == position.epoch => return Ok(()),
            Some(_) => {
                format!(
                    "gave number {batch} to another batch: an older copy of the queue was restored and has gone on since"
                )
            }
            None => format!("ended at batch {newest}: an older copy of the queue was restored"),
        };
        Err(format!(
            "{table} in {destination} is at batch {batch} of queue {queue}, but this copy of the queue {found}. {}",
            self.after_a_restoration()
        ))
    }

    /// Whether the queue still holds what comes after.
    fn check_kept(&self, position: &Position) -> Result<(), String> {
        let Self { destination, table, queue, deleted_to, .. } = self;
        let batch = position.batch;
        if batch >= *deleted_to {
            return Ok(());
        }
        Err(format!(
            "{table} in {destination} is at batch {batch} of queue {queue}, which has deleted its batches up to {deleted_to}: an \
             older copy of the destination was restored, or it was removed from the queue for a time. {}",
            self.after_a_restoration()
        ))
    }

    /// What to do when an older copy of either side was restored.
    fn after_a_restoration(&self) -> String {
        format!(
            "Bring the newer one back; or begin a new queue folder, adopt the table there, and send again what was accepted \
             since the copy was made; or remove {} from the queue and add another destination",
            self.destination
        )
    }
}
