//! What has to stand in the destination, and how far what stands there is from it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{AddAssign, ControlFlow};
use std::path::Path;

use selvedge::{Counted, Inspect, LogicalRow, Part, QueueReader, TableName, Value, logical_view, rejected};

use crate::failure::Failure;
use crate::stream::{Message, Sent, Table, What};
use crate::target::Target;

/// Both tables after some batches, in whatever order those came: no two messages have one sequence.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// What is newest of each key: its sequence, and its row unless it was deleted.
    keyed: BTreeMap<i64, (i64, Option<LogicalRow>)>,
    keyless: Vec<LogicalRow>,
    kept: BTreeMap<Table, Kept>,
}

/// What is counted and kept aside of a table.
#[derive(Debug, Default)]
struct Kept {
    accepted: u64,
    /// The texts of the records that were rejected.
    rejected: Vec<String>,
}

impl Model {
    /// A batch is taken.
    pub(crate) fn take(&mut self, sent: &Sent) {
        let kept = self.kept.entry(sent.table).or_default();
        for message in &sent.messages {
            kept.accepted += 1;
            match (&message.what, sent.table) {
                (What::Bad, _) => kept.rejected.push(message.data().to_string()),
                (_, Table::Keyless) => self.keyless.extend(row(message)),
                (_, Table::Keyed) => {
                    let newest = self.keyed.entry(message.id).or_insert((i64::MIN, None));
                    if newest.0 < message.sequence {
                        *newest = (message.sequence, row(message));
                    }
                }
            }
        }
    }

    /// How many records were taken.
    pub(crate) fn accepted(&self) -> u64 {
        self.kept.values().map(|kept| kept.accepted).sum()
    }
}

/// The row a record makes.
fn row(message: &Message) -> Option<LogicalRow> {
    let What::Upsert { text, items } = &message.what else { return None };
    let mut row = LogicalRow::from([
        ("/id".to_owned(), Value::Integer(message.id)),
        ("/text".to_owned(), Value::String(text.clone())),
        ("_sdc_sequence".to_owned(), Value::Integer(message.sequence)),
    ]);
    row.extend(items.iter().enumerate().map(|(at, n)| (format!("/items/{at}/n"), Value::Integer(*n))));
    Some(row)
}

/// What was found to be wrong.
#[derive(Debug, Default, Clone)]
pub struct Findings {
    /// Effects of acknowledged records that do not stand.
    pub lost: u64,
    /// Effects that stand more than once, or of what was never sent.
    pub doubled: u64,
    /// The first of them, one by one.
    notes: Vec<String>,
}

const NOTES_MAX: usize = 8;

impl Findings {
    /// Whether nothing is wrong.
    pub fn are_none(&self) -> bool {
        self.lost == 0 && self.doubled == 0
    }

    pub(crate) fn lose(&mut self, count: u64, note: impl FnOnce() -> String) {
        self.lost += count;
        self.note(count, note);
    }

    pub(crate) fn double(&mut self, count: u64, note: impl FnOnce() -> String) {
        self.doubled += count;
        self.note(count, note);
    }

    fn note(&mut self, count: u64, note: impl FnOnce() -> String) {
        if count > 0 && self.notes.len() < NOTES_MAX {
            self.notes.push(note());
        }
    }

    /// Two numbers of which the second has to be the first.
    fn compare(&mut self, what: &str, expected: u64, found: u64) {
        let note = || format!("{what}: {expected} expected, {found} found");
        self.lose(expected.saturating_sub(found), note);
        self.double(found.saturating_sub(expected), note);
    }
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.notes.extend(other.notes);
        self.notes.truncate(NOTES_MAX);
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lost, {} doubled", self.lost, self.doubled)?;
        self.notes.iter().try_for_each(|note| write!(f, "\n    {note}"))
    }
}

