//! A key as somebody writes it, and whether records are of it.

use std::collections::BTreeMap;
use std::fmt;

use arrow_array::{ArrayRef, RecordBatch};
use selvedge_core::{Column, TableName, TableState, Value};
use selvedge_prepare::{RecordColumn, Refusal, Schemas, decode};
use serde_json::value::RawValue;
use serde_json::{Map, json};

use crate::error::{EngineError, EngineErrorKind};
use crate::json_type::json_type;

/// A key, by the names of its properties in the records.
#[derive(Debug)]
pub struct RecordKey {
    members: Members,
    /// What it is in its table, once that is known.
    meaning: Option<Meaning>,
}

/// The members of a JSON object. A number keeps its digits only as text.
type Members = BTreeMap<String, Box<RawValue>>;

impl RecordKey {
    /// The key that a JSON object spells: `{"id": 17}`.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when it is no object, or an empty one.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        match serde_json::from_str::<Members>(text) {
            Ok(members) if !members.is_empty() => Ok(Self { members, meaning: None }),
            _ => {
                let message = "a key is written as a JSON object of its properties, such as {\"id\": 17}";
                Err(EngineError::new(EngineErrorKind::Refused, message))
            }
        }
    }

    /// The same key, understood as one of a table as it stands: a moment is the same in whichever offset a record has it.
    ///
    /// # Errors
    /// [`Refused`](EngineErrorKind::Refused) when the table has other keys.
    pub fn of_table(&self, table: &TableName, state: &TableState) -> Result<Self, EngineError> {
        let meaning = Meaning::new(&self.members, table, state)?;
        Ok(Self { members: self.members.clone(), meaning: Some(meaning) })
    }

    /// Whether a record, by its JSON text, is of this key. A number is the text of the same digits, too: a record may have been
    /// rejected for just that.
    pub fn is_of(&self, record: &str) -> bool {
        let Ok(record) = serde_json::from_str::<Members>(record) else { return false };
        let mut members = self.members.iter();
        let is_spelled =
            members.all(|(name, value)| record.get(name).is_some_and(|found| plain(found) == plain(value)));
        is_spelled || self.meaning.as_ref().is_some_and(|meaning| meaning.is_of(&record))
    }

    /// As a row of the table's key columns.
    pub(crate) fn row(&self, table: &TableName, state: &TableState) -> Result<RecordBatch, EngineError> {
        Meaning::new(&self.members, table, state).map(|meaning| meaning.row)
    }
}

/// A value as keys are compared that have no type: a text without its quotes, a number without zeros at the end of its
/// fraction.
fn plain(value: &RawValue) -> String {
    let text = value.get();
    if let Ok(text) = serde_json::from_str::<String>(text) {
        return text;
    }
    let is_fraction = text.contains('.') && !text.contains(['e', 'E']);
    let short = if is_fraction { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    short.to_owned()
}

/// A key by the types of its table.
#[derive(Debug)]
struct Meaning {
    columns: KeyColumns,
    values: Vec<Value>,
    /// As a row of the table's key columns.
    row: RecordBatch,
}

impl Meaning {
    fn new(members: &Members, table: &TableName, state: &TableState) -> Result<Self, EngineError> {
        let wrong = |message: String| Err(EngineError::new(EngineErrorKind::Refused, message));
        let columns = KeyColumns::of(state);
        let names: Vec<&str> = columns.properties().collect();
        if names.is_empty() {
            return wrong(format!("{table} has no keys, so no record of it can be named by one"));
        }
        if names.len() != members.len() || !names.iter().all(|name| members.contains_key(*name)) {
            return wrong(format!("the key of {table} is made of {}; name just these", names.join(", ")));
        }
        let read = columns.read(members).map_err(EngineError::refused_key)?;
        let arrays = columns.columns.iter().map(|column| &column.name).zip(read.iter());
        let arrays = arrays.map(|(name, read)| (name, ArrayRef::clone(&read.values)));
        match RecordBatch::try_from_iter(arrays) {
            Ok(row) => Ok(Self { values: values(&read), columns, row }),
            Err(cause) => wrong(format!("the key does not fit {table}: {cause}")),
        }
    }

    fn is_of(&self, record: &Members) -> bool {
        self.columns.read(record).is_ok_and(|read| values(&read) == self.values)
    }
}

/// The values in columns of one row.
fn values(columns: &[RecordColumn]) -> Vec<Value> {
    let value = |column: &RecordColumn| Value::of(column.column_type, &column.values, 0).map(Value::by_value);
    columns.iter().filter_map(value).collect()
}

/// The key columns of a table, and how they are read from records.
struct KeyColumns {
    columns: Vec<Column>,
    schemas: Schemas,
}

impl KeyColumns {
    fn of(state: &TableState) -> Self {
        let columns = state.keys.iter().filter_map(|key| state.column(key).cloned()).collect();
        Self { columns, schemas: Schemas::new() }
    }

    /// The names of what they are of in the records.
    fn properties(&self) -> impl Iterator<Item = &str> {
        let paths = self.columns.iter().map(|column| column.path.as_ref());
        paths.map(|path| path.and_then(|path| path.0.first()).map_or("", String::as_str))
    }

    /// A record's keys as columns of one row.
    fn read(&self, record: &Members) -> Result<Vec<RecordColumn>, Refusal> {
        let types: Map<_, _> = self
            .properties()
            .zip(&self.columns)
            .map(|(name, column)| (name.to_owned(), json_type(column.column_type)))
            .collect();
        let (schema, names) = (json!({ "properties": types }), json!(self.properties().collect::<Vec<_>>()));
        let keys: BTreeMap<&str, &RawValue> =
            self.properties().filter_map(|name| Some((name, &**record.get(name)?))).collect();
        let data = serde_json::to_string(&keys).unwrap_or_default();
        let body = format!(
            r#"{{"table_name":"t","schema":{schema},"key_names":{names},"messages":[{{"action":"delete","sequence":0,"data":{data}}}]}}"#
        );
        let records = decode(body.as_bytes(), &self.schemas)?;
        let column = |name: &str| records.columns.iter().find(|column| column.path.0 == [name]).cloned();
        Ok(self.properties().filter_map(column).collect())
    }
}

impl fmt::Debug for KeyColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.properties()).finish()
    }
}
