//! From a JSON Schema to a [`RecordType`].
//!
//! Draft 4 and 7 agree on all that is read here but `exclusiveMinimum` and `exclusiveMaximum`, which are told apart by
//! their type. A keyword that restricts values and is not compiled in refuses the schema: a rule the sender wrote is never
//! ignored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use selvedge_core::{ColumnType, MAX_DECIMAL_SCALE};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use crate::json_type::JsonType;
use crate::limits;
use crate::record_type::{Additional, Field, Presence, RecordType, Scalar, ValueType};
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Compiled schemas, found again by their text. Cheap to share between threads.
#[derive(Default)]
pub struct Schemas {
    compiled: Mutex<HashMap<u128, Arc<RecordType>>>,
}

/// How many schemas are remembered. Senders use a handful; beyond this many they are forgotten together.
const MAX_SCHEMAS: usize = 4_096;
/// How deep objects may be declared within each other.
const MAX_DEPTH: usize = 32;

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

/// Keywords that restrict values and are not compiled in. `items` is not among them: arrays are kept as they come.
const UNSUPPORTED: [&str; 20] = [
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "enum",
    "const",
    "pattern",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependencies",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
];

fn compile(schema: &Value, keys: &[String]) -> Result<RecordType> {
    let Value::Object(root) = schema else {
        return Err(Refusal::schema(format!("expected type: JSONObject, found: {}", JsonType::of(schema))));
    };
    if let Some(declared) = root.get("type").filter(|declared| !names_object(declared)) {
        return Err(Refusal::schema(format!("a record is an object, but the schema's type is {declared}")));
    }
    let mut record = object(root, MAX_DEPTH)?;
    record.fields.iter().try_for_each(|field| check_not_reserved(&field.name))?;
    keys.iter().try_for_each(|key| mark_key(&mut record, key))?;
    Ok(record)
}

fn names_object(declared: &Value) -> bool {
    match declared {
        Value::String(name) => name == "object",
        Value::Array(names) => names.iter().any(|name| name == "object"),
        _ => false,
    }
}

/// Refuses the names selvedge keeps for its own columns.
pub(crate) fn check_not_reserved(name: &str) -> Result<()> {
    let own = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if own("_sdc") || own("__sdc") {
        return Err(
            Refusal::violation("names beginning with `_sdc` are selvedge's own; rename the property").under(name)
        );
    }
    Ok(())
}

fn mark_key(record: &mut RecordType, key: &str) -> Result<()> {
    let Some(field) = record.fields.iter_mut().find(|field| field.name == key) else {
        return Err(Refusal::schema(format!("the key `{key}` is not among the schema's properties")));
    };
    let one_scalar = field.value.object.is_none() && field.value.scalars.len() == 1;
    if !one_scalar || field.value.scalars.iter().any(|scalar| scalar.column_type == ColumnType::Json) {
        return Err(Refusal::schema("a key has one scalar type").under(key));
    }
    field.presence = Presence::Key;
    Ok(())
}

fn object(schema: &Map<String, Value>, depth: usize) -> Result<RecordType> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Refusal::schema(format!("objects are declared deeper than {MAX_DEPTH} levels")));
    };
    check_supported(schema)?;
    let required = required_names(schema)?;
    let fields = match schema.get("properties") {
        None => Vec::new(),
        Some(Value::Object(properties)) => {
            properties.iter().map(|(name, schema)| field(name, schema, &required, depth)).collect::<Result<_>>()?
        }
        Some(other) => return Err(not_an_object(other).under("properties")),
    };
    let undeclared = required.iter().find(|name| fields.iter().all(|field: &Field| field.name != **name));
    if let Some(name) = undeclared {
        return Err(Refusal::schema(format!("`{name}` is required but not among the properties")));
    }
    let additional = match schema.get("additionalProperties") {
        None | Some(Value::Bool(true)) => Additional::Untyped,
        Some(Value::Bool(false)) => Additional::Refused,
        Some(schema) => Additional::Typed(Box::new(value(schema, depth)?)),
    };
    Ok(RecordType { fields, additional })
}

