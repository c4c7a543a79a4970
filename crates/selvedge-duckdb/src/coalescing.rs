//! Views in which a path whose values are of several types is one column.

use duckdb::Connection;
use selvedge_core::{Column, LoadError, LoadErrorKind, TableLoad, TableName};

use crate::dialect::{DIALECT, beside, schema_of};
use crate::session::{Session, literal};
use crate::state::{self, Loaded};
use selvedge_core::Nesting;

/// Makes the view of a table, or makes it again.
pub(crate) fn create(session: &Session, table: &TableName, view: &str) -> Result<(), LoadError> {
    let view = TableName::new(table.integration().cloned(), view)
        .map_err(|cause| refused("the view cannot have this name; choose another".to_owned()).with_source(cause))?;
    let Some(Loaded { state, nesting }) = state::read(session, table)? else {
        return Err(refused(format!("nothing was loaded into table {table} yet; load something first")));
    };
    if nesting == Nesting::Native {
        return Err(refused(format!(
            "table {table} keeps objects and arrays nested; only of a flat one there is such a view"
        )));
    }
    make(session, &DIALECT.table(&view), table, &state.columns).map_err(|cause| {
        if !cause.to_string().contains("Existing object") {
            return session.failed("make a view in")(cause);
        }
        refused(format!("a table {view} stands there; choose another name for the view")).with_source(cause)
    })
}

/// Makes the views of a table again whose columns a load changed: DuckDB keeps the types and names they had.
pub(crate) fn make_again(session: &Session, load: &TableLoad) -> Result<(), LoadError> {
    if load.planned_on.is_none() || load.changes.is_empty() {
        return Ok(());
    }
    let failed = session.failed("make a view again in");
    for view in views(session, &load.table).map_err(&failed)? {
        make(session, &view, &load.table, &load.columns).map_err(&failed)?;
    }
    Ok(())
}

/// Drops the views of a table.
pub(crate) fn drop_all(connection: &Connection, table: &TableName) -> duckdb::Result<()> {
    views(connection, table)?.iter().try_for_each(|view| connection.execute_batch(&format!("DROP VIEW {view}")))
}

/// Makes a view, which is named as statements name it.
fn make(connection: &Connection, view: &str, table: &TableName, columns: &[Column]) -> duckdb::Result<()> {
    let query = DIALECT.coalescing_query(table, columns);
    let comment = literal(&comment(table));
    connection.execute_batch(&format!("CREATE OR REPLACE VIEW {view} AS {query}; COMMENT ON VIEW {view} IS {comment}"))
}

/// The views of a table, as statements name them. One that somebody wrote anew has lost its comment, and is theirs.
fn views(connection: &Connection, table: &TableName) -> duckdb::Result<Vec<String>> {
    let mut select = connection.prepare(
        "SELECT view_name FROM duckdb_views() \
         WHERE database_name = current_database() AND lower(schema_name) = lower($1) AND comment = $2",
    )?;
    let names = select.query_map([schema_of(table), &comment(table)], |row| row.get::<_, String>(0))?;
    names.map(|name| Ok(beside(table, &name?))).collect()
}

/// What tells a view of selvedge's from others.
fn comment(table: &TableName) -> String {
    format!("selvedge's view of table {table}; loads that change the table make it again")
}

fn refused(message: String) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, message)
}
