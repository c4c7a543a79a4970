//! Tables whose objects and arrays are structs and lists: their columns, and the rows of a load in them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use selvedge_core::nested::{Flat, compose, decompose, schema};
use selvedge_core::{ColumnType, LoadError, Nesting, Outcome, Part, Subtable, TableLoad, TableState};
use selvedge_sql::{quote, quote_list};

use crate::catalog::ColumnNames;
use crate::changes;
use crate::dialect::DIALECT;
use crate::session::Session;
use crate::target::Target;
use crate::tombstones::Tombstones;
use crate::{activation, reshape, rows};

/// Writes the rows of a load, with what belongs to them in them.
pub(crate) fn write(session: &Session, load: &TableLoad, tombstones: &Tombstones) -> Result<Outcome, LoadError> {
    let subtables: Vec<Subtable> = load.subtables.iter().map(|part| part.subtable.clone()).collect();
    let target =
        Target { table: load.table.clone(), keys: load.keys.clone(), schema: schema(&load.columns, &subtables) };
    let others = match &load.planned_on {
        None => {
            changes::create_table(session, &target, &create_table(&target.spelled(), &target.schema))?;
            ColumnNames::default()
        }
        Some(stood) => reshape::apply(session, load, stood, &target)?,
    };
    let rows = compose(&Flat::from(load), &load.columns, &subtables)?;
    let written = rows::write(session, &target, load, &rows, &others, tombstones)?;
    let left_behind = activation::apply(session, load, Nesting::Native, tombstones)?;
    Ok(written.outcome(left_behind))
}

/// The rows of a part of a table in rows that are nested.
pub(crate) fn unnested(nested: &RecordBatch, state: &TableState, part: Part<'_>) -> Result<RecordBatch, LoadError> {
    let flat = decompose(nested, &state.columns, &state.subtables, &state.keys)?;
    Ok(match part {
        Part::Subtable(name) => {
            let subrows = state.subtables.iter().zip(flat.subrows);
            let found = subrows.into_iter().find(|(subtable, _)| subtable.name == name);
            found.map_or_else(|| flat.rows.slice(0, 0), |(_, subrows)| subrows.rows)
        }
        _ => flat.rows,
    })
}

/// The statement that makes a table with these columns.
pub(crate) fn create_table(table: &str, schema: &Schema) -> String {
    format!("CREATE TABLE {table} ({})", definitions(schema.fields()))
}

fn definitions(fields: &Fields) -> String {
    let definition = |field: &Arc<Field>| format!("{} {}", quote(field.name()), declared_type(field.data_type()));
    fields.iter().map(definition).collect::<Vec<_>>().join(", ")
}

/// The type of a column or of a field in it, as DuckDB spells it.
pub(crate) fn declared_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => format!("STRUCT({})", definitions(fields)),
        DataType::List(element) => format!("{}[]", declared_type(element.data_type())),
        scalar => (DIALECT.declared_type)(column_type(scalar)).into_owned(),
    }
}

/// A type of column that is carried so. JSON is text here: the fields of rows do not tell them apart.
fn column_type(scalar: &DataType) -> ColumnType {
    match scalar {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int64 => ColumnType::Integer,
        DataType::Decimal128(_, scale) => ColumnType::Decimal { scale: scale.unsigned_abs() },
        DataType::Float64 => ColumnType::Double,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::Date32 => ColumnType::Date,
        DataType::Time64(_) => ColumnType::Time,
        _ => ColumnType::String,
    }
}

/// Selects the columns of rows that are nested, but for those that somebody dropped, of all rows that stand in a table.
pub(crate) struct Selection {
    pub(crate) sql: String,
    names: Vec<String>,
}

impl Selection {
    pub(crate) fn new(table: &str, schema: &Schema, stand: &ColumnNames) -> Self {
        let names = schema.fields().iter().map(|field| field.name()).filter(|name| stand.has(name));
        let names: Vec<String> = names.cloned().collect();
        Self { sql: format!("SELECT {} FROM {table}", quote_list(&names)), names }
    }

    /// Rows that were found by it, with the names that their columns are to have.
    pub(crate) fn named(&self, found: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = self.names.iter().zip(found.columns()).map(|(name, values)| (name, Arc::clone(values), true));
        RecordBatch::try_from_iter_with_nullable(columns)
    }
}
