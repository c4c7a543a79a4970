//! The winner of each key.

use std::cmp::Ordering;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, new_null_array};
use arrow_row::{RowConverter, SortField};
use arrow_schema::DataType;
use arrow_select::concat::concat;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use selvedge_core::{Path, RowOrder};

use crate::prepare::Blocked;
use crate::prepare::part::Part;
use crate::prepare::sheet::Rows;

/// The rows of a load, and how many records lost to them.
pub(crate) struct Winners {
    pub(crate) rows: Rows,
    pub(crate) superseded: u64,
}

/// The winners among the records of `parts` that can be loaded, in the order asked for. Without keys every record is one.
pub(crate) fn winners(parts: &[Part<'_>], order: RowOrder) -> Result<Winners, Blocked> {
    let total: usize = parts.iter().map(|part| part.records.len()).sum();
    index(total)?;
    let starts = starts(parts);
    let contenders: Vec<u32> = contenders(parts, &starts).collect();
    let candidates = contenders.len();
    let keys = key_columns(parts)?;
    let rows: Vec<u32> = match keys.as_slice() {
        [] => contenders,
        [key] if *key.data_type() == DataType::Int64 => {
            let key = key.as_primitive::<Int64Type>().values();
            newest(parts, contenders, &IntegerKeys(key), order)?
        }
        keys => {
            let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
            newest(parts, contenders, &RowKeys(RowConverter::new(fields)?.convert_columns(keys)?), order)?
        }
    };
    let place = |row: u32| {
        let row = row as usize;
        let part = starts.partition_point(|start| *start <= row) - 1;
        (part, row - starts.get(part).copied().unwrap_or(0))
    };
    Ok(Winners {
        superseded: (candidates - rows.len()) as u64,
        rows: Rows { left_out: total - rows.len(), places: rows.into_iter().map(place).collect() },
    })
}

/// The numbers of the records that can be loaded.
fn contenders(parts: &[Part<'_>], starts: &[usize]) -> impl Iterator<Item = u32> {
    // There are fewer than 2^32 in all.
    starts.iter().zip(parts).flat_map(|(start, part)| part.rows().map(move |row| (start + row) as u32))
}

/// The keys of all records, one after the other.
trait Keys {
    fn compare(&self, left: u32, right: u32) -> Ordering;
    fn hash(&self, state: &RandomState, row: u32) -> u64;
}

struct IntegerKeys<'a>(&'a [i64]);

impl IntegerKeys<'_> {
    fn get(&self, row: u32) -> i64 {
        self.0.get(row as usize).copied().unwrap_or_default()
    }
}

impl Keys for IntegerKeys<'_> {
    fn compare(&self, left: u32, right: u32) -> Ordering {
        self.get(left).cmp(&self.get(right))
    }

    fn hash(&self, state: &RandomState, row: u32) -> u64 {
        state.hash_one(self.get(row))
    }
}

/// Any other keys, in Arrow's comparable row format.
struct RowKeys(arrow_row::Rows);

impl Keys for RowKeys {
    fn compare(&self, left: u32, right: u32) -> Ordering {
        self.0.row(left as usize).cmp(&self.0.row(right as usize))
    }

    fn hash(&self, state: &RandomState, row: u32) -> u64 {
        state.hash_one(self.0.row(row as usize).data())
    }
}

/// The newest record of each key.
fn newest(parts: &[Part<'_>], contenders: Vec<u32>, keys: &impl Keys, order: RowOrder) -> Result<Vec<u32>, Blocked> {
    let sequences = sequences(parts)?;
    let versions = versions(parts);
    let age = |row: u32| {
        let row = row as usize;
        (versions.get(row).copied().flatten(), sequences.values().get(row).copied())
    };
    let state = RandomState::default();
    let mut newest: HashTable<u32> = HashTable::with_capacity(contenders.len());
    for row in contenders {
        let same_key = |other: &u32| keys.compare(row, *other).is_eq();
        match newest.entry(keys.hash(&state, row), same_key, |other| keys.hash(&state, *other)) {
            // Records come in the order of the queue, so the later of two equals has the greater position.
            Entry::Occupied(mut found) if age(row) >= age(*found.get()) => *found.get_mut() = row,
            Entry::Occupied(_) => {}
            Entry::Vacant(vacant) => drop(vacant.insert(row)),
        }
    }
    let mut rows: Vec<u32> = newest.into_iter().collect();
    match order {
        RowOrder::Any => rows.sort_unstable(),
        RowOrder::Key => rows.sort_unstable_by(|left, right| keys.compare(*left, *right)),
    }
    Ok(rows)
}

fn key_columns(parts: &[Part<'_>]) -> Result<Vec<ArrayRef>, Blocked> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    first.records.keys.iter().map(|key| key_column(parts, key)).collect()
}

fn key_column(parts: &[Part<'_>], key: &str) -> Result<ArrayRef, Blocked> {
    let path = Path(vec![key.to_owned()]);
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(parts.len());
    for part in parts {
        let column = part.records.columns.iter().find(|column| column.path == path);
        let column = column.ok_or_else(|| Blocked::new(format!("the key `{key}` has no column")))?;
        // All records of the part are rejected then.
        let is_absent = *column.values.data_type() == DataType::Null;
        let nulls = || new_null_array(&column.column_type.arrow(), column.values.len());
        arrays.push(if is_absent { nulls() } else { Arc::clone(&column.values) });
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(concat(&arrays)?)
}

fn sequences(parts: &[Part<'_>]) -> Result<Int64Array, Blocked> {
    let arrays: Vec<&dyn Array> = parts.iter().map(|part| &part.records.sequences as &dyn Array).collect();
    Ok(concat(&arrays)?.as_primitive::<Int64Type>().clone())
}

/// Each record's table version; empty when no batch has one.
fn versions(parts: &[Part<'_>]) -> Vec<Option<i64>> {
    if parts.iter().all(|part| part.records.table_version.is_none()) {
        return Vec::new();
    }
    let of_part = |part: &Part<'_>| std::iter::repeat_n(part.records.table_version, part.records.len());
    parts.iter().flat_map(of_part).collect()
}

/// The number of the first record of each part.
fn starts(parts: &[Part<'_>]) -> Vec<usize> {
    let lengths = parts.iter().map(|part| part.records.len());
    lengths.scan(0, |next, length| Some(std::mem::replace(next, *next + length))).collect()
}

/// Rows are numbered with 32 bits: a load is far below four thousand million records.
fn index(rows: usize) -> Result<u32, Blocked> {
    u32::try_from(rows).map_err(|_| Blocked::new("a load holds too many records; use smaller batches"))
}
