//! Tombstones, which rows contend with as they do with stored rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use rusqlite::{Connection, OptionalExtension, Statement};
use selvedge_core::{LoadError, LoadErrorKind, TableLoad, TableName, schema, system, tombstone};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::error::Doing;

/// The tombstones that stand in a table, against the rows of a load.
pub(crate) struct Tombstones<'l> {
    table: &'l str,
    keys: StringArray,
    ages: Ages<'l>,
    select: Statement<'l>,
    delete: Statement<'l>,
}

impl<'l> Tombstones<'l> {
    /// Those of the load's table; `None` if it has none, as nearly every table.
    pub(crate) fn against(
        connection: &'l Connection,
        load: &'l TableLoad,
        doing: &Doing<'_>,
    ) -> Result<Option<Self>, LoadError> {
        if !stand(connection, &load.table).map_err(|cause| doing.failed(cause))? {
            return Ok(None);
        }
        let prepare = |statement: String| connection.prepare(&statement).map_err(|cause| doing.failed(cause));
        Ok(Some(Self {
            table: load.table.table(),
            keys: tombstone::key_texts(&load.rows, &load.keys)?,
            ages: Ages::of(&load.rows),
            select: prepare(DIALECT.select_tombstone(&load.table))?,
            delete: prepare(DIALECT.delete_tombstone(&load.table))?,
        }))
    }

    /// Whether the tombstone of a row's key is newer than the row. One that is not is deleted, for the row takes its place.
    pub(crate) fn outlast(&mut self, row: usize) -> rusqlite::Result<bool> {
        let key = (self.table, self.keys.value(row));
        let stands: Option<Age> = self.select.query_row(key, |stored| stored.try_into()).optional()?;
        match stands {
            None => Ok(false),
            Some(age) if age > self.ages.of_row(row) => Ok(true),
            Some(_) => self.delete.execute(key).map(|_| false),
        }
    }
}

/// How new something is: table version, none being the lowest, then sequence.
type Age = (Option<i64>, Option<i64>);

/// How new the rows of a batch are.
struct Ages<'l> {
    table_versions: Option<&'l Int64Array>,
    sequences: Option<&'l Int64Array>,
}

impl<'l> Ages<'l> {
    fn of(rows: &'l RecordBatch) -> Self {
        let numbers = |name| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        Self { table_versions: numbers(system::TABLE_VERSION), sequences: numbers(system::SEQUENCE) }
    }

    fn of_row(&self, row: usize) -> Age {
        let at = |numbers: Option<&Int64Array>| {
            numbers.filter(|numbers| numbers.is_valid(row)).map(|numbers| numbers.value(row))
        };
        (at(self.table_versions), at(self.sequences))
    }
}

/// Whether a table has any tombstone.
fn stand(connection: &Connection, table: &TableName) -> rusqlite::Result<bool> {
    Ok(has_table(connection, &DIALECT.tombstone_table(table))?
        && connection.query_row(&DIALECT.has_tombstones(table), [table.table()], |row| row.get(0))?)
}

/// The tombstones that the deletes of a load leave, with the columns they are stored with.
pub(crate) fn left_by(load: &TableLoad) -> Result<RecordBatch, LoadError> {
    let deletes = &load.deletes;
    let keys = tombstone::key_texts(deletes, &load.keys)?;
    let tables: StringArray = vec![Some(load.table.table()); deletes.num_rows()].into();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(tables), Arc::new(keys)];
    columns.extend(deletes.columns().iter().skip(load.keys.len()).cloned());
    RecordBatch::try_new(schema(&tombstone::columns()), columns).map_err(|cause| {
        let message = "the deletes do not fit their columns; report this as a defect of selvedge";
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}
