//! Writing what the arrays in the records of a load hold.

use duckdb::Connection;
use selvedge_core::{LoadError, SubtableLoad, TableLoad};

use crate::catalog::ColumnNames;
use crate::keys::key_batch;
use crate::rows::{Written, arrow_failure, delete, insert};
use crate::session::Session;
use crate::target::Target;
use crate::{changes, others};

/// A subtable that has the columns of the rows that a load brings for it.
#[derive(Debug)]
pub(crate) struct Subrows<'l> {
    target: Target,
    part: &'l SubtableLoad,
    others: ColumnNames,
}

impl<'l> Subrows<'l> {
    /// Changes the subtable until the rows fit.
    pub(crate) fn fitting(session: &Session, load: &TableLoad, part: &'l SubtableLoad) -> Result<Self, LoadError> {
        let target = Target::subtable(load, part)?;
        let stood = load.planned_on.as_ref().and_then(|state| state.subtable(&part.subtable.name));
        let planned_on = stood.map(|subtable| subtable.columns.as_slice());
        let others = changes::apply(session, &target, planned_on, &part.changes)?;
        Ok(Self { target, part, others })
    }

    /// Removes the stored subrows of rows that were replaced or deleted, and writes those of all that were written.
    pub(crate) fn write(&self, session: &Session, roots: &Written) -> Result<(), LoadError> {
        self.replace(session, roots).map_err(session.failed("write rows of a subtable to"))
    }

    fn replace(&self, connection: &Connection, roots: &Written) -> duckdb::Result<()> {
        let Self { target, part, others } = self;
        let table = target.spelled();
        let rows = part.written(|root| roots.has(root)).map_err(arrow_failure)?;
        let keys = key_batch(&rows, &target.keys).map_err(arrow_failure)?;
        let source_keys: Vec<String> = part.subtable.source_keys().map(str::to_owned).collect();
        others::keeping(connection, others, target, &keys, || {
            delete(connection, &table, &source_keys, &roots.gone)?;
            insert(connection, &table, &target.schema, &rows)
        })
    }
}
