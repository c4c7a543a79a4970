//! What contends for the keys of a table: the rows and the deletes of a load, or keys that somebody wants removed.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, UInt64Array, new_null_array};
use arrow_row::Row;
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use selvedge_core::{Age, Contestants, Key, LoadError, SubtableLoad, TableLoad, system};

use crate::error::refused;

/// Keys in ascending order, none twice, each with how new it is and with what it brings.
#[derive(Debug)]
pub(crate) struct Contenders<'a> {
    key: &'a Key,
    /// The columns of the key, and those of its age.
    columns: RecordBatch,
    keys: Contestants,
    /// What each brings: a row of the load, by its index, or a tombstone, by that of the delete, counted on from the rows. A
    /// key that is to be removed brings nothing, which is an index beyond all these.
    brings: Vec<usize>,
}

impl<'a> Contenders<'a> {
    /// Those of a load. Refuses rows that are not in order, because they would spoil the order of the files for good.
    pub(crate) fn of(load: &TableLoad, key: &'a Key) -> Result<Self, LoadError> {
        let rows = columns(&load.rows, key).map_err(unfit)?;
        let all = if load.deletes.num_rows() == 0 {
            rows
        } else {
            let deletes = columns(&load.deletes, key).map_err(unfit)?;
            concat_batches(rows.schema_ref(), [&rows, &deletes]).map_err(unfit)?
        };
        let contenders = Self::ascending(all, key)?;
        let rows_brought = contenders.brings.iter().filter(|index| **index < load.rows.num_rows());
        if rows_brought.is_sorted() && contenders.brings.len() == load.rows.num_rows() + load.deletes.num_rows() {
            return Ok(contenders);
        }
        Err(out_of_order())
    }

    /// Keys that are to be removed, whatever stands there.
    pub(crate) fn removing(keys: &RecordBatch, key: &'a Key) -> Result<Self, LoadError> {
        let newest = || -> ArrayRef { Arc::new(Int64Array::from(vec![i64::MAX; keys.num_rows()])) };
        let named = key.names().iter().cloned().zip(keys.columns().iter().cloned());
        let ages = [system::SEQUENCE, system::TABLE_VERSION].map(|name| (name.to_owned(), newest()));
        let keys =
            RecordBatch::try_from_iter_with_nullable(named.chain(ages).map(|(name, values)| (name, values, true)));
        Self::ascending(keys.map_err(unfit)?, key)
    }

    fn ascending(columns: RecordBatch, key: &'a Key) -> Result<Self, LoadError> {
        let keys = key.contestants(&columns)?;
        let mut order: Vec<_> = (0..keys.len()).collect();
        order.sort_by(|one, other| keys.key(*one).cmp(&keys.key(*other)));
        order.dedup_by(|one, other| keys.key(*one) == keys.key(*other));
        if order.len() == keys.len() && order.is_sorted() {
            return Ok(Self { key, columns, keys, brings: order });
        }
        let columns = pick(&columns, &order).map_err(unfit)?;
        Ok(Self { keys: key.contestants(&columns)?, key, columns, brings: order })
    }

    /// All but those at these places.
    pub(crate) fn without(self, losers: &[usize]) -> Result<Self, LoadError> {
        if losers.is_empty() {
            return Ok(self);
        }
        let mut stay = vec![true; self.brings.len()];
        for &loser in losers {
            stay.get_mut(loser).into_iter().for_each(|stays| *stays = false);
        }
        let places: Vec<_> = (0..stay.len()).zip(&stay).filter(|(_, stays)| **stays).map(|(place, _)| place).collect();
        let columns = pick(&self.columns, &places).map_err(unfit)?;
        let brings = self.brings.iter().zip(&stay).filter(|(_, stays)| **stays).map(|(brings, _)| *brings).collect();
        Ok(Self { key: self.key, keys: self.key.contestants(&columns)?, columns, brings })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, at: usize) -> Row<'_> {
        self.keys.key(at)
    }

    pub(crate) fn age(&self, at: usize) -> Age {
        self.keys.age(at)
    }

    /// The table's key.
    pub(crate) fn table_key(&self) -> &'a Key {
        self.key
    }

    /// What they bring of `all`, which are counted from `first` on.
    pub(crate) fn brought(&self, all: &RecordBatch, first: usize) -> Result<RecordBatch, LoadError> {
        let range = first..first + all.num_rows();
        let indices: Vec<_> =
            self.brings.iter().filter(|index| range.contains(index)).map(|index| index - first).collect();
        if indices.len() == all.num_rows() && indices.is_sorted() {
            return Ok(all.clone());
        }
        pick(all, &indices).map_err(unfit)
    }

    /// Where among [`brought`](Self::brought) what each brings begins, and at last where all ends.
    pub(crate) fn bounds(&self, counted: &Range<usize>) -> Vec<usize> {
        let ends = self.brings.iter().scan(0, |end, index| {
            *end += usize::from(counted.contains(index));
            Some(*end)
        });
        std::iter::once(0).chain(ends).collect()
    }

    /// The rows of a subtable that belong to rows of theirs. Those that belong to no row at all are among these: their keys
    /// tell.
    pub(crate) fn subrows(&self, load: &SubtableLoad, rows: usize) -> Result<RecordBatch, LoadError> {
        let mut mask = vec![false; rows];
        for &index in &self.brings {
            mask.get_mut(index).into_iter().for_each(|is_here| *is_here = true);
        }
        load.written(|row| mask.get(row) != Some(&false)).map_err(unfit)
    }
}

/// The columns of the key and of the age. Of those of the age, one that is not there is null.
fn columns(rows: &RecordBatch, key: &Key) -> Result<RecordBatch, ArrowError> {
    let keys =
        key.names().iter().map(|name| Ok((name.clone(), rows.column(rows.schema().index_of(name)?).clone(), true)));
    let ages = [system::SEQUENCE, system::TABLE_VERSION].map(|name| {
        let found = rows.column_by_name(name).filter(|column| *column.data_type() == DataType::Int64).cloned();
        let values = found.unwrap_or_else(|| new_null_array(&DataType::Int64, rows.num_rows()));
        Ok((name.to_owned(), values, true))
    });
    RecordBatch::try_from_iter_with_nullable(keys.chain(ages).collect::<Result<Vec<_>, ArrowError>>()?)
}

fn pick(rows: &RecordBatch, indices: &[usize]) -> Result<RecordBatch, ArrowError> {
    take_record_batch(rows, &UInt64Array::from_iter_values(indices.iter().map(|index| *index as u64)))
}

pub(crate) fn out_of_order() -> LoadError {
    refused("the rows of the load are not in the order of their keys; report this as an error of selvedge")
}

pub(crate) fn unfit(error: ArrowError) -> LoadError {
    refused("the rows of the load do not fit its columns; report this as an error of selvedge").with_source(error)
}
