//! Defects in what is remembered, and when it is written.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use arrow_array::{RecordBatch, UInt32Array};
use selvedge_core::{
    Change, Column, Destination, LoadError, LoadErrorKind, Position, Subtable, SubtableLoad, TableLoad, TableName,
    TableState, rejected, schema, tombstone,
};

use super::Broken;

/// The table of that name that no integration has.
fn plain(table: &TableName) -> Result<TableName, LoadError> {
    TableName::new(None, table.table())
        .map_err(|cause| LoadError::new(LoadErrorKind::Refused, "give it another name").with_source(cause))
}

pub(super) fn one_schema_state(broken: &mut Broken, table: &TableName) -> Result<Option<TableState>, LoadError> {
    broken.memory.state(&plain(table)?)
}

pub(super) fn one_schema_load(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let table = plain(&load.table)?;
    loads_anyway(broken, &TableLoad { table, ..load.clone() })
}

pub(super) fn forgets_tables_state(broken: &mut Broken, table: &TableName) -> Result<Option<TableState>, LoadError> {
    if broken.loads == 0 { Ok(None) } else { broken.memory.state(table) }
}

/// Applies a load to whatever stands, as if it had been planned on that.
pub(super) fn loads_anyway(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let found = broken.memory.state(&load.table)?;
    let mut load = load.clone();
    if let Some(state) = &found {
        load.changes = missing(&load.changes, &state.columns);
        for subtable in &mut load.subtables {
            if let Some(Subtable { columns, .. }) = state.subtable(&subtable.subtable.name) {
                subtable.changes = missing(&subtable.changes, columns);
            }
        }
    }
    load.planned_on = found;
    broken.memory.load(&load)
}

/// Those of the changes that add a column there is not yet.
fn missing(changes: &[Change], columns: &[Column]) -> Vec<Change> {
    let is_new = |new: &Column| columns.iter().all(|column| column.name != new.name);
    changes.iter().filter(|change| matches!(change, Change::AddColumn(column) if is_new(column))).cloned().collect()
}

/// The states of all destinations in this process.
static STATES: LazyLock<Mutex<HashMap<(PathBuf, TableName), TableState>>> = LazyLock::new(Mutex::default);

pub(super) fn state_elsewhere_state(broken: &mut Broken, table: &TableName) -> Result<Option<TableState>, LoadError> {
    let states = STATES.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(states.get(&(broken.folder.clone(), table.clone())).cloned())
}

pub(super) fn state_elsewhere_load(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load.check_planned_on(state_elsewhere_state(broken, &load.table)?.as_ref())?;
    let mut anyway = load.clone();
    if broken.memory.state(&load.table)?.is_none() {
        anyway.changes = vec![Change::CreateTable(load.columns.clone())];
    }
    let state = loads_anyway(broken, &anyway)?;
    let mut states = STATES.lock().unwrap_or_else(PoisonError::into_inner);
    states.insert((broken.folder.clone(), load.table.clone()), state.clone());
    Ok(state)
}

pub(super) fn short_numbers(broken: &mut Broken, table: &TableName) -> Result<Option<TableState>, LoadError> {
    let short = |state: TableState| {
        let position = Position { batch: state.position.batch & u64::from(u32::MAX), ..state.position };
        TableState { position, ..state }
    };
    Ok(broken.memory.state(table)?.map(short))
}

/// Remembers what stands, but not which version is active.
pub(super) fn forgets_active_version(broken: &mut Broken, table: &TableName) -> Result<Option<TableState>, LoadError> {
    let forgetful = |state| TableState { active_version: None, ..state };
    Ok(broken.memory.state(table)?.map(forgetful))
}

pub(super) fn counts_for_itself(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let counts = load.planned_on.as_ref().map(|state| state.counts).unwrap_or_default();
    broken.memory.load(&TableLoad { counts, ..load.clone() })
}

/// Where a table is before its first load.
fn before(load: &TableLoad) -> Position {
    load.planned_on.as_ref().map_or(Position { batch: 0, record: 0, ..load.to }, |state| state.position)
}

/// The same load with the changes alone.
fn without_rows(load: &TableLoad) -> TableLoad {
    let empty = |subtable: &SubtableLoad| SubtableLoad {
        rows: RecordBatch::new_empty(schema(&subtable.subtable.columns)),
        roots: UInt32Array::from(Vec::<u32>::new()),
        ..subtable.clone()
    };
    TableLoad {
        rows: RecordBatch::new_empty(schema(&load.columns)),
        subtables: load.subtables.iter().map(empty).collect(),
        deletes: tombstone::none(&load.columns, &load.keys),
        activations: 0,
        rejects: rejected::none(),
        superseded: 0,
        ..load.clone()
    }
}

/// The same load once its changes are made.
fn without_changes(load: &TableLoad) -> TableLoad {
    let unchanged = |subtable: &SubtableLoad| SubtableLoad { changes: Vec::new(), ..subtable.clone() };
    let subtables = load.subtables.iter().map(unchanged).collect();
    TableLoad { changes: Vec::new(), subtables, ..load.clone() }
}

pub(super) fn changes_first(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    if load.changes.is_empty() && load.subtables.iter().all(|subtable| subtable.changes.is_empty()) {
        return broken.memory.load(load);
    }
    load.check_planned_on(broken.memory.state(&load.table)?.as_ref())?;
    let active_version = load.planned_on.as_ref().and_then(|state| state.active_version);
    let changes = TableLoad { to: before(load), active_version, ..without_rows(load) };
    let state = broken.memory.load(&changes)?;
    broken.memory.load(&TableLoad { planned_on: Some(state), ..without_changes(load) })
}

/// The time between the two commits: long beside what they take, so that a kill finds it also on a slow disk.
const BETWEEN: Duration = Duration::from_millis(200);

pub(super) fn rows_first(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let rows = TableLoad { to: before(load), ..load.clone() };
    let state = broken.memory.load(&rows)?;
    thread::sleep(BETWEEN);
    let rest = without_changes(&without_rows(load));
    broken.memory.load(&TableLoad { counts: state.counts, planned_on: Some(state), ..rest })
}
