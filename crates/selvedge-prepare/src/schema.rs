//! From a JSON Schema to a [`RecordType`].
//!
//! Drafts 4, 6 and 7 are read, draft 4 where `$schema` names none of the others; what they share a name for means the same
//! in all of them, and what only a later one knows is read in draft 4 too, so that no rule is ignored. Schemas of later
//! drafts are read as far as these go, and refused where they go further. Of formats, `date-time`, `date`, `time` and
//! `singer.decimal` are checked; others say nothing about a value.
//!
//! A schema becomes the types of its columns and the limits of their values, which cost little while records are read. What
//! that does not express exactly becomes [`Rules`](crate::schema::rules::Rules) of the place beside it.

mod allowed;
mod alternatives;
mod compiler;
pub(crate) mod document;
pub(crate) mod limits;
pub(crate) mod pattern;
mod reach;
pub(crate) mod record_type;
pub(crate) mod rules;
mod typing;
mod union;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use selvedge_core::ColumnType;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::decode::json_type::JsonType;
use crate::refusal::Refusal;
use crate::schema::record_type::{Others, Presence, RecordType};

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Compiled schemas, found again by their text. Cheap to share between threads.
#[derive(Default)]
pub struct Schemas {
    compiled: Mutex<HashMap<u128, Arc<RecordType>>>,
}

/// How many schemas are remembered. Senders use a handful; beyond this many they are forgotten together.
const MAX_SCHEMAS: usize = 4_096;

impl Schemas {
    /// An empty memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// The record type of a schema's text, for a table with these keys.
    pub(crate) fn record_type(&self, schema: &str, keys: &[String]) -> Result<Arc<RecordType>> {
        let hash = xxh3_128(format!("{keys:?}\n{schema}").as_bytes());
        if let Some(known) = self.lock().get(&hash) {
            return Ok(Arc::clone(known));
        }
        let parsed = serde_json::from_str(schema).map_err(|error| Refusal::schema(error.to_string()))?;
        let compiled = Arc::new(compile(&parsed, keys)?);
        let mut known = self.lock();
        if known.len() >= MAX_SCHEMAS {
            known.clear();
        }
        known.insert(hash, Arc::clone(&compiled));
        Ok(compiled)
    }

    // A map of finished values is whole even if a thread died holding it.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u128, Arc<RecordType>>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compile(schema: &Value, keys: &[String]) -> Result<RecordType> {
    if !schema.is_object() {
        return Err(Refusal::schema(format!("expected type: JSONObject, found: {}", JsonType::of(schema))));
    }
    let mut record = compiler::record(schema)?;
    check_names(&record)?;
    keys.iter().try_for_each(|key| mark_key(&mut record, key))?;
    Ok(record)
}

/// Checks the names of columns that records, or the elements of their arrays, declare.
fn check_names(row: &RecordType) -> Result<()> {
    row.fields.iter().try_for_each(|field| check_not_reserved(&field.name))?;
    check_names_of_elements(row)
}

fn check_names_of_elements(object: &RecordType) -> Result<()> {
    object.fields.iter().try_for_each(|field| {
        let within = |refusal: Box<Refusal>| refusal.under(&field.name);
        field.value.object.iter().try_for_each(check_names_of_elements).map_err(within)?;
        let elements = std::iter::successors(field.value.elements.as_deref(), |element| element.elements.as_deref());
        elements.filter_map(|element| element.object.as_ref()).try_for_each(check_names).map_err(within)
    })
}

/// Refuses the names selvedge keeps for its own columns.
pub(crate) fn check_not_reserved(name: &str) -> Result<()> {
    let begins = |prefix: &&&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    match ["_sdc", "__sdc", "_rjm"].iter().find(begins) {
        None => Ok(()),
        Some(prefix) => {
            let prefix = if *prefix == "_rjm" { "_rjm" } else { "_sdc" };
            let reason = format!("names beginning with `{prefix}` are selvedge's own; rename the property");
            Err(Refusal::violation(reason).under(name))
        }
    }
}

fn mark_key(record: &mut RecordType, key: &str) -> Result<()> {
    let Some(field) = record.fields.iter_mut().find(|field| field.name == key) else {
        return Err(Refusal::schema(format!("the key `{key}` is not among the schema's properties")));
    };
    let value = &field.value;
    let scalars_only = value.object.is_none() && value.elements.is_none() && value.others == Others::Refused;
    if !scalars_only || !matches!(value.scalars.as_slice(), [scalar] if scalar.column_type != ColumnType::Json) {
        return Err(Refusal::schema("a key has one scalar type").under(key));
    }
    field.presence = Presence::Key;
    Ok(())
}
