//! What a JSON Schema asks beyond types and limits of single values: checked on a value's own text by the crate
//! `jsonschema`, as draft 7 states it.
//!
//! Keywords that selvedge reads in its own way elsewhere are read in that way here: formats, patterns, `multipleOf` in
//! decimal arithmetic, and both drafts' exclusive bounds. A value's numbers are doubles here where they are not whole.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, Keyword, PatternOptions, Registry, ValidationError, ValidationOptions, Validator};
use selvedge_core::ColumnType;
use serde_json::{Map, Value, json};

use crate::decode::json_type::JsonType;
use crate::decode::leaf::Leaf;
use crate::decode::number;
use crate::refusal::Refusal;
use crate::schema::allowed;
use crate::schema::limits;
use crate::schema::pattern::Pattern;
use crate::schema::record_type::Scalar;
use crate::schema::typing::string_type;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Schemas to which a value must conform as a whole.
pub(crate) struct Rules {
    /// Where they stand in their document, as JSON pointers.
    pointers: Vec<String>,
    validator: Validator,
}

impl Rules {
    /// Checks a value by its JSON text.
    ///
    /// # Errors
    /// All that is wrong with it, the places as seen from the value.
    pub(crate) fn check(&self, text: &str) -> std::result::Result<(), Vec<Refusal>> {
        let value = serde_json::from_str(text).map_err(|error| vec![*Refusal::violation(error.to_string())])?;
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        Err(self.validator.iter_errors(&value).flat_map(refusals).collect())
    }
}

/// Rules are the same where they are those of the same places; two documents are never compared.
impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.pointers == other.pointers
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rules").field(&self.pointers).finish()
    }
}

/// The rules of one document, each compiled once.
pub(crate) struct Rulebook<'s> {
    document: &'s Value,
    /// The document as its rules know it, once there is one.
    registry: Option<Registry<'static>>,
    compiled: HashMap<Vec<String>, Arc<Rules>>,
}

/// The name under which the document is known to its rules.
const DOCUMENT: &str = "urn:selvedge:schema";

impl<'s> Rulebook<'s> {
    pub(crate) fn new(document: &'s Value) -> Self {
        Self { document, registry: None, compiled: HashMap::new() }
    }

    /// The rules that the schemas at these JSON pointers make together.
    pub(crate) fn rules(&mut self, pointers: Vec<String>) -> Result<Arc<Rules>> {
        if let Some(known) = self.compiled.get(&pointers) {
            return Ok(Arc::clone(known));
        }
        let registry = match self.registry.take() {
            Some(registry) => registry,
            None => registry(self.document).map_err(|error| Refusal::schema(error.to_string()))?,
        };
        let registry = self.registry.insert(registry);
        let references = pointers.iter().map(|pointer| json!({"$ref": format!("{DOCUMENT}#{}", fragment(pointer))}));
        let references = json!({"allOf": references.collect::<Vec<_>>()});
        let validator = options().with_registry(registry).build(&references);
        let validator = validator
            .map_err(|error| Refusal::schema(format!("the schema at #{} is wrong: {error}", pointers.join(" or #"))))?;
        let rules = Arc::new(Rules { pointers: pointers.clone(), validator });
        self.compiled.insert(pointers, Arc::clone(&rules));
        Ok(rules)
    }
}

fn registry(document: &Value) -> std::result::Result<Registry<'static>, jsonschema::ReferencingError> {
    let mut document = document.clone();
    // References are read within the document, whatever it calls itself.
    if let Value::Object(root) = &mut document {
        for name in ["$schema", "$id", "id"] {
            root.shift_remove(name);
        }
    }
    Registry::new().draft(Draft::Draft7).add(DOCUMENT, Draft::Draft7.create_resource(document))?.prepare()
}

/// A JSON pointer as the fragment of a URI.
fn fragment(pointer: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/$".contains(&byte);
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    pointer.bytes().map(encoded).collect()
}

