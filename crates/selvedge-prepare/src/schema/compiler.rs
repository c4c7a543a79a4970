//! Compiles the places of a schema, from the record inwards.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::alternatives::{Alternatives, Demand, Expansion, Part};
use super::document::{Document, Place};
use super::reach::Reach;
use super::typing::{self, Type};
use crate::decode::json_type::JsonType;
use crate::refusal::Refusal;
use crate::schema::limits::wrong_type;
use crate::schema::record_type::{Additional, Field, MAX_NESTING, Presence, RecordType, UNTYPED, ValueType};
use crate::schema::rules::{Rulebook, Rules};

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// How many places a schema may have.
const MAX_PLACES: usize = 20_000;
/// How many places may come from laying out schemas that stand within themselves.
const MAX_UNROLLED_PLACES: usize = 1_000;

/// The type of the records a schema describes. Schemas that stand within themselves are laid out as often as leaves few
/// enough places; within the last of them, values are kept as JSON.
pub(crate) fn record(schema: &Value) -> Result<RecordType> {
    let object = json!({"type": "object"});
    let mut rulebook = Rulebook::new(schema);
    for unrolled in [MAX_NESTING, 8, 4, 2] {
        let mut compiler = Compiler::new(schema, &mut rulebook, unrolled, MAX_UNROLLED_PLACES);
        let record = compiler.record(&object);
        if compiler.places_left.is_some() {
            return record;
        }
    }
    Compiler::new(schema, &mut rulebook, 1, MAX_PLACES).record(&object)
}

struct Compiler<'c, 's> {
    document: Document<'s>,
    rulebook: &'c mut Rulebook<'s>,
    reach: Reach<'s>,
    /// How often a schema may stand within itself.
    unrolled: usize,
    /// How many more places there may be; `None` once there were more.
    places_left: Option<usize>,
    /// The schemas of the objects and arrays around the place at hand, by their pointers.
    around: Vec<String>,
}

/// A type, and whether it takes nothing that the schema does not allow.
type Typed<T> = (T, bool);

/// Keywords that restrict values in ways that types and limits do not express.
const RARE: [&str; 11] = [
    "not",
    "if",
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

/// Keywords that only restrict values of one type, and say nothing of what types there are.
const OF_ONE_TYPE: [&str; 9] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "required",
];

/// Keywords about what stands in objects and arrays.
const OF_CONTAINERS: [&str; 5] = ["properties", "additionalProperties", "required", "items", "additionalItems"];

/// Keywords that only later drafts know.
const LATER: [&str; 9] = [
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "minContains",
    "maxContains",
    "$dynamicRef",
    "$recursiveRef",
];

impl<'c, 's> Compiler<'c, 's> {
    fn new(schema: &'s Value, rulebook: &'c mut Rulebook<'s>, unrolled: usize, places: usize) -> Self {
        let document = Document::new(schema);
        Self {
            document,
            rulebook,
            reach: Reach::new(document),
            unrolled,
            places_left: Some(places),
            around: Vec::new(),
        }
    }

    fn record(&mut self, object: &'s Value) -> Result<RecordType> {
        let root = self.document.root();
        let is_object = Demand::Any(vec![Demand::Schema(Place { schema: object, pointer: "object".to_owned() })]);
        let value = self.value(&[is_object, Demand::Schema(root.clone())], 0)?;
        let record = value.object.map(|record| RecordType { rules: value.rules, ..record });
        record.ok_or_else(|| {
            let declared = root.schema.get("type").unwrap_or(&Value::Null);
            Refusal::schema(format!("a record is an object, but the schema's type is {declared}"))
        })
    }