fn field(name: &str, schema: &Value, required: &[&str], depth: usize) -> Result<Field> {
    let presence = if required.contains(&name) { Presence::Required } else { Presence::Optional };
    let value = value(schema, depth).map_err(|refusal| refusal.under(name))?;
    Ok(Field { name: name.to_owned(), value, presence })
}

fn required_names(schema: &Map<String, Value>) -> Result<Vec<&str>> {
    match schema.get("required") {
        // Draft 3 wrote a boolean beside each property; what it said there was never enforced.
        None | Some(Value::Bool(_)) => Ok(Vec::new()),
        Some(Value::Array(names)) => Ok(names.iter().filter_map(Value::as_str).collect()),
        Some(other) => {
            Err(Refusal::schema(format!("expected type: JSONArray, found: {}", JsonType::of(other))).under("required"))
        }
    }
}

fn value(schema: &Value, depth: usize) -> Result<ValueType> {
    let Value::Object(schema) = schema else { return Err(not_an_object(schema)) };
    check_supported(schema)?;
    let names: Vec<&str> = match schema.get("type") {
        None if schema.contains_key("properties") => vec!["object"],
        None => return Ok(crate::record_type::UNTYPED.clone()),
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(other) => return Err(Refusal::schema(format!("unknown type: [{other}]"))),
    };
    let mut value = ValueType::default();
    for name in names {
        match name {
            "null" => value.nullable = true,
            "object" if schema.contains_key("properties") => value.object = Some(object(schema, depth)?),
            // Without declared properties there is nothing to flatten; what is inside is kept as it came.
            "object" => value.keep_as_json(JsonType::Object),
            "array" => value.keep_as_json(JsonType::Array),
            _ => value.add_scalar(scalar(name, schema)?),
        }
    }
    Ok(value)
}

fn scalar(name: &str, schema: &Map<String, Value>) -> Result<Scalar> {
    Ok(match name {
        "boolean" => Scalar::plain(ColumnType::Boolean),
        "integer" => Scalar { column_type: ColumnType::Integer, limits: limits::of_number(schema, Some(0))? },
        "number" => number_scalar(schema)?,
        "string" => Scalar { column_type: string_type(schema), limits: limits::of_string(schema)? },
        other => return Err(Refusal::schema(format!("unknown type: [{other}]"))),
    })
}

fn number_scalar(schema: &Map<String, Value>) -> Result<Scalar> {
    let Some(step) = schema.get("multipleOf") else {
        return Ok(Scalar { column_type: ColumnType::Double, limits: limits::of_number(schema, None)? });
    };
    let digits = |exact: String| exact.split_once('.').map_or(0, |(_, digits)| digits.len());
    let scale = limits::exact(step).map_or(usize::MAX, digits);
    let scale = u8::try_from(scale).ok().filter(|scale| *scale <= MAX_DECIMAL_SCALE);
    let Some(scale) = scale else {
        return Err(Refusal::schema(format!("multipleOf has more than {MAX_DECIMAL_SCALE} digits after the point")));
    };
    Ok(Scalar { column_type: ColumnType::Decimal { scale }, limits: limits::of_number(schema, Some(scale))? })
}

fn string_type(schema: &Map<String, Value>) -> ColumnType {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => ColumnType::Timestamp,
        Some("date") => ColumnType::Date,
        Some("time") => ColumnType::Time,
        Some("singer.decimal") => ColumnType::DecimalText,
        _ => ColumnType::String,
    }
}

fn check_supported(schema: &Map<String, Value>) -> Result<()> {
    match UNSUPPORTED.iter().find(|keyword| schema.contains_key(**keyword)) {
        None => Ok(()),
        Some(keyword) => Err(Refusal::schema(format!(
            "the keyword `{keyword}` is not checked by this version, and no rule is ignored silently; remove it"
        ))),
    }
}

fn not_an_object(schema: &Value) -> Box<Refusal> {
    let found = JsonType::of(schema);
    Refusal::schema(format!("key null: expected type is one of JSONObject, found: {found}"))
}
