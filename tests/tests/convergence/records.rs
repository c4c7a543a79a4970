//! Random records of random schemas, each value with what becomes of it.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use selvedge::{Deletes, Loading, Policy, Value};
use serde_json::json;

/// Batches as a source has them, for one table: each with a schema of its own.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) kind: Kind,
    parts: Vec<Part>,
}

/// What of a table's records stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The newest of each key, deleted ones too.
    SoftDeletes,
    /// The newest of each key, unless it is a delete.
    HardDeletes,
    /// Every record, for there are no keys.
    Keyless,
    /// Every record of each key, deletes too.
    Appended,
}

#[derive(Debug, Clone)]
struct Part {
    table_version: Option<i64>,
    properties: Vec<(&'static str, Type)>,
    messages: Vec<Message>,
}

/// What a message does.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    Upsert(Record),
    /// What the record holds beside its key is not stored.
    Delete {
        record: Record,
        at: i64,
    },
    /// Never in a batch without a version.
    ActivateVersion {
        sequence: i64,
    },
    /// A property of its record violates the schema. Another schema accepts it, see [`Sent::mended`].
    Mistyped(Record),
    /// The key of its record violates the schema.
    Bad {
        sequence: i64,
    },
}

/// A record: its key, its sequence, and a value for some of its properties.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: i64,
    pub(crate) sequence: i64,
    pub(crate) members: Vec<(&'static str, Sample)>,
}

/// A batch on its way to the queue.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) table_version: Option<i64>,
    keys: &'static [&'static str],
    pub(crate) schema: serde_json::Value,
    pub(crate) messages: Vec<Message>,
}

/// How a stream is cut into batches and loads, and in which order they come.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// The most records of a batch.
    size: usize,
    order: Vec<u8>,
    /// What is done after each batch.
    acts: Vec<Vec<Act>>,
}

/// What is done between two batches.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// The last batch is sent once more, by a sender that got no answer.
    Repeat,
    /// All rejected records that a schema could mend are sent again.
    Replay,
    Pause,
    Resume,
    /// All is loaded that may be.
    Flush,
    /// The engine ends, the destinations are looked at, and another engine starts.
    Restart,
}