    /// What a value takes that has to meet all these demands, and stands within so many objects and arrays.
    fn value(&mut self, demands: &[Demand<'s>], depth: usize) -> Result<ValueType> {
        self.places_left = self.places_left.and_then(|left| left.checked_sub(1));
        if self.places_left.is_none() {
            return Err(Refusal::schema(format!("the schema has more than {MAX_PLACES} places")));
        }
        let mut expansion = Expansion::new(self.document, &self.around, self.unrolled);
        let alternatives = expansion.all(demands)?;
        let read = expansion.read;
        let outside = self.around.len();
        self.around.extend(read);
        let typed = self.alternatives(&alternatives, depth);
        self.around.truncate(outside);
        let (mut value, exact) = typed?;
        value.choice = alternatives.choice;
        if !exact {
            value.rules = self.rules(demands)?;
        }
        Ok(value)
    }

    /// The rules that the schemas among these demands make. What only has to be met now and then is part of the rules of the
    /// place around.
    fn rules(&mut self, demands: &[Demand<'s>]) -> Result<Option<Arc<Rules>>> {
        let pointers = demands.iter().filter_map(|demand| match demand {
            Demand::Schema(place) => Some(place.pointer.clone()),
            Demand::Any(_) | Demand::Nothing => None,
        });
        let pointers: Vec<String> = pointers.collect();
        for demand in demands {
            if let Demand::Schema(place) = demand {
                self.reach.check(place)?;
            }
        }
        if pointers.is_empty() { Ok(None) } else { self.rulebook.rules(pointers).map(Some) }
    }

    fn alternatives(&mut self, alternatives: &Alternatives<'s>, depth: usize) -> Result<Typed<ValueType>> {
        if alternatives.recurs {
            return Ok((ValueType::any_json(), false));
        }
        let mut united: Option<ValueType> = None;
        let mut exact = true;
        let mut takes_all = false;
        for parts in &alternatives.conjunctions {
            let (value, is_exact) = self.conjunction(parts, depth)?;
            takes_all |= is_exact && value == UNTYPED;
            exact &= is_exact;
            match &mut united {
                None => united = Some(value),
                Some(united) => exact &= united.unite(value),
            }
        }
        Ok((united.unwrap_or_default(), alternatives.exact && (exact || takes_all)))
    }

    fn conjunction(&mut self, parts: &[Part<'s>], depth: usize) -> Result<Typed<ValueType>> {
        if let Some(keyword) = LATER.iter().find(|keyword| has(parts, keyword)) {
            return Err(Refusal::schema(format!(
                "the keyword `{keyword}` is of a later draft than 7, and no rule is ignored silently; remove it"
            )));
        }
        let mut exact = !RARE.iter().any(|keyword| has(parts, keyword));
        let Some(types) = typing::types(parts)? else {
            let of_one_type = OF_ONE_TYPE.iter().any(|keyword| has(parts, keyword)) || typing::has_format(parts);
            return Ok((UNTYPED.clone(), exact && !of_one_type));
        };
        let values = typing::enumerated(parts)?;
        let is_enumerated =
            |one| values.as_ref().is_none_or(|values| values.iter().any(|value| typing::is(one, value)));
        let mut value = ValueType::default();
        for one in types {
            // A scalar's limits know its values; of the others, none can be what no value is.
            if typing::is_scalar(one) || is_enumerated(one) {
                exact &= self.add_type(&mut value, one, parts, depth)?;
            }
        }
        if let Some(values) = values {
            let stand = parts.iter().flat_map(|part| ["enum", "const"].map(|name| part.keywords.contains_key(name)));
            let once = stand.filter(|stands| *stands).count() == 1;
            exact &= once && !values.iter().any(|value| value.is_object() || value.is_array());
        }
        Ok((value, exact))
    }

    /// Lets `value` take what the parts want of one type. Whether it takes no more than that.
    fn add_type(&mut self, value: &mut ValueType, one: Type, parts: &[Part<'s>], depth: usize) -> Result<bool> {
        Ok(match one {
            Type::Null => {
                value.nullable = true;
                true
            }
            Type::Object | Type::Array if depth > MAX_NESTING => {
                value.keep_as_json(if one == Type::Object { JsonType::Object } else { JsonType::Array });
                !OF_CONTAINERS.iter().any(|keyword| has(parts, keyword))
            }
            Type::Object => {
                let (object, exact) = self.object(parts, depth)?;
                value.object = Some(object);
                exact
            }
            Type::Array => {
                let (elements, exact) = self.elements(parts, depth)?;
                value.elements = Some(Box::new(elements));
                exact
            }
            Type::Boolean | Type::Integer | Type::Number | Type::String => {
                let (scalar, exact) = typing::scalar(one, parts)?;
                value.add_scalar(scalar);
                exact
            }
        })
    }

    fn object(&mut self, parts: &[Part<'s>], depth: usize) -> Result<Typed<RecordType>> {
        let mut required = HashSet::new();
        let mut names = Vec::new();
        for part in parts {
            names.extend(part.properties()?.into_iter().flat_map(Map::keys).map(String::as_str));
        }
        for part in parts {
            let of_part = part.required()?;
            names.extend(&of_part);
            required.extend(of_part);
        }
        let mut exact = true;
        let mut fields = Vec::new();
        let mut met = HashSet::new();
        for name in names.into_iter().filter(|name| met.insert(*name)) {
            let Some(demands) = property(parts, name)? else {
                // Nothing can be this property; where it is required, no object conforms.
                exact &= !required.contains(name);
                continue;
            };
            let value = self.value(&demands, depth + 1).map_err(|refusal| refusal.under(name))?;
            let presence = if required.contains(name) { Presence::Required } else { Presence::Optional };
            fields.push(Field { name: name.to_owned(), value, presence });
        }
        let additional = self.additional(parts, depth)?;
        Ok((RecordType { fields, additional, rules: None }, exact))
    }

    fn additional(&mut self, parts: &[Part<'s>], depth: usize) -> Result<Additional> {
        let mut demands = Vec::new();
        for part in parts {
            match part.undeclared()? {
                None => return Ok(Additional::Refused),
                Some(Demand::Nothing) => {}
                Some(demand) => demands.push(demand),
            }
        }
        if demands.is_empty() {
            return Ok(Additional::Untyped);
        }
        Ok(Additional::Typed(Box::new(self.value(&demands, depth + 1)?)))
    }

    fn elements(&mut self, parts: &[Part<'s>], depth: usize) -> Result<Typed<ValueType>> {
        let demands = parts.iter().map(Part::element).collect::<Result<Vec<_>>>()?;
        let exact = !demands.iter().any(|demand| matches!(demand, Demand::Any(_)));
        Ok((self.value(&demands, depth + 1)?, exact))
    }
}

/// Whether a part has this keyword, and it says something.
fn has(parts: &[Part], keyword: &str) -> bool {
    parts.iter().filter_map(|part| part.keywords.get(keyword)).any(|value| match keyword {
        "uniqueItems" => *value != false,
        "minItems" | "minProperties" => *value != 0,
        _ => true,
    })
}

/// What a property has to meet; `None` if a part refuses it.
fn property<'s>(parts: &[Part<'s>], name: &str) -> Result<Option<Vec<Demand<'s>>>> {
    let mut demands = Vec::new();
    for part in parts {
        let declared = part.properties()?.and_then(|properties| properties.get(name));
        let demand = match declared {
            Some(schema) => Some(Demand::Schema(part.place.within("properties", name, schema))),
            None => part.undeclared()?,
        };
        match demand {
            Some(demand) => demands.push(demand),
            None => return Ok(None),
        }
    }
    Ok(Some(demands))
}

impl<'s> Part<'s> {
    fn properties(&self) -> Result<Option<&'s Map<String, Value>>> {
        self.schemas_by_name("properties")
    }

    fn schemas_by_name(&self, keyword: &str) -> Result<Option<&'s Map<String, Value>>> {
        match self.keywords.get(keyword) {
            None => Ok(None),
            Some(Value::Object(schemas)) => Ok(Some(schemas)),
            Some(other) => Err(wrong_type(JsonType::Object, other).under(keyword)),
        }
    }

    fn required(&self) -> Result<Vec<&'s str>> {
        match self.keywords.get("required") {
            // Draft 3 wrote a boolean beside each property; what it said there was never enforced.
            None | Some(Value::Bool(_)) => Ok(Vec::new()),
            Some(Value::Array(names)) => {
                let name = |name: &'s Value| name.as_str().ok_or_else(|| wrong_type(JsonType::String, name));
                names.iter().map(name).collect::<Result<_>>().map_err(|refusal| refusal.under("required"))
            }
            Some(other) => Err(wrong_type(JsonType::Array, other).under("required")),
        }
    }

    /// What a property that is not declared has to meet; `None` if there may be none. Which pattern its name matches is left
    /// to the rules.
    fn undeclared(&self) -> Result<Option<Demand<'s>>> {
        let additional = match self.keywords.get("additionalProperties") {
            None | Some(Value::Bool(true)) => Some(Demand::Nothing),
            Some(Value::Bool(false)) => None,
            Some(schema) => Some(Demand::Schema(self.place.of("additionalProperties", schema))),
        };
        let Some(patterns) = self.schemas_by_name("patternProperties")? else { return Ok(additional) };
        let patterns =
            patterns.iter().map(|(name, schema)| Demand::Schema(self.place.within("patternProperties", name, schema)));
        Ok(Some(Demand::Any(patterns.chain(additional).collect())))
    }

    fn element(&self) -> Result<Demand<'s>> {
        match self.keywords.get("items") {
            None => Ok(Demand::Nothing),
            Some(Value::Array(schemas)) => {
                let listed = (0_usize..).zip(schemas);
                let listed = listed.map(|(at, schema)| self.place.within("items", &at.to_string(), schema));
                let further = match self.keywords.get("additionalItems") {
                    None | Some(Value::Bool(true)) => Some(Demand::Nothing),
                    Some(Value::Bool(false)) => None,
                    Some(schema) => Some(Demand::Schema(self.place.of("additionalItems", schema))),
                };
                Ok(Demand::Any(listed.map(Demand::Schema).chain(further).collect()))
            }
            Some(schema) => Ok(Demand::Schema(self.place.of("items", schema))),
        }
    }
}
