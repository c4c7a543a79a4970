//! The tables a load writes to.

use arrow::datatypes::SchemaRef;
use selvedge_core::{LoadError, SubtableLoad, TableLoad, TableName, schema};

use crate::dialect::DIALECT;

/// A table as a load leaves it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) table: TableName,
    /// The columns that make the key of a row; none in a keyless table.
    pub(crate) keys: Vec<String>,
    /// The columns, as rows have them.
    pub(crate) schema: SchemaRef,
}

impl Target {
    /// The load's own table.
    pub(crate) fn root(load: &TableLoad) -> Self {
        Self { table: load.table.clone(), keys: load.keys.clone(), schema: schema(&load.columns) }
    }

    /// The table of one of its subtables.
    pub(crate) fn subtable(load: &TableLoad, part: &SubtableLoad) -> Result<Self, LoadError> {
        let subtable = &part.subtable;
        let table = subtable.table_name(&load.table)?;
        Ok(Self { table, keys: subtable.keys(), schema: schema(&subtable.columns) })
    }

    /// The table as statements name it.
    pub(crate) fn spelled(&self) -> String {
        DIALECT.table(&self.table)
    }
}
