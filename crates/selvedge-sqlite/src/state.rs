//! Reading and writing a table's state.

use rusqlite::{Connection, OptionalExtension, Row, params};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{SELECT_STATE, StateRow, UPSERT_STATE, integration_key};

use crate::error::Doing;

pub(crate) fn read(
    connection: &Connection,
    table: &TableName,
    doing: &Doing<'_>,
) -> Result<Option<TableState>, LoadError> {
    let row = connection
        .query_row(SELECT_STATE, (integration_key(table), table.table()), state_row)
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
    let parameters = params![
        integration_key(table),
        table.table(),
        row.format,
        row.columns,
        row.keys,
        row.queue_id,
        row.epoch,
        row.batch,
        row.record,
        row.loaded,
        row.superseded,
        row.rejected,
        row.live_rows,
    ];
    connection.execute(UPSERT_STATE, parameters).map_err(|cause| doing.failed(cause))?;
    Ok(())
}

fn state_row(row: &Row<'_>) -> rusqlite::Result<StateRow> {
    StateRow::read(|column| row.get(column), |column| row.get(column))
}
