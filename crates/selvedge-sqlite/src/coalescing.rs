//! Views in which a path whose values are of several types is one column.

use rusqlite::{Connection, OptionalExtension};
use selvedge_core::{Column, LoadError, LoadErrorKind, TableLoad, TableName};
use selvedge_sql::quote;

use crate::dialect::DIALECT;
use crate::error::Doing;
use crate::state;

/// Makes the view of a table, or makes it again.
pub(crate) fn create(
    connection: &Connection,
    table: &TableName,
    view: &str,
    doing: &Doing<'_>,
) -> Result<(), LoadError> {
    let view = TableName::new(table.integration().cloned(), view).map_err(|cause| {
        LoadError::new(LoadErrorKind::Refused, "the view cannot have this name; choose another").with_source(cause)
    })?;
    let Some(state) = state::read(connection, table, doing)? else {
        return Err(doing.refused("nothing was loaded into it yet: load something first"));
    };
    let name = DIALECT.table(&view);
    if kind(connection, &name).map_err(|cause| doing.failed(cause))?.is_some_and(|kind| kind != "view") {
        return Err(doing.refused(&format!("a table {name} stands there: choose another name for the view")));
    }
    let statements = format!("DROP VIEW IF EXISTS {name}; {}", DIALECT.coalescing_view(&view, table, &state.columns));
    connection.execute_batch(&statements).map_err(|cause| doing.failed(cause))
}

/// What stands under a name: a table or a view.
fn kind(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row(&format!("PRAGMA table_list({name})"), [], |row| row.get("type")).optional()
}

/// Drops the coalescing views of a table whose columns a load changes, and returns their names.
pub(crate) fn take_away(connection: &Connection, load: &TableLoad) -> rusqlite::Result<Vec<String>> {
    let Some(state) = load.planned_on.as_ref().filter(|_| !load.changes.is_empty()) else { return Ok(Vec::new()) };
    drop_all(connection, &load.table, &state.columns)
}

/// Drops the coalescing views of a table of these columns, and returns their names.
///
/// They are known by their statements: what somebody wrote differently is theirs, and stays.
pub(crate) fn drop_all(
    connection: &Connection,
    table: &TableName,
    columns: &[Column],
) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")?;
    let views: Vec<(String, String)> = select.query_map([], |row| row.try_into())?.collect::<Result<_, _>>()?;
    if views.is_empty() {
        return Ok(Vec::new());
    }
    let query = DIALECT.coalescing_query(table, columns);
    let own = views.into_iter().filter(|(name, sql)| *sql == statement(name, &query));
    let names: Vec<String> = own.map(|(name, _)| name).collect();
    for name in &names {
        connection.execute_batch(&format!("DROP VIEW {}", quote(name)))?;
    }
    Ok(names)
}

/// Makes views again, with the columns the table has after the load.
pub(crate) fn make_again(connection: &Connection, load: &TableLoad, names: &[String]) -> rusqlite::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let query = DIALECT.coalescing_query(&load.table, &load.columns);
    names.iter().try_for_each(|name| connection.execute_batch(&statement(name, &query)))
}

/// The statement that makes the view, as SQLite keeps it.
fn statement(name: &str, query: &str) -> String {
    format!("CREATE VIEW {} AS {query}", quote(name))
}
