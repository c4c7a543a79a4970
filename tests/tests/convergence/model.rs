//! What has to stand in every destination, in as few words as it takes.

use std::collections::BTreeMap;

use selvedge::{LogicalRow, Value};

use super::records::{Record, Sample, Sent};

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) rows: BTreeMap<Vec<Value>, LogicalRow>,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
}

impl Model {
    /// Of each key the newest record: the greatest (version, sequence), of two equals the later one.
    pub(crate) fn of(batches: &[Sent]) -> Self {
        let mut model = Self::default();
        let mut newest = BTreeMap::new();
        for Sent { table_version, records, .. } in batches {
            for record in records {
                model.accepted += 1;
                let key = vec![Value::Integer(record.id)];
                match row(record, *table_version) {
                    None => model.rejected += 1,
                    Some(row) if newest.get(&key) <= Some(&(*table_version, record.sequence)) => {
                        newest.insert(key.clone(), (*table_version, record.sequence));
                        model.rows.insert(key, row);
                    }
                    Some(_) => {}
                }
            }
        }
        model
    }
}

/// The row a record makes; `None` if two of its values want one column.
fn row(record: &Record, table_version: Option<i64>) -> Option<LogicalRow> {
    let mut row = LogicalRow::from([
        ("/id".to_owned(), Value::Integer(record.id)),
        ("_sdc_sequence".to_owned(), Value::Integer(record.sequence)),
    ]);
    row.extend(table_version.map(|version| ("_sdc_table_version".to_owned(), Value::Integer(version))));
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
