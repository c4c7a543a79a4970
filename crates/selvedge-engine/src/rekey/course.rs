//! How far the rows of a table are in the queue again.

use selvedge_core::TableName;
use selvedge_queue::{Cursor, Queue, TableBounds};
use serde_json::{Value, json};

use crate::error::EngineError;

/// A table that is given other keys, as the queue remembers it from the first batch until the destinations are reset.
pub(super) struct Course {
    keys: Vec<String>,
    /// Its rows stand in the queue from the batch of this number on.
    first: u64,
    /// Whether all of them do.
    pub(super) is_complete: bool,
}

impl Course {
    /// Goes on with what was begun with the same keys, as long as nothing of it was deleted from the queue; else begins anew.
    pub(super) fn begin(queue: &dyn Queue, bounds: &TableBounds, keys: &[String]) -> Result<Self, EngineError> {
        let table = &bounds.table;
        let noted = queue.cursor(&source(table))?.filter(|state| !state.is_empty());
        if let Some(noted) = &noted {
            match Self::parse(noted) {
                Some(course) if course.keys == keys && bounds.deleted_to < course.first => return Ok(course),
                // What was put there may be gone, and must not be taken for a repeat.
                _ => queue.forget_repeats(table)?,
            }
        }
        let course = Self { keys: keys.to_vec(), first: bounds.newest + 1, is_complete: false };
        course.note(queue, table)?;
        Ok(course)
    }

    /// Notes that all rows are there.
    pub(super) fn end(self, queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        Self { is_complete: true, ..self }.note(queue, table)
    }

    fn note(&self, queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        let Self { keys, first, is_complete } = self;
        let state = json!({"keys": keys, "first": first, "complete": is_complete}).to_string();
        Ok(queue.set_cursor(Cursor { source: source(table), state })?)
    }

    pub(super) fn forget(queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
        Ok(queue.set_cursor(Cursor { source: source(table), state: String::new() })?)
    }

    fn parse(state: &str) -> Option<Self> {
        let state: Value = serde_json::from_str(state).ok()?;
        let keys = state.get("keys")?.as_array()?.iter();
        Some(Self {
            keys: keys.map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            first: state.get("first")?.as_u64()?,
            is_complete: state.get("complete")?.as_bool()?,
        })
    }
}

fn source(table: &TableName) -> String {
    format!("rekey {table}")
}
