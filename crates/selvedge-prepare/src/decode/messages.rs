//! The messages of a batch, read into columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use selvedge_core::{ArrayPath, Path};

use crate::decode::Violations;
use crate::decode::array::finish_all;
use crate::decode::datetime;
use crate::decode::json_type::JsonType;
use crate::decode::member;
use crate::decode::object::Object;
use crate::decode::reading::{Frame, MAX_ARRAYS, Reading};
use crate::decode::scanner::Scanner;
use crate::decode::slot::Finished;
use crate::records::{Action, Elements, RecordColumn, Rejection};
use crate::refusal::Refusal;
use crate::schema::record_type::RecordType;
use crate::schema::rules::Rules;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The most records a batch may hold, as the Import API states it.
pub const MAX_RECORDS: usize = 20_000;

/// The messages of a batch, as columns.
pub(crate) struct Columns {
    pub(crate) actions: Option<Vec<Action>>,
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
    /// As long as the last message that is no upsert.
    actions: Vec<Action>,
    record_type: &'t RecordType,
    data: Data<'t>,
    /// Made with the first delete.
    deleted: Option<Data<'t>>,
    rules: Option<&'t Rules>,
    violations: Violations,
    rejected: Vec<Rejection>,
    scratch: String,
    faults: Vec<Refusal>,
}

impl<'t> Messages<'t> {
    pub(crate) fn new(record_type: &'t RecordType, violations: Violations) -> Self {
        Self {
            sequences: Vec::new(),
            extracted_at: Vec::new(),
            actions: Vec::new(),
            record_type,
            data: Data::new(record_type),
            deleted: None,
            rules: record_type.rules.as_deref(),
            violations,
            rejected: Vec::new(),
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
        let mut met = Met::nothing();
        member::open_object(scanner)?;
        if !scanner.closes(b'}') {
            loop {
                self.read_member(scanner, row, &mut met)?;
                if !scanner.continues(b'}')? {
                    break;
                }
            }
        }
        met.check()?;
        match met.passed_data {
            None => Ok(()),
            Some(at) => self.read_data(&mut scanner.rewound(at), row, met.does),
        }
    }

    #[inline]
    fn read_member(&mut self, scanner: &mut Scanner, row: usize, met: &mut Met) -> Result<()> {
        match Member::pass(scanner, &mut self.scratch)? {
            Member::Action => {
                met.action += 1;
                met.does = action(scanner, &mut self.scratch)?;
                if met.does == Action::Upsert { Ok(()) } else { self.note_action(row, met.does) }
            }
            Member::Sequence => {
                met.sequence += 1;
                self.sequences.truncate(row);
                self.sequences.push(sequence(scanner)?);
                Ok(())
            }
            Member::Data => {
                met.data += 1;
                if met.action > 0 {
                    return self.read_data(scanner, row, met.does);
                }
                // What it is to be checked for depends on the action, which senders put before it.
                scanner.peek();
                met.passed_data = Some(scanner.at());
                scanner.well_formed().map(drop)
            }
            Member::TimeExtracted => {
                met.time_extracted += 1;
                self.read_time_extracted(scanner, row).map_err(|refusal| refusal.under("time_extracted"))
            }
        }
    }

    #[cold]
    fn note_action(&mut self, row: usize, action: Action) -> Result<()> {
        if action == Action::Delete && !self.record_type.has_keys() {
            return Err(Refusal::request("the action [delete] needs the batch's [key_names], and there are none"));
        }
        self.actions.resize(row, Action::Upsert);
        self.actions.push(action);
        Ok(())
    }

    #[inline]
    fn read_data(&mut self, scanner: &mut Scanner, row: usize, action: Action) -> Result<()> {
        if action == Action::ActivateVersion {
            return Err(extraneous("data"));
        }
        if scanner.peek() != Some(b'{') {
            return Err(member::wrong_type(scanner, JsonType::Object).under("data"));
        }
        if action == Action::Delete {
            return self.read_deleted(scanner, row);
        }
        let start = scanner.at();
        let (object, mut reading) = self.data.reading(scanner, row, &mut self.scratch, &mut self.faults);
        if let Err(fault) = object.read(&mut reading) {
            return self.give_up(scanner, start, row, fault);
        }
        if self.faults.is_empty()
            && let Some(rules) = self.rules
            && let Err(faults) = rules.check(scanner.text_from(start))
        {
            self.faults.extend(faults);
        }
        if self.faults.is_empty() { Ok(()) } else { self.judge(row) }
    }

    /// Reads the record of a delete: all of it into columns that are forgotten, which checks it, and then its keys into those of
    /// the batch. The rules of the record as a whole tell what a complete one is, so they are left out as `required` is.
    #[cold]
    fn read_deleted(&mut self, scanner: &mut Scanner, row: usize) -> Result<()> {
        let start = scanner.at();
        let deleted = self.deleted.get_or_insert_with(|| Data::of_deletes(self.record_type));
        let (object, mut reading) = deleted.reading(scanner, row, &mut self.scratch, &mut self.faults);
        if let Err(fault) = object.read(&mut reading) {
            return self.give_up(scanner, start, row, fault);
        }
        // What has no column has no range.
        self.faults.retain(|fault| !fault.is_out_of_range());
        if self.faults.is_empty() {
            *scanner = scanner.rewound(start);
            let (object, mut reading) = self.data.reading(scanner, row, &mut self.scratch, &mut self.faults);
            object.read_keys(&mut reading)?;
        }
        if self.faults.is_empty() { Ok(()) } else { self.judge(row) }
    }

    /// Refuses the request because of what ended the reading of the record at `start`, or rejects the record if it can be passed.
    #[cold]
    fn give_up(&mut self, scanner: &mut Scanner, start: usize, row: usize, fault: Box<Refusal>) -> Result<()> {
        if self.violations == Violations::RefuseBatch || !fault.is_of_record() {
            return Err(fault);
        }
        *scanner = scanner.rewound(start);
        scanner.well_formed()?;
        self.faults = vec![*fault];
        self.judge(row)
    }

    /// Refuses the request because of the record just read, or rejects the record.
    #[cold]
    fn judge(&mut self, row: usize) -> Result<()> {
        let faults = std::mem::take(&mut self.faults);
        let first = faults.iter().find(|fault| !fault.is_out_of_range()).map(|fault| fault.pointer().to_owned());
        let all = Refusal::all(faults);
        if !all.is_out_of_range() && self.violations == Violations::RefuseBatch {
            return Err(all);
        }
        // Several violations together have no place of their own.
        let pointer = first.filter(|_| all.pointer().is_empty()).unwrap_or_else(|| all.pointer().to_owned());
        self.rejected.push(Rejection { record: row as u64, pointer, reason: all.reason().to_owned() });
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
        self.data.object.finish(rows, &mut finished);
        let mut arrays = Vec::new();
        finish_all(finished.arrays, &ArrayPath::default(), None, &mut arrays);
        let extracted_at = (!self.extracted_at.is_empty()).then(|| {
            self.extracted_at.resize(rows, None);
            Arc::new(TimestampMicrosecondArray::from(self.extracted_at).with_timezone("UTC")) as ArrayRef
        });
        let actions = (!self.actions.is_empty()).then(|| {
            self.actions.resize(rows, Action::Upsert);
            self.actions
        });
        Ok(Columns {
            actions,
            sequences: Int64Array::from(self.sequences),
            extracted_at,
            columns: finished.columns,
            arrays,
            extra: self.data.frame.extra.finish(rows),
            rejected: self.rejected,
        })
    }
}

/// Where the records go.
struct Data<'t> {
    object: Object<'t>,
    frame: Frame,
    arrays_left: usize,
}

