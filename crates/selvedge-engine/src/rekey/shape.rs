//! The batches that rows become: their schema, and a message for each row.

use std::collections::BTreeMap;

use selvedge_core::{Column, ColumnType, LogicalRow, TableName, TableState, Value, system};
use selvedge_queue::{Append, Repeats, SealedBody};
use serde_json::{Value as Json, json};

use crate::error::{EngineError, EngineErrorKind};
use crate::intake::now;
use crate::rekey::data::{Data, Places, moment};
use crate::rekey::node::Node;

/// A batch is ended when its messages have so many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// A batch is ended when it has so many messages.
const BATCH_RECORDS: usize = 10_000;

/// How rows become messages.
pub(super) struct Shape {
    schema: Json,
    keys: Vec<String>,
    /// Of each key.
    key_types: Vec<ColumnType>,
    places: Places,
}

impl Shape {
    /// Of a table as it stands, under these keys.
    pub(super) fn of(state: &TableState, table: &TableName, keys: &[String]) -> Result<Self, EngineError> {
        let is_of = |column: &Column, key: &String| column.path.as_ref().is_some_and(|path| path.0 == [key.clone()]);
        let key_type = |key: &String| {
            let column = state.columns.iter().find(|column| is_of(column, key));
            column.map(|column| column.column_type).ok_or_else(|| {
                let message = format!("{table} has no column of a property {key}, so it cannot be a key");
                EngineError::new(EngineErrorKind::Refused, message)
            })
        };
        let key_types = keys.iter().map(key_type).collect::<Result<_, _>>()?;
        let mut root = Node::default();
        let mut places = Places::default();
        // A key is of one type: that of the first column of its property.
        let is_first = |(index, column): &(usize, &Column)| {
            let is_key = keys.iter().any(|key| is_of(column, key));
            !is_key || !state.columns.iter().take(*index).any(|earlier| earlier.path == column.path)
        };
        root.take(state.columns.iter().enumerate().filter(is_first).map(|(_, column)| column));
        places.note_decimal_texts("", &state.columns);
        for subtable in &state.subtables {
            root.at_elements(&subtable.source).take(&subtable.columns);
            let elements = subtable.source.to_string();
            places.note_decimal_texts(&elements, &subtable.columns);
            places.arrays.extend(elements.strip_suffix("/*").map(str::to_owned));
            if subtable.columns.iter().any(|column| column.path.is_none() && column.name == system::EXTRA) {
                places.extras.insert(elements);
            }
        }
        Ok(Self { schema: root.schema(), keys: keys.to_vec(), key_types, places })
    }

    /// The keys with the types of their values.
    pub(super) fn key_types(&self) -> Vec<(&str, Option<ColumnType>)> {
        self.keys.iter().map(String::as_str).zip(self.key_types.iter().copied().map(Some)).collect()
    }

    /// The batch that activates a version.
    pub(super) fn activation(&self, table: &TableName, version: i64) -> Append {
        self.append(table, Some(version), &[r#"{"action":"activate_version","sequence":0}"#.to_owned()])
    }

    /// The batches of these rows.
    pub(super) fn batches<'r>(&self, table: &TableName, rows: impl Iterator<Item = &'r LogicalRow>) -> Vec<Append> {
        let mut by_version: BTreeMap<Option<i64>, Vec<String>> = BTreeMap::new();
        for row in rows {
            by_version.entry(integer(row, system::TABLE_VERSION)).or_default().push(self.message(row));
        }
        let batches = by_version.iter().flat_map(|(version, messages)| {
            let mut bytes = 0;
            let ends = move |message: &String| {
                bytes += message.len();
                let is_full = bytes > BATCH_BYTES;
                bytes = if is_full { 0 } else { bytes };
                is_full
            };
            let pieces = messages.split_inclusive(ends).flat_map(|piece| piece.chunks(BATCH_RECORDS));
            pieces.map(|piece| (*version, piece))
        });
        batches.map(|(version, messages)| self.append(table, version, messages)).collect()
    }

    fn append(&self, table: &TableName, version: Option<i64>, messages: &[String]) -> Append {
        let (name, schema, keys) = (json!(table.table()), &self.schema, json!(self.keys));
        let version = version.map(|version| format!(r#""table_version":{version},"#)).unwrap_or_default();
        let body = format!(
            r#"{{"table_name":{name},"schema":{schema},"key_names":{keys},{version}"messages":[{}]}}"#,
            messages.join(",")
        );
        Append {
            table: table.clone(),
            body: SealedBody::seal(body.as_bytes()),
            records: messages.len() as u64,
            received_at: now(),
            repeats: Repeats::Acknowledge,
            cursor: None,
        }
    }

    fn message(&self, row: &LogicalRow) -> String {
        let sequence = integer(row, system::SEQUENCE).unwrap_or_default();
        let at = |name| match row.get(name) {
            Some(Value::Timestamp(micros)) => Some(moment(*micros)),
            _ => None,
        };
        let deleted = at(system::DELETED_AT);
        let action = if deleted.is_some() { "delete" } else { "upsert" };
        let extracted = deleted.or_else(|| at(system::EXTRACTED_AT));
        let extracted = extracted.map(|moment| format!(r#","time_extracted":{moment}"#)).unwrap_or_default();
        let mut data = Data::default();
        row.iter().for_each(|(place, value)| data.take(place, value, &self.places));
        format!(r#"{{"action":"{action}","sequence":{sequence}{extracted},"data":{}}}"#, data.json())
    }
}

impl Places {
    fn note_decimal_texts(&mut self, begin: &str, columns: &[Column]) {
        let texts = columns.iter().filter(|column| column.column_type == ColumnType::DecimalText);
        let paths = texts.filter_map(|column| column.path.as_ref());
        self.decimal_texts.extend(paths.map(|path| format!("{begin}{path}")));
    }
}

fn integer(row: &LogicalRow, name: &str) -> Option<i64> {
    match row.get(name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}
