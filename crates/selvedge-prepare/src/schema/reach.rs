//! How far the schemas of rules lead from one to the next.
//!
//! Whoever checks a value by them goes the same way, one call within the other: of schemas that led too far, a single one
//! could exhaust the stack.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::document::{Document, Place};
use super::typing;
use crate::decode::json_type::JsonType;
use crate::refusal::Refusal;
use crate::schema::limits::wrong_type;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// How many schemas may lead from one to the next without going into the value. Values nest up to 128 levels, and at each of
/// them all this may have to be gone through once more.
const MAX_STEPS: usize = 32;
/// To how many schemas the rules of a document may lead.
const MAX_SCHEMAS: usize = 10_000;

/// The schemas of one document that were found to lead no further than they may.
pub(crate) struct Reach<'s> {
    document: Document<'s>,
    checked: HashSet<String>,
    /// The steps from each schema on, by its pointer.
    steps: HashMap<String, usize>,
}

/// Where a keyword's schemas are applied.
#[derive(PartialEq, Eq)]
enum Applied {
    /// To the value itself.
    Here,
    /// To what stands within it.
    Within,
}

impl<'s> Reach<'s> {
    pub(crate) fn new(document: Document<'s>) -> Self {
        Self { document, checked: HashSet::new(), steps: HashMap::new() }
    }

    /// Checks a schema and all that it leads to.
    pub(crate) fn check(&mut self, place: &Place<'s>) -> Result<()> {
        let mut pending = vec![place.clone()];
        while let Some(place) = pending.pop() {
            if self.checked.insert(place.pointer.clone()) {
                self.steps(&place, &mut Vec::new(), &mut pending)?;
            }
        }
        Ok(())
    }

    /// The steps from a schema on. Those it applies within the value are added to `within`.
    fn steps(&mut self, place: &Place<'s>, trail: &mut Vec<String>, within: &mut Vec<Place<'s>>) -> Result<usize> {
        let known = self.steps.get(&place.pointer).copied();
        if trail.len() + known.unwrap_or(1) > MAX_STEPS {
            return Err(Refusal::schema(format!(
                "the schema at #{} is one of more than {MAX_STEPS} that lead to one another for one value",
                place.pointer
            )));
        }
        // The checker knows schemas that lead back to themselves, and goes round once.
        if known.is_some() || trail.contains(&place.pointer) {
            return Ok(known.unwrap_or(0));
        }
        if self.steps.len() == MAX_SCHEMAS {
            return Err(Refusal::schema(format!("rules lead to more than {MAX_SCHEMAS} schemas")));
        }
        trail.push(place.pointer.clone());
        let mut most = 0;
        for (applied, next) in self.next(place)? {
            match applied {
                Applied::Here => most = most.max(self.steps(&next, trail, within)?),
                Applied::Within => within.push(next),
            }
        }
        trail.pop();
        self.steps.insert(place.pointer.clone(), most + 1);
        Ok(most + 1)
    }

    /// The schemas a schema leads to.
    fn next(&self, place: &Place<'s>) -> Result<Vec<(Applied, Place<'s>)>> {
        let Value::Object(keywords) = place.schema else { return Ok(Vec::new()) };
        if let Some(reference) = keywords.get("$ref") {
            let reference = reference.as_str().ok_or_else(|| wrong_type(JsonType::String, reference))?;
            return Ok(vec![(Applied::Here, self.document.resolve(reference)?)]);
        }
        if let Some(declared) = keywords.get("type") {
            typing::named(declared)?;
        }
        let mut next = Vec::new();
        for (keyword, value) in keywords {
            let applied = || match keyword.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependencies" => Applied::Here,
                _ => Applied::Within,
            };
            match (keyword.as_str(), value) {
                ("properties" | "patternProperties" | "dependencies", Value::Object(schemas)) => {
                    let schemas = schemas.iter().map(|(name, schema)| place.within(keyword, name, schema));
                    next.extend(schemas.map(|schema| (applied(), schema)));
                }
                ("allOf" | "anyOf" | "oneOf" | "items", Value::Array(schemas)) => {
                    let schemas = (0_usize..).zip(schemas);
                    let schemas = schemas.map(|(at, schema)| place.within(keyword, &at.to_string(), schema));
                    next.extend(schemas.map(|schema| (applied(), schema)));
                }
                (
                    "not"
                    | "if"
                    | "then"
                    | "else"
                    | "items"
                    | "additionalItems"
                    | "additionalProperties"
                    | "contains"
                    | "propertyNames",
                    schema,
                ) => next.push((applied(), place.of(keyword, schema))),
                _ => {}
            }
        }
        Ok(next)
    }
}
