//! Leaves out of a JSON Schema what it says of properties that are excluded, and declares hashed ones as strings.
//!
//! The records were checked against the schema as it was sent. What is left of it has to take the records as they are now,
//! and to give everything else the types it had.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::redact::redaction::{Rule, Within};
use crate::refusal::Refusal;
use crate::schema::document::Document;
use crate::schema::pattern::Pattern;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Keywords that speak of a value as a whole: it is another one now, and what they show may hold what is excluded.
const OF_THE_WHOLE: [&str; 16] = [
    "default",
    "example",
    "examples",
    "enum",
    "const",
    "not",
    "if",
    "then",
    "else",
    "minProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "minItems",
    "uniqueItems",
];
/// How many references are written out. Beyond it, as where they go round in circles, values are typed by themselves.
const MAX_WRITTEN_OUT: usize = 64;

/// The text of a schema after `rules` were applied to its records; itself if they do not reach into it.
pub(crate) fn redact_schema(text: &str, rules: &Within) -> Result<String> {
    let root: Value = serde_json::from_str(text).map_err(|error| Refusal::schema(error.to_string()))?;
    let mut redacted = root.clone();
    Redacting { document: Document::new(&root), may_write_out: MAX_WRITTEN_OUT }.within(&mut redacted, rules);
    keep_of_document(&mut redacted, &root);
    drop_unused_definitions(&mut redacted);
    Ok(if redacted == root { text.to_owned() } else { redacted.to_string() })
}

/// A schema on its way.
struct Redacting<'s> {
    /// The schema as it was sent, for references into it.
    document: Document<'s>,
    /// How many more references are written out.
    may_write_out: usize,
}

impl Redacting<'_> {
    /// Applies the rules for the parts of the values that a schema describes.
    fn within(&mut self, schema: &mut Value, rules: &Within) {
        self.write_out(schema);
        let Value::Object(schema) = schema else { return };
        for keyword in OF_THE_WHOLE {
            schema.shift_remove(keyword);
        }
        take_any_of_one(schema);
        for keyword in ["allOf", "anyOf"] {
            if let Some(Value::Array(branches)) = schema.get_mut(keyword) {
                branches.iter_mut().for_each(|branch| self.within(branch, rules));
            }
        }
        self.properties(schema, rules);
        if let Some(rule) = rules.elements() {
            self.elements(schema, rule);
        }
    }

    /// Puts what a reference refers to in its place: another place that refers to it may have other rules.
    fn write_out(&mut self, schema: &mut Value) {
        while let Some(reference) = schema.get("$ref") {
            let target = reference.as_str().and_then(|reference| self.document.resolve(reference).ok());
            let target = target.filter(|_| self.may_write_out > 0).map(|place| place.schema.clone());
            self.may_write_out = self.may_write_out.saturating_sub(1);
            *schema = target.unwrap_or_else(|| json!({}));
        }
    }

    fn properties(&mut self, schema: &mut Map<String, Value>, rules: &Within) {
        for (name, rule) in rules.properties() {
            let declared = schema.get("properties").and_then(|properties| properties.get(name));
            // A type for all undeclared properties does not hold for a hash.
            let others = schema.get("additionalProperties").filter(|others| others.is_object());
            let Some(before) = declared.or(others).cloned() else { continue };
            let after = self.value(before, rule);
            let properties = schema.entry("properties").or_insert_with(|| json!({}));
            if let Value::Object(properties) = properties {
                match after {
                    Some(after) => drop(properties.insert(name.to_owned(), after)),
                    None => drop(properties.shift_remove(name)),
                }
            }
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !matches!(name.as_str().and_then(|name| rules.property(name)), Some(Rule::Exclude)));
        }
        if let Some(Value::Object(patterns)) = schema.get_mut("patternProperties") {
            let meets =
                |pattern: &String| rules.properties().any(|(name, rule)| changes(rule) && may_match(pattern, name));
            patterns.iter_mut().filter(|(pattern, _)| meets(pattern)).for_each(|(_, schema)| *schema = json!({}));
        }
    }

    fn elements(&mut self, schema: &mut Map<String, Value>, rule: &Rule) {
        for keyword in ["items", "additionalItems"] {
            match schema.get_mut(keyword) {
                Some(Value::Array(items)) => items.iter_mut().for_each(|item| self.element(item, rule)),
                Some(item) => self.element(item, rule),
                None => {}
            }
        }
    }

    fn element(&mut self, schema: &mut Value, rule: &Rule) {
        *schema = self.value(schema.take(), rule).unwrap_or_else(|| json!({}));
    }

    /// The schema of a value after its rule; none if the value is excluded.
    fn value(&mut self, mut schema: Value, rule: &Rule) -> Option<Value> {
        match rule {
            Rule::Exclude => return None,
            Rule::Hash(_) => schema = json!({"type": ["null", "string"]}),
            Rule::Within(rules) => self.within(&mut schema, rules),
        }
        Some(schema)
    }
}

