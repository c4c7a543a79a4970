//! Stored rows that go, whatever the rows of a load are.

use std::collections::HashSet;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BooleanArray, RecordBatch};
use selvedge_core::{LoadError, rejected, system};

use crate::read::least;

/// Which stored rows of a part go.
#[derive(Debug)]
pub(crate) enum Leaving<'a> {
    Nothing,
    /// Those of a lower version than this one, and of none.
    Below(i64),
    /// Those with these generated keys.
    Generated(HashSet<&'a str>),
    /// The rejected records from before this moment, in microseconds since 1970 (UTC).
    RejectedBefore(i64),
}

impl Leaving<'_> {
    /// Whether a file may hold such rows, as far as its statistics tell.
    pub(crate) fn may_be_in(&self, file: &Path) -> Result<bool, LoadError> {
        Ok(match self {
            Self::Nothing => false,
            Self::Below(version) => least(file, system::TABLE_VERSION)?.is_none_or(|least| least < *version),
            Self::Generated(keys) => !keys.is_empty(),
            Self::RejectedBefore(moment) => least(file, rejected::REJECTED_AT)?.is_none_or(|least| least < *moment),
        })
    }

    /// The column that tells which.
    pub(crate) fn column(&self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Below(_) => Some(system::TABLE_VERSION),
            Self::Generated(_) => Some(system::PRIMARY_KEY),
            Self::RejectedBefore(_) => Some(rejected::REJECTED_AT),
        }
    }

    /// Which of these rows stay; `None` if all do.
    pub(crate) fn staying(&self, rows: &RecordBatch) -> Option<BooleanArray> {
        let column = self.column().and_then(|name| rows.column_by_name(name));
        let stays = |row| match self {
            Self::Nothing => true,
            Self::Below(version) => column
                .and_then(|column| column.as_primitive_opt::<Int64Type>())
                .is_some_and(|versions| versions.is_valid(row) && versions.value(row) >= *version),
            Self::Generated(keys) => !column
                .and_then(|column| column.as_string_opt::<i32>())
                .is_some_and(|column| column.is_valid(row) && keys.contains(column.value(row))),
            Self::RejectedBefore(moment) => !column
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
                .is_some_and(|moments| moments.is_valid(row) && moments.value(row) < *moment),
        };
        match self {
            Self::Nothing => None,
            _ => Some((0..rows.num_rows()).map(|row| Some(stays(row))).collect()),
        }
    }
}
