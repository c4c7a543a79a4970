//! Giving a table other keys: its rows become batches again, which are loaded under the new ones.

mod course;
mod data;
mod node;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use selvedge_core::{Column, ColumnType, Inspect, LogicalRow, TableName, TableState, Value, logical_view_of, system};
use selvedge_queue::{Append, Queue, Repeats, SealedBody};
use serde_json::{Value as Json, json};

use crate::error::{EngineError, EngineErrorKind};
use crate::intake::now;
use crate::rekey::course::Course;
use crate::rekey::data::{Data, Places, moment};
use crate::rekey::node::Node;

/// So many rows are held in memory at once.
const PORTION_ROWS: u64 = 100_000;
/// A batch is ended when its messages have so many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// A batch is ended when it has so many messages.
const BATCH_RECORDS: usize = 10_000;

/// Puts the rows that a table has in a destination into the queue as batches with these keys, with the sequences and table
/// versions they have, and activates the version that is active. [`reset_table`](crate::reset_table) then has every destination
/// made of them, and of what waits.
///
/// Rows that have nothing in one of the new keys come back as rejected records. Tombstones are of the old keys, and are not
/// carried over. Returns how many rows it were, or `None` when the destination does not have the table; doing it again after a
/// crash adds none that are there.
///
/// # Errors
/// When the destination cannot be read, the queue cannot take the batches, or a key is no property of the records.
pub fn requeue(
    queue: &dyn Queue,
    source: &mut dyn Inspect,
    table: &TableName,
    keys: &[String],
) -> Result<Option<u64>, EngineError> {
    let unreadable = |cause| EngineError::unchanged(format!("{table} cannot be read"), cause);
    let Some(counted) = source.count(table).map_err(unreadable)? else { return Ok(None) };
    let tables = queue.tables()?;
    let Some(bounds) = tables.iter().find(|bounds| bounds.table == *table) else {
        let message = format!("the queue never had {table}; rekey it through the queue that loads it");
        return Err(EngineError::new(EngineErrorKind::Unusable, message));
    };
    let shape = Shape::of(&counted.state, table, keys)?;
    let course = Course::begin(queue, bounds, keys)?;
    if course.is_complete {
        return Ok(Some(counted.rows));
    }
    if let Some(version) = counted.state.active_version {
        queue.append(vec![shape.activation(table, version)])?;
    }
    let portions = counted.rows.div_ceil(PORTION_ROWS).max(1);
    for portion in 0..portions {
        let is_wanted = |key: &[Value]| hash(key) % portions == portion;
        let view = logical_view_of(source, table, is_wanted).map_err(unreadable)?.unwrap_or_default();
        let appends = shape.batches(table, view.rows.values());
        // Sent again by a run that was cut short: the body tells that it is there.
        queue.append(appends)?;
    }
    course.end(queue, table)?;
    Ok(Some(counted.rows))
}

/// Forgets that the rows of a table are in the queue, once its destinations are reset.
///
/// # Errors
/// When the queue cannot be written.
pub fn requeued(queue: &dyn Queue, table: &TableName) -> Result<(), EngineError> {
    Course::forget(queue, table)
}

fn hash(key: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// How rows become messages.
struct Shape {
    schema: Json,
    keys: Vec<String>,
    places: Places,
}

impl Shape {
    fn of(state: &TableState, table: &TableName, keys: &[String]) -> Result<Self, EngineError> {
        let is_of = |column: &Column, key: &String| column.path.as_ref().is_some_and(|path| path.0 == [key.clone()]);
        if let Some(key) = keys.iter().find(|key| !state.columns.iter().any(|column| is_of(column, key))) {
            let message = format!("{table} has no column of a property {key}, so it cannot be a key");
            return Err(EngineError::new(EngineErrorKind::Refused, message));
        }
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
        }
        Ok(Self { schema: root.schema(), keys: keys.to_vec(), places })
    }

    fn batches<'r>(&self, table: &TableName, rows: impl Iterator<Item = &'r LogicalRow>) -> Vec<Append> {
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

    /// The batch that activates a version.
    fn activation(&self, table: &TableName, version: i64) -> Append {
        self.append(table, Some(version), &[r#"{"action":"activate_version","sequence":0}"#.to_owned()])
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
        for (place, value) in row {
            match place.strip_suffix(system::EXTRA) {
                Some(begin) => data.put_extra(begin.trim_end_matches('/'), value, &self.places),
                None if place.starts_with('/') => data.put(place, value, &self.places),
                None => {}
            }
        }
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
