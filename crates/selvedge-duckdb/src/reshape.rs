//! Bringing nested rows that stand into the shape a load gives them.
//!
//! Where columns are only added, DuckDB casts structs by the names of their fields. Whatever else changes is changed in flat
//! rows, which are written to another table, and that takes the place of the first.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Schema};
use duckdb::Connection;
use duckdb::vtab::arrow::ArrowBatchRegistration;
use selvedge_core::nested::{self, Flat, Subrows, compose, decompose};
use selvedge_core::{Change, Column, LoadError, Subtable, SubtableLoad, TableLoad, TableState, schema, system};
use selvedge_sql::quote;

use crate::catalog::{self, ColumnNames};
use crate::changes::{dropped, taken, widened};
use crate::dialect::{DIALECT, beside};
use crate::instance::ARROW;
use crate::nested::{Selection, create_table, declared_type};
use crate::others;
use crate::rows::{arrow_failure, insert};
use crate::session::{Session, literal};
use crate::target::Target;

/// Brings the rows that stand into the shape of the target. Returns the columns that others added.
pub(crate) fn apply(
    session: &Session,
    load: &TableLoad,
    stood: &TableState,
    target: &Target,
) -> Result<ColumnNames, LoadError> {
    let before = nested::schema(&stood.columns, &stood.subtables);
    let stand = catalog::columns(session, &target.table)?;
    let mut own = stood.columns.iter().filter(|column| column.path.is_none() || stood.keys.contains(&column.name));
    if let Some(column) = own.find(|column| !stand.has(&column.name)) {
        return Err(dropped(session, target, &column.name));
    }
    let others = stand.except(before.fields().iter().map(|field| field.name().as_str()));
    let mut names = target.schema.fields().iter().map(|field| field.name());
    if let Some(name) = names.find(|name| others.has(name)) {
        return Err(taken(target, name));
    }
    if is_extended(load, &before, &target.schema) {
        extend(session, target, &before, &stand).map_err(session.failed("change the columns of a table in"))?;
    } else {
        Rebuild { session, load, stood, target }.run(&before, &stand, &others)?;
    }
    Ok(others)
}

/// Whether the load only adds columns, and they only new fields, so that every field has the name it had.
fn is_extended(load: &TableLoad, before: &Schema, after: &Schema) -> bool {
    let mut changes = load.changes.iter().chain(load.subtables.iter().flat_map(|part| &part.changes));
    changes.all(|change| matches!(change, Change::CreateTable(_) | Change::AddColumn(_)))
        && extends(&DataType::Struct(before.fields().clone()), &DataType::Struct(after.fields().clone()))
}

fn extends(before: &DataType, after: &DataType) -> bool {
    match (before, after) {
        _ if before == after => true,
        (DataType::Struct(before), DataType::Struct(after)) => before.iter().all(|field| {
            let same = after.iter().find(|candidate| candidate.name() == field.name());
            same.is_some_and(|same| extends(field.data_type(), same.data_type()))
        }),
        (DataType::List(before), DataType::List(after)) => extends(before.data_type(), after.data_type()),
        _ => false,
    }
}

/// Adds the columns that do not stand, and gives those a new type that have new fields.
fn extend(connection: &Connection, target: &Target, before: &Schema, stand: &ColumnNames) -> duckdb::Result<()> {
    let table = target.spelled();
    for field in target.schema.fields() {
        let (name, declared) = (quote(field.name()), declared_type(field.data_type()));
        if !stand.has(field.name()) {
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {name} {declared}"))?;
        } else if before.field_with_name(field.name()).is_ok_and(|before| before.data_type() != field.data_type()) {
            connection.execute_batch(&format!("ALTER TABLE {table} ALTER COLUMN {name} SET DATA TYPE {declared}"))?;
        }
    }
    Ok(())
}

/// Writes every row anew.
struct Rebuild<'l> {
    session: &'l Session,
    load: &'l TableLoad,
    stood: &'l TableState,
    target: &'l Target,
}

