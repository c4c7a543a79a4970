//! The state of a table, in `_sdc_tables`.

use duckdb::{Connection, OptionalExt, Row, params};
use selvedge_core::{LoadError, TableName, TableState};
use selvedge_sql::{SELECT_STATE, StateRow, UPSERT_STATE, integration_key};

use crate::session::Session;

/// The state as it stands.
pub(crate) fn read(session: &Session, table: &TableName) -> Result<Option<TableState>, LoadError> {
    session
        .query_row(SELECT_STATE, [integration_key(table), table.table()], state_row)
        .optional()
        .map_err(session.failed("read the state of a table in"))?
        .map(|row| row.into_state(table))
        .transpose()
}

/// Puts a state in the place of the one before.
pub(crate) fn write(session: &Session, table: &TableName, state: &TableState) -> Result<(), LoadError> {
    let row = StateRow::from_state(table, state)?;
    upsert(session, table, &row).map_err(session.failed("write the state of a table to"))
}

fn state_row(row: &Row<'_>) -> duckdb::Result<StateRow> {
    StateRow::read(|column| row.get(column), |column| row.get(column))
}

fn upsert(connection: &Connection, table: &TableName, row: &StateRow) -> duckdb::Result<()> {
    let StateRow { format, columns, keys, queue_id, epoch, batch, record, loaded, superseded, rejected, live_rows } =
        row;
    let name = table.table();
    let values = params![
        integration_key(table),
        name,
        format,
        columns,
        keys,
        queue_id,
        epoch,
        batch,
        record,
        loaded,
        superseded,
        rejected,
        live_rows
    ];
    connection.execute(UPSERT_STATE, values).map(drop)
}
