//! Making the tables of a load and changing their columns.

use rusqlite::Connection;
use selvedge_core::{Change, Column, LoadError, TableLoad, TableName};

use crate::catalog::{Standing, has_table};
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::{coalescing, widening};

/// Applies the changes of a load, to its table and to the subtables of that, in order.
pub(crate) fn apply(connection: &Connection, load: &TableLoad, doing: &Doing<'_>) -> Result<(), LoadError> {
    let views = coalescing::take_away(connection, load).map_err(|cause| doing.failed(cause))?;
    for table in Changed::all_of(load)? {
        table.apply(connection, doing)?;
    }
    coalescing::make_again(connection, load, &views).map_err(|cause| doing.failed(cause))
}

/// A table of a load: its own, or a subtable.
struct Changed<'l> {
    /// As statements name it.
    name: String,
    table: TableName,
    /// The columns it had, by the state; `None` if it is new.
    had: Option<&'l [Column]>,
    keys: Vec<String>,
    changes: &'l [Change],
}

impl<'l> Changed<'l> {
    fn all_of(load: &'l TableLoad) -> Result<Vec<Self>, LoadError> {
        let state = load.planned_on.as_ref();
        let had = state.map(|state| state.columns.as_slice());
        let mut all = vec![Self::new(load.table.clone(), had, load.keys.clone(), &load.changes)];
        for part in &load.subtables {
            let had = state.and_then(|state| state.subtable(&part.subtable.name));
            let had = had.map(|subtable| subtable.columns.as_slice());
            let table = part.subtable.table_name(&load.table)?;
            all.push(Self::new(table, had, part.subtable.keys(), &part.changes));
        }
        Ok(all)
    }

    fn new(table: TableName, had: Option<&'l [Column]>, keys: Vec<String>, changes: &'l [Change]) -> Self {
        Self { name: DIALECT.table(&table), table, had, keys, changes }
    }

    fn apply(&self, connection: &Connection, doing: &Doing<'_>) -> Result<(), LoadError> {
        let mut standing = match self.had {
            Some(columns) => self.make_whole(connection, columns, doing)?,
            None => Standing::default(),
        };
        for change in self.changes {
            self.change(connection, change, &mut standing, doing)?;
        }
        Ok(())
    }

    /// Makes the columns again that somebody dropped, and returns all that stand then.
    fn make_whole(
        &self,
        connection: &Connection,
        columns: &[Column],
        doing: &Doing<'_>,
    ) -> Result<Standing, LoadError> {
        let mut standing = Standing::in_table(connection, &self.name).map_err(|cause| doing.failed(cause))?;
        if standing.is_empty() {
            let name = &self.name;
            return Err(doing.refused(&format!("somebody dropped the table {name}: restore it from a backup")));
        }
        for column in columns {
            if standing.has(&column.name) {
                continue;
            }
            // What comes from no path is selvedge's own.
            if column.path.is_none() || self.keys.contains(&column.name) {
                return Err(doing.refused(&format!(
                    "somebody dropped the column `{}` of the table {}, without which nothing can be loaded: restore the \
                     table from a backup",
                    column.name, self.name
                )));
            }
            self.add(connection, column, &mut standing, doing)?;
        }
        Ok(standing)
    }

    fn change(
        &self,
        connection: &Connection,
        change: &Change,
        standing: &mut Standing,
        doing: &Doing<'_>,
    ) -> Result<(), LoadError> {
        let statement = match change {
            Change::CreateTable(columns) => {
                self.refuse_a_stranger(connection, doing)?;
                DIALECT.create_table(&self.table, columns, &self.keys)
            }
            Change::AddColumn(column) => return self.add(connection, column, standing, doing),
            Change::WidenColumn(column) => return widening::widen(connection, &self.name, column, doing),
            Change::RenameColumn { from, to } => {
                standing.remove(from);
                self.take_name(to, standing, doing)?;
                DIALECT.rename_column(&self.table, from, to)
            }
            _ => return Err(doing.refused("it asks for a change this version does not know; report this as a defect")),
        };
        connection.execute_batch(&statement).map_err(|cause| doing.failed(cause))
    }

    fn add(
        &self,
        connection: &Connection,
        column: &Column,
        standing: &mut Standing,
        doing: &Doing<'_>,
    ) -> Result<(), LoadError> {
        self.take_name(&column.name, standing, doing)?;
        let statement = DIALECT.add_column(&self.table, column);
        connection.execute_batch(&statement).map_err(|cause| doing.failed(cause))
    }

    /// Notes the name of a new column, unless somebody made one of their own that has it.
    fn take_name(&self, name: &str, standing: &mut Standing, doing: &Doing<'_>) -> Result<(), LoadError> {
        if standing.add(name) {
            return Ok(());
        }
        Err(doing.refused(&format!(
            "a column `{name}` that is not selvedge's stands in the table {}, and the records bring one of that name: \
             rename it",
            self.name
        )))
    }

    /// A table that selvedge has no state of, and yet stands, is somebody else's: it must not be written to. Nor must one
    /// take the name of a table that selvedge makes for itself.
    fn refuse_a_stranger(&self, connection: &Connection, doing: &Doing<'_>) -> Result<(), LoadError> {
        let name = &self.name;
        if DIALECT.is_spelled_as_own(&self.table) {
            return Err(doing.refused(&format!("selvedge keeps the name {name} for a table of its own: rename it")));
        }
        if !has_table(connection, name).map_err(|cause| doing.failed(cause))? {
            return Ok(());
        }
        Err(doing.refused(&format!(
            "a table {name} that is not selvedge's, or is another of its tables, stands there: rename it"
        )))
    }
}
