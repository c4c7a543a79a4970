//! Looking at what a file holds.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use duckdb::Params;
use selvedge_core::{
    Column, Counted, Each, Inspect, LoadError, LoadErrorKind, Part, TableName, TableState, rejected, schema,
};

use crate::catalog::{self, has_table};
use crate::dialect::DIALECT;
use crate::instance::Instance;
use crate::session::{Access, Session};
use crate::state;

/// A DuckDB file that is looked at, and not written to.
///
/// It has the file only during a call, and nobody loads meanwhile. Somebody else who has it, in this process or in another
/// program, is waited for: two seconds, after which the file is
/// [unavailable](selvedge_core::LoadErrorKind::Unavailable).
#[derive(Debug)]
pub struct DuckDbReader {
    instance: Instance,
}

impl DuckDbReader {
    /// Takes a file. One that another program has open is no error here: calls wait for it.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when there is none, or it is no DuckDB database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        path.metadata().map_err(|cause| {
            let message =
                format!("it is not possible to open {}; give the path of a file that was loaded into", path.display());
            LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
        })?;
        Ok(Self { instance: Instance::new(path, Access::Read)? })
    }
}

impl Inspect for DuckDbReader {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        self.instance.with_file(Access::Read, state::tables)
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        self.instance.with_file(Access::Read, |session| count(session, table))
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.instance.with_file(Access::Read, |session| read(session, table, part, each))
    }
}

fn count(session: &Session, table: &TableName) -> Result<Option<Counted>, LoadError> {
    let Some(state) = state::read(session, table)? else { return Ok(None) };
    let rows = session
        .query_row(&DIALECT.count_rows(table), [], |row| row.get::<_, i64>(0))
        .map_err(session.failed("count the rows of a table in"))?;
    Ok(Some(Counted { state, rows: rows.cast_unsigned() }))
}

fn read(
    session: &Session,
    table: &TableName,
    part: Part<'_>,
    each: &mut Each<'_>,
) -> Result<Option<TableState>, LoadError> {
    let Some(state) = state::read(session, table)? else { return Ok(None) };
    let mut each = |batch| each(&state, batch);
    match part {
        Part::Rows => read_table(session, table, &state.columns, &mut each)?,
        Part::Subtable(name) => {
            if let Some(subtable) = state.subtable(name) {
                read_table(session, &subtable.table_name(table)?, &subtable.columns, &mut each)?;
            }
        }
        Part::Rejects => read_rejects(session, table, &mut each)?,
    }
    Ok(Some(state))
}

/// Reads these columns of a table, null where somebody dropped one.
fn read_table(
    session: &Session,
    table: &TableName,
    columns: &[Column],
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let stand = catalog::columns(session, table)?;
    let select = DIALECT.select_standing(table, columns, |column| stand.has(&column.name));
    hand_out(session, &select, [], columns, each)
}

fn read_rejects(session: &Session, table: &TableName, each: &mut EachBatch<'_>) -> Result<(), LoadError> {
    if !has_table(session, &DIALECT.rejected_table(table)).map_err(session.failed("read"))? {
        return Ok(());
    }
    hand_out(session, &DIALECT.select_rejected(table), [table.table()], &rejected::columns(), each)
}

/// What batches are handed to.
type EachBatch<'e> = dyn FnMut(RecordBatch) -> ControlFlow<()> + 'e;

/// Hands out the rows of a query that selects these columns in their order, as DuckDB streams them, until `each` breaks off.
fn hand_out(
    session: &Session,
    select: &str,
    parameters: impl Params,
    columns: &[Column],
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let failed = session.failed("read a table of");
    let schema = schema(columns);
    let mut statement = session.prepare(select).map_err(&failed)?;
    for batch in statement.stream_arrow(parameters).map_err(&failed)? {
        let found = batch.map_err(&failed)?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), found.columns().to_vec())
            .map_err(|cause| changed(session, columns, &found).with_source(cause))?;
        if each(batch).is_break() {
            break;
        }
    }
    Ok(())
}

/// The error for a column that somebody gave another type.
fn changed(session: &Session, columns: &[Column], found: &RecordBatch) -> LoadError {
    let changed =
        columns.iter().zip(found.columns()).find(|(column, values)| column.column_type.arrow() != *values.data_type());
    let name = changed.map_or("", |(column, _)| &column.name);
    let message = format!(
        "the column `{name}` of a table in {} has another type than selvedge gave it; give it the old one again",
        session.path().display()
    );
    LoadError::new(LoadErrorKind::Refused, message)
}
