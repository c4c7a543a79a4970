//! The types of JSON values.

use std::fmt;

use serde_json::Value;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonType {
    Null,
    Boolean,
    /// A number that is whole, however it is written.
    Integer,
    /// Any other number.
    Double,
    String,
    Array,
    Object,
}

impl JsonType {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Double,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// What is said of a value of this type where others are expected.
    #[cold]
    pub(crate) fn instead_of(self, expected: &[&str]) -> String {
        match expected {
            [] => format!("expected: null, found: {self}"),
            _ => format!("expected type: {}, found: {self}", expected.join(" or ")),
        }
    }
}

/// The name the Import API's errors give the type.
impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::Double => "Double",
            Self::String => "String",
            Self::Array => "JSONArray",
            Self::Object => "JSONObject",
        })
    }
}
