//! Giving a column another type.

use rusqlite::Connection;
use selvedge_core::{Column, ColumnType, LoadError};
use selvedge_sql::quote;

use crate::dialect::DIALECT;
use crate::error::Doing;

/// What the column is called while it is made. No property's column is called so.
const IN_THE_MAKING: &str = "\"_sdc_widened\"";

/// Gives the column of this name this type, in a table named as statements name it.
///
/// SQLite cannot change a column's type. So another one is made, filled, and takes its place and its name. What others made
/// of the table stands aside meanwhile: SQLite drops no column that an index, a trigger or a view uses, and a trigger is
/// not meant to see values move.
pub(crate) fn widen(connection: &Connection, table: &str, column: &Column, doing: &Doing<'_>) -> Result<(), LoadError> {
    let name = quote(&column.name);
    let Some(value) = widened(&name, column.column_type) else {
        return Err(doing.refused("it asks for a type no column is widened to; report this as a defect"));
    };
    let declared = (DIALECT.declared_type)(column.column_type);
    let statements = format!(
        "ALTER TABLE {table} ADD COLUMN {IN_THE_MAKING} {declared};
         UPDATE {table} SET {IN_THE_MAKING} = {value} WHERE {name} IS NOT NULL;
         ALTER TABLE {table} DROP COLUMN {name};
         ALTER TABLE {table} RENAME COLUMN {IN_THE_MAKING} TO {name};"
    );
    let dependents = Dependent::all_of(connection, table).map_err(|cause| doing.failed(cause))?;
    let steps = dependents.iter().map(Dependent::drop_statement).chain([statements]);
    let steps = steps.chain(dependents.iter().map(|dependent| dependent.sql.clone()));
    for step in steps {
        connection.execute_batch(&step).map_err(|cause| doing.failed(cause))?;
    }
    Ok(())
}

/// The values of a column of integers or decimals as this type has them, whatever their scale was.
fn widened(name: &str, column_type: ColumnType) -> Option<String> {
    let text = format!("CAST({name} AS TEXT)");
    Some(match column_type {
        ColumnType::Double => format!("CAST({name} AS REAL)"),
        ColumnType::Decimal { scale: 0 } => text,
        ColumnType::Decimal { scale } => {
            let zeros = "0".repeat(scale.into());
            let missing = format!("substr('{zeros}', length({text}) - instr({text}, '.') + 1)");
            format!("{text} || CASE instr({text}, '.') WHEN 0 THEN '.{zeros}' ELSE {missing} END")
        }
        // Zeros at the end are superfluous only behind a point.
        ColumnType::DecimalText => {
            format!("CASE instr({text}, '.') WHEN 0 THEN {text} ELSE rtrim(rtrim({text}, '0'), '.') END")
        }
        _ => return None,
    })
}

/// An index on a table, or a view or trigger, of which nobody knows what they use.
struct Dependent {
    kind: String,
    name: String,
    /// The statement that makes it.
    sql: String,
}

impl Dependent {
    /// All there are, in the order in which they were made.
    fn all_of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Self>> {
        let mut select = connection.prepare(
            "SELECT type, name, sql, tbl_name FROM sqlite_schema
             WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY rowid",
        )?;
        let mut rows = select.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let dependent = Self { kind: row.get("type")?, name: row.get("name")?, sql: row.get("sql")? };
            let on: String = row.get("tbl_name")?;
            if dependent.kind != "index" || quote(&on).eq_ignore_ascii_case(table) {
                all.push(dependent);
            }
        }
        Ok(all)
    }

    /// With a view its triggers go too, so that they may be gone already.
    fn drop_statement(&self) -> String {
        format!("DROP {} IF EXISTS {}", self.kind, quote(&self.name))
    }
}
