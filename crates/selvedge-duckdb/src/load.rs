//! One load: one transaction.

use selvedge_core::{Change, LoadError, LoadErrorKind, TableLoad, TableState};

use crate::dialect::DIALECT;
use crate::session::Session;
use crate::{rejects, rows, state};

/// Applies a load, all or nothing, and returns the state it left.
pub(crate) fn apply(session: &Session, load: &TableLoad) -> Result<TableState, LoadError> {
    // Dropped before the commit, it rolls back.
    let transaction = session.unchecked_transaction().map_err(session.failed("begin a transaction in"))?;
    load.check_planned_on(state::read(session, &load.table)?.as_ref())?;
    for change in &load.changes {
        apply_change(session, load, change)?;
    }
    let outcome = rows::write(session, load).map_err(session.failed("write rows to"))?;
    rejects::write(session, load)?;
    let state = load.committed(outcome);
    state::write(session, &load.table, &state)?;
    transaction.commit().map_err(session.failed("commit to")).map_err(LoadError::possibly_applied)?;
    Ok(state)
}

fn apply_change(session: &Session, load: &TableLoad, change: &Change) -> Result<(), LoadError> {
    let table = &load.table;
    match change {
        Change::CreateTable(columns) => {
            if let Some(statement) = DIALECT.create_schema(table) {
                session.execute_batch(&statement).map_err(session.failed("make a schema in"))?;
            }
            let statement = DIALECT.create_table(table, columns, &load.keys);
            session.execute_batch(&statement).map_err(|cause| refused_table(session, load, cause))
        }
        Change::AddColumn(column) => {
            let statement = DIALECT.add_column(table, column);
            session.execute_batch(&statement).map_err(session.failed("add a column to a table of"))
        }
        _ => Err(LoadError::new(
            LoadErrorKind::Refused,
            format!("the DuckDB destination does not know a change of table {table}; use one of the engine's version"),
        )),
    }
}

fn refused_table(session: &Session, load: &TableLoad, cause: duckdb::Error) -> LoadError {
    if !cause.to_string().contains("already exists") {
        return session.failed("make a table in")(cause);
    }
    let message = format!(
        "table {} cannot be made: a table or view of that name stands already (upper and lower case are the same); \
         rename or drop it",
        load.table
    );
    LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
}