fn options() -> ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .with_pattern_options(PatternOptions::regex())
        .with_keyword("contentEncoding", |_, _, _| Ok(Own::boxed(Box::new(|_| None))))
        .with_keyword("contentMediaType", |_, _, _| Ok(Own::boxed(Box::new(|_| None))))
        .with_keyword("format", |_, format, _| Ok(Own::boxed(of_format(format))))
        .with_keyword("pattern", |_, pattern, _| Ok(Own::boxed(of_pattern(pattern)?)))
        .with_keyword("multipleOf", |_, step, _| Ok(Own::boxed(of_multiple(step))))
        .with_keyword("exclusiveMinimum", |schema, limit, _| {
            Ok(Own::boxed(of_exclusive(schema.get("minimum"), limit, Ordering::Greater)))
        })
        .with_keyword("exclusiveMaximum", |schema, limit, _| {
            Ok(Own::boxed(of_exclusive(schema.get("maximum"), limit, Ordering::Less)))
        })
}

/// What selvedge itself says of a value, if it refuses it.
type Check = Box<dyn Fn(&Value) -> Option<String> + Send + Sync>;

/// A keyword that selvedge checks itself.
struct Own(Check);

impl Own {
    fn boxed(check: Check) -> Box<dyn for<'i> Keyword<'i>> {
        Box::new(Self(check))
    }
}

impl<'i> Keyword<'i> for Own {
    fn validate(&self, value: &'i Value) -> std::result::Result<(), ValidationError<'i>> {
        (self.0)(value).map_or(Ok(()), |reason| Err(ValidationError::custom(reason)))
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        (self.0)(value).is_none()
    }
}

fn of_format(format: &Value) -> Check {
    let column_type = string_type(format.as_str());
    if column_type == ColumnType::String {
        return Box::new(|_| None);
    }
    Box::new(move |value| {
        let text = value.as_str()?;
        let fault = Leaf::new(&Scalar::plain(column_type)).put_string(0, text).err()?;
        (!fault.is_out_of_range()).then(|| fault.reason().to_owned())
    })
}

fn of_pattern(pattern: &Value) -> std::result::Result<Check, ValidationError<'static>> {
    let pattern = Pattern::new(pattern.as_str().unwrap_or_default()).map_err(ValidationError::custom)?;
    Ok(Box::new(move |value| {
        let text = value.as_str()?;
        (!pattern.matches(text)).then(|| pattern.refused(text))
    }))
}

/// Doubles are taken for the shortest decimals that they are nearest to.
fn of_multiple(step: &Value) -> Check {
    let step = step.clone();
    Box::new(move |value| {
        let number = value.as_number()?.to_string();
        let scale = limits::scale_of(value)?.max(limits::scale_of(&step)?);
        let scale = u8::try_from(scale).ok()?;
        let scaled = |value: &Value| number::scaled(&limits::exact(value)?, scale);
        let rest = scaled(value)?.checked_rem(scaled(&step)?)?;
        (rest != 0).then(|| format!("{number} is not a multiple of {}", limits::exact(&step).unwrap_or_default()))
    })
}

/// The exclusive bound that draft 6 states, or the one draft 4 makes of another bound. Values must be on its `side`.
fn of_exclusive(plain: Option<&Value>, exclusive: &Value, side: Ordering) -> Check {
    let limit = match exclusive {
        Value::Bool(true) => plain,
        Value::Bool(false) => None,
        limit => Some(limit),
    };
    let limit = limit.cloned();
    let word = if side == Ordering::Greater { "greater" } else { "less" };
    Box::new(move |value| {
        let limit = limit.as_ref()?;
        let order = match (value.as_i64(), limit.as_i64()) {
            (Some(value), Some(limit)) => value.cmp(&limit),
            _ => value.as_f64()?.partial_cmp(&limit.as_f64()?)?,
        };
        (order != side).then(|| format!("{value} is not {word} than {limit}"))
    })
}

