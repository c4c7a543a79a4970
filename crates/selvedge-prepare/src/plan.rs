//! Which columns a load needs, and what has to change in the table for them.

use std::collections::HashSet;

use selvedge_core::{Change, Column, ColumnType, Path, TableState, system};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::prepare::{Blocked, Part};
use crate::reading::MAX_COLUMNS;
use crate::records::Records;

/// The table as a load leaves it.
pub(crate) struct Plan {
    /// Those it had, then the new ones.
    pub(crate) columns: Vec<Column>,
    pub(crate) keys: Vec<String>,
    pub(crate) changes: Vec<Change>,
}

/// Plans a load of `parts`, which share one set of keys.
pub(crate) fn plan(planned_on: Option<&TableState>, parts: &[Part]) -> Result<Plan, Blocked> {
    let known = planned_on.map_or(&[][..], |state| &state.columns);
    let mut columns = Columns::new(known);
    parts.iter().for_each(|part| columns.add_records(part));
    columns.add_system(parts);
    let columns = columns.all;
    if columns.len() > MAX_COLUMNS {
        return Err(Blocked::new(format!(
            "the table would have {} columns, and {MAX_COLUMNS} is the most; send fewer properties, or keep some in one \
             by declaring them as an object without properties",
            columns.len()
        )));
    }
    let standing = planned_on.map(|state| state.keys.clone());
    let keys = parts.iter().try_fold(standing, |standing, part| {
        let keys = keys(&columns, &part.records)?;
        match standing {
            Some(standing) if standing != keys => Err(other_keys(&standing, &keys)),
            _ => Ok(Some(keys)),
        }
    })?;
    let changes = match planned_on {
        None => vec![Change::CreateTable(columns.clone())],
        Some(_) => columns.iter().skip(known.len()).cloned().map(Change::AddColumn).collect(),
    };
    Ok(Plan { columns, keys: keys.unwrap_or_default(), changes })
}

fn other_keys(standing: &[String], found: &[String]) -> Blocked {
    Blocked::new(format!(
        "the table's keys are ({}), but the batch's are ({}), or of other types. The batch waits, and what comes \
         after it for this table; send records of other keys under another table name",
        standing.join(", "),
        found.join(", ")
    ))
}

/// The names of the columns that hold the records' keys.
fn keys(columns: &[Column], records: &Records) -> Result<Vec<String>, Blocked> {
    let name_of = |key: &String| {
        let path = Path(vec![key.clone()]);
        let source = records.columns.iter().find(|column| column.path == path);
        let column = source.and_then(|source| find(columns, &path, source.column_type));
        column.map(|column| column.name.clone()).ok_or_else(|| Blocked::new(format!("the key `{key}` has no column")))
    };
    records.keys.iter().map(name_of).collect()
}

fn find<'c>(columns: &'c [Column], path: &Path, column_type: ColumnType) -> Option<&'c Column> {
    columns.iter().find(|column| column.column_type == column_type && column.path.as_ref() == Some(path))
}

/// Names no property's column may take.
const SYSTEM: [&str; 6] = [
    system::PRIMARY_KEY,
    system::EXTRACTED_AT,
    system::RECEIVED_AT,
    system::BATCHED_AT,
    system::SEQUENCE,
    system::TABLE_VERSION,
];

/// The columns of a table while new ones are added.
struct Columns {
    all: Vec<Column>,
    /// Names in lower case, selvedge's own among them: they are unique without regard to case.
    names: HashSet<String>,
    /// What the paths and types already have a column for.
    sources: HashSet<(Path, ColumnType)>,
}

impl Columns {
    fn new(known: &[Column]) -> Self {
        let own = SYSTEM.into_iter().map(str::to_owned);
        let names = own.chain(known.iter().map(|column| column.name.to_lowercase())).collect();
        let source = |column: &Column| Some((column.path.clone()?, column.column_type));
        Self { all: known.to_vec(), names, sources: known.iter().filter_map(source).collect() }
    }

    fn add_records(&mut self, part: &Part) {
        for column in &part.records.columns {
            let source = (column.path.clone(), column.column_type);
            if !self.sources.contains(&source) {
                let name = self.free_name(&column.path, column.column_type);
                self.push(Column::new(name, Some(column.path.clone()), column.column_type));
                self.sources.insert(source);
            }
        }
    }

    fn add_system(&mut self, parts: &[Part]) {
        let extracted = parts.iter().any(|part| part.records.extracted_at.is_some());
        let versioned = parts.iter().any(|part| part.records.table_version.is_some());
        let keyless = parts.iter().any(|part| part.records.keys.is_empty());
        let wanted = [
            (keyless, system::PRIMARY_KEY, ColumnType::String),
            (extracted, system::EXTRACTED_AT, ColumnType::Timestamp),
            (true, system::RECEIVED_AT, ColumnType::Timestamp),
            (true, system::BATCHED_AT, ColumnType::Timestamp),
            (true, system::SEQUENCE, ColumnType::Integer),
            (versioned, system::TABLE_VERSION, ColumnType::Integer),
        ];
        for (wanted, name, column_type) in wanted {
            let stands = |column: &Column| column.path.is_none() && column.name == name;
            if wanted && !self.all.iter().any(stands) {
                self.push(Column::new(name, None, column_type));
            }
        }
    }

    fn push(&mut self, column: Column) {
        self.names.insert(column.name.to_lowercase());
        self.all.push(column);
    }

    /// The path joined by `__`. If another type of the same path has that name, the type's suffix is added; if another
    /// path has it, a hash of the path that is the same in every destination.
    fn free_name(&self, path: &Path, column_type: ColumnType) -> String {
        let plain = shortened(path);
        let split = self.all.iter().any(|column| column.path.as_ref() == Some(path));
        let name = if split { format!("{plain}{}", column_type.split_suffix()) } else { plain };
        if !self.names.contains(&name.to_lowercase()) {
            return name;
        }
        let source = format!("{path} {column_type}");
        let mut seed = 0;
        loop {
            let hashed = format!("{name}__{:016x}", xxh3_64_with_seed(source.as_bytes(), seed));
            // Only a property that was named after this very hash makes a second attempt necessary.
            if !self.names.contains(&hashed.to_lowercase()) {
                return hashed;
            }
            seed += 1;
        }
    }
}

/// The longest name of a column before suffixes, in bytes. With a suffix and a hash it stays below 128, which is the least
/// of what the destinations allow.
const MAX_PLAIN_BYTES: usize = 100;

/// The names on the path, joined. Control characters, which identifiers cannot hold everywhere, become `_`.
fn shortened(path: &Path) -> String {
    let joined = path.0.join("__");
    let mut name = joined.replace(char::is_control, "_");
    if name.is_empty() {
        name.push('_');
    }
    if name.len() > MAX_PLAIN_BYTES {
        let hash = xxh3_64(joined.as_bytes());
        let mut end = MAX_PLAIN_BYTES - 18;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push_str(&format!("__{hash:016x}"));
    }
    name
}
