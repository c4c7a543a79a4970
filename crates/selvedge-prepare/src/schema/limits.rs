//! What a JSON Schema asks of numbers and strings, beside their type.

use std::cmp::Ordering;

use selvedge_core::ColumnType;
use serde_json::{Map, Value};

use crate::decode::json_type::JsonType;
use crate::decode::number::{self, Number};
use crate::refusal::Refusal;
use crate::schema::allowed::{self, Allowed};
use crate::schema::pattern::Pattern;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// What the values of one column must satisfy.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Limits {
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    multiple_of: Option<Step>,
    /// In characters.
    min_length: Option<u64>,
    /// In characters.
    max_length: Option<u64>,
    pattern: Option<Pattern>,
    allowed: Option<Allowed>,
}

/// A bound on a number.
#[derive(Debug, Clone, PartialEq)]
struct Bound {
    /// The bound as the schema writes it.
    text: String,
    value: f64,
    /// The bound as an integer at the column's scale, if it is one.
    scaled: Option<i128>,
    itself: Itself,
}

/// Whether a bound's own value is within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Itself {
    Within,
    Beyond,
}

/// What a number must be a multiple of.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    text: String,
    /// As an integer at the column's scale.
    scaled: i128,
}

impl Limits {
    /// What a schema asks of the values of a column of this type; `None` if that is nothing.
    pub(crate) fn of(schema: &Map<String, Value>, column_type: ColumnType) -> Result<Option<Self>> {
        let limits = match column_type {
            ColumnType::Integer => Self::of_numbers(schema, Some(0))?,
            ColumnType::Decimal { scale } => Self::of_numbers(schema, Some(scale))?,
            ColumnType::Double => Self::of_numbers(schema, None)?,
            ColumnType::Boolean | ColumnType::Json => Self::default(),
            ColumnType::String
            | ColumnType::DecimalText
            | ColumnType::Timestamp
            | ColumnType::Date
            | ColumnType::Time => Self::of_strings(schema)?,
        };
        let limits = Self { allowed: allowed(schema, column_type)?, ..limits };
        Ok(Some(limits).filter(|limits| *limits != Self::default()))
    }

    fn of_numbers(schema: &Map<String, Value>, scale: Option<u8>) -> Result<Self> {
        let multiple_of = match (schema.get("multipleOf"), scale) {
            (Some(step), Some(scale)) => Some(step_at_scale(step, scale)?).filter(|step| step.scaled > 1),
            _ => None,
        };
        let minimum = bound(schema, ("minimum", "exclusiveMinimum"), Ordering::Less, scale)?;
        let maximum = bound(schema, ("maximum", "exclusiveMaximum"), Ordering::Greater, scale)?;
        Ok(Self { minimum, maximum, multiple_of, ..Self::default() })
    }

    fn of_strings(schema: &Map<String, Value>) -> Result<Self> {
        let pattern = match schema.get("pattern") {
            None => None,
            Some(Value::String(pattern)) => Some(Pattern::new(pattern).map_err(Refusal::schema)?),
            Some(other) => return Err(wrong_type(JsonType::String, other)),
        };
        let (min_length, max_length) = (length(schema, "minLength")?, length(schema, "maxLength")?);
        Ok(Self { min_length, max_length, pattern, ..Self::default() })
    }

    /// Checks a number that is known exactly, as an integer at the column's scale.
    pub(crate) fn check_exact(&self, number: Number, value: i128) -> Result<()> {
        if let Some(step) = &self.multiple_of
            && value % step.scaled != 0
        {
            return Err(not_a_multiple(number.text, &step.text));
        }
        self.check_bounds(number.text, |bound| match bound.scaled {
            Some(limit) => value.cmp(&limit),
            // A bound between two values of the column's scale, or far beyond them, is never met itself.
            None => number.double().unwrap_or_default().total_cmp(&bound.value),
        })?;
        self.check_allowed(number.text, |allowed| allowed.has_exact(value))
    }

    pub(crate) fn check_double(&self, number: Number, value: f64) -> Result<()> {
        self.check_bounds(number.text, |bound| value.total_cmp(&bound.value))?;
        self.check_allowed(number.text, |allowed| allowed.has_double(value))
    }