/// Compares what stands under a root, once everything is loaded, with the model: by the destination's own reader, by the
/// counts committed with the rows, and by what the queue says it accepted.
pub(crate) fn compare(model: &Model, target: Target, root: &Path) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let mut destination = target.look(root)?;
    let accepted = accepted_by_queue(root)?;
    for table in Table::ALL {
        let name = TableName::new(None, table.name())?;
        let kept = model.kept.get(&table);
        let expected = kept.map_or(0, |kept| kept.accepted);
        findings.compare(
            &format!("records the queue accepted for {name}"),
            expected,
            accepted.get(&name).copied().unwrap_or(0),
        );
        let Some(Counted { state, rows }) = destination.count(&name)? else {
            findings.lose(expected, || format!("{name} was never loaded"));
            continue;
        };
        let rejected = kept.map_or(&[][..], |kept| &kept.rejected);
        findings.compare(&format!("records counted in {name}"), expected, state.counts.records());
        findings.compare(&format!("rejected records counted in {name}"), rejected.len() as u64, state.counts.rejected);
        findings.compare(&format!("live rows counted in {name}"), rows, state.counts.live_rows);
        compare_rejected(&mut findings, rejected, &mut *destination, &name)?;
        let view = logical_view(&mut *destination, &name)?.unwrap_or_default();
        match table {
            Table::Keyed => compare_keyed(&mut findings, model, view.rows),
            Table::Keyless => compare_keyless(&mut findings, model, view.rows.into_values()),
        }
    }
    Ok(findings)
}

fn accepted_by_queue(root: &Path) -> Result<BTreeMap<TableName, u64>, Failure> {
    let bounds = QueueReader::open(Target::queue(root))?.tables()?;
    Ok(bounds.into_iter().map(|bounds| (bounds.table, bounds.accepted)).collect())
}

fn compare_keyed(findings: &mut Findings, model: &Model, mut found: BTreeMap<Vec<Value>, LogicalRow>) {
    for (id, (sequence, expected)) in &model.keyed {
        let found = found.remove(&[Value::Integer(*id)][..]);
        if found == *expected {
            continue;
        }
        let stands = match found.as_ref().map(|row| row.get("_sdc_sequence")) {
            Some(Some(Value::Integer(found))) => format!("is as of sequence {found}"),
            Some(_) => "has no sequence".to_owned(),
            None => "is not there".to_owned(),
        };
        let what = if expected.is_some() { "has to be as of" } else { "was deleted at" };
        findings.lose(1, || format!("key {id} {what} sequence {sequence} and {stands}"));
    }
    for key in found.keys() {
        findings.double(1, || format!("key {key:?} was never sent"));
    }
}

fn compare_keyless(findings: &mut Findings, model: &Model, found: impl Iterator<Item = LogicalRow>) {
    let mut times: BTreeMap<LogicalRow, i64> = BTreeMap::new();
    for mut row in found {
        row.remove("__sdc_primary_key");
        *times.entry(row).or_default() -= 1;
    }
    for row in &model.keyless {
        *times.entry(row.clone()).or_default() += 1;
    }
    compare_times(findings, "the row of a record without a key", times);
}

fn compare_rejected(
    findings: &mut Findings,
    expected: &[String],
    destination: &mut dyn Inspect,
    table: &TableName,
) -> Result<(), Failure> {
    let mut times: BTreeMap<String, i64> = BTreeMap::new();
    destination.read(table, Part::Rejects, &mut |_, batch| {
        for rejected in rejected::read(&batch) {
            *times.entry(rejected.record).or_default() -= 1;
        }
        ControlFlow::Continue(())
    })?;
    for record in expected {
        *times.entry(record.clone()).or_default() += 1;
    }
    compare_times(findings, "a rejected record", times);
    Ok(())
}

/// Of each thing how many times more it was expected than found.
fn compare_times<K: fmt::Debug>(findings: &mut Findings, what: &str, times: BTreeMap<K, i64>) {
    for (thing, times) in times {
        let note = || {
            format!("{what} stands {} times too {}: {thing:?}", times.abs(), if times > 0 { "few" } else { "often" })
        };
        findings.lose(times.max(0).unsigned_abs(), note);
        findings.double(times.min(0).unsigned_abs(), note);
    }
}
