//! The winner of each key.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_row::{RowConverter, SortField};
use arrow_schema::DataType;
use arrow_select::concat::concat;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use selvedge_core::RowOrder;

use crate::prepare::part::Part;
use crate::prepare::sheet::Rows;
use crate::prepare::{Blocked, LoadContext, keys};
use crate::records::Action;

/// What is left of the records of a load.
pub(crate) struct Winners {
    pub(crate) rows: Rows,
    /// The deletes that leave no row.
    pub(crate) deletes: Rows,
    /// How many records lost, or are below the active version.
    pub(crate) superseded: u64,
}

/// The winners among the records of `parts` that can be loaded and are not below the active version, in the order that the
/// destination asks for. Without keys every record is one.
pub(crate) fn winners(
    context: &LoadContext<'_>,
    parts: &[Part<'_>],
    active_version: Option<i64>,
) -> Result<Winners, Blocked> {
    let total: usize = parts.iter().map(|part| part.records.len()).sum();
    index(total)?;
    let starts = starts(parts);
    let order = context.capabilities.row_order;
    let contenders: Vec<u32> = contenders(parts, &starts, active_version).collect();
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
    let candidates: usize = parts.iter().map(|part| part.rows().count()).sum();
    let superseded = (candidates - rows.len()) as u64;
    let places = rows.into_iter().map(place);
    let erases =
        |part: &Part<'_>, row| part.erases(context.policy.deletes) && part.records.action(row) == Action::Delete;
    let (deletes, places) = places.partition(|(part, row)| parts.get(*part).is_some_and(|part| erases(part, *row)));
    let rows = |places: Vec<(usize, usize)>| Rows { left_out: total - places.len(), places };
    Ok(Winners { rows: rows(places), deletes: rows(deletes), superseded })
}

/// The numbers of the records that can be loaded and are not below the active version.
fn contenders(parts: &[Part<'_>], starts: &[usize], active_version: Option<i64>) -> impl Iterator<Item = u32> {
    let stands = move |part: &Part<'_>| part.records.table_version >= active_version;
    // There are fewer than 2^32 in all.
    let standing = starts.iter().zip(parts).filter(move |(_, part)| stands(part));
    standing.flat_map(|(start, part)| part.rows().map(move |row| (start + row) as u32))
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

/// Of each key, its values in all records, one after the other.
fn key_columns(parts: &[Part<'_>]) -> Result<Vec<ArrayRef>, Blocked> {
    let Some(first) = parts.first() else { return Ok(Vec::new()) };
    let column = |key: &String| {
        let arrays = parts.iter().map(|part| keys::values(part, key)).collect::<Result<Vec<ArrayRef>, Blocked>>()?;
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        Ok(concat(&arrays)?)
    };
    first.keys.iter().map(column).collect()
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