/// What a schema says of a place.
#[derive(Debug, Clone)]
enum Type {
    Integer,
    Number,
    Decimal { scale: u32 },
    DecimalText,
    Text,
    Boolean,
    Moment,
    Date,
    Time,
    IntegerOrText,
    Untyped,
    Array(Box<Type>),
    Object(Vec<(&'static str, Type)>),
}

/// A value: its JSON, and what of it stands in a table.
#[derive(Debug, Clone)]
pub(crate) enum Sample {
    Null,
    Scalar { json: String, value: Value },
    Array(Vec<Sample>),
    Object(Vec<(&'static str, Sample)>),
}

/// Names that make trouble together: by case, by the way they join, by their characters.
const NAMES: [&str; 8] = ["a", "A", "b", "a__b", "c d", "e\"", "select", "ünï"];

/// A property that is an integer, unless it is [mistyped](Message::Mistyped).
const MISTYPED: &str = "mistyped";

pub(crate) fn stream() -> impl Strategy<Value = Stream> {
    let kind = select(vec![Kind::SoftDeletes, Kind::HardDeletes, Kind::Keyless, Kind::Appended]);
    kind.prop_flat_map(|kind| vec(part(kind), 1..5).prop_map(move |parts| Stream { kind, parts }))
}

fn part(kind: Kind) -> impl Strategy<Value = Part> {
    let properties = proptest::sample::subsequence(NAMES.to_vec(), 0..=4)
        .prop_flat_map(|names| names.into_iter().map(|name| (Just(name), of_a_place())).collect::<Vec<_>>());
    let version = prop_oneof![1 => Just(None), 1 => (1..4_i64).prop_map(Some)];
    (version, properties).prop_flat_map(move |(table_version, properties)| {
        let members = properties.clone();
        let messages =
            (message(kind, table_version, members.clone()), vec(message(kind, table_version, members), 0..9));
        messages.prop_map(move |(first, mut messages)| {
            messages.push(first);
            Part { table_version, properties: properties.clone(), messages }
        })
    })
}

fn message(
    kind: Kind,
    table_version: Option<i64>,
    properties: Vec<(&'static str, Type)>,
) -> impl Strategy<Value = Message> {
    let at = select(vec![0, 1_700_000_000_123_456, -1]);
    let delete = (record(properties.clone()), at).prop_map(|(record, at)| Message::Delete { record, at });
    let mut messages = vec![
        (12, record(properties.clone()).prop_map(Message::Upsert).boxed()),
        (1, record(properties).prop_map(mistyped).boxed()),
        (1, (1..9_i64).prop_map(|sequence| Message::Bad { sequence }).boxed()),
    ];
    if kind != Kind::Keyless {
        messages.push((4, delete.boxed()));
    }
    if table_version.is_some() {
        messages.push((2, (1..9_i64).prop_map(|sequence| Message::ActivateVersion { sequence }).boxed()));
    }
    Union::new_weighted(messages)
}

fn mistyped(mut record: Record) -> Message {
    let value = Value::String("no integer".to_owned());
    record.members.push((MISTYPED, Sample::scalar(r#""no integer""#, value)));
    Message::Mistyped(record)
}

fn of_a_place() -> impl Strategy<Value = Type> {
    let leaf = select(vec![
        Type::Integer,
        Type::Number,
        Type::Decimal { scale: 2 },
        Type::Decimal { scale: 4 },
        Type::DecimalText,
        Type::Text,
        Type::Boolean,
        Type::Moment,
        Type::Date,
        Type::Time,
        Type::IntegerOrText,
        Type::Untyped,
        Type::Untyped,
    ]);
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|element| Type::Array(Box::new(element))),
            proptest::sample::subsequence(vec!["b", "B", "value"], 1..=2).prop_flat_map(move |names| {
                let members: Vec<_> = names.into_iter().map(|name| (Just(name), inner.clone())).collect();
                members.prop_map(Type::Object)
            }),
        ]
    })
}

fn record(properties: Vec<(&'static str, Type)>) -> impl Strategy<Value = Record> {
    let members: Vec<_> =
        properties.into_iter().map(|(name, of)| (Just(name), proptest::option::weighted(0.8, of.values()))).collect();
    (1..5_i64, 1..9_i64, members).prop_map(|(id, sequence, members)| {
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Record { id, sequence, members }
    })
}

pub(crate) fn cut() -> impl Strategy<Value = Cut> {
    let act = prop_oneof![
        8 => Just(Act::Flush),
        3 => Just(Act::Restart),
        2 => Just(Act::Repeat),
        2 => Just(Act::Replay),
        3 => Just(Act::Pause),
        3 => Just(Act::Resume),
    ];
    let (order, acts) = (vec(any::<u8>(), 40), vec(vec(act, 0..4), 40));
    (1..9_usize, order, acts).prop_map(|(size, order, acts)| Cut { size, order, acts })
}

impl Cut {
    /// What is done after the batch of this index.
    pub(crate) fn acts_after(&self, batch: usize) -> &[Act] {
        self.acts.get(batch).map_or(&[], Vec::as_slice)
    }
}

impl Stream {
    /// The batches in the order they are sent.
    pub(crate) fn batches(&self, cut: &Cut) -> Vec<Sent> {
        let of_part = |part: &Part| {
            let Part { table_version, properties, messages } = part;
            let (schema, keys) = (schema(properties), self.kind.keys());
            let sent = |messages: &[Message]| {
                let (table_version, schema, messages) = (*table_version, schema.clone(), messages.to_vec());
                Sent { table_version, keys, schema, messages }
            };
            messages.chunks(cut.size).map(sent).collect::<Vec<_>>()
        };
        let mut batches: Vec<Sent> = self.parts.iter().flat_map(of_part).collect();
        let mut order = cut.order.iter().cycle();
        batches.sort_by_cached_key(|_| order.next());
        // Two batches with one body are one: the later is a repeat.
        let mut bodies = std::collections::HashSet::new();
        batches.retain(|batch| bodies.insert(batch.body()));
        batches
    }
}

impl Kind {
    fn keys(self) -> &'static [&'static str] {
        if self == Self::Keyless { &[] } else { &["id"] }
    }

    /// What the engine is told, so that this stays.
    pub(crate) fn policy(self) -> Policy {
        match self {
            Self::SoftDeletes | Self::Keyless => Policy::default(),
            Self::HardDeletes => Policy { deletes: Deletes::Hard, ..Policy::default() },
            Self::Appended => Policy { loading: Loading::Append, ..Policy::default() },
        }
    }
}

fn schema(properties: &[(&'static str, Type)]) -> serde_json::Value {
    let mut declared = serde_json::Map::new();
    declared.insert("id".to_owned(), json!({"type": "integer"}));
    declared.insert(MISTYPED.to_owned(), json!({"type": ["null", "integer"]}));
    declared.extend(properties.iter().map(|(name, of)| ((*name).to_owned(), of.schema())));
    json!({"type": "object", "properties": declared})
}

impl Sent {
    pub(crate) fn records(&self) -> u64 {
        self.messages.len() as u64
    }

    /// The indices of its mistyped records.
    pub(crate) fn mistyped(&self) -> BTreeSet<u64> {
        let mistyped = (0..).zip(&self.messages).filter(|(_, message)| matches!(message, Message::Mistyped(_)));
        mistyped.map(|(index, _)| index).collect()
    }

    /// Its mistyped records with a schema that accepts them.
    pub(crate) fn mended(&self) -> Self {
        let mut schema = self.schema.clone();
        schema["properties"][MISTYPED] = json!({});
        let mended = |message: &Message| match message {
            Message::Mistyped(record) => Some(Message::Upsert(record.clone())),
            _ => None,
        };
        Self { schema, messages: self.messages.iter().filter_map(mended).collect(), ..self.clone() }
    }

    /// The batch as it comes over the wire.
    pub(crate) fn body(&self) -> Vec<u8> {
        let messages: Vec<String> = self.messages.iter().map(Message::json).collect();
        let version = self.table_version.map_or_else(String::new, |version| format!(r#""table_version":{version},"#));
        let (keys, schema, messages) = (json!(self.keys), &self.schema, messages.join(","));
        format!(r#"{{"table_name":"t",{version}"schema":{schema},"key_names":{keys},"messages":[{messages}]}}"#).into()
    }
}

impl Message {
    fn json(&self) -> String {
        match self {
            Self::Upsert(record) | Self::Mistyped(record) => {
                format!(r#"{{"action":"upsert","sequence":{},"data":{}}}"#, record.sequence, record.json())
            }
            Self::Delete { record, at } => {
                let (sequence, at, data) = (record.sequence, moment_text(*at), record.json());
                format!(r#"{{"action":"delete","sequence":{sequence},"time_extracted":{at},"data":{data}}}"#)
            }
            Self::ActivateVersion { sequence } => format!(r#"{{"action":"activate_version","sequence":{sequence}}}"#),
            Self::Bad { sequence } => {
                format!(r#"{{"action":"upsert","sequence":{sequence},"data":{{"id":"no integer"}}}}"#)
            }
        }
    }
}

impl Record {
    fn json(&self) -> String {
        let members: String =
            self.members.iter().map(|(name, value)| format!(",{}:{}", json!(name), value.json())).collect();
        format!(r#"{{"id":{}{members}}}"#, self.id)
    }
}

impl Type {
    fn schema(&self) -> serde_json::Value {
        match self {
            Self::Integer => json!({"type": ["null", "integer"]}),
            Self::Number => json!({"type": ["null", "number"]}),
            Self::Decimal { scale: 2 } => json!({"type": ["null", "number"], "multipleOf": 0.01}),
            Self::Decimal { .. } => json!({"type": ["null", "number"], "multipleOf": 0.0001}),
            Self::DecimalText => json!({"type": ["null", "string"], "format": "singer.decimal"}),
            Self::Text => json!({"type": ["null", "string"]}),
            Self::Boolean => json!({"type": ["null", "boolean"]}),
            Self::Moment => json!({"type": ["null", "string"], "format": "date-time"}),
            Self::Date => json!({"type": ["null", "string"], "format": "date"}),
            Self::Time => json!({"type": ["null", "string"], "format": "time"}),
            Self::IntegerOrText => json!({"anyOf": [{"type": "integer"}, {"type": ["null", "string"]}]}),
            Self::Untyped => json!({}),
            Self::Array(element) => json!({"type": ["null", "array"], "items": element.schema()}),
            Self::Object(members) => {
                let members = members.iter().map(|(name, of)| ((*name).to_owned(), of.schema()));
                json!({"type": ["null", "object"], "properties": members.collect::<serde_json::Map<_, _>>()})
            }
        }
    }

    /// Values of this type, and null.
    fn values(&self) -> BoxedStrategy<Sample> {
        let present = match self {
            Self::Integer => integer(),
            Self::Number => number(),
            Self::Decimal { scale } => decimal(*scale),
            Self::DecimalText => decimal_text(),
            Self::Text => text(),
            Self::Boolean => boolean(),
            Self::Moment => moment(),
            Self::Date => (-700_000..2_900_000_i32).prop_map(date).boxed(),
            Self::Time => time(),
            Self::IntegerOrText => prop_oneof![integer(), text()].boxed(),
            Self::Untyped => untyped(),
            Self::Array(element) => vec(element.values(), 0..4).prop_map(Sample::Array).boxed(),
            Self::Object(members) => {
                let members: Vec<_> = members.iter().map(|(name, of)| (Just(*name), of.values())).collect();
                members.prop_map(Sample::Object).boxed()
            }
        };
        prop_oneof![7 => present, 1 => Just(Sample::Null)].boxed()
    }
}

impl Sample {
    fn scalar(json: impl Into<String>, value: Value) -> Self {
        Self::Scalar { json: json.into(), value }
    }

    fn json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Scalar { json, .. } => json.clone(),
            Self::Array(elements) => format!("[{}]", elements.iter().map(Self::json).collect::<Vec<_>>().join(",")),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{}:{}", json!(name), value.json()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

fn integer() -> BoxedStrategy<Sample> {
    let values =
        prop_oneof![3 => -3..3_i64, 1 => any::<i64>(), 1 => select(vec![i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1])];
    values.prop_map(|value| Sample::scalar(value.to_string(), Value::Integer(value))).boxed()
}

fn number() -> BoxedStrategy<Sample> {
    let values = prop_oneof![select(vec![0.0, 1.0, -2.0, 0.5, 1e300, -1e-300, 9007199254740992.0]), -1e9..1e9_f64];
    values.prop_map(|value| Sample::scalar(format!("{value:e}"), of_double(value))).boxed()
}

/// Numbers compare by value: a whole one is an integer as far as doubles tell integers apart.
fn of_double(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= 9007199254740992.0 {
        Value::Integer(value as i64)
    } else {
        Value::Double(value.into())
    }
}

fn decimal(scale: u32) -> BoxedStrategy<Sample> {
    let values = prop_oneof![3 => -999..999_i128, 1 => -(10_i128.pow(37))..10_i128.pow(37)];
    values
        .prop_map(move |value| {
            let digits = format!("{:0width$}", value.unsigned_abs(), width = scale as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            let sign = if value < 0 { "-" } else { "" };
            Sample::scalar(format!("{sign}{whole}.{fraction}"), of_decimal(sign, whole, fraction))
        })
        .boxed()
}

fn decimal_text() -> BoxedStrategy<Sample> {
    let digits = ("-?", "[1-9][0-9]{0,45}", "[0-9]{0,9}");
    digits
        .prop_map(|(sign, whole, fraction)| {
            let point = if fraction.is_empty() { "" } else { "." };
            Sample::scalar(format!("\"{sign}{whole}{point}{fraction}\""), of_decimal(&sign, &whole, &fraction))
        })
        .boxed()
}

fn of_decimal(sign: &str, whole: &str, fraction: &str) -> Value {
    let fraction = fraction.trim_end_matches('0');
    match format!("{sign}{whole}").parse() {
        Ok(integer) if fraction.is_empty() => Value::Integer(integer),
        _ if fraction.is_empty() => Value::Decimal(format!("{sign}{whole}")),
        _ => Value::Decimal(format!("{sign}{whole}.{fraction}")),
    }
}

fn text() -> BoxedStrategy<Sample> {
    let values =
        prop_oneof!["[a-c]{0,2}", any::<String>(), select(vec!["\0".to_owned(), "5".to_owned(), "null".to_owned()])];
    values.prop_map(|value| Sample::scalar(json!(value).to_string(), Value::String(value))).boxed()
}

fn boolean() -> BoxedStrategy<Sample> {
    any::<bool>().prop_map(|value| Sample::scalar(value.to_string(), Value::Boolean(value))).boxed()
}

fn moment() -> BoxedStrategy<Sample> {
    let values = -62_135_596_800_000_000..253_402_300_800_000_000_i64;
    values.prop_map(|micros| Sample::scalar(moment_text(micros), Value::Timestamp(micros))).boxed()
}

/// A moment in JSON, from microseconds since 1970.
fn moment_text(micros: i64) -> String {
    let (days, of_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    format!("\"{}T{}Z\"", day(days), clock(of_day))
}

fn date(days: i32) -> Sample {
    Sample::scalar(format!("\"{}\"", day(i64::from(days))), Value::Date(days))
}

fn time() -> BoxedStrategy<Sample> {
    let values = 0..86_400_000_000_i64;
    values.prop_map(|micros| Sample::scalar(format!("\"{}\"", clock(micros)), Value::Time(micros))).boxed()
}

/// A day of the calendar, from days since 1970.
fn day(days: i64) -> String {
    arrow::temporal_conversions::date32_to_datetime(i32::try_from(days).unwrap()).unwrap().date().to_string()
}

/// A time of day, from microseconds since midnight.
fn clock(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, micros % 1_000_000)
}

/// Values of which the schema says nothing. What is nested in them has few names, so that they meet.
fn untyped() -> BoxedStrategy<Sample> {
    let leaf = prop_oneof![
        3 => integer(),
        2 => (-1e9..1e9_f64).prop_map(|value| Sample::scalar(format!("{value:?}"), of_double(value))),
        2 => text(),
        1 => boolean(),
        1 => Just(Sample::Null),
    ];
    leaf.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Sample::Array),
            proptest::sample::subsequence(vec!["b", "B", "value"], 0..=2).prop_flat_map(move |names| {
                let members: Vec<_> = names.into_iter().map(|name| (Just(name), inner.clone())).collect();
                members.prop_map(Sample::Object)
            }),
        ]
    })
    .boxed()
}
