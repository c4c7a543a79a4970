//! Changing a table until the rows of a load fit.

use selvedge_core::{Change, Column, ColumnType, LoadError, LoadErrorKind, TableName};
use selvedge_sql::quote;

use crate::catalog::{self, ColumnNames};
use crate::dialect::DIALECT;
use crate::session::Session;
use crate::target::Target;

/// Makes the columns again that somebody dropped, of those the load was planned on, then applies the changes in order. A
/// load that makes the table was planned on none. Returns the columns that others added.
pub(crate) fn apply(
    session: &Session,
    target: &Target,
    planned_on: Option<&[Column]>,
    changes: &[Change],
) -> Result<ColumnNames, LoadError> {
    let others = match planned_on {
        Some(columns) => complete(session, target, columns)?,
        None => ColumnNames::default(),
    };
    for change in changes {
        refuse_a_name_of_others(target, change, &others)?;
        apply_change(session, target, change)?;
    }
    Ok(others)
}

/// Makes the columns again that somebody dropped, and returns those that others added.
fn complete(session: &Session, target: &Target, planned_on: &[Column]) -> Result<ColumnNames, LoadError> {
    let stand = catalog::columns(session, &target.table)?;
    for column in planned_on.iter().filter(|column| !stand.has(&column.name)) {
        if column.path.is_none() || target.keys.contains(&column.name) {
            return Err(dropped(session, target, &column.name));
        }
        add_column(session, target, column)?;
    }
    Ok(stand.except(planned_on.iter().map(|column| column.name.as_str())))
}

/// A column that others added is theirs.
fn refuse_a_name_of_others(target: &Target, change: &Change, others: &ColumnNames) -> Result<(), LoadError> {
    let (Change::AddColumn(Column { name, .. }) | Change::RenameColumn { to: name, .. }) = change else {
        return Ok(());
    };
    if others.has(name) { Err(taken(target, name)) } else { Ok(()) }
}

fn apply_change(session: &Session, target: &Target, change: &Change) -> Result<(), LoadError> {
    match change {
        Change::CreateTable(columns) => {
            create_table(session, target, &DIALECT.create_table(&target.table, columns, &target.keys))
        }
        Change::AddColumn(column) => add_column(session, target, column),
        Change::WidenColumn(column) => {
            let statement = widen_column(&target.table, column);
            session.execute_batch(&statement).map_err(session.failed("give a column another type in"))
        }
        Change::RenameColumn { from, to } => {
            let statement = DIALECT.rename_column(&target.table, from, to);
            session.execute_batch(&statement).map_err(session.failed("rename a column in"))
        }
        _ => {
            let table = &target.table;
            Err(refused(format!(
                "a change of table {table} is not known to this version; use one of the engine's version"
            )))
        }
    }
}

/// Makes a table by a statement, and the schema it stands in unless that stands.
pub(crate) fn create_table(session: &Session, target: &Target, statement: &str) -> Result<(), LoadError> {
    if let Some(statement) = DIALECT.create_schema(&target.table) {
        session.execute_batch(&statement).map_err(session.failed("make a schema in"))?;
    }
    session.execute_batch(statement).map_err(|cause| {
        if !cause.to_string().contains("already exists") {
            return session.failed("make a table in")(cause);
        }
        let table = &target.table;
        refused(format!(
            "table {table} cannot be made: a table or view of that name stands already (upper and lower case are the \
             same); rename or drop it"
        ))
        .with_source(cause)
    })
}

fn add_column(session: &Session, target: &Target, column: &Column) -> Result<(), LoadError> {
    let statement = DIALECT.add_column(&target.table, column);
    session.execute_batch(&statement).map_err(session.failed("add a column to a table of"))
}

/// The statement that gives a column this type, in which its values are exact.
fn widen_column(table: &TableName, column: &Column) -> String {
    let name = quote(&column.name);
    format!(
        "ALTER TABLE {} ALTER COLUMN {name} SET DATA TYPE {} USING {}",
        DIALECT.table(table),
        (DIALECT.declared_type)(column.column_type),
        widened(&name, column.column_type),
    )
}

/// A value as one of a wider type.
pub(crate) fn widened(value: &str, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::DecimalText => decimal_text(value),
        _ => format!("{value}::{}", (DIALECT.declared_type)(column_type)),
    }
}

/// The text of an integer or a decimal without superfluous zeros.
///
/// DuckDB's has all digits after the point, and where there are 38 of them none before it: `.50…`.
fn decimal_text(number: &str) -> String {
    let text = format!("{number}::VARCHAR");
    let short = format!("rtrim(rtrim({text}, '0'), '.')");
    format!(r"CASE WHEN contains({text}, '.') THEN regexp_replace({short}, '^(-?)(\.|$)', '\10\2') ELSE {text} END")
}

/// The error for a column that somebody dropped and that cannot be made again.
pub(crate) fn dropped(session: &Session, target: &Target, name: &str) -> LoadError {
    refused(format!(
        "the column `{name}` of table {} was dropped, without which rows cannot be told apart; restore {} from a backup",
        target.table,
        session.path().display()
    ))
}

/// The error for a column whose name somebody gave to one of their own.
pub(crate) fn taken(target: &Target, name: &str) -> LoadError {
    let table = &target.table;
    refused(format!(
        "the records bring a column `{name}`, and somebody added one of that name to table {table}; rename or drop that one"
    ))
}

fn refused(message: String) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, message)
}
