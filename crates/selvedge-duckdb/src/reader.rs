//! Looking at what a file holds.

use std::ops::ControlFlow;
use std::path::Path;

use arrow::array::RecordBatch;
use duckdb::Params;
use selvedge_core::{
    Column, Counted, Each, Inspect, LoadError, LoadErrorKind, Part, TableName, TableState, rejected, schema,
};

use crate::catalog::{self, has_table};
use crate::dialect::DIALECT;
use crate::instance::Instance;
use crate::nested::{Selection, unnested};
use crate::rows::arrow_failure;
use crate::session::{Access, Session};
use crate::state::{self, Loaded};
use selvedge_core::Nesting;

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
    let Some(Loaded { state, .. }) = state::read(session, table)? else { return Ok(None) };
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
    let Some(Loaded { state, nesting }) = state::read(session, table)? else { return Ok(None) };
    let mut each = |batch| each(&state, batch);
    match part {
        Part::Rejects => read_rejects(session, table, &mut each)?,
        Part::Subtable(name) if state.subtable(name).is_none() => {}
        _ => match nesting {
            Nesting::Flat => read_flat(session, table, &state, part, &mut each)?,
            Nesting::Native => read_nested(session, table, &state, part, &mut each)?,
        },
    }
    Ok(Some(state))
}

/// Reads a table or a subtable, of whose columns those are null that somebody dropped.
fn read_flat(
    session: &Session,
    table: &TableName,
    state: &TableState,
    part: Part<'_>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let (table, columns) = match part {
        Part::Subtable(name) => match state.subtable(name) {
            Some(subtable) => (subtable.table_name(table)?, &subtable.columns),
            None => return Ok(()),
        },
        _ => (table.clone(), &state.columns),
    };
    let stand = catalog::columns(session, &table)?;
    let select = DIALECT.select_standing(&table, columns, |column| stand.has(&column.name));
    hand_out(session, &select, [], |found| typed(session, columns, found), each)
}

/// Reads the rows or the subrows of a table whose rows are nested.
fn read_nested(
    session: &Session,
    table: &TableName,
    state: &TableState,
    part: Part<'_>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let stand = catalog::columns(session, table)?;
    let schema = selvedge_core::nested::schema(&state.columns, &state.subtables);
    let selection = Selection::new(&DIALECT.table(table), &schema, &stand);
    let failed = session.failed("read a table of");
    let flat = |found: &RecordBatch| {
        let nested = selection.named(found).map_err(arrow_failure).map_err(&failed)?;
        unnested(&nested, state, part)
    };
    hand_out(session, &selection.sql, [], flat, each)
}

fn read_rejects(session: &Session, table: &TableName, each: &mut EachBatch<'_>) -> Result<(), LoadError> {
    if !has_table(session, &DIALECT.rejected_table(table)).map_err(session.failed("read"))? {
        return Ok(());
    }
    let (select, columns) = (DIALECT.select_rejected(table), rejected::columns());
    hand_out(session, &select, [table.table()], |found| typed(session, &columns, found), each)
}

/// What batches are handed to.
type EachBatch<'e> = dyn FnMut(RecordBatch) -> ControlFlow<()> + 'e;

/// Hands out the rows of a query as they are made of what DuckDB streams, until `each` breaks off.
fn hand_out(
    session: &Session,
    select: &str,
    parameters: impl Params,
    made: impl Fn(&RecordBatch) -> Result<RecordBatch, LoadError>,
    each: &mut EachBatch<'_>,
) -> Result<(), LoadError> {
    let failed = session.failed("read a table of");
    let mut statement = session.prepare(select).map_err(&failed)?;
    for batch in statement.stream_arrow(parameters).map_err(&failed)? {
        if each(made(&batch.map_err(&failed)?)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// What a query found that selects these columns in their order.
fn typed(session: &Session, columns: &[Column], found: &RecordBatch) -> Result<RecordBatch, LoadError> {
    let batch = RecordBatch::try_new(schema(columns), found.columns().to_vec());
    batch.map_err(|cause| changed(session, columns, found).with_source(cause))
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
