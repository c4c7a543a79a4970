//! The messages of a batch, read into columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use selvedge_core::{ArrayPath, Path};

use crate::decode::array::finish_all;
use crate::decode::datetime;
use crate::decode::json_type::JsonType;
use crate::decode::member;
use crate::decode::object::Object;
use crate::decode::reading::{Frame, MAX_ARRAYS, Reading};
use crate::decode::scanner::Scanner;
use crate::decode::slot::Finished;
use crate::records::{Elements, RecordColumn, Rejection};
use crate::refusal::Refusal;
use crate::schema::record_type::RecordType;
use crate::schema::rules::Rules;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The most records a batch may hold, as the Import API states it.
pub const MAX_RECORDS: usize = 20_000;

/// The messages of a batch, as columns.
pub(crate) struct Columns {
    pub(crate) sequences: Int64Array,
    pub(crate) extracted_at: Option<ArrayRef>,
    pub(crate) columns: Vec<RecordColumn>,
    pub(crate) arrays: Vec<Elements>,
    pub(crate) extra: Option<StringArray>,
    pub(crate) rejected: Vec<Rejection>,
}

/// The messages of a batch, being read.
pub(crate) struct Messages<'t> {
    sequences: Vec<i64>,
    /// As long as the last record that has one.
    extracted_at: Vec<Option<i64>>,
    data: Object<'t>,
    rules: Option<&'t Rules>,
    rejected: Vec<Rejection>,
    frame: Frame,
    arrays_left: usize,
    scratch: String,
    faults: Vec<Refusal>,
}

impl<'t> Messages<'t> {
    pub(crate) fn new(record_type: &'t RecordType) -> Self {
        let mut frame = Frame::default();
        Self {
            sequences: Vec::new(),
            extracted_at: Vec::new(),
            data: Object::new(record_type, Path::default(), 0, &mut frame.room),
            rules: record_type.rules.as_deref(),
            rejected: Vec::new(),
            frame,
            arrays_left: MAX_ARRAYS,
            scratch: String::new(),
            faults: Vec::new(),
        }
    }

    pub(crate) fn read(mut self, scanner: &mut Scanner) -> Result<Columns> {
        let of_messages = |refusal: Box<Refusal>| refusal.under("messages");
        member::open_array(scanner).map_err(of_messages)?;
        if scanner.closes(b']') {
            return Err(of_messages(Refusal::request("a batch holds at least one message")));
        }
        loop {
            let row = self.sequences.len();
            if row == MAX_RECORDS {
                return Err(of_messages(Refusal::request(format!("a batch holds at most {MAX_RECORDS} messages"))));
            }
            self.read_message(scanner, row).map_err(|refusal| refusal.in_record(row as u64))?;
            if !scanner.continues(b']')? {
                return self.finish();
            }
        }
    }

    fn read_message(&mut self, scanner: &mut Scanner, row: usize) -> Result<()> {
        let mut met = Met::default();
        member::open_object(scanner)?;
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
        match Member::pass(scanner, &mut self.scratch)? {
            Member::Action => {
                met.action += 1;
                check_action(scanner, &mut self.scratch)
            }
            Member::Sequence => {
                met.sequence += 1;
                self.sequences.truncate(row);
                self.sequences.push(sequence(scanner)?);
                Ok(())
            }
            Member::Data => {
                met.data += 1;
                self.read_data(scanner, row)
            }
            Member::TimeExtracted => {
                met.time_extracted += 1;
                self.read_time_extracted(scanner, row).map_err(|refusal| refusal.under("time_extracted"))
            }
        }
    }

    #[inline]
    fn read_data(&mut self, scanner: &mut Scanner, row: usize) -> Result<()> {
        if scanner.peek() != Some(b'{') {
            return Err(member::wrong_type(scanner, JsonType::Object).under("data"));
        }
        let start = scanner.at();
        self.data.read(&mut Reading {
            scanner,
            scratch: &mut self.scratch,
            row,
            frame: &mut self.frame,
            data_points: 0,
            arrays_left: &mut self.arrays_left,
            faults: &mut self.faults,
            noted: 0,
        })?;
        if self.faults.is_empty()
            && let Some(rules) = self.rules
            && let Err(faults) = rules.check(scanner.text_from(start))
        {
            self.faults.extend(faults);
        }
        if self.faults.is_empty() { Ok(()) } else { self.judge(row) }
    }