impl<'t> Data<'t> {
    fn new(record_type: &'t RecordType) -> Self {
        let mut frame = Frame::default();
        let object = Object::new(record_type, Path::default(), 0, &mut frame.room);
        Self { object, frame, arrays_left: MAX_ARRAYS }
    }

    /// Where records go of which nothing but keys is required.
    fn of_deletes(record_type: &'t RecordType) -> Self {
        let mut data = Self::new(record_type);
        data.object.require_keys_only();
        data
    }

    /// What reads the record of a message, and with what.
    #[inline]
    fn reading<'s, 'a>(
        &'s mut self,
        scanner: &'s mut Scanner<'a>,
        row: usize,
        scratch: &'s mut String,
        faults: &'s mut Vec<Refusal>,
    ) -> (&'s mut Object<'t>, Reading<'s, 'a>) {
        let Self { object, frame, arrays_left } = self;
        (object, Reading { scanner, scratch, row, frame, data_points: 0, arrays_left, faults, noted: 0 })
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
            name => Err(extraneous(name)),
        }
    }
}

/// How often each member of a message was met.
struct Met {
    action: usize,
    sequence: usize,
    data: usize,
    time_extracted: usize,
    /// What the message does, once its action was met.
    does: Action,
    /// Where the data stand, if they came before the action: they were passed, and are still to be read.
    passed_data: Option<usize>,
}

impl Met {
    fn nothing() -> Self {
        Self { action: 0, sequence: 0, data: 0, time_extracted: 0, does: Action::Upsert, passed_data: None }
    }

    #[inline]
    fn check(&self) -> Result<()> {
        if let Self { action: 1, sequence: 1, data: 1, time_extracted: 0 | 1, .. } = self {
            Ok(())
        } else {
            self.check_others()
        }
    }

    #[cold]
    fn check_others(&self) -> Result<()> {
        let members = [
            ("action", self.action),
            ("sequence", self.sequence),
            ("data", self.data),
            ("time_extracted", self.time_extracted),
        ];
        if let Some((name, _)) = members.iter().find(|(_, times)| *times > 1) {
            return Err(Refusal::request(format!("the key [{name}] stands twice")));
        }
        let is_optional = |name: &str| match name {
            "time_extracted" => true,
            "data" => self.does == Action::ActivateVersion,
            _ => false,
        };
        match members.iter().find(|(name, times)| *times == 0 && !is_optional(name)) {
            Some((absent, _)) => Err(Refusal::request(format!("required key [{absent}] not found"))),
            None => Ok(()),
        }
    }
}

#[cold]
fn extraneous(name: &str) -> Box<Refusal> {
    Refusal::request(format!("extraneous key [{name}] is not permitted"))
}

#[inline]
fn action(scanner: &mut Scanner, scratch: &mut String) -> Result<Action> {
    match member::text(scanner, scratch).map_err(|refusal| refusal.under("action"))? {
        "upsert" => Ok(Action::Upsert),
        other => other_action(other),
    }
}

#[cold]
fn other_action(text: &str) -> Result<Action> {
    match text {
        "delete" => Ok(Action::Delete),
        "activate_version" | "switch_view" => Ok(Action::ActivateVersion),
        _ => Err(Refusal::request(format!(
            "[{}] is no action; send upsert, delete or activate_version",
            text.escape_debug()
        ))),
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
