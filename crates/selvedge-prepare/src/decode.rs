//! From the body of a batch to columns, in one pass over its messages.

use arrow::array::{ArrayRef, Int64Array};
use selvedge_core::{ColumnType, Path};

use crate::leaf::Leaf;
use crate::number;
use crate::object::{Object, Reading};
use crate::record_type::{RecordType, Scalar};
use crate::records::{RecordColumn, Records};
use crate::refusal::Refusal;
use crate::scanner::Scanner;
use crate::schema::Schemas;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The most records a batch may hold (import-api.md 1.5).
pub const MAX_RECORDS: usize = 20_000;

/// Decodes one batch of the Import API (import-api.md 1.3): JSON naming a table, its JSON Schema, its keys and the
/// messages. Every record is checked against the schema on the way.
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
    let text = simdutf8::basic::from_utf8(body).map_err(|_| *Refusal::request("the body is not UTF-8"))?;
    read_batch(text, schemas).map_err(|refusal| *refusal)
}

fn read_batch(text: &str, schemas: &Schemas) -> Result<Records> {
    let mut scanner = Scanner::new(text);
    let mut envelope = Envelope::default();
    envelope.read(&mut scanner, schemas)?;
    scanner.finish()?;
    let table = envelope.table.ok_or_else(|| missing("table_name"))?;
    let schema = envelope.schema.ok_or_else(|| missing("schema"))?;
    let at = envelope.messages_at.ok_or_else(|| missing("messages"))?;
    let keys = envelope.keys.unwrap_or_default();
    let Columns { sequences, extracted_at, columns } = match envelope.messages {
        Some(columns) => columns,
        None => Messages::new(&*schemas.record_type(schema, &keys)?).read(&mut scanner.rewound(at))?,
    };
    Ok(Records { table, keys, table_version: envelope.table_version, sequences, extracted_at, columns })
}

/// The members of a batch as they are met.
#[derive(Default)]
struct Envelope<'a> {
    table: Option<String>,
    schema: Option<&'a str>,
    keys: Option<Vec<String>>,
    table_version: Option<i64>,
    messages_at: Option<usize>,
    /// Already read: schema and keys stood before the messages, as clients send them.
    messages: Option<Columns>,
}

impl<'a> Envelope<'a> {
    fn read(&mut self, scanner: &mut Scanner<'a>, schemas: &Schemas) -> Result<()> {
        let mut seen = Vec::new();
        let mut scratch = String::new();
        scanner.pass(b'{')?;
        if scanner.closes(b'}') {
            return Ok(());
        }
        loop {
            let name = scanner.name()?.resolve(&mut scratch)?.to_owned();
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
        match name {
            "table_name" => self.table = Some(string(scanner).map_err(|refusal| refusal.under(name))?),
            "schema" => self.schema = Some(schema_text(scanner)?),
            "key_names" => self.keys = Some(strings(scanner).map_err(|refusal| refusal.under(name))?),
            "table_version" => self.table_version = Some(integer(scanner).map_err(|refusal| refusal.under(name))?),
            "bookmark_names" => drop(strings(scanner).map_err(|refusal| refusal.under(name))?),
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
            self.messages = Some(Messages::new(&record_type).read(scanner)?);
        } else {
            scanner.value()?;
        }
        Ok(())
    }
}

/// The messages of a batch, being read into columns.
struct Messages<'t> {
    sequences: Vec<i64>,
    extracted_at: Leaf,
    extracted: usize,
    data: Object<'t>,
    scratch: String,
}

/// Which members of a message were met.
#[derive(Default)]
struct Met {
    action: usize,
    sequence: usize,
    data: usize,
    time_extracted: usize,
}

impl<'t> Messages<'t> {
    fn new(record_type: &'t RecordType) -> Self {
        Self {
            sequences: Vec::new(),
            extracted_at: Leaf::new(&Scalar::plain(ColumnType::Timestamp)),
            extracted: 0,
            data: Object::new(record_type),
            scratch: String::new(),
        }
    }

    fn read(mut self, scanner: &mut Scanner) -> Result<Columns> {
        scanner.pass(b'[')?;
        if scanner.closes(b']') {
            return Err(Refusal::request("a batch holds at least one message").under("messages"));
        }
        loop {
            let row = self.sequences.len();
            if row == MAX_RECORDS {
                return Err(Refusal::request(format!("a batch holds at most {MAX_RECORDS} messages")).under("messages"));
            }
            self.read_message(scanner, row).map_err(|refusal| refusal.in_record(row as u64))?;
            if !scanner.continues(b']')? {
                return Ok(self.finish());
            }
        }
    }

    fn read_message(&mut self, scanner: &mut Scanner, row: usize) -> Result<()> {
        let mut met = Met::default();
        scanner.pass(b'{')?;
        if !scanner.closes(b'}') {
            loop {
                self.read_member(scanner, row, &mut met)?;
                if !scanner.continues(b'}')? {
                    break;
                }
            }
        }
        met.check()
    }