    /// Checks a number that is beyond what the column holds.
    #[cold]
    pub(crate) fn check_beyond(&self, text: &str) -> Result<()> {
        let value: f64 = text.parse().unwrap_or_default();
        self.check_bounds(text, |bound| value.total_cmp(&bound.value))?;
        self.check_allowed(text, |_| false)
    }

    pub(crate) fn check_boolean(&self, value: bool) -> Result<()> {
        let text = if value { "true" } else { "false" };
        self.check_allowed(text, |allowed| allowed.has_boolean(value))
    }

    pub(crate) fn check_text(&self, text: &str) -> Result<()> {
        if self.min_length.is_some() || self.max_length.is_some() {
            self.check_length(text.chars().count() as u64)?;
        }
        if let Some(pattern) = &self.pattern
            && !pattern.matches(text)
        {
            return Err(Refusal::violation(pattern.refused(text)));
        }
        self.check_allowed(text, |allowed| allowed.has_text(text))
    }

    fn check_length(&self, length: u64) -> Result<()> {
        match (self.min_length, self.max_length) {
            (Some(least), _) if length < least => {
                Err(Refusal::violation(format!("expected minLength: {least}, actual: {length}")))
            }
            (_, Some(most)) if length > most => {
                Err(Refusal::violation(format!("expected maxLength: {most}, actual: {length}")))
            }
            _ => Ok(()),
        }
    }

    fn check_bounds(&self, text: &str, compared_to: impl Fn(&Bound) -> Ordering) -> Result<()> {
        if let Some(bound) = &self.minimum
            && bound.refuses(compared_to(bound), Ordering::Less)
        {
            return Err(Refusal::violation(bound.refused(text, "greater")));
        }
        if let Some(bound) = &self.maximum
            && bound.refuses(compared_to(bound), Ordering::Greater)
        {
            return Err(Refusal::violation(bound.refused(text, "less")));
        }
        Ok(())
    }

    fn check_allowed(&self, text: &str, has: impl Fn(&Allowed) -> bool) -> Result<()> {
        match &self.allowed {
            Some(allowed) if !has(allowed) => Err(Refusal::violation(allowed::refused(text))),
            _ => Ok(()),
        }
    }

    /// What numbers must be a multiple of, as the schema writes it, where that is more than the column's scale says.
    pub(crate) fn step(&self) -> Option<&str> {
        self.multiple_of.as_ref().map(|step| step.text.as_str())
    }

    /// Adds those of another schema to which the values must conform as well. Where both limit the same, this one's stay;
    /// whether nothing was lost by that.
    pub(crate) fn add(&mut self, other: Self) -> bool {
        let Self { minimum, maximum, multiple_of, min_length, max_length, pattern, allowed } = other;
        keep(&mut self.minimum, minimum)
            & keep(&mut self.maximum, maximum)
            & keep(&mut self.multiple_of, multiple_of)
            & keep(&mut self.min_length, min_length)
            & keep(&mut self.max_length, max_length)
            & keep(&mut self.pattern, pattern)
            & keep(&mut self.allowed, allowed)
    }
}

fn keep<T: PartialEq>(ours: &mut Option<T>, theirs: Option<T>) -> bool {
    match (&ours, theirs) {
        (Some(ours), Some(theirs)) => *ours == theirs,
        (None, theirs) => {
            *ours = theirs;
            true
        }
        (Some(_), None) => true,
    }
}

impl Bound {
    /// Whether a value that compares to the bound like this is refused, when those on the side of `beyond` are.
    fn refuses(&self, compared: Ordering, beyond: Ordering) -> bool {
        compared == beyond || (compared.is_eq() && self.itself == Itself::Beyond)
    }

    #[cold]
    fn refused(&self, text: &str, side: &str) -> String {
        match self.itself {
            Itself::Within => format!("{text} is not {side} or equal to {}", self.text),
            Itself::Beyond => format!("{text} is not {side} than {}", self.text),
        }
    }
}

/// The values of `const`, or else of `enum`; `None` where neither stands.
pub(crate) fn enumerated(schema: &Map<String, Value>) -> Result<Option<Vec<&Value>>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => Ok(Some(vec![only])),
        (None, Some(Value::Array(values))) => Ok(Some(values.iter().collect())),
        (None, Some(other)) => Err(wrong_type(JsonType::Array, other)),
        (None, None) => Ok(None),
    }
}

