//! What has to stand in every destination, in as few words as it takes.

use std::collections::BTreeMap;

use selvedge::{LogicalRow, Value};

use super::records::{Kind, Message, Record, Sample, Sent};

/// A table, and what became of all that was sent so far.
#[derive(Debug)]
pub(crate) struct Model {
    kind: Kind,
    active_version: Option<i64>,
    /// What is newest of each key: a row, or nothing where it was deleted.
    newest: BTreeMap<i64, (Age, Option<LogicalRow>)>,
    /// Every row with its version, where all are kept.
    appended: Vec<(Option<i64>, LogicalRow)>,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

/// How new something is: by version, then by sequence; of two equals the later one.
type Age = (Option<i64>, i64);

impl Model {
    pub(crate) fn new(kind: Kind) -> Self {
        let (newest, appended) = (BTreeMap::new(), Vec::new());
        Self { kind, active_version: None, newest, appended, accepted: 0, rejected: 0 }
    }

    /// A batch comes.
    pub(crate) fn take(&mut self, Sent { table_version, messages, .. }: &Sent) {
        for message in messages {
            self.accepted += 1;
            match message {
                Message::Upsert(record) => match row(record, *table_version) {
                    Some(row) => self.put(record, *table_version, Some(row)),
                    None => self.rejected += 1,
                },
                Message::Delete { record, at } => {
                    let row = (self.kind != Kind::HardDeletes).then(|| deleted(record, *at, *table_version));
                    self.put(record, *table_version, row);
                }
                Message::ActivateVersion { .. } => self.activate(*table_version),
                Message::Bad { .. } => self.rejected += 1,
            }
        }
    }

    fn put(&mut self, record: &Record, version: Option<i64>, row: Option<LogicalRow>) {
        let age = (version, record.sequence);
        if version < self.active_version {
            return;
        }
        match self.kind {
            Kind::Keyless | Kind::Appended => self.appended.extend(row.map(|row| (version, row))),
            Kind::SoftDeletes | Kind::HardDeletes => {
                if self.newest.get(&record.id).is_none_or(|(stands, _)| *stands <= age) {
                    self.newest.insert(record.id, (age, row));
                }
            }
        }
    }

    fn activate(&mut self, version: Option<i64>) {
        self.active_version = self.active_version.max(version);
        self.newest.retain(|_, ((version, _), _)| *version >= self.active_version);
        self.appended.retain(|(version, _)| *version >= self.active_version);
    }

    /// All rows, sorted.
    pub(crate) fn rows(&self) -> Vec<LogicalRow> {
        let newest = self.newest.values().filter_map(|(_, row)| row.clone());
        let mut rows: Vec<LogicalRow> = newest.chain(self.appended.iter().map(|(_, row)| row.clone())).collect();
        rows.sort();
        rows
    }
}

/// What every row holds.
fn begun(record: &Record, table_version: Option<i64>) -> LogicalRow {
    let mut row = LogicalRow::from([
        ("/id".to_owned(), Value::Integer(record.id)),
        ("_sdc_sequence".to_owned(), Value::Integer(record.sequence)),
    ]);
    row.extend(table_version.map(|version| ("_sdc_table_version".to_owned(), Value::Integer(version))));
    row
}

/// The row a delete makes where it makes one.
fn deleted(record: &Record, at: i64, table_version: Option<i64>) -> LogicalRow {
    let mut row = begun(record, table_version);
    row.extend(["_sdc_deleted_at", "_sdc_extracted_at"].map(|name| (name.to_owned(), Value::Timestamp(at))));
    row
}

/// The row a record makes; `None` if two of its values want one column.
fn row(record: &Record, table_version: Option<i64>) -> Option<LogicalRow> {
    let mut row = begun(record, table_version);
    let mut place = Place { row: &mut row, columns: BTreeMap::new() };
    let fits = record.members.iter().all(|(name, value)| place.put("", &[name], value));
    fits.then_some(row)
}

/// A table's row that values are put into.
struct Place<'r> {
    row: &'r mut LogicalRow,
    /// The path of each column that has a value, by the row's place and the column's name without case.
    columns: BTreeMap<(String, String), Vec<String>>,
}

impl Place<'_> {
    /// Puts a value at a path below `prefix`, the place of the record or of the element it stands in. False if its column is
    /// taken by a value of another path.
    fn put(&mut self, prefix: &str, path: &[&str], sample: &Sample) -> bool {
        let pointer: String =
            path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        match sample {
            Sample::Null => true,
            Sample::Scalar { value, .. } => {
                self.row.insert(format!("{prefix}{pointer}"), value.clone());
                let name = if path.is_empty() { "value".to_owned() } else { path.join("__").to_lowercase() };
                let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
                *self.columns.entry((prefix.to_owned(), name)).or_insert_with(|| path.clone()) == path
            }
            Sample::Array(elements) => elements
                .iter()
                .enumerate()
                .all(|(index, element)| self.put(&format!("{prefix}{pointer}/{index}"), &[], element)),
            Sample::Object(members) => {
                members.iter().all(|(name, member)| self.put(prefix, &[path, &[name]].concat(), member))
            }
        }
    }
}
