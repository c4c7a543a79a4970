//! Erasing all that is kept of one key, as when a person asks for it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use selvedge_core::{Destination, LoadError, Path, Removal, TableName, TableState};
use selvedge_prepare::{Schemas, canonical_number, decode, erased_body};
use selvedge_queue::{Queue, SealedBody};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::{EngineError, EngineErrorKind};
use crate::json_type::json_type;

/// A key, by the names of its properties in the records.
#[derive(Debug, Clone)]
pub struct RecordKey(BTreeMap<String, Box<RawValue>>);

impl RecordKey {
    /// The key that a JSON object spells: `{"id": 17}`.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when it is no object, or an empty one.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        match serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text) {
            Ok(members) if !members.is_empty() => Ok(Self(members)),
            _ => {
                let message = "a key is written as a JSON object of its properties, such as {\"id\": 17}";
                Err(EngineError::new(EngineErrorKind::Refused, message))
            }
        }
    }

    /// Whether a record, by its JSON text, is of this key. A number is the text of the same digits, too: a record may have been
    /// rejected for just that.
    pub fn is_of(&self, record: &str) -> bool {
        let Ok(record) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(record) else { return false };
        self.0.iter().all(|(name, value)| record.get(name).is_some_and(|found| plain(found) == plain(value)))
    }

    /// As a row of the table's key columns.
    fn of_table(&self, table: &TableName, state: &TableState) -> Result<RecordBatch, EngineError> {
        let wrong = |message: String| EngineError::new(EngineErrorKind::Refused, message);
        let columns: Vec<_> = state.keys.iter().filter_map(|key| state.column(key)).collect();
        if columns.is_empty() {
            return Err(wrong(format!("{table} has no keys, so no record of it can be named by one")));
        }
        let property = |path: Option<&Path>| path.and_then(|path| path.0.first()).cloned().unwrap_or_default();
        let names: Vec<String> = columns.iter().map(|column| property(column.path.as_ref())).collect();
        if names.len() != self.0.len() || !names.iter().all(|name| self.0.contains_key(name)) {
            return Err(wrong(format!("the key of {table} is made of {}; name just these", names.join(", "))));
        }
        let types: Map<String, Value> =
            names.iter().zip(&columns).map(|(name, column)| (name.clone(), json_type(column.column_type))).collect();
        // A number keeps its digits only as text.
        let data = serde_json::to_string(&self.0).unwrap_or_default();
        let (schema, names_list) = (json!({ "properties": types }), json!(names));
        let body = format!(
            r#"{{"table_name":"t","schema":{schema},"key_names":{names_list},"messages":[{{"action":"upsert","sequence":0,"data":{data}}}]}}"#
        );
        let records = decode(body.as_bytes(), &Schemas::new()).map_err(EngineError::refused_key)?;
        let value = |(name, column): (&String, &&selvedge_core::Column)| {
            let path = Path(vec![name.clone()]);
            let found = records.columns.iter().find(|found| found.path == path);
            found.map(|found| (column.name.clone(), ArrayRef::clone(&found.values)))
        };
        let values: Vec<(String, ArrayRef)> = names.iter().zip(&columns).filter_map(value).collect();
        RecordBatch::try_from_iter(values).map_err(|cause| wrong(format!("the key does not fit {table}: {cause}")))
    }
}

/// A value as keys are compared: a text without its quotes, a number in the one way to write it.
fn plain(value: &RawValue) -> String {
    let text = value.get();
    if let Ok(text) = serde_json::from_str::<String>(text) {
        return text;
    }
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    is_number.then(|| canonical_number(text)).flatten().unwrap_or_else(|| text.to_owned())
}

/// How long is waited at most until batches are deleted that every destination has: longer than that ever takes.
const LONGEST_DELETION: Duration = Duration::from_secs(60);

/// Checks that nothing of a table waits in the queue, where a key that is to be purged could be. Waits until what every destination
/// has is deleted.
///
/// # Errors
/// [`Unusable`](EngineErrorKind::Unusable) when something does.
pub fn check_purgeable(queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
    let deadline = Instant::now() + LONGEST_DELETION;
    while queue.tables()?.iter().any(|bounds| bounds.table == *table && bounds.kept_records > 0) {
        let destinations = queue.destinations()?;
        let waits = destinations.is_empty() || destinations.iter().any(|each| each.waiting.contains_key(table));
        if waits || Instant::now() > deadline {
            let message = format!(
                "records of {table} are in the queue, and the key may be among them: have every destination load them first \
                 (`selvedge table list` tells which do not), and do it again"
            );
            return Err(EngineError::new(EngineErrorKind::Unusable, message));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Erases the records of a key from what the queue keeps for replay, and returns how many it were. Of what the queue has deleted
/// before, nothing is left in its files.
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
    queue.erase_deleted()?;
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
    let mut state = destination
        .remove(table, &state, Removal::Keys(&key.of_table(table, &state)?))
        .map_err(unchanged)?
        .unwrap_or(state);
    if !rejects.is_empty() {
        let ids = StringArray::from_iter_values(rejects);
        state = destination.remove(table, &state, Removal::Rejects(&ids)).map_err(unchanged)?.unwrap_or(state);
    }
    Ok(before.saturating_sub(state.counts.live_rows))
}
