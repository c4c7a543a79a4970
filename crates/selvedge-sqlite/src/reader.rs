//! Looking at what a database holds.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use selvedge_core::{Column, Counted, Each, Inspect, LoadError, Part, TableName, TableState, rejected};

use crate::batches::{EachBatch, hand_out};
use crate::catalog::{Standing, has_table};
use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::{settings, state};

/// A SQLite database that is looked at, and not written to.
///
/// It may be loaded into at the same time. While it is looked at, SQLite keeps the files `-wal` and `-shm` beside it.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
    file: PathBuf,
}

impl SqliteReader {
    /// Opens the database `path`.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`](selvedge_core::LoadErrorKind::Refused) when there is none, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let file = path.as_ref().to_owned();
        Ok(Self { connection: settings::open_to_read(&file)?, file })
    }
}

impl Inspect for SqliteReader {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        state::tables(&self.connection, &Doing::listing(&self.file))
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        let doing = Doing::reading(&self.file, table);
        let moment = self.connection.transaction().map_err(|cause| doing.failed(cause))?;
        let Some(state) = state::read(&moment, table, &doing)? else { return Ok(None) };
        let rows = moment
            .query_row(&DIALECT.count_rows(table), [], |row| row.get(0).map(i64::cast_unsigned))
            .map_err(|cause| doing.failed(cause))?;
        Ok(Some(Counted { state, rows }))
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let doing = Doing::reading(&self.file, table);
        let moment = self.connection.transaction().map_err(|cause| doing.failed(cause))?;
        let Some(state) = state::read(&moment, table, &doing)? else { return Ok(None) };
        let mut each = |batch| each(&state, batch);
        match part {
            Part::Rows => read_rows(&moment, table, &state.columns, &doing, &mut each)?,
            Part::Subtable(name) => {
                if let Some(subtable) = state.subtable(name) {
                    read_rows(&moment, &subtable.table_name(table)?, &subtable.columns, &doing, &mut each)?;
                }
            }
            Part::Rejects => read_rejects(&moment, table, &doing, &mut each)?,
        }
        Ok(Some(state))
    }
}

fn read_rows(
    connection: &Connection,
    table: &TableName,
    columns: &[Column],
    doing: &Doing<'_>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let standing = Standing::in_table(connection, &DIALECT.table(table)).map_err(|cause| doing.failed(cause))?;
    let select = DIALECT.select_standing(table, columns, |column| standing.has(&column.name));
    let mut select = connection.prepare(&select).map_err(|cause| doing.failed(cause))?;
    let rows = select.query([]).map_err(|cause| doing.failed(cause))?;
    hand_out(rows, columns, doing, each)
}

fn read_rejects(
    connection: &Connection,
    table: &TableName,
    doing: &Doing<'_>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    if !has_table(connection, &DIALECT.rejected_table(table)).map_err(|cause| doing.failed(cause))? {
        return Ok(());
    }
    let mut select = connection.prepare(&DIALECT.select_rejected(table)).map_err(|cause| doing.failed(cause))?;
    let rows = select.query([table.table()]).map_err(|cause| doing.failed(cause))?;
    hand_out(rows, &rejected::columns(), doing, each)
}