    /// Refuses the request because of the record just read, or rejects the record.
    #[cold]
    fn judge(&mut self, row: usize) -> Result<()> {
        let faults = std::mem::take(&mut self.faults);
        if faults.iter().any(|fault| !fault.is_out_of_range()) {
            return Err(Refusal::all(faults));
        }
        let rejection = |fault: &Refusal| Rejection {
            record: row as u64,
            pointer: fault.pointer().to_owned(),
            reason: fault.reason().to_owned(),
        };
        self.rejected.extend(faults.first().map(rejection));
        Ok(())
    }

    fn read_time_extracted(&mut self, scanner: &mut Scanner, row: usize) -> Result<()> {
        let text = member::text(scanner, &mut self.scratch)?;
        let moment = datetime::timestamp(text).ok_or_else(|| Refusal::request(datetime::refused(text)))?;
        self.extracted_at.resize(row, None);
        self.extracted_at.push(Some(moment));
        Ok(())
    }

    fn finish(mut self) -> Result<Columns> {
        let rows = self.sequences.len();
        let mut finished = Finished::default();
        self.data.finish(rows, &mut finished);
        let mut arrays = Vec::new();
        finish_all(finished.arrays, &ArrayPath::default(), None, &mut arrays);
        let extracted_at = (!self.extracted_at.is_empty()).then(|| {
            self.extracted_at.resize(rows, None);
            Arc::new(TimestampMicrosecondArray::from(self.extracted_at).with_timezone("UTC")) as ArrayRef
        });
        Ok(Columns {
            sequences: Int64Array::from(self.sequences),
            extracted_at,
            columns: finished.columns,
            arrays,
            extra: self.frame.extra.finish(rows),
            rejected: self.rejected,
        })
    }
}

/// What a message consists of.
#[derive(Clone, Copy)]
enum Member {
    Action,
    Sequence,
    Data,
    TimeExtracted,
}

impl Member {
    /// Passes a member's name and the colon, which is first looked for as nearly all senders write it.
    #[inline]
    fn pass(scanner: &mut Scanner, scratch: &mut String) -> Result<Self> {
        const STARTS: [(&[u8], Member); 4] = [
            (b"\"action\":", Member::Action),
            (b"\"sequence\":", Member::Sequence),
            (b"\"data\":", Member::Data),
            (b"\"time_extracted\":", Member::TimeExtracted),
        ];
        for (start, member) in STARTS {
            if scanner.passes_start(start) {
                return Ok(member);
            }
        }
        match scanner.name()?.resolve(scratch)? {
            "action" => Ok(Self::Action),
            "sequence" => Ok(Self::Sequence),
            "data" => Ok(Self::Data),
            "time_extracted" => Ok(Self::TimeExtracted),
            name => Err(Refusal::request(format!("extraneous key [{name}] is not permitted"))),
        }
    }
}

/// How often each member of a message was met.
#[derive(Default)]
struct Met {
    action: usize,
    sequence: usize,
    data: usize,
    time_extracted: usize,
}

impl Met {
    #[inline]
    fn check(&self) -> Result<()> {
        if let Self { action: 1, sequence: 1, data: 1, time_extracted: 0 | 1 } = self {
            Ok(())
        } else {
            Err(self.fault())
        }
    }

    #[cold]
    fn fault(&self) -> Box<Refusal> {
        let members = [
            ("action", self.action),
            ("sequence", self.sequence),
            ("data", self.data),
            ("time_extracted", self.time_extracted),
        ];
        if let Some((name, _)) = members.iter().find(|(_, times)| *times > 1) {
            return Refusal::request(format!("the key [{name}] stands twice"));
        }
        let absent = members.iter().find(|(_, times)| *times == 0).map_or("", |(name, _)| name);
        Refusal::request(format!("required key [{absent}] not found"))
    }
}

#[inline]
fn check_action(scanner: &mut Scanner, scratch: &mut String) -> Result<()> {
    match member::text(scanner, scratch).map_err(|refusal| refusal.under("action"))? {
        "upsert" => Ok(()),
        action => Err(unsupported(action)),
    }
}

#[cold]
fn unsupported(action: &str) -> Box<Refusal> {
    match action {
        "delete" | "activate_version" | "switch_view" => {
            Refusal::request(format!("the action [{action}] is not carried out by this version; send upserts only"))
        }
        _ => Refusal::request(format!("[{}] is no action; send upsert", action.escape_debug())),
    }
}

#[inline]
fn sequence(scanner: &mut Scanner) -> Result<i64> {
    if !matches!(scanner.peek(), Some(b'-' | b'0'..=b'9')) {
        return Err(member::wrong_type(scanner, JsonType::Integer).under("sequence"));
    }
    let number = scanner.number()?;
    number.integer().ok_or_else(|| match number.json_type() {
        JsonType::Integer => Refusal::sequence(),
        found => Refusal::request(format!("expected type: Integer, found: {found}")).under("sequence"),
    })
}