    #[inline]
    fn read_member(&mut self, scanner: &mut Scanner, row: usize, met: &mut Met) -> Result<()> {
        let name = scanner.name()?.resolve(&mut self.scratch)?;
        match name {
            "data" => {
                met.data += 1;
                let scratch = &mut self.scratch;
                self.data.read(&mut Reading { scanner, scratch, row, data_points: 0 })
            }
            "sequence" => {
                met.sequence += 1;
                self.sequences.truncate(row);
                self.sequences.push(sequence(scanner)?);
                Ok(())
            }
            "action" => {
                met.action += 1;
                check_action(scanner, &mut self.scratch)
            }
            "time_extracted" => {
                met.time_extracted += 1;
                self.extracted += 1;
                let text = scanner.string()?.resolve(&mut self.scratch)?;
                self.extracted_at.put_string(row, text).map_err(|refusal| refusal.under("time_extracted"))?;
                Ok(())
            }
            _ => Err(Refusal::request(format!("extraneous key [{name}] is not permitted"))),
        }
    }

    fn finish(self) -> Columns {
        let rows = self.sequences.len();
        let mut columns = Vec::new();
        self.data.finish(&Path::default(), rows, &mut columns);
        let extracted_at = (self.extracted > 0).then(|| self.extracted_at.finish(rows));
        Columns { sequences: Int64Array::from(self.sequences), extracted_at, columns }
    }
}

impl Met {
    #[inline]
    fn check(&self) -> Result<()> {
        if let Self { action: 1, sequence: 1, data: 1, time_extracted: 0 | 1 } = self {
            return Ok(());
        }
        let members = [
            ("action", self.action),
            ("sequence", self.sequence),
            ("data", self.data),
            ("time_extracted", self.time_extracted),
        ];
        let twice = members.iter().find(|(_, times)| *times > 1);
        let absent = members.iter().find(|(_, times)| *times == 0);
        Err(match (twice, absent) {
            (Some((name, _)), _) => Refusal::request(format!("the key [{name}] stands twice")),
            (None, Some((name, _))) => Refusal::request(format!("required key [{name}] not found")),
            (None, None) => Refusal::request("not a message"),
        })
    }
}

/// The messages of a batch, as columns.
struct Columns {
    sequences: Int64Array,
    extracted_at: Option<ArrayRef>,
    columns: Vec<RecordColumn>,
}

fn missing(name: &str) -> Box<Refusal> {
    Refusal::request(format!("required key [{name}] not found"))
}

fn schema_text<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str> {
    match scanner.peek() {
        Some(b'[') => Err(Refusal::request("expected type: JSONObject, found: JSONArray").under("schema")),
        _ => scanner.value(),
    }
}

fn check_action(scanner: &mut Scanner, scratch: &mut String) -> Result<()> {
    match scanner.string()?.resolve(scratch)? {
        "upsert" => Ok(()),
        action @ ("delete" | "activate_version" | "switch_view") => Err(Refusal::request(format!(
            "the action [{action}] is not carried out by this version; send upserts only"
        ))),
        action => Err(Refusal::request(format!("[{}] is no action; send upsert", action.escape_debug()))),
    }
}

fn sequence(scanner: &mut Scanner) -> Result<i64> {
    let text = number_text(scanner).map_err(|refusal| refusal.under("sequence"))?;
    match number::integer(text) {
        Some(sequence) => Ok(sequence),
        None if number::is_whole(text) => Err(Refusal::request(format!("sequence can not be above {}", i64::MAX))),
        None => Err(Refusal::request("expected type: Integer, found: Double").under("sequence")),
    }
}

fn integer(scanner: &mut Scanner) -> Result<i64> {
    let text = number_text(scanner)?;
    number::integer(text).ok_or_else(|| Refusal::request("expected an integer of 64 bits"))
}

fn number_text<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str> {
    match scanner.peek() {
        Some(b'-' | b'0'..=b'9') => scanner.number(),
        _ => Err(Refusal::request("expected type: Integer, found: another type")),
    }
}

fn string(scanner: &mut Scanner) -> Result<String> {
    if scanner.peek() != Some(b'"') {
        return Err(Refusal::request("expected type: String, found: another type"));
    }
    Ok(scanner.string()?.resolve(&mut String::new())?.to_owned())
}

fn strings(scanner: &mut Scanner) -> Result<Vec<String>> {
    scanner.pass(b'[')?;
    let mut strings = Vec::new();
    if scanner.closes(b']') {
        return Ok(strings);
    }
    loop {
        strings.push(string(scanner)?);
        if !scanner.continues(b']')? {
            return Ok(strings);
        }
    }
}
