//! Leaves out and hashes properties of the records of a batch.

mod redaction;
pub(crate) mod rewriter;
mod rules;
mod schema;
mod secret;

pub use redaction::{MissingSecret, Redaction};
pub use rules::{ColumnRuleError, ColumnRules};
pub use secret::{EmptySecret, Secret};

use crate::decode::member;
use crate::decode::number;
use crate::decode::scanner::Scanner;
use crate::redact::redaction::{Rule, Within};
use crate::redact::rewriter::{Fate, Rewriter};
use crate::redact::schema::redact_schema;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The body of a batch without what is excluded, and with hashes in place of what is hashed. `body` is one that
/// [`decode`](crate::decode()) or [`decode_rejecting`](crate::decode_rejecting) accepts.
///
/// What no rule names stays as it is, byte for byte, but for the schema: where rules reach into it, it is written anew, and
/// what it demands of objects as a whole (`enum`, `not`, `minProperties` and the like) is left out, since they are other
/// objects now. The same body always gives the same result.
///
/// # Errors
/// When a key is excluded.
///
/// # Examples
/// ```
/// use selvedge_prepare::{ColumnRules, Redaction, redact};
///
/// let body = r#"{
///     "table_name": "users",
///     "schema": {"properties":{"id":{"type":"integer"},"email":{"type":"string"}}},
///     "key_names": ["id"],
///     "messages": [{"action": "upsert", "sequence": 1, "data": {"id": 1, "email": "finn@example.org"}}]
/// }"#;
/// let redaction = Redaction::new(&ColumnRules::new().exclude("/email")?, None)?;
/// let redacted = r#"{
///     "table_name": "users",
///     "schema": {"properties":{"id":{"type":"integer"}}},
///     "key_names": ["id"],
///     "messages": [{"action": "upsert", "sequence": 1, "data": {"id": 1}}]
/// }"#;
/// assert_eq!(redact(body.as_bytes(), &redaction)?, redacted.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn redact(body: &[u8], redaction: &Redaction) -> std::result::Result<Vec<u8>, Refusal> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| *Refusal::request("the body is not UTF-8"))?;
    redact_batch(text, &redaction.record).map(String::into_bytes).map_err(|refusal| *refusal)
}

/// A JSON Schema without what it says of properties that are excluded, with strings in place of those that are hashed: as
/// [`redact`] leaves the one of a batch. Redacting it once more changes nothing.
///
/// # Errors
/// When `schema` is not JSON.
pub fn redacted_schema(schema: &str, redaction: &Redaction) -> std::result::Result<String, Refusal> {
    redact_schema(schema, &redaction.record).map_err(|refusal| *refusal)
}

fn redact_batch(text: &str, rules: &Within) -> Result<String> {
    let mut batch = Rewriter::new(text);
    batch.object(|batch, name| {
        match name {
            "schema" => batch.replace(|schema| redact_schema(schema, rules))?,
            "key_names" => check_keys(&member::strings(&mut batch.scanner)?, rules)?,
            "messages" => batch.array(|batch| redact_message(batch, rules))?,
            _ => drop(batch.scanner.value()?),
        }
        Ok(Fate::Stays)
    })?;
    Ok(batch.finish())
}

fn check_keys(keys: &[String], rules: &Within) -> Result<()> {
    match keys.iter().find(|key| matches!(rules.property(key), Some(Rule::Exclude))) {
        None => Ok(()),
        Some(key) => Err(Refusal::request(format!(
            "the key `{key}` is to be excluded, but records are told apart by it; have it hashed instead"
        ))
        .under("key_names")),
    }
}

fn redact_message(batch: &mut Rewriter, rules: &Within) -> Result<Fate> {
    batch.object(|batch, name| {
        match name {
            "data" => redact_within(batch, rules)?,
            _ => drop(batch.scanner.well_formed()?),
        }
        Ok(Fate::Stays)
    })?;
    Ok(Fate::Stays)
}

fn redact_within(batch: &mut Rewriter, rules: &Within) -> Result<()> {
    match (batch.scanner.peek(), rules.elements()) {
        (Some(b'{'), _) => batch.object(|batch, name| redact_value(batch, rules.property(name))),
        (Some(b'['), Some(elements)) => batch.array(|batch| redact_value(batch, Some(elements))),
        // An array in the place of an object: its record is rejected, and kept. What is excluded must not be kept with it.
        (Some(b'['), None) => batch.array(|batch| {
            redact_within(batch, rules)?;
            Ok(Fate::Stays)
        }),
        _ => batch.scanner.well_formed().map(drop),
    }
}

fn redact_value(batch: &mut Rewriter, rule: Option<&Rule>) -> Result<Fate> {
    match rule {
        None => drop(batch.scanner.well_formed()?),
        Some(Rule::Exclude) => {
            batch.scanner.well_formed()?;
            return Ok(Fate::Goes);
        }
        Some(Rule::Hash(secret)) => batch.replace(|value| hashed(value, secret))?,
        Some(Rule::Within(rules)) => redact_within(batch, rules)?,
    }
    Ok(Fate::Stays)
}

/// What stands for a value of this text.
fn hashed(text: &str, secret: &Secret) -> Result<String> {
    let hash = match text.as_bytes().first() {
        Some(b'n') => return Ok("null".to_owned()),
        Some(b'"') => secret.hash(&Scanner::new(text).string()?.resolved()?),
        Some(b'{' | b'[') => secret.hash(&compact(text)),
        Some(b't' | b'f') => secret.hash(text),
        // A number beyond any column has no exact text; then it is hashed as it came.
        _ => secret.hash(number::canonical(text).as_deref().unwrap_or(text)),
    };
    Ok(format!("\"{hash}\""))
}

/// The text without white space between its parts.
fn compact(text: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    let stays = |character: &char| {
        let ends_or_begins = *character == '"' && !escaped;
        escaped = in_string && *character == '\\' && !escaped;
        in_string ^= ends_or_begins;
        in_string || !character.is_ascii_whitespace()
    };
    text.chars().filter(stays).collect()
}
