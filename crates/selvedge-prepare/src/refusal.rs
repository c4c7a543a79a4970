//! Why a batch is refused at the door.

use std::fmt;

/// A batch that is not accepted: nothing of it is queued.
///
/// [`Display`](fmt::Display) gives the sentence the Import API's clients know; the parts are there for
/// callers that show them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    record: Option<u64>,
    pointer: String,
    reason: String,
    fault: Fault,
    /// Nothing after it was read.
    is_last: bool,
}

/// As many of the violations of one record are told; how many there are is told in any case.
const MAX_SHOWN: usize = 100;

/// Which sentence a refusal makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Request,
    Schema,
    Record,
    MissingKey,
    Sequence,
    /// The record conforms to the schema, but holds a value beyond what a column can.
    Range,
}

impl Refusal {
    /// The request as a whole is not what the API takes.
    pub(crate) fn request(reason: impl Into<String>) -> Box<Self> {
        Self::new(Fault::Request, reason)
    }

    /// The JSON Schema cannot be used.
    pub(crate) fn schema(reason: impl Into<String>) -> Box<Self> {
        Self::new(Fault::Schema, reason)
    }

    /// A record does not conform to the schema.
    pub(crate) fn violation(reason: impl Into<String>) -> Box<Self> {
        Self::new(Fault::Record, reason)
    }

    /// A record lacks a key, or holds null in it.
    pub(crate) fn missing_key(name: &str) -> Box<Self> {
        let mut refusal = Self::new(Fault::MissingKey, format!("Record is missing key property {name}"));
        refusal.prepend(name);
        refusal
    }

    /// A record holds a value beyond the range of its type, `integer` or the like. That is no fault of the request: only the
    /// record is rejected.
    pub(crate) fn out_of_range(what: &str, value: &str) -> Box<Self> {
        let shown: String = value.chars().take(60).collect();
        Self::new(Fault::Range, format!("{what} out of range for selvedge on {shown}"))
    }

    /// The property whose value this is stands twice in its object.
    pub(crate) fn twice() -> Box<Self> {
        Self::violation("the key stands twice in one object")
    }

    /// The key whose value this is holds null.
    pub(crate) fn null_key(name: &str) -> Box<Self> {
        Self::new(Fault::MissingKey, format!("Record is missing key property {name}"))
    }

    /// All that is wrong with a record, of which there is something. Values out of range are told of only if it conforms to the
    /// schema, the first of them.
    pub(crate) fn all(mut faults: Vec<Self>) -> Box<Self> {
        if let Some(at) = faults.iter().position(|fault| fault.fault == Fault::MissingKey) {
            return Box::new(faults.swap_remove(at));
        }
        if faults.iter().any(|fault| !fault.is_out_of_range()) {
            faults.retain(|fault| !fault.is_out_of_range());
        } else {
            faults.truncate(1);
        }
        match faults.len() {
            1 => Box::new(faults.swap_remove(0)),
            violations => {
                let shown =
                    faults.iter().take(MAX_SHOWN).map(|fault| format!("\n#{}: {}", fault.pointer, fault.reason));
                Self::violation(format!("{violations} schema violations found{}", shown.collect::<String>()))
            }
        }
    }

    /// A message's sequence does not fit.
    pub(crate) fn sequence() -> Box<Self> {
        Self::new(Fault::Sequence, format!("sequence can not be above {}", i64::MAX))
    }

    fn new(fault: Fault, reason: impl Into<String>) -> Box<Self> {
        Box::new(Self { record: None, pointer: String::new(), reason: reason.into(), fault, is_last: false })
    }

    /// The same refusal, seen from the object that holds its place as the property `name`.
    #[must_use]
    pub(crate) fn under(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.prepend(name);
        self
    }

    /// The same refusal, found in the record of this index.
    #[must_use]
    pub(crate) fn in_record(mut self: Box<Self>, index: u64) -> Box<Self> {
        self.record = Some(index);
        self
    }

    /// The same refusal, as the last of its record: nothing after it can be read.
    #[must_use]
    pub(crate) fn last(mut self: Box<Self>) -> Box<Self> {
        self.is_last = true;
        self
    }

    /// Whether the rest of the record cannot be read.
    pub(crate) fn ends_reading(&self) -> bool {
        self.is_last || !self.is_of_record()
    }

    /// Whether a record is at fault, and not what stands around it, or its JSON.
    pub(crate) fn is_of_record(&self) -> bool {
        matches!(self.fault, Fault::Record | Fault::MissingKey | Fault::Range)
    }

    /// Whether it is the record that is rejected, and not the request.
    pub(crate) fn is_out_of_range(&self) -> bool {
        self.fault == Fault::Range
    }

    pub(crate) fn prepend(&mut self, name: &str) {
        self.pointer = format!("/{}{}", name.replace('~', "~0").replace('/', "~1"), self.pointer);
    }

    /// The index of the record in the batch, from 0; `None` when no single record is to blame.
    pub fn record(&self) -> Option<u64> {
        self.record
    }

    /// The place in the record (or in the schema or request, when no record is to blame) as a JSON pointer (RFC 6901);
    /// empty for the whole of it.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What is wrong there.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, pointer, reason, fault, .. } = self;
        match (fault, record) {
            (Fault::Request, Some(index)) => {
                write!(f, "Request failed validation:#/messages/{index}{pointer}: {reason}")
            }
            (Fault::Request | Fault::Record, None) => write!(f, "Request failed validation:#{pointer}: {reason}"),
            (Fault::Sequence, _) => write!(f, "Request failed validation:#: {reason}"),
            (Fault::Schema, _) => write!(f, "Invalid JSON schema: {reason}"),
            (Fault::Range, None) => write!(f, "#{pointer}: {reason}"),
            (Fault::Record | Fault::Range, Some(index)) => {
                write!(f, "Record {index} did not conform to schema:\n#{pointer}: {reason}")
            }
            (Fault::MissingKey, _) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Refusal {}
