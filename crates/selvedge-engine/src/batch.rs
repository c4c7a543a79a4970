//! What a program pushes.

use selvedge_core::IntegrationName;
use selvedge_queue::{Cursor, Repeats};
use serde_json::Value;

use crate::bad_records::BadRecords;

/// A batch of records for one table, in the wire format of the Stitch Import API.
///
/// ```
/// use selvedge_engine::Batch;
/// use serde_json::json;
///
/// let schema = json!({"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}});
/// let batch = Batch::new("customers", &["id"], &schema)
///     .upsert(1, &json!({"id": 1, "name": "Finn"}))
///     .upsert(2, &json!({"id": 2, "name": "Jake"}));
/// ```
#[derive(Debug, Clone)]
pub struct Batch {
    body: Body,
    pub(crate) integration: Option<IntegrationName>,
    pub(crate) repeats: Repeats,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) bad_records: Option<BadRecords>,
    pub(crate) origin: Origin,
}

/// Where a body comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Sender,
    /// What is hashed in its table is so already: a hash is not to be hashed again.
    Queue,
}

#[derive(Debug, Clone)]
enum Body {
    /// As the sender wrote it.
    Whole(Vec<u8>),
    /// All but the two brackets at the end.
    Open(String),
}

impl Batch {
    /// A batch for `table` without records yet. `keys` name the properties that make up a record's key; without any, every
    /// record is appended. `schema` is the JSON Schema of the records.
    pub fn new(table: &str, keys: &[&str], schema: &Value) -> Self {
        let table = Value::from(table);
        let keys = Value::from(keys);
        let start = format!(r#"{{"table_name":{table},"schema":{schema},"key_names":{keys},"messages":["#);
        Self::from_body(Body::Open(start))
    }

    /// A batch as it came over the wire: UTF-8 JSON.
    pub fn from_json(body: impl Into<Vec<u8>>) -> Self {
        Self::from_body(Body::Whole(body.into()))
    }

    /// A batch of what the queue stored before.
    pub(crate) fn from_queue(body: Vec<u8>) -> Self {
        Self { origin: Origin::Queue, ..Self::from_json(body) }
    }

    fn from_body(body: Body) -> Self {
        let (repeats, origin) = (Repeats::Acknowledge, Origin::Sender);
        Self { body, integration: None, repeats, cursor: None, bad_records: None, origin }
    }

    /// Adds the record `data` as of `sequence`: of two records with one key, the one with the greater sequence stays.
    ///
    /// Has no effect on a batch made by [`from_json`](Self::from_json), which is complete.
    #[must_use]
    pub fn upsert(self, sequence: i64, data: &Value) -> Self {
        self.message(&format!(r#""action":"upsert","sequence":{sequence},"data":{data}"#))
    }

    /// Deletes the record with the key that `key` holds, as of `sequence`: unless a record with a greater one stands or comes.
    /// What is left of it is decided by [`Policy::deletes`](crate::Policy::deletes). No effect as with [`upsert`](Self::upsert).
    #[must_use]
    pub fn delete(self, sequence: i64, key: &Value) -> Self {
        self.message(&format!(r#""action":"delete","sequence":{sequence},"data":{key}"#))
    }

    /// Activates the [table version](Self::table_version) of this batch: what the table has of lower versions goes, and is
    /// superseded when it comes later. No effect as with [`upsert`](Self::upsert).
    #[must_use]
    pub fn activate_version(self, sequence: i64) -> Self {
        self.message(&format!(r#""action":"activate_version","sequence":{sequence}"#))
    }

    fn message(mut self, members: &str) -> Self {
        if let Body::Open(text) = &mut self.body {
            let separator = if text.ends_with('[') { "" } else { "," };
            text.push_str(&format!("{separator}{{{members}}}"));
        }
        self
    }

    /// The version of the table that all its records belong to: a greater one wins over any sequence. To be said before the first
    /// record, and without effect afterwards.
    #[must_use]
    pub fn table_version(mut self, version: i64) -> Self {
        if let Body::Open(text) = &mut self.body
            && let Some(start) = text.strip_suffix(r#""messages":["#)
        {
            *text = format!(r#"{start}"table_version":{version},"messages":["#);
        }
        self
    }

    /// The integration whose table it is for. Default: none, the destination's default schema.
    #[must_use]
    pub fn integration(mut self, name: IntegrationName) -> Self {
        self.integration = Some(name);
        self
    }

    /// What happens when the table had the same body before. Default: [`Repeats::Acknowledge`], so that a sender without an
    /// answer may simply send again.
    #[must_use]
    pub fn repeats(mut self, repeats: Repeats) -> Self {
        self.repeats = repeats;
        self
    }

    /// How far its source is with this batch, committed together with it; [`Engine::cursor`](crate::Engine::cursor) reads it
    /// back.
    #[must_use]
    pub fn cursor(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// What becomes of records that violate the schema. Default: what the [engine](crate::EngineBuilder::bad_records) was told.
    #[must_use]
    pub fn bad_records(mut self, bad_records: BadRecords) -> Self {
        self.bad_records = Some(bad_records);
        self
    }

    /// The body's length in bytes.
    pub(crate) fn body_bytes(&self) -> usize {
        match &self.body {
            Body::Whole(body) => body.len(),
            Body::Open(text) => text.len(),
        }
    }

    /// The body as JSON text.
    pub(crate) fn body(&self) -> std::borrow::Cow<'_, [u8]> {
        match &self.body {
            Body::Whole(body) => body.into(),
            Body::Open(text) => format!("{text}]}}").into_bytes().into(),
        }
    }
}