/// Has a value conform to any of the schemas it had to conform to exactly one of: what told them apart may be gone.
fn take_any_of_one(schema: &mut Map<String, Value>) {
    let Some(branches) = schema.shift_remove("oneOf") else { return };
    if !schema.contains_key("anyOf") {
        schema.insert("anyOf".to_owned(), branches);
    } else if let Value::Array(all) = schema.entry("allOf").or_insert_with(|| json!([])) {
        all.push(json!({"anyOf": branches}));
    }
}

/// Whether a rule leaves something in a value's place.
fn changes(rule: &Rule) -> bool {
    !matches!(rule, Rule::Exclude)
}

fn may_match(pattern: &str, name: &str) -> bool {
    Pattern::new(pattern).map_or(true, |pattern| pattern.matches(name))
}

/// The members of a schema that are there to be referred to.
const DEFINITIONS: [&str; 2] = ["definitions", "$defs"];

/// Keeps what the root says of the whole document, if it was a reference that is written out.
fn keep_of_document(schema: &mut Value, root: &Value) {
    let Value::Object(schema) = schema else { return };
    for keyword in DEFINITIONS.into_iter().chain(["$schema"]) {
        if let Some(value) = root.get(keyword) {
            schema.insert(keyword.to_owned(), value.clone());
        }
    }
}

/// Drops the definitions that nothing refers to any more: they may be of what is excluded.
fn drop_unused_definitions(schema: &mut Value) {
    let used = used_definitions(schema);
    for keyword in DEFINITIONS {
        if let Some(Value::Object(definitions)) = schema.get_mut(keyword) {
            definitions.retain(|name, _| used.contains(&(keyword, name.clone())));
        }
    }
}

/// The definitions that the rest of the schema refers to, by themselves or through each other.
fn used_definitions(schema: &Value) -> BTreeSet<(&'static str, String)> {
    let document = Document::new(schema);
    let keywords = schema.as_object().into_iter().flatten();
    let rest = keywords.filter(|(keyword, _)| !DEFINITIONS.contains(&keyword.as_str()));
    let mut to_see: Vec<&Value> = rest.map(|(_, value)| value).collect();
    let mut used = BTreeSet::new();
    while let Some(seen) = to_see.pop() {
        match seen {
            Value::Object(members) => to_see.extend(members.values()),
            Value::Array(elements) => to_see.extend(elements),
            Value::String(text) if text.starts_with('#') => {
                if let Some((keyword, name)) = document.resolve(text).ok().and_then(|place| definition(&place.pointer))
                    && let Some(definition) = schema.get(keyword).and_then(|definitions| definitions.get(&name))
                    && used.insert((keyword, name))
                {
                    to_see.push(definition);
                }
            }
            _ => {}
        }
    }
    used
}

/// The definition that a pointer leads to or into.
fn definition(pointer: &str) -> Option<(&'static str, String)> {
    let (keyword, rest) = pointer.strip_prefix('/')?.split_once('/')?;
    let keyword = DEFINITIONS.into_iter().find(|known| *known == keyword)?;
    let name = rest.split('/').next()?;
    Some((keyword, name.replace("~1", "/").replace("~0", "~")))
}
