//! The alternatives a schema leaves: its references followed, `anyOf` and `oneOf` laid side by side, `allOf` joined.

use serde_json::{Map, Value};

use super::document::{Document, Place};
use super::typing::{self, JsonTypes};
use crate::decode::json_type::JsonType;
use crate::refusal::Refusal;
use crate::schema::limits::wrong_type;
use crate::schema::record_type::Choice;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// What a value has to conform to.
#[derive(Clone)]
pub(crate) enum Demand<'s> {
    Schema(Place<'s>),
    /// One of several at least.
    Any(Vec<Demand<'s>>),
    Nothing,
}

/// A schema's own keywords, read without its references and combinations.
#[derive(Clone)]
pub(crate) struct Part<'s> {
    pub(crate) place: Place<'s>,
    pub(crate) keywords: &'s Map<String, Value>,
}

/// Parts to all of which a value must conform; without any, every value does.
pub(crate) type Conjunction<'s> = Vec<Part<'s>>;

/// Conjunctions to one of which a value must conform.
pub(crate) struct Alternatives<'s> {
    pub(crate) conjunctions: Vec<Conjunction<'s>>,
    /// The `anyOf` or `oneOf` they come from.
    pub(crate) choice: Choice,
    /// Whether conforming to one of them is all the schema asks for.
    pub(crate) exact: bool,
    /// Whether a schema stands within itself here more often than is laid out.
    pub(crate) recurs: bool,
}

/// The most parts the alternatives of one value may have together.
const MAX_PARTS: usize = 10_000;
/// The most references that may lead from one to the next.
const MAX_TRAIL: usize = 128;