impl Rebuild<'_> {
    fn run(&self, before: &Schema, stand: &ColumnNames, others: &ColumnNames) -> Result<(), LoadError> {
        let Self { session, target, .. } = self;
        let failed = session.failed("write the rows of a table anew in");
        let table = target.spelled();
        let reshaped = beside(&target.table, "_sdc_reshaped");
        session.execute_batch(&create_table(&reshaped, &target.schema)).map_err(&failed)?;
        // The rows are not held in memory: they come from one connection while they go to the other.
        let reading = session.second().map_err(&failed)?;
        let selection = Selection::new(&table, before, stand);
        let mut select = reading.prepare(&selection.sql).map_err(&failed)?;
        for found in select.stream_arrow([]).map_err(&failed)? {
            let found = found.and_then(|found| selection.named(&found).map_err(arrow_failure)).map_err(&failed)?;
            insert(session, &reshaped, &target.schema, &self.reshaped(&found)?).map_err(&failed)?;
        }
        self.take_place(&table, &reshaped, others).map_err(&failed)
    }

    /// Stored rows as they are to be.
    fn reshaped(&self, stored: &RecordBatch) -> Result<RecordBatch, LoadError> {
        let Self { load, stood, .. } = self;
        let flat = decompose(stored, &stood.columns, &stood.subtables, &stood.keys)?;
        let rows = self.changed(&flat.rows, &stood.columns, &load.changes, &load.columns)?;
        let subrows = load.subtables.iter().map(|part| self.subrows(&flat, part)).collect::<Result<_, _>>()?;
        let subtables: Vec<Subtable> = load.subtables.iter().map(|part| part.subtable.clone()).collect();
        compose(&Flat { rows, subrows }, &load.columns, &subtables)
    }

    /// Those of a subtable, in rows that are flat; none of one that is new.
    fn subrows(&self, flat: &Flat, part: &SubtableLoad) -> Result<Subrows, LoadError> {
        let SubtableLoad { subtable, changes, .. } = part;
        let mut stood = self.stood.subtables.iter().zip(&flat.subrows);
        let Some((before, Subrows { rows, roots })) = stood.find(|(before, _)| before.name == subtable.name) else {
            let rows = RecordBatch::new_empty(schema(&subtable.columns));
            return Ok(Subrows { rows, roots: UInt32Array::from_iter_values([]) });
        };
        let rows = self.changed(rows, &before.columns, changes, &subtable.columns)?;
        Ok(Subrows { rows, roots: roots.clone() })
    }

    /// Flat rows with the changes applied.
    fn changed(
        &self,
        rows: &RecordBatch,
        stored: &[Column],
        changes: &[Change],
        columns: &[Column],
    ) -> Result<RecordBatch, LoadError> {
        let schema = schema(columns);
        if rows.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(schema));
        }
        let changed = || {
            let sql = format!("SELECT {} FROM {ARROW}(?)", values(stored, changes).join(", "));
            let mut select = self.session.prepare(&sql)?;
            let found = select.query_arrow([&ArrowBatchRegistration::new(rows.clone())])?;
            let named = found.map(|found| RecordBatch::try_new(schema.clone(), found.columns().to_vec()));
            let batches = named.collect::<Result<Vec<_>, _>>().map_err(arrow_failure)?;
            concat_batches(&schema, &batches).map_err(arrow_failure)
        };
        changed().map_err(self.session.failed("change the rows of a table in"))
    }

    /// Puts the other table in the place of the first, with the columns that others added.
    fn take_place(&self, table: &str, reshaped: &str, others: &ColumnNames) -> duckdb::Result<()> {
        let (session, keys) = (self.session, &self.target.keys);
        let mut type_of =
            session.prepare(&format!("SELECT type FROM pragma_table_info({}) WHERE name = $1", literal(table)))?;
        for name in others.iter() {
            let declared: String = type_of.query_row([name], |row| row.get(0))?;
            session.execute_batch(&format!("ALTER TABLE {reshaped} ADD COLUMN {} {declared}", quote(name)))?;
        }
        if !others.is_empty() {
            let generated = [system::PRIMARY_KEY.to_owned()];
            let keys = if keys.is_empty() { &generated } else { keys.as_slice() };
            others::copy(session, others, keys, table, reshaped)?;
        }
        let name = quote(self.target.table.table());
        session.execute_batch(&format!("DROP TABLE {table}; ALTER TABLE {reshaped} RENAME TO {name}"))
    }
}

/// What each column after the changes is made of, for a query of the rows as they are stored.
fn values(stored: &[Column], changes: &[Change]) -> Vec<String> {
    let mut values: Vec<(String, String)> =
        stored.iter().map(|column| (column.name.clone(), quote(&column.name))).collect();
    for change in changes {
        match change {
            Change::AddColumn(column) => {
                let null = format!("NULL::{}", (DIALECT.declared_type)(column.column_type));
                values.push((column.name.clone(), null));
            }
            Change::WidenColumn(column) => {
                for (_, value) in values.iter_mut().filter(|(name, _)| *name == column.name) {
                    *value = widened(value, column.column_type);
                }
            }
            Change::RenameColumn { from, to } => {
                for (name, _) in values.iter_mut().filter(|(name, _)| name == from) {
                    name.clone_from(to);
                }
            }
            // The columns do not fit the load's then, which is noticed.
            _ => {}
        }
    }
    values.into_iter().map(|(_, value)| value).collect()
}
