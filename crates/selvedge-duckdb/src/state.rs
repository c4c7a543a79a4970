//! The state of a table, in `_sdc_tables`.

use duckdb::types::ToSqlOutput;
use duckdb::{Connection, OptionalExt, Row, params_from_iter};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{Field, StateRow, state_key, table_name};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::nesting;
use crate::session::Session;
use selvedge_core::Nesting;

/// The tables that have a state; none in a file without the table of states.
pub(crate) fn tables(session: &Session) -> Result<Vec<TableName>, LoadError> {
    let failed = session.failed("list the tables of");
    if !has_table(session, &DIALECT.state_table()).map_err(&failed)? {
        return Ok(Vec::new());
    }
    let keys = state_keys(session).map_err(&failed)?;
    keys.iter().map(|(integration, table)| table_name(integration, table)).collect()
}

fn state_keys(connection: &Connection) -> duckdb::Result<Vec<(String, String)>> {
    let mut select = connection.prepare(&DIALECT.select_tables())?;
    select.query_map([], |row| row.try_into())?.collect()
}

/// A table that was loaded before.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) state: TableState,
    pub(crate) nesting: Nesting,
}

/// A table as it stands; none in a file without the table of states.
pub(crate) fn read(session: &Session, table: &TableName) -> Result<Option<Loaded>, LoadError> {
    let failed = session.failed("read the state of a table in");
    if !has_table(session, &DIALECT.state_table()).map_err(&failed)? {
        return Ok(None);
    }
    session
        .query_row(&DIALECT.select_state(), state_key(table), state_row)
        .optional()
        .map_err(failed)?
        .map(|(row, nesting)| Ok(Loaded { state: row.into_state(table)?, nesting }))
        .transpose()
}

/// Puts a state in the place of the one before.
pub(crate) fn write(session: &Session, table: &TableName, state: &TableState) -> Result<(), LoadError> {
    let row = StateRow::from_state(table, state)?;
    let parameters = params_from_iter(row.parameters(table).map(parameter));
    let written = session.execute(&DIALECT.upsert_state(), parameters);
    written.map(drop).map_err(session.failed("write the state of a table to"))
}

fn state_row(row: &Row<'_>) -> duckdb::Result<(StateRow, Nesting)> {
    Ok((StateRow::read(|column| row.get(column), |column| row.get(column))?, nesting::of_state(row)?))
}

fn parameter(field: Field<'_>) -> ToSqlOutput<'_> {
    match field {
        Field::Text(text) => text.into(),
        Field::Integer(number) => number.into(),
        Field::Null => duckdb::types::Null.into(),
    }
}
