//! The types that a schema names, and the scalars among them.

use std::sync::Arc;

use selvedge_core::{ColumnType, MAX_DECIMAL_SCALE};
use serde_json::Value;

use super::alternatives::Part;
use crate::decode::json_type::JsonType;
use crate::refusal::Refusal;
use crate::schema::limits::{self, Limits};
use crate::schema::record_type::Scalar;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A type as the keyword `type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// The types that all the parts allow; `None` when none of them names any.
///
/// Where `type` is missing, schemas with `properties` mean objects, and those with `items` arrays; the values of `enum` have
/// their own types.
pub(crate) fn types(parts: &[Part]) -> Result<Option<Vec<Type>>> {
    let mut allowed: Option<Vec<Type>> = None;
    for declared in parts.iter().filter_map(|part| part.keywords.get("type")) {
        let declared = named(declared)?;
        allowed = Some(match allowed {
            None => declared,
            Some(before) => before.into_iter().filter_map(|one| one.narrowed(&declared)).collect(),
        });
    }
    if allowed.is_some() {
        return Ok(allowed);
    }
    let has =
        |keywords: &[&str]| parts.iter().any(|part| keywords.iter().any(|name| part.keywords.contains_key(*name)));
    if has(&["properties", "additionalProperties", "patternProperties"]) {
        return Ok(Some(vec![Type::Object]));
    }
    if has(&["items"]) {
        return Ok(Some(vec![Type::Array]));
    }
    Ok(enumerated(parts)?.map(|values| of_values(&values)))
}

/// The values of the first `enum` or `const` among the parts.
pub(crate) fn enumerated<'s>(parts: &[Part<'s>]) -> Result<Option<Vec<&'s Value>>> {
    for part in parts {
        if let Some(values) = limits::enumerated(part.keywords)? {
            return Ok(Some(values));
        }
    }
    Ok(None)
}

/// The types of these values, in their order; one number that is not whole makes all numbers doubles.
fn of_values(values: &[&Value]) -> Vec<Type> {
    let whole = values.iter().all(|value| !value.is_number() || is(Type::Integer, value));
    let number = if whole { Type::Integer } else { Type::Number };
    let types = [Type::Null, Type::Boolean, number, Type::String, Type::Array, Type::Object];
    let first = |one: Type| values.iter().position(|value| is(one, value));
    let mut found: Vec<(usize, Type)> = types.into_iter().filter_map(|one| Some((first(one)?, one))).collect();
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, one)| one).collect()
}

/// The types that the value of `type` names.
pub(crate) fn named(declared: &Value) -> Result<Vec<Type>> {
    let unknown = |name: &dyn std::fmt::Display| Refusal::schema(format!("unknown type: [{name}]"));
    let one = |name: &Value| match name.as_str() {
        Some("null") => Ok(Type::Null),
        Some("boolean") => Ok(Type::Boolean),
        Some("integer") => Ok(Type::Integer),
        Some("number") => Ok(Type::Number),
        Some("string") => Ok(Type::String),
        Some("array") => Ok(Type::Array),
        Some("object") => Ok(Type::Object),
        Some(other) => Err(unknown(&other)),
        None => Err(unknown(name)),
    };
    match declared {
        Value::Array(names) if !names.is_empty() => names.iter().map(one).collect(),
        name => Ok(vec![one(name)?]),
    }
}

impl Type {
    /// What of this type others allow.
    fn narrowed(self, others: &[Self]) -> Option<Self> {
        match self {
            Self::Integer if others.contains(&Self::Number) => Some(Self::Integer),
            Self::Number if !others.contains(&Self::Number) && others.contains(&Self::Integer) => Some(Self::Integer),
            one => others.contains(&one).then_some(one),
        }
    }
}

/// Whether values of a type have a column.
pub(crate) fn is_scalar(one: Type) -> bool {
    !matches!(one, Type::Null | Type::Array | Type::Object)
}

/// Whether a value is of a type.
pub(crate) fn is(one: Type, value: &Value) -> bool {
    match one {
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => limits::scale_of(value) == Some(0),
        Type::Number => value.is_number(),
        Type::String => value.is_string(),
        Type::Array => value.is_array(),
        Type::Object => value.is_object(),
    }
}

/// A set of types of values.
#[derive(Clone, Copy, Default)]
pub(crate) struct JsonTypes(u8);

impl JsonTypes {
    fn of(types: &[JsonType]) -> Self {
        Self(types.iter().fold(0, |set, one| set | 1 << (*one as u8)))
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The types of the values that can conform to all the parts.
pub(crate) fn json_types(parts: &[Part]) -> Result<JsonTypes> {
    let Some(types) = types(parts)? else { return Ok(JsonTypes(u8::MAX)) };
    Ok(types.into_iter().fold(JsonTypes::default(), |set, one| {
        set.or(match one {
            Type::Null => JsonTypes::of(&[JsonType::Null]),
            Type::Boolean => JsonTypes::of(&[JsonType::Boolean]),
            Type::Integer => JsonTypes::of(&[JsonType::Integer]),
            Type::Number => JsonTypes::of(&[JsonType::Integer, JsonType::Double]),
            Type::String => JsonTypes::of(&[JsonType::String]),
            Type::Array => JsonTypes::of(&[JsonType::Array]),
            Type::Object => JsonTypes::of(&[JsonType::Object]),
        })
    }))
}

/// The scalar of a type, as all the parts want it, and whether it takes nothing that one of them does not.
pub(crate) fn scalar(one: Type, parts: &[Part]) -> Result<(Scalar, bool)> {
    let (column_type, mut exact) = match one {
        Type::Boolean => (ColumnType::Boolean, true),
        Type::Integer => (ColumnType::Integer, true),
        Type::Number => (number_type(parts)?, true),
        Type::String => of_formats(parts),
        Type::Null | Type::Array | Type::Object => (ColumnType::Json, true),
    };
    let mut all: Option<Limits> = None;
    for part in parts {
        let limits = Limits::of(part.keywords, column_type)?;
        match (&mut all, limits) {
            (Some(all), Some(limits)) => exact &= all.add(limits),
            (all, limits) => *all = all.take().or(limits),
        }
    }
    Ok((Scalar { column_type, limits: all.map(Arc::new) }, exact))
}

fn number_type(parts: &[Part]) -> Result<ColumnType> {
    let Some(step) = parts.iter().find_map(|part| part.keywords.get("multipleOf")) else {
        return Ok(ColumnType::Double);
    };
    let Some(scale) = limits::scale_of(step) else {
        return Err(Refusal::schema("multipleOf is a number above 0"));
    };
    match u8::try_from(scale) {
        Ok(scale) if scale <= MAX_DECIMAL_SCALE => Ok(ColumnType::Decimal { scale }),
        _ => Err(Refusal::schema(format!("multipleOf has more than {MAX_DECIMAL_SCALE} digits after the point"))),
    }
}

/// Whether a part has a format that is checked.
pub(crate) fn has_format(parts: &[Part]) -> bool {
    of_formats(parts).0 != ColumnType::String
}

/// The column of the first format that makes one of its own, and whether no other does.
fn of_formats(parts: &[Part]) -> (ColumnType, bool) {
    let formats = parts.iter().filter_map(|part| part.keywords.get("format"));
    let mut types = formats.map(|format| string_type(format.as_str())).filter(|one| *one != ColumnType::String);
    let first = types.next().unwrap_or(ColumnType::String);
    (first, types.all(|other| other == first))
}

/// The column of strings of a format.
pub(crate) fn string_type(format: Option<&str>) -> ColumnType {
    match format {
        Some("date-time") => ColumnType::Timestamp,
        Some("date") => ColumnType::Date,
        Some("time") => ColumnType::Time,
        Some("singer.decimal") => ColumnType::DecimalText,
        _ => ColumnType::String,
    }
}
