//! A JSON Schema as a document: its draft, and the places that references name.

use serde_json::Value;

use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A whole JSON Schema.
#[derive(Clone, Copy)]
pub(crate) struct Document<'s> {
    root: &'s Value,
    draft: Draft,
}

/// What matters of a draft here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Draft {
    Four,
    /// Draft 6 or 7: `true` and `false` are schemas.
    Six,
    /// 2019-09 or 2020-12: what stands beside a reference counts.
    Later,
}

/// A schema within the document.
#[derive(Clone)]
pub(crate) struct Place<'s> {
    pub(crate) schema: &'s Value,
    /// Where it stands, as a JSON pointer.
    pub(crate) pointer: String,
}

impl<'s> Document<'s> {
    pub(crate) fn new(root: &'s Value) -> Self {
        let name = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let is_any = |drafts: &[&str]| drafts.iter().any(|draft| name.contains(draft));
        let draft = match name {
            _ if is_any(&["draft-06", "draft-07"]) => Draft::Six,
            _ if is_any(&["2019-09", "2020-12"]) => Draft::Later,
            _ => Draft::Four,
        };
        Self { root, draft }
    }

    pub(crate) fn root(self) -> Place<'s> {
        Place { schema: self.root, pointer: String::new() }
    }

    /// Whether `true` and `false` are schemas.
    pub(crate) fn has_boolean_schemas(self) -> bool {
        self.draft != Draft::Four
    }

    /// Whether keywords beside a `$ref` say nothing.
    pub(crate) fn ignores_beside_references(self) -> bool {
        self.draft != Draft::Later
    }

    /// The schema a `$ref` names.
    pub(crate) fn resolve(self, reference: &str) -> Result<Place<'s>> {
        let nowhere = || Refusal::schema(format!("$ref [{reference}] leads to nothing within the schema"));
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(Refusal::schema(format!(
                "$ref [{reference}] leads out of the schema; put what it names under `definitions`"
            )));
        };
        let pointer = percent_decoded(fragment).ok_or_else(nowhere)?;
        let schema = self.root.pointer(&pointer).ok_or_else(nowhere)?;
        Ok(Place { schema, pointer })
    }
}

impl<'s> Place<'s> {
    /// The schema at `name` within the value of a keyword.
    pub(crate) fn within(&self, keyword: &str, name: &str, schema: &'s Value) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { schema, pointer: format!("{}/{keyword}/{name}", self.pointer) }
    }

    /// The schema that is the value of a keyword.
    pub(crate) fn of(&self, keyword: &str, schema: &'s Value) -> Self {
        Self { schema, pointer: format!("{}/{keyword}", self.pointer) }
    }
}

/// `None` if an escape is cut off, or what they make is not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}