/// Keywords that may stand beside a reference in any draft: they say nothing of values.
const BESIDE_REFERENCES: [&str; 14] = [
    "$ref",
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Finds the alternatives of one place.
pub(crate) struct Expansion<'a, 's> {
    document: Document<'s>,
    /// The schemas of the objects and arrays around the place, by their pointers.
    around: &'a [String],
    /// How often a schema may stand within itself.
    unrolled: usize,
    /// Those being read.
    trail: Vec<String>,
    /// Those that were read.
    pub(crate) read: Vec<String>,
}

impl<'a, 's> Expansion<'a, 's> {
    pub(crate) fn new(document: Document<'s>, around: &'a [String], unrolled: usize) -> Self {
        Self { document, around, unrolled, trail: Vec::new(), read: Vec::new() }
    }

    /// The alternatives of a value that has to meet all these demands.
    pub(crate) fn all(&mut self, demands: &[Demand<'s>]) -> Result<Alternatives<'s>> {
        demands.iter().try_fold(Alternatives::anything(), |all, demand| all.and(self.demand(demand)?))
    }

    fn demand(&mut self, demand: &Demand<'s>) -> Result<Alternatives<'s>> {
        match demand {
            Demand::Schema(place) => self.schema(place.clone()),
            Demand::Any(demands) => {
                Alternatives::any(demands.iter().map(|demand| self.demand(demand)).collect::<Result<_>>()?)
            }
            Demand::Nothing => Ok(Alternatives::anything()),
        }
    }

    fn schema(&mut self, place: Place<'s>) -> Result<Alternatives<'s>> {
        match place.schema {
            Value::Bool(true) if self.document.has_boolean_schemas() => Ok(Alternatives::anything()),
            Value::Bool(false) if self.document.has_boolean_schemas() => {
                Ok(Alternatives { exact: false, ..Alternatives::anything() })
            }
            Value::Object(keywords) => self.keywords(place, keywords),
            other => Err(Refusal::schema(format!(
                "key null: expected type is one of JSONObject, found: {}",
                JsonType::of(other)
            ))),
        }
    }

    fn keywords(&mut self, place: Place<'s>, keywords: &'s Map<String, Value>) -> Result<Alternatives<'s>> {
        if self.trail.contains(&place.pointer) {
            return Err(Refusal::schema(format!("$ref [#{}] leads back to itself", place.pointer)));
        }
        if self.trail.len() == MAX_TRAIL {
            return Err(Refusal::schema(format!(
                "more than {MAX_TRAIL} schemas refer to one another up to #{}",
                place.pointer
            )));
        }
        if !self.read.contains(&place.pointer) {
            self.read.push(place.pointer.clone());
        }
        self.trail.push(place.pointer.clone());
        let alternatives = match keywords.get("$ref") {
            Some(reference) => self.reference(reference, keywords),
            None => self.combined(&place, keywords),
        };
        self.trail.pop();
        alternatives
    }

    fn reference(&mut self, reference: &Value, keywords: &Map<String, Value>) -> Result<Alternatives<'s>> {
        // Drafts up to 7 ignore whatever stands beside a reference.
        let ignored = |name: &&String| !BESIDE_REFERENCES.contains(&name.as_str());
        if !self.document.ignores_beside_references()
            && let Some(keyword) = keywords.keys().find(ignored)
        {
            return Err(Refusal::schema(format!(
                "the keyword `{keyword}` stands beside $ref, where drafts up to 7 ignore it; put both into an `allOf`"
            )));
        }
        let reference = reference.as_str().ok_or_else(|| wrong_type(JsonType::String, reference))?;
        let target = self.document.resolve(reference)?;
        let within_itself = self.around.iter().filter(|pointer| **pointer == target.pointer).count();
        if within_itself >= self.unrolled {
            return Ok(Alternatives { recurs: true, ..Alternatives::anything() });
        }
        self.schema(target)
    }

    fn combined(&mut self, place: &Place<'s>, keywords: &'s Map<String, Value>) -> Result<Alternatives<'s>> {
        let part = Part { place: place.clone(), keywords };
        let mut alternatives = Alternatives { conjunctions: vec![vec![part]], ..Alternatives::anything() };
        for schema in schemas(place, keywords, "allOf")? {
            alternatives = alternatives.and(self.schema(schema)?)?;
        }
        let any_of = schemas(place, keywords, "anyOf")?;
        if !any_of.is_empty() {
            let choice = Choice::AnyOf(any_of.len());
            let any = Alternatives::any(self.branches(any_of)?)?;
            alternatives = alternatives.and(Alternatives { choice, ..any })?;
        }
        let one_of = schemas(place, keywords, "oneOf")?;
        if !one_of.is_empty() {
            let one_of = self.branches(one_of)?;
            let disjoint = are_disjoint(&one_of)?;
            let any = Alternatives::any(one_of)?;
            let exact = any.exact && disjoint;
            alternatives = alternatives.and(Alternatives { choice: Choice::OneOf, exact, ..any })?;
        }
        Ok(alternatives)
    }

    fn branches(&mut self, schemas: Vec<Place<'s>>) -> Result<Vec<Alternatives<'s>>> {
        schemas.into_iter().map(|schema| self.schema(schema)).collect()
    }
}

impl<'s> Alternatives<'s> {
    fn anything() -> Self {
        Self { conjunctions: vec![Vec::new()], choice: Choice::None, exact: true, recurs: false }
    }

    /// Those of all the branches.
    fn any(branches: Vec<Self>) -> Result<Self> {
        check_parts(branches.iter().map(Self::parts).sum())?;
        let mut any = Self { conjunctions: Vec::new(), ..Self::anything() };
        for branch in branches {
            any.conjunctions.extend(branch.conjunctions);
            any.exact &= branch.exact;
            any.recurs |= branch.recurs;
        }
        Ok(any)
    }

    fn and(self, other: Self) -> Result<Self> {
        check_parts(self.parts() * other.conjunctions.len() + other.parts() * self.conjunctions.len())?;
        let conjunctions = self
            .conjunctions
            .iter()
            .flat_map(|ours| other.conjunctions.iter().map(|theirs| ours.iter().chain(theirs).cloned().collect()));
        Ok(Self {
            conjunctions: conjunctions.collect(),
            choice: if self.choice == Choice::None { other.choice } else { self.choice },
            exact: self.exact && other.exact,
            recurs: self.recurs || other.recurs,
        })
    }

    fn parts(&self) -> usize {
        self.conjunctions.iter().map(Vec::len).sum()
    }
}

fn check_parts(parts: usize) -> Result<()> {
    if parts > MAX_PARTS {
        return Err(Refusal::schema(format!("the alternatives of a value have more than {MAX_PARTS} parts")));
    }
    Ok(())
}

/// The schemas in the array that is a keyword's value; none without the keyword.
fn schemas<'s>(place: &Place<'s>, keywords: &'s Map<String, Value>, keyword: &str) -> Result<Vec<Place<'s>>> {
    match keywords.get(keyword) {
        None => Ok(Vec::new()),
        Some(Value::Array(schemas)) if !schemas.is_empty() => Ok((0_usize..)
            .zip(schemas)
            .map(|(index, schema)| place.within(keyword, &index.to_string(), schema))
            .collect()),
        Some(Value::Array(_)) => Err(Refusal::schema(format!("{keyword} holds no schema"))),
        Some(other) => Err(wrong_type(JsonType::Array, other)),
    }
}

/// Whether no value can conform to two of the branches, by its type alone.
fn are_disjoint(branches: &[Alternatives]) -> Result<bool> {
    let mut met = JsonTypes::default();
    for branch in branches {
        let mut types = JsonTypes::default();
        for conjunction in &branch.conjunctions {
            types = types.or(typing::json_types(conjunction)?);
        }
        if met.meets(types) {
            return Ok(false);
        }
        met = met.or(types);
    }
    Ok(true)
}
