//! Sending rejected records again, exactly once.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use selvedge_core::rejected::Rejected;
use selvedge_core::{QueueId, TableName};
use selvedge_prepare::{generated_key, replay_body};
use selvedge_queue::{Cursor, Queue, Repeats};

use crate::batch::Batch;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::receipt::Receipt;

impl Engine {
    /// Sends rejected records of one batch again, as they came: with their sequence, keys and table version, and with the
    /// batch's JSON Schema, or `schema` in its place, which speaks of the records as they were sent: what is excluded or
    /// hashed in the table is taken from it. Those that were replayed before are left out; `None` when that is all of them.
    /// Which were is committed together with the new batch, so no crash makes it twice.
    ///
    /// The rejected records stay where they are, in `_sdc_rejected`. One that is rejected again stands there once more, under
    /// its new batch.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when the queue does not keep the batch for replay, or no longer, or a record is
    /// still not acceptable: nothing is queued then. Otherwise as [`push`](Self::push).
    pub fn replay(
        &self,
        table: &TableName,
        batch: u64,
        records: &BTreeSet<u64>,
        schema: Option<&str>,
    ) -> Result<Option<Receipt>, EngineError> {
        // Two threads must not find the same records not replayed.
        let _one_at_a_time = self.replaying.lock().unwrap_or_else(PoisonError::into_inner);
        let replayed = replayed(&*self.queue, batch)?;
        let left: Vec<u64> = records.difference(&replayed).copied().collect();
        if left.is_empty() {
            return Ok(None);
        }
        // A batch of another table would go into this one.
        if self.queue.kept_for_replay(Some(table))?.iter().all(|kept| kept.batch != batch) {
            let message = format!(
                "batch {batch} of {table} is not kept for replay, or no longer; send its records again from their source"
            );
            return Err(EngineError::new(EngineErrorKind::Refused, message));
        }
        let body = self.queue.body(batch)?;
        let schema = schema.map(|schema| self.intake.redacted_schema(table, schema)).transpose()?;
        let body = replay_body(&body, &left, schema.as_deref()).map_err(EngineError::refused)?;
        let all = replayed.into_iter().chain(left).map(|record| record.to_string()).collect::<Vec<_>>().join(",");
        let cursor = Cursor { source: source(batch), state: all };
        let mut again = Batch::from_queue(body).repeats(Repeats::Append).cursor(cursor);
        if let Some(integration) = table.integration() {
            again = again.integration(integration.clone());
        }
        self.push(again).map(Some)
    }
}

/// Whether a rejected record came through this queue. A destination that was taken over has those of other queues as well,
/// whose batches bear the same numbers.
pub fn is_of_queue(rejected: &Rejected, queue: QueueId) -> bool {
    rejected.id == generated_key(queue, rejected.batch, rejected.batch_record)
}

/// The records of a batch that were replayed, by their indices.
fn replayed(queue: &dyn Queue, batch: u64) -> Result<BTreeSet<u64>, EngineError> {
    let state = queue.cursor(&source(batch))?.unwrap_or_default();
    Ok(state.split(',').filter_map(|record| record.parse().ok()).collect())
}

fn source(batch: u64) -> String {
    format!("replay of batch {batch}")
}
