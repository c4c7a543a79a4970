//! The names of columns and subtables: one rule for all destinations.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use selvedge_core::{ArrayPath, ColumnType, MAX_NAME_BYTES, Path, SOURCE_KEY_PREFIX, TableName, is_unseen};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The longest name of a column before suffixes, in bytes. With a suffix and a hash it stays within
/// [`MAX_COLUMN_BYTES`].
const MAX_PLAIN_BYTES: usize = 100;
/// The longest name of a column, in bytes: the least of what the destinations allow.
const MAX_COLUMN_BYTES: usize = 127;
/// `__` and 16 digits.
const HASH_BYTES: usize = 18;

/// What stands for an array directly within an array, and for an element that is a scalar: a path without names.
const VALUE: &str = "value";

/// The names taken in a table, or those of its subtables. They are unique without regard to case.
pub(crate) struct Names(HashSet<String, RandomState>);

impl Names {
    pub(crate) fn new<'n>(taken: impl IntoIterator<Item = &'n str>) -> Self {
        Self(taken.into_iter().map(str::to_lowercase).collect())
    }

    /// Takes a name for the column of a path and type: `wanted`, or, if something else has that, one with a hash that is the
    /// same in every destination.
    pub(crate) fn take_column(&mut self, wanted: String, path: &Path, column_type: ColumnType) -> String {
        self.take(wanted, &format!("{path} {column_type}"), MAX_COLUMN_BYTES)
    }

    /// Takes a name for the subtable of these arrays: the root's and those on the path, joined.
    pub(crate) fn take_subtable(&mut self, root: &TableName, source: &ArrayPath) -> String {
        self.take(subtable(root, source), &format!("{} {source}", root.table()), MAX_NAME_BYTES)
    }

    fn take(&mut self, wanted: String, source: &str, bytes_max: usize) -> String {
        let mut name = wanted.clone();
        let mut seed = 0;
        // Only a property that was named after this very hash makes a second attempt necessary.
        while name.len() > bytes_max || !self.0.insert(name.to_lowercase()) {
            name = hashed(&wanted, source, seed, bytes_max);
            seed += 1;
        }
        name
    }
}

/// What SQLite calls the number of a row. It adds no column of such a name to a table that stands.
const ROW_IDS: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// The name of a path's column unless something else has it: the names on the path, joined, and a `_` where that would be
/// empty or one of [`ROW_IDS`]. Characters that are not seen
/// become `_`: identifiers cannot hold them everywhere, and nobody could tell what stands there.
pub(crate) fn plain(path: &Path) -> String {
    if path.0.is_empty() {
        return VALUE.to_owned();
    }
    let joined = path.0.join("__");
    let mut name = joined.replace(is_unseen, "_");
    if name.is_empty() || ROW_IDS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        name.push('_');
    }
    if name.len() > MAX_PLAIN_BYTES { hashed(&name, &joined, 0, MAX_PLAIN_BYTES) } else { name }
}

/// The name of a path's column when the path has one of another type.
pub(crate) fn split(path: &Path, column_type: ColumnType) -> String {
    plain(path) + column_type.split_suffix()
}

/// Whether a name ends as those of split columns do, which no property's may.
pub(crate) fn ends_as_split(name: &str) -> bool {
    const SUFFIXES: [&str; 9] = ["__bi", "__bo", "__de", "__do", "__st", "__ti", "__da", "__tm", "__js"];
    let end = name.len().checked_sub(4).and_then(|start| name.get(start..));
    end.is_some_and(|end| SUFFIXES.iter().any(|suffix| end.eq_ignore_ascii_case(suffix)))
}

/// The name of a subtable's column for the root's key column of this name. Different ones are different here too.
pub(crate) fn source_key(key: &str) -> String {
    let name = format!("{SOURCE_KEY_PREFIX}{key}");
    if name.len() > MAX_COLUMN_BYTES { hashed(&name, key, 0, MAX_COLUMN_BYTES) } else { name }
}

/// The name of a subtable unless it is too long or another one has it. What the name of a table may not hold becomes `_`.
fn subtable(root: &TableName, source: &ArrayPath) -> String {
    let mut name = root.table().to_owned();
    for path in &source.0 {
        let names = if path.0.is_empty() { VALUE.to_owned() } else { path.0.join("__") };
        name.push_str("__");
        name.push_str(&names);
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ' ' | '.');
    let mut name = name.replace(|c: char| !allowed(c), "_");
    if name.ends_with([' ', '.']) {
        name.pop();
        name.push('_');
    }
    name
}

/// A name shortened to make room for a hash of what it stands for.
fn hashed(name: &str, source: &str, seed: u64, bytes_max: usize) -> String {
    let mut end = name.len().min(bytes_max - HASH_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}__{:016x}", name.get(..end).unwrap_or_default(), xxh3_64_with_seed(source.as_bytes(), seed))
}
