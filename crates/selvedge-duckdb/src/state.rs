//! The state of a table, in `_sdc_tables`.

use duckdb::types::ToSqlOutput;
use duckdb::{OptionalExt, Row, params_from_iter};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{Field, StateRow, state_key};

use crate::dialect::DIALECT;
use crate::session::Session;

/// The state as it stands.
pub(crate) fn read(session: &Session, table: &TableName) -> Result<Option<TableState>, LoadError> {
    session
        .query_row(&DIALECT.select_state(), state_key(table), state_row)
        .optional()
        .map_err(session.failed("read the state of a table in"))?
        .map(|row| row.into_state(table))
        .transpose()
}

/// Puts a state in the place of the one before.
pub(crate) fn write(session: &Session, table: &TableName, state: &TableState) -> Result<(), LoadError> {
    let row = StateRow::from_state(table, state)?;
    let parameters = params_from_iter(row.parameters(table).map(parameter));
    let written = session.execute(&DIALECT.upsert_state(), parameters);
    written.map(drop).map_err(session.failed("write the state of a table to"))
}

fn state_row(row: &Row<'_>) -> duckdb::Result<StateRow> {
    StateRow::read(|column| row.get(column), |column| row.get(column))
}

fn parameter(field: Field<'_>) -> ToSqlOutput<'_> {
    match field {
        Field::Text(text) => text.into(),
        Field::Integer(number) => number.into(),
    }
}