fn allowed(schema: &Map<String, Value>, column_type: ColumnType) -> Result<Option<Allowed>> {
    Ok(enumerated(schema)?.map(|values| Allowed::of(&values, column_type)))
}

/// The exact text of a number in a schema, without an exponent; `None` when the value is no number or has too many digits.
pub(crate) fn exact(value: &Value) -> Option<String> {
    let number = value.as_number()?;
    // A double is read to within one unit of its last place, which leaves fifteen digits that are the schema's own.
    let double = number.as_f64().filter(|_| number.is_f64());
    number::canonical(&double.map_or_else(|| number.to_string(), |double| format!("{double:.14e}")))
}

/// The digits after the point of the number that others must be a multiple of.
pub(crate) fn scale_of(step: &Value) -> Option<usize> {
    let step = exact(step)?;
    Some(step.split_once('.').map_or(0, |(_, digits)| digits.len()))
}

fn length(schema: &Map<String, Value>, name: &str) -> Result<Option<u64>> {
    let Some(length) = schema.get(name) else { return Ok(None) };
    match exact(length).and_then(|length| length.parse().ok()) {
        Some(length) => Ok(Some(length)),
        None => Err(Refusal::schema(format!("{name} is a whole number that is not negative"))),
    }
}

fn step_at_scale(step: &Value, scale: u8) -> Result<Step> {
    let no_step = || Refusal::schema("multipleOf is a number above 0");
    let text = exact(step).ok_or_else(no_step)?;
    let own_scale = scale_of(step).and_then(|scale| u8::try_from(scale).ok()).unwrap_or(u8::MAX).max(scale);
    let own = number::scaled(&text, own_scale).filter(|step| *step > 0).ok_or_else(no_step)?;
    // A whole number n is a multiple of a / 10^k just if it is one of a / gcd(a, 10^k).
    let finer = 10_i128.checked_pow(u32::from(own_scale - scale)).ok_or_else(no_step)?;
    Ok(Step { text, scaled: own / greatest_common_divisor(own, finer) })
}

fn greatest_common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The bound named `plain`, where draft 4 may add `exclusive: true`, or the one draft 6 names `exclusive` itself; of both the
/// one that allows less. Values on the side of `beyond` are refused.
fn bound(
    schema: &Map<String, Value>,
    (plain, exclusive): (&str, &str),
    beyond: Ordering,
    scale: Option<u8>,
) -> Result<Option<Bound>> {
    let bound = |limit: &Value, itself| {
        let value = limit.as_f64().ok_or_else(|| wrong_type_of("Number", limit))?;
        let text = exact(limit).unwrap_or_else(|| limit.to_string());
        let value = text.parse().unwrap_or(value);
        let scaled = scale.and_then(|scale| number::scaled(&text, scale));
        Ok::<_, Box<Refusal>>(Bound { text, value, scaled, itself })
    };
    let itself = if schema.get(exclusive) == Some(&Value::Bool(true)) { Itself::Beyond } else { Itself::Within };
    let plain = schema.get(plain).map(|limit| bound(limit, itself)).transpose()?;
    let exclusive = schema.get(exclusive).filter(|limit| !limit.is_boolean());
    let exclusive = exclusive.map(|limit| bound(limit, Itself::Beyond)).transpose()?;
    Ok(match (plain, exclusive) {
        (Some(plain), Some(exclusive)) if exclusive.value.total_cmp(&plain.value) == beyond => Some(plain),
        (plain, exclusive) => exclusive.or(plain),
    })
}

/// The refusal of a schema in which a keyword has a value of another type than it must have.
pub(crate) fn wrong_type(expected: JsonType, found: &Value) -> Box<Refusal> {
    wrong_type_of(&expected.to_string(), found)
}

fn wrong_type_of(expected: &str, found: &Value) -> Box<Refusal> {
    Refusal::schema(format!("expected type: {expected}, found: {}", JsonType::of(found)))
}

#[cold]
pub(crate) fn not_a_multiple(text: &str, step: &str) -> Box<Refusal> {
    Refusal::violation(format!("{text} is not a multiple of {step}"))
}
