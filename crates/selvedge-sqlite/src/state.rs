//! Reading and writing a table's state.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{Field, StateRow, state_key, table_name};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::error::Doing;

/// The tables that have a state; none in a database without the table of states.
pub(crate) fn tables(connection: &Connection, doing: &Doing<'_>) -> Result<Vec<TableName>, LoadError> {
    if !has_table(connection, &DIALECT.state_table()).map_err(|cause| doing.failed(cause))? {
        return Ok(Vec::new());
    }
    let keys = state_keys(connection).map_err(|cause| doing.failed(cause))?;
    keys.iter().map(|(integration, table)| table_name(integration, table)).collect()
}

fn state_keys(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut select = connection.prepare(&DIALECT.select_tables())?;
    select.query_map([], |row| row.try_into())?.collect()
}

/// The state of a table; none in a database without the table of states.
pub(crate) fn read(
    connection: &Connection,
    table: &TableName,
    doing: &Doing<'_>,
) -> Result<Option<TableState>, LoadError> {
    if !has_table(connection, &DIALECT.state_table()).map_err(|cause| doing.failed(cause))? {
        return Ok(None);
    }
    let row = connection
        .query_row(&DIALECT.select_state(), state_key(table), state_row)
        .optional()
        .map_err(|cause| doing.failed(cause))?;
    row.map(|row| row.into_state(table)).transpose()
}

pub(crate) fn write(
    connection: &Connection,
    table: &TableName,
    state: &TableState,
    doing: &Doing<'_>,
) -> Result<(), LoadError> {
    let row = StateRow::from_state(table, state)?;
    let parameters = params_from_iter(row.parameters(table).map(parameter));
    connection.execute(&DIALECT.upsert_state(), parameters).map_err(|cause| doing.failed(cause))?;
    Ok(())
}

/// Deletes the state of a table.
pub(crate) fn delete(connection: &Connection, table: &TableName) -> rusqlite::Result<()> {
    connection.execute(&DIALECT.delete_state(), state_key(table))?;
    Ok(())
}

fn state_row(row: &Row<'_>) -> rusqlite::Result<StateRow> {
    StateRow::read(|column| row.get(column), |column| row.get(column))
}

fn parameter(field: Field<'_>) -> ToSqlOutput<'_> {
    match field {
        Field::Text(text) => text.into(),
        Field::Integer(number) => number.into(),
        Field::Null => rusqlite::types::Null.into(),
    }
}
