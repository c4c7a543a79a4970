//! Which of two rows of one key stays: what a destination that merges rows itself needs to know.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch};
use arrow_row::{Row, RowConverter, Rows, SortField};
use arrow_schema::ArrowError;

use crate::{LoadError, LoadErrorKind, Subtable, TableLoad, system};

/// The key of a table, by which rows of any batch of it can be compared.
///
/// In a keyless table it is the one that selvedge generates, which no two rows share: there, nothing is ever replaced.
///
/// ```
/// # use std::sync::Arc;
/// # use selvedge_core::*;
/// # use arrow_array::{ArrayRef, Int64Array, RecordBatch};
/// # fn check(load: &TableLoad, stored: &RecordBatch) -> Result<(), LoadError> {
/// let key = Key::of(load)?;
/// let (incoming, stored) = (key.contestants(&load.rows)?, key.contestants(stored)?);
/// if incoming.key(0) == stored.key(0) && stored.age(0) > incoming.age(0) {
///     println!("the stored row is newer and stays");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Key {
    names: Vec<String>,
    converter: RowConverter,
}

impl Key {
    /// The key of a table as `load` leaves it.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when the load lacks a key column.
    pub fn of(load: &TableLoad) -> Result<Self, LoadError> {
        let field = |name: &String| {
            let column = load.columns.iter().find(|column| column.name == *name);
            column.map(|column| SortField::new(column.column_type.arrow())).ok_or_else(|| lacks(name))
        };
        let names = if load.keys.is_empty() { vec![system::PRIMARY_KEY.to_owned()] } else { load.keys.clone() };
        let fields = names.iter().map(field).collect::<Result<_, _>>()?;
        Ok(Self { names, converter: RowConverter::new(fields).map_err(incomparable)? })
    }

    /// The names of the key columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The rows of a batch, ready to be compared with those of every other batch.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when the batch lacks a key column, or has it with another type.
    pub fn contestants(&self, rows: &RecordBatch) -> Result<Contestants, LoadError> {
        if rows.num_rows() == 0 {
            // The deletes of a keyless table, which are none, have no key column.
            return Ok(Contestants { keys: self.converter.empty_rows(0, 0), table_versions: None, sequences: None });
        }
        let column = |name: &String| rows.column_by_name(name).cloned().ok_or_else(|| lacks(name));
        let columns = self.names.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let keys = self.converter.convert_columns(&columns).map_err(incomparable)?;
        let number =
            |name| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>()).cloned();
        Ok(Contestants { keys, table_versions: number(system::TABLE_VERSION), sequences: number(system::SEQUENCE) })
    }

    /// The keys of the root's rows that rows of a subtable belong to: equal to [`Contestants::key`] of those.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when the batch lacks a source key, or has it with another type.
    pub fn roots(&self, subtable: &Subtable, rows: &RecordBatch) -> Result<Rows, LoadError> {
        let column = |name: &str| rows.column_by_name(name).cloned().ok_or_else(|| lacks(name));
        let columns = subtable.source_keys().map(column).collect::<Result<Vec<_>, _>>()?;
        self.converter.convert_columns(&columns).map_err(incomparable)
    }
}

/// The rows of a batch as they contend for their keys.
#[derive(Debug)]
pub struct Contestants {
    keys: Rows,
    table_versions: Option<Int64Array>,
    sequences: Option<Int64Array>,
}

impl Contestants {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.keys.num_rows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a row: comparable, and hashable by [`Row::data`].
    ///
    /// # Panics
    /// When there is no such row.
    pub fn key(&self, row: usize) -> Row<'_> {
        self.keys.row(row)
    }

    /// How new a row is. Of two rows of one key the greater stays; of two equals, the one that came later.
    pub fn age(&self, row: usize) -> Age {
        let at = |column: &Option<Int64Array>| {
            column.as_ref().filter(|column| row < column.len() && column.is_valid(row)).map(|column| column.value(row))
        };
        Age { table_version: at(&self.table_versions), sequence: at(&self.sequences) }
    }
}

/// How new a row is: by table version, no version being the lowest, then by sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    table_version: Option<i64>,
    sequence: Option<i64>,
}

impl Age {
    /// Whether what is this old goes when `active_version` is activated.
    pub fn is_below(&self, active_version: Option<i64>) -> bool {
        self.table_version < active_version
    }
}

fn lacks(name: &str) -> LoadError {
    LoadError::new(
        LoadErrorKind::Refused,
        format!(
            "the rows lack the key column `{name}`; if the destination was edited by hand, restore it from a backup"
        ),
    )
}

fn incomparable(cause: ArrowError) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, "the keys cannot be compared; report this as a defect of selvedge")
        .with_source(cause)
}
