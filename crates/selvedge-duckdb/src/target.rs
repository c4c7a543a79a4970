//! The tables of a load: its own, and those of its subtables.

use selvedge_core::{Change, Column, LoadError, SubtableLoad, TableLoad, TableName};

use crate::dialect::DIALECT;

/// A table as a load finds it, and what is to become of it.
#[derive(Debug)]
pub(crate) struct Target<'l> {
    pub(crate) table: TableName,
    /// The columns that make the key of a row; none in a keyless table.
    pub(crate) keys: Vec<String>,
    /// The columns the load was planned on; `None` if it makes the table.
    pub(crate) planned_on: Option<&'l [Column]>,
    pub(crate) changes: &'l [Change],
    /// The columns once the changes are applied.
    pub(crate) columns: &'l [Column],
}

impl<'l> Target<'l> {
    /// The load's own table.
    pub(crate) fn root(load: &'l TableLoad) -> Self {
        Self {
            table: load.table.clone(),
            keys: load.keys.clone(),
            planned_on: load.planned_on.as_ref().map(|state| state.columns.as_slice()),
            changes: &load.changes,
            columns: &load.columns,
        }
    }

    /// The table of one of its subtables.
    pub(crate) fn subtable(load: &'l TableLoad, part: &'l SubtableLoad) -> Result<Self, LoadError> {
        let SubtableLoad { subtable, changes, .. } = part;
        let stood = load.planned_on.as_ref().and_then(|state| state.subtable(&subtable.name));
        Ok(Self {
            table: subtable.table_name(&load.table)?,
            keys: subtable.keys(),
            planned_on: stood.map(|subtable| subtable.columns.as_slice()),
            changes,
            columns: &subtable.columns,
        })
    }

    /// The table as statements name it.
    pub(crate) fn spelled(&self) -> String {
        DIALECT.table(&self.table)
    }
}
