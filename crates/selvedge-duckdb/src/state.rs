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
    Ok(StateRow {
        format: row.get(0)?,
        columns: row.get(1)?,
        keys: row.get(2)?,
        queue_id: row.get(3)?,
        batch: row.get(4)?,
        record: row.get(5)?,
        loaded: row.get(6)?,
        superseded: row.get(7)?,
        rejected: row.get(8)?,
        live_rows: row.get(9)?,
    })
}

fn upsert(connection: &Connection, table: &TableName, row: &StateRow) -> duckdb::Result<()> {
    let StateRow { format, columns, keys, queue_id, batch, record, loaded, superseded, rejected, live_rows } = row;
    let name = table.table();
    let values = params![
        integration_key(table),
        name,
        format,
        columns,
        keys,
        queue_id,
        batch,
        record,
        loaded,
        superseded,
        rejected,
        live_rows
    ];
    connection.execute(UPSERT_STATE, values).map(drop)
}
