//! From the body of a batch to columns, in one pass over its messages.

mod array;
mod datetime;
pub(crate) mod json_type;
pub(crate) mod leaf;
pub(crate) mod member;
mod messages;
pub(crate) mod number;
mod object;
pub(crate) mod reading;
pub(crate) mod scanner;
mod slot;
pub(crate) mod string;

pub use crate::decode::messages::MAX_RECORDS;
use crate::decode::messages::{Columns, Messages};
pub use crate::decode::number::canonical as canonical_number;
use crate::decode::scanner::Scanner;
use crate::records::{Action, Records};
use crate::refusal::Refusal;
use crate::schema::Schemas;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Decodes one batch of the Import API: JSON naming a table, its JSON Schema, its keys and the
/// messages. Every record is checked against the schema on the way; of the data of a delete, only that the keys are there, and
/// that each value is of a type that its place takes.
///
/// # Errors
/// The first thing that is wrong. Nothing of the batch may be accepted then.
///
/// # Examples
/// ```
/// use selvedge_prepare::{Schemas, decode};
///
/// let body = br#"{
///     "table_name": "customers",
///     "schema": {"properties": {"id": {"type": "integer"}}},
///     "key_names": ["id"],
///     "messages": [{"action": "upsert", "sequence": 1, "data": {"id": "one"}}]
/// }"#;
/// let refusal = decode(body, &Schemas::new()).unwrap_err();
/// assert_eq!(refusal.to_string(), "Record 0 did not conform to schema:\n#/id: expected type: Integer, found: String");
/// ```
pub fn decode(body: &[u8], schemas: &Schemas) -> std::result::Result<Records, Refusal> {
    read_body(body, schemas, Violations::RefuseBatch)
}

/// As [`decode`], but a record that violates the schema, or lacks a key, is rejected by itself, with all that is wrong with it,
/// and the others are taken. What cannot be read as messages of a batch still refuses all of it.
///
/// What [`decode`] accepts, this function decodes in the same way.
///
/// # Errors
/// The first thing that is wrong with the batch as such.
///
/// # Examples
/// ```
/// use selvedge_prepare::{Schemas, decode_rejecting};
///
/// let body = br#"{
///     "table_name": "customers",
///     "schema": {"properties": {"id": {"type": "integer"}}},
///     "key_names": ["id"],
///     "messages": [
///         {"action": "upsert", "sequence": 1, "data": {"id": "one"}},
///         {"action": "upsert", "sequence": 2, "data": {"id": 2}}
///     ]
/// }"#;
/// let records = decode_rejecting(body, &Schemas::new())?;
/// let [rejection] = records.rejected.as_slice() else { panic!("one is rejected") };
/// assert_eq!((rejection.record, rejection.pointer.as_str()), (0, "/id"));
/// assert_eq!(rejection.reason, "expected type: Integer, found: String");
/// # Ok::<(), selvedge_prepare::Refusal>(())
/// ```
pub fn decode_rejecting(body: &[u8], schemas: &Schemas) -> std::result::Result<Records, Refusal> {
    read_body(body, schemas, Violations::RejectRecord)
}

/// What a record that violates the schema comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violations {
    RefuseBatch,
    RejectRecord,
}

fn read_body(body: &[u8], schemas: &Schemas, violations: Violations) -> std::result::Result<Records, Refusal> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| *Refusal::request("the body is not UTF-8"))?;
    read_batch(text, schemas, violations).map_err(|refusal| *refusal)
}

