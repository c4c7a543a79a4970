//! What has to stand in every destination, in as few words as it takes.

use std::collections::BTreeMap;

use selvedge::{Counts, LogicalRow, Value};

use super::records::{Kind, Message, Record, Sample, Sent};

/// A table, and what became of all that was loaded into it.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    kind: Kind,
    active_version: Option<i64>,
    /// What is newest of each key.
    newest: Newest,
    /// Every row with its version, where all are kept.
    appended: Vec<(Option<i64>, LogicalRow)>,
    pub(crate) counts: Counts,
}

/// Of each key a row, or nothing where it was deleted.
type Newest = BTreeMap<i64, (Age, Option<LogicalRow>)>;

/// How new something is: by version, then by sequence; of two equals the later one.
type Age = (Option<i64>, i64);

/// What an upsert or a delete wants to stand for its key.
struct Contender {
    id: i64,
    age: Age,
    row: Option<LogicalRow>,
}

impl Model {
    pub(crate) fn new(kind: Kind) -> Self {
        let (newest, appended, counts) = (Newest::new(), Vec::new(), Counts::default());
        Self { kind, active_version: None, newest, appended, counts }
    }

    /// Batches are loaded, all at once. In which loads they come decides nothing but which of the records that were beaten had
    /// been loaded before.
    pub(crate) fn load(&mut self, batches: &[Sent]) {
        self.activate(batches);
        let mut contenders = Vec::new();
        for Sent { table_version, messages, .. } in batches {
            for message in messages {
                match message {
                    Message::Upsert(record) => match row(record, *table_version) {
                        Some(row) => contenders.push(Contender::new(record, *table_version, Some(row))),
                        None => self.counts.rejected += 1,
                    },
                    Message::Delete { record, at } => {
                        let row = (self.kind != Kind::HardDeletes).then(|| deleted(record, *at, *table_version));
                        contenders.push(Contender::new(record, *table_version, row));
                    }
                    Message::ActivateVersion { .. } => {}
                    Message::Mistyped(_) | Message::Bad { .. } => self.counts.rejected += 1,
                }
            }
        }
        self.contend(contenders);
        self.counts.live_rows = self.rows().len() as u64;
    }

    /// The greatest version that is activated stays active, and nothing below it stands any longer.
    fn activate(&mut self, batches: &[Sent]) {
        for Sent { table_version, messages, .. } in batches {
            for _ in messages.iter().filter(|message| matches!(message, Message::ActivateVersion { .. })) {
                if *table_version >= self.active_version {
                    self.active_version = *table_version;
                    self.counts.loaded += 1;
                } else {
                    self.counts.superseded += 1;
                }
            }
        }
        self.newest.retain(|_, ((version, _), _)| *version >= self.active_version);
        self.appended.retain(|(version, _)| *version >= self.active_version);
    }

    fn contend(&mut self, mut contenders: Vec<Contender>) {
        let all = contenders.len();
        contenders.retain(|Contender { age: (version, _), .. }| *version >= self.active_version);
        let loaded = match self.kind {
            Kind::Keyless | Kind::Appended => self.append(contenders),
            Kind::SoftDeletes | Kind::HardDeletes => self.merge(contenders),
        };
        self.counts.loaded += loaded as u64;
        self.counts.superseded += (all - loaded) as u64;
    }

    fn append(&mut self, contenders: Vec<Contender>) -> usize {
        let loaded = contenders.len();
        let row = |Contender { age: (version, _), row, .. }| Some((version, row?));
        self.appended.extend(contenders.into_iter().filter_map(row));
        loaded
    }

    /// Only the newest of each key comes to meet the one that stands.
    fn merge(&mut self, contenders: Vec<Contender>) -> usize {
        let mut newest = Newest::new();
        for Contender { id, age, row } in contenders {
            if is_beaten(newest.get(&id), age) {
                newest.insert(id, (age, row));
            }
        }
        newest.retain(|id, (age, _)| is_beaten(self.newest.get(id), *age));
        let loaded = newest.len();
        self.newest.extend(newest);
        loaded
    }

    /// All rows, sorted.
    pub(crate) fn rows(&self) -> Vec<LogicalRow> {
        let newest = self.newest.values().filter_map(|(_, row)| row.clone());
        let mut rows: Vec<LogicalRow> = newest.chain(self.appended.iter().map(|(_, row)| row.clone())).collect();
        rows.sort();
        rows
    }
}

/// Whether what stands, if anything, gives way to something of this age.
fn is_beaten(stands: Option<&(Age, Option<LogicalRow>)>, age: Age) -> bool {
    stands.is_none_or(|(stands, _)| *stands <= age)
}

impl Contender {
    fn new(record: &Record, version: Option<i64>, row: Option<LogicalRow>) -> Self {
        Self { id: record.id, age: (version, record.sequence), row }
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
