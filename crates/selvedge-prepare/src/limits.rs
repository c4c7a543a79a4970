//! The limits a JSON Schema sets to numbers and strings.

use serde_json::{Map, Value};

use crate::json_type::JsonType;
use crate::number;
use crate::record_type::{Bound, Itself, Limits};
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The limits of a string's length.
pub(crate) fn of_string(schema: &Map<String, Value>) -> Result<Limits> {
    let (min_length, max_length) = (length(schema, "minLength")?, length(schema, "maxLength")?);
    Ok(Limits { min_length, max_length, ..Limits::default() })
}

/// The limits of a number in a column of this scale; without a scale, of a double.
pub(crate) fn of_number(schema: &Map<String, Value>, scale: Option<u8>) -> Result<Limits> {
    let multiple_of = match (schema.get("multipleOf"), scale) {
        (Some(step), Some(scale)) => Some(step_at_scale(step, scale)?).filter(|step| *step > 1),
        _ => None,
    };
    let minimum = bound(schema, "minimum", "exclusiveMinimum", scale)?;
    let maximum = bound(schema, "maximum", "exclusiveMaximum", scale)?;
    Ok(Limits { minimum, maximum, multiple_of, ..Limits::default() })
}

/// The exact text of a number in a schema, without an exponent; `None` when the value is no number or has too many digits.
pub(crate) fn exact(value: &Value) -> Option<String> {
    let number = value.as_number()?;
    // A double is read to within one unit of its last place, which leaves fifteen digits that are the schema's own.
    let double = number.as_f64().filter(|_| number.is_f64());
    number::canonical(&double.map_or_else(|| number.to_string(), |double| format!("{double:.14e}")))
}

fn length(schema: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    let Some(length) = schema.get(name) else { return Ok(None) };
    match exact(length).and_then(|length| length.parse().ok()) {
        Some(length) => Ok(Some(length)),
        None => Err(Refusal::schema(format!("{name} is a whole number that is not negative"))),
    }
}

fn step_at_scale(step: &Value, scale: u8) -> Result<i128> {
    let step = exact(step).and_then(|step| number::scaled(&step, scale)).filter(|step| *step > 0);
    step.ok_or_else(|| Refusal::schema("multipleOf is a number above 0, and a whole one for integers"))
}

/// The bound named `plain`, where draft 4 may add `exclusive: true`, or the one draft 7 names `exclusive` itself.
fn bound(schema: &Map<String, Value>, plain: &str, exclusive: &str, scale: Option<u8>) -> Result<Option<Bound>> {
    let (limit, itself) = match (schema.get(plain), schema.get(exclusive)) {
        (None, None | Some(Value::Bool(_))) => return Ok(None),
        (Some(_), Some(Value::Number(_))) => {
            return Err(Refusal::schema(format!("use either {plain} or {exclusive}, not both")));
        }
        (None, Some(limit)) | (Some(limit), Some(Value::Bool(true))) => (limit, Itself::Beyond),
        (Some(limit), _) => (limit, Itself::Within),
    };
    let Some(value) = limit.as_f64() else {
        return Err(Refusal::schema(format!("expected type: Number, found: {}", JsonType::of(limit))).under(plain));
    };
    let text = exact(limit).unwrap_or_else(|| limit.to_string());
    let value = text.parse().unwrap_or(value);
    let scaled = scale.and_then(|scale| number::scaled(&text, scale));
    Ok(Some(Bound { text, value, scaled, itself }))
}