fn read_batch(text: &str, schemas: &Schemas, violations: Violations) -> Result<Records> {
    let mut scanner = Scanner::new(text);
    let mut envelope = Envelope::new(violations);
    envelope.read(&mut scanner, schemas)?;
    scanner.finish()?;
    let table = envelope.table.ok_or_else(|| missing("table_name"))?;
    let schema = envelope.schema.ok_or_else(|| missing("schema"))?;
    let at = envelope.messages_at.ok_or_else(|| missing("messages"))?;
    let keys = envelope.keys.unwrap_or_default();
    let Columns { actions, sequences, extracted_at, columns, arrays, extra, rejected } = match envelope.messages {
        Some(columns) => columns,
        None => Messages::new(&*schemas.record_type(schema, &keys)?, violations).read(&mut scanner.rewound(at))?,
    };
    check_activations(actions.as_deref(), envelope.table_version)?;
    Ok(Records {
        table,
        keys,
        actions,
        table_version: envelope.table_version,
        sequences,
        extracted_at,
        columns,
        arrays,
        extra,
        rejected,
    })
}

/// What is activated is the version of the batch, which may be named before the messages or after them.
fn check_activations(actions: Option<&[Action]>, table_version: Option<i64>) -> Result<()> {
    let activation = actions.and_then(|actions| actions.iter().position(|action| *action == Action::ActivateVersion));
    match (activation, table_version) {
        (Some(record), None) => {
            let refusal =
                Refusal::request("a version is activated, but the batch has no [table_version] that names it");
            Err(refusal.in_record(record as u64))
        }
        _ => Ok(()),
    }
}

fn missing(name: &str) -> Box<Refusal> {
    Refusal::request(format!("required key [{name}] not found"))
}

/// The members of a batch as they are met.
struct Envelope<'a> {
    violations: Violations,
    table: Option<String>,
    schema: Option<&'a str>,
    keys: Option<Vec<String>>,
    table_version: Option<i64>,
    messages_at: Option<usize>,
    /// Already read: schema and keys stood before the messages, as clients send them.
    messages: Option<Columns>,
}

impl<'a> Envelope<'a> {
    fn new(violations: Violations) -> Self {
        Self {
            violations,
            table: None,
            schema: None,
            keys: None,
            table_version: None,
            messages_at: None,
            messages: None,
        }
    }

    fn read(&mut self, scanner: &mut Scanner<'a>, schemas: &Schemas) -> Result<()> {
        let mut seen = Vec::new();
        member::open_object(scanner)?;
        if scanner.closes(b'}') {
            return Ok(());
        }
        loop {
            let name = scanner.name()?.resolved()?;
            if seen.contains(&name) {
                return Err(Refusal::request(format!("the key [{name}] stands twice")));
            }
            self.read_member(&name, scanner, schemas)?;
            seen.push(name);
            if !scanner.continues(b'}')? {
                return Ok(());
            }
        }
    }

    fn read_member(&mut self, name: &str, scanner: &mut Scanner<'a>, schemas: &Schemas) -> Result<()> {
        let of_this = |refusal: Box<Refusal>| refusal.under(name);
        match name {
            "table_name" => self.table = Some(member::string(scanner).map_err(of_this)?),
            "schema" => self.schema = Some(member::object(scanner).map_err(of_this)?),
            "key_names" => self.keys = Some(member::strings(scanner).map_err(of_this)?),
            "table_version" => self.table_version = Some(member::integer(scanner).map_err(of_this)?),
            "bookmark_names" => drop(member::strings(scanner).map_err(of_this)?),
            "messages" => self.read_messages(scanner, schemas)?,
            _ => return Err(Refusal::request(format!("extraneous key [{name}] is not permitted"))),
        }
        Ok(())
    }

    fn read_messages(&mut self, scanner: &mut Scanner<'a>, schemas: &Schemas) -> Result<()> {
        scanner.peek();
        self.messages_at = Some(scanner.at());
        if let (Some(schema), Some(keys)) = (self.schema, &self.keys) {
            let record_type = schemas.record_type(schema, keys)?;
            self.messages = Some(Messages::new(&record_type, self.violations).read(scanner)?);
        } else {
            // Names that stand twice are found when the messages are read.
            scanner.well_formed().map_err(|refusal| refusal.under("messages"))?;
        }
        Ok(())
    }
}
