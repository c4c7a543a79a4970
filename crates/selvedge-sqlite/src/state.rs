//! Reading and writing a table's state.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{Field, StateRow, state_key};

use crate::dialect::DIALECT;
use crate::error::Doing;

pub(crate) fn read(
    connection: &Connection,
    table: &TableName,
    doing: &Doing<'_>,
) -> Result<Option<TableState>, LoadError> {
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

fn state_row(row: &Row<'_>) -> rusqlite::Result<StateRow> {
    StateRow::read(|column| row.get(column), |column| row.get(column))
}

fn parameter(field: Field<'_>) -> ToSqlOutput<'_> {
    match field {
        Field::Text(text) => text.into(),
        Field::Integer(number) => number.into(),
    }
}