/// What an error of the crate says, in the words of the Import API.
fn refusals(error: ValidationError<'_>) -> Vec<Refusal> {
    let reasons = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| format!("extraneous key [{name}] is not permitted")).collect()
        }
        kind => vec![reason(kind, error.instance()).unwrap_or_else(|| error.to_string())],
    };
    let pointer = error.instance_path().as_str();
    let names = pointer.strip_prefix('/').into_iter().flat_map(|names| names.rsplit('/'));
    let names: Vec<String> = names.map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let placed = |reason: String| names.iter().fold(Refusal::violation(reason), |refusal, name| refusal.under(name));
    reasons.into_iter().map(|reason| *placed(reason)).collect()
}

/// `None` for what only the crate itself can say.
fn reason(kind: &ValidationErrorKind, value: &Value) -> Option<String> {
    use ValidationErrorKind as Kind;
    let items = || value.as_array().map_or(0, Vec::len);
    let members = || value.as_object().map_or(0, Map::len);
    let length = || value.as_str().map_or(0, |text| text.chars().count());
    Some(match kind {
        Kind::Custom { message, .. } => message.clone(),
        Kind::Type { kind } => wrong_type(kind, value),
        Kind::Required { property: Value::String(name) } => format!("required key [{name}] not found"),
        Kind::AnyOf { context } => format!("no subschema matched out of the total {} subschemas", context.len()),
        Kind::OneOfNotValid { .. } => "0 subschemas matched instead of one".to_owned(),
        Kind::OneOfMultipleValid { context } => {
            let matched = context.iter().filter(|errors| errors.is_empty()).count();
            format!("{matched} subschemas matched instead of one")
        }
        Kind::Enum { .. } | Kind::Constant { .. } => allowed::refused(&text(value)),
        Kind::Minimum { limit } => format!("{value} is not greater or equal to {limit}"),
        Kind::Maximum { limit } => format!("{value} is not less or equal to {limit}"),
        Kind::MinLength { limit } => format!("expected minLength: {limit}, actual: {}", length()),
        Kind::MaxLength { limit } => format!("expected maxLength: {limit}, actual: {}", length()),
        Kind::MinItems { limit } => format!("expected minimum item count: {limit}, found: {}", items()),
        Kind::MaxItems { limit } => format!("expected maximum item count: {limit}, found: {}", items()),
        Kind::AdditionalItems { limit } => format!("expected: [{limit}] array items, found: [{}]", items()),
        Kind::UniqueItems => "array items are not unique".to_owned(),
        Kind::Contains => "expected at least one array item to match 'contains' schema".to_owned(),
        Kind::MinProperties { limit } => format!("minimum size: [{limit}], found: [{}]", members()),
        Kind::MaxProperties { limit } => format!("maximum size: [{limit}], found: [{}]", members()),
        Kind::PropertyNames { error } => reason(error.kind(), error.instance())?,
        Kind::Not { schema } => format!("subject must not be valid against schema {schema}"),
        Kind::FalseSchema => "false schema always fails".to_owned(),
        _ => return None,
    })
}

fn wrong_type(expected: &TypeKind, found: &Value) -> String {
    let types = match expected {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(several) => several.iter().collect(),
    };
    let names = types.into_iter().filter_map(|expected| match expected {
        jsonschema::JsonType::Null => None,
        jsonschema::JsonType::Boolean => Some("Boolean"),
        jsonschema::JsonType::Integer => Some("Integer"),
        jsonschema::JsonType::Number => Some("Number"),
        jsonschema::JsonType::String => Some("String"),
        jsonschema::JsonType::Array => Some("JSONArray"),
        jsonschema::JsonType::Object => Some("JSONObject"),
    });
    JsonType::of(found).instead_of(&names.collect::<Vec<_>>())
}

/// A value as it is shown: a string without its quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
