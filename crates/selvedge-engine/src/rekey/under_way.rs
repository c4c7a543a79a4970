//! That a table is being given other keys: noted in the queue until it has them.

use selvedge_core::TableName;
use selvedge_queue::{Cursor, Queue};
use serde_json::{Value as Json, json};

use crate::error::{EngineError, EngineErrorKind};

/// Why the table is paused meanwhile.
const REASON: &str = "it was being given other keys; do that again (`selvedge table rekey`) to have it finished";

/// How far it has come. It is noted in a cursor, which counts while the table is paused for [`REASON`], and for no longer:
/// once somebody resumed or dropped the table, it is not as it was.
pub(super) struct UnderWay {
    keys: Vec<String>,
    pub(super) stage: Stage,
    /// Why the table was paused before, if it was.
    paused_before: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Begun,
    /// The queue has all rows, and the destinations may be reset.
    RowsQueued,
}

impl UnderWay {
    /// What was begun and is not ended.
    pub(super) fn of(queue: &dyn Queue, table: &TableName) -> Result<Option<Self>, EngineError> {
        if paused(queue, table)?.as_deref() != Some(REASON) {
            return Ok(None);
        }
        Ok(queue.cursor(&source(table))?.and_then(|state| Self::parse(&state)))
    }

    pub(super) fn begin(queue: &dyn Queue, table: &TableName, keys: &[String]) -> Result<Self, EngineError> {
        let paused_before = paused(queue, table)?.filter(|reason| reason != REASON);
        let begun = Self { keys: keys.to_vec(), stage: Stage::Begun, paused_before };
        // No batch of rows is to be taken for one that came before, and was loaded.
        queue.forget_repeats(table)?;
        begun.note(queue, table)?;
        queue.set_paused(table, Some(REASON))?;
        Ok(begun)
    }

    /// Checks that it is about these keys.
    pub(super) fn check_keys(self, table: &TableName, keys: &[String]) -> Result<Self, EngineError> {
        if self.keys == keys {
            return Ok(self);
        }
        let message = format!(
            "{table} is being given the keys ({}): do that again to have it finished, then give it others",
            self.keys.join(", ")
        );
        Err(EngineError::new(EngineErrorKind::Refused, message))
    }

    pub(super) fn reach(self, stage: Stage, queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        Self { stage, ..self }.note(queue, table)
    }

    pub(super) fn end(self, queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        Ok(queue.set_paused(table, self.paused_before.as_deref())?)
    }

    fn note(&self, queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        let Self { keys, stage, paused_before } = self;
        let state = json!({"keys": keys, "rows_queued": *stage == Stage::RowsQueued, "paused_before": paused_before});
        Ok(queue.set_cursor(Cursor { source: source(table), state: state.to_string() })?)
    }

    fn parse(state: &str) -> Option<Self> {
        let state: Json = serde_json::from_str(state).ok()?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let keys = state.get("keys")?.as_array()?.iter().map(text).collect::<Option<_>>()?;
        let stage = if state.get("rows_queued")?.as_bool()? { Stage::RowsQueued } else { Stage::Begun };
        Some(Self { keys, stage, paused_before: state.get("paused_before").and_then(text) })
    }
}

fn paused(queue: &dyn Queue, table: &TableName) -> Result<Option<String>, EngineError> {
    match queue.tables()?.into_iter().find(|bounds| bounds.table == *table) {
        Some(bounds) => Ok(bounds.paused),
        None => {
            let message = format!("the queue never had {table}; rekey it through the queue that loads it");
            Err(EngineError::new(EngineErrorKind::Unusable, message))
        }
    }
}

fn source(table: &TableName) -> String {
    format!("rekey {table}")
}
