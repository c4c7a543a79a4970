//! A destination in memory that keeps the contract of the trait, shows what it holds, and fails when told to.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use selvedge_core::{
    Capabilities, Destination, IntegrationName, LoadError, LoadErrorKind, Outcome, Removal, RowOrder, TableLoad,
    TableName, TableState, rejected, system,
};

use crate::{LONG, table};

const CAPABILITIES: Capabilities =
    Capabilities { kind: "memory", row_order: RowOrder::Any, worthwhile_records: 1, memory_bytes: 0 };

/// What a call does other than succeed.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// Fails without an effect.
    Fails(LoadErrorKind),
    /// Fails without an effect, and nobody knows.
    Unknown,
    /// Fails after it was applied, and nobody knows.
    AppliedUnknown,
    /// Dies without an effect.
    Panics,
    /// Dies after it was applied.
    AppliedPanics,
}

/// A row by column; nulls are left out.
pub(crate) type Row = BTreeMap<String, String>;

/// Clones share what they hold, so a test keeps one and gives the engine another.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    store: Mutex<Store>,
    changed: Condvar,
}

#[derive(Default)]
struct Store {
    tables: BTreeMap<TableName, Table>,
    load_faults: HashMap<TableName, VecDeque<Fault>>,
    state_faults: HashMap<TableName, VecDeque<Fault>>,
    removal_faults: HashMap<TableName, VecDeque<Fault>>,
    away: BTreeSet<TableName>,
    constraints: HashMap<TableName, Constraint>,
    /// How many loads came, applied or not.
    loads: usize,
    held: bool,
    waiting_loads: usize,
}

/// What every row of a table must be.
type Constraint = Box<dyn Fn(&Row) -> bool + Send>;

#[derive(Default, Clone)]
pub(crate) struct Table {
    pub(crate) state: Option<TableState>,
    /// By key, or in a keyless table by order of arrival.
    pub(crate) rows: BTreeMap<Vec<String>, Row>,
    /// The rejected records, in order of arrival.
    pub(crate) rejects: Vec<Row>,
    /// When each of them was rejected.
    rejected_at: Vec<i64>,
    /// How many loads were applied.
    pub(crate) loads: usize,
}

/// While it lives, every load waits.
pub(crate) struct Hold<'m>(&'m Memory);

impl Memory {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows or changes a table behind the engine's back.
    pub(crate) fn edit<T>(&self, name: &str, edit: impl FnOnce(&mut Table) -> T) -> T {
        edit(self.store().tables.entry(table(name)).or_default())
    }

    /// The table as it stands.
    pub(crate) fn table(&self, name: &str) -> Table {
        self.edit(name, |table| table.clone())
    }

    /// One column's values in the order of the keys; rows without one are left out.
    pub(crate) fn column(&self, name: &str, column: &str) -> Vec<String> {
        self.table(name).rows.values().filter_map(|row| row.get(column).cloned()).collect()
    }

    /// The names of the columns of an integration's table.
    pub(crate) fn columns_of(&self, integration: Option<&IntegrationName>, name: &str) -> Vec<String> {
        let table = TableName::new(integration.cloned(), name).unwrap();
        let state = self.store().tables.get(&table).and_then(|table| table.state.clone());
        state.into_iter().flat_map(|state| state.columns).map(|column| column.name).collect()
    }

    /// The next loads of a table fail like this.
    pub(crate) fn fail_loads(&self, name: &str, faults: &[Fault]) {
        self.store().load_faults.entry(table(name)).or_default().extend(faults);
    }

    /// The next looks at a table's state fail like this.
    pub(crate) fn fail_states(&self, name: &str, faults: &[Fault]) {
        self.store().state_faults.entry(table(name)).or_default().extend(faults);
    }

    /// The next removals from a table fail like this.
    pub(crate) fn fail_removals(&self, name: &str, faults: &[Fault]) {
        self.store().removal_faults.entry(table(name)).or_default().extend(faults);
    }

    /// Makes a table, of whichever integration, unavailable until [`come_back`](Self::come_back).
    pub(crate) fn go_away(&self, name: &str) {
        self.store().away.insert(table(name));
    }

    pub(crate) fn come_back(&self, name: &str) {
        self.store().away.remove(&table(name));
    }

    /// From now on a table takes only such rows.
    pub(crate) fn constrain(&self, name: &str, constraint: impl Fn(&Row) -> bool + Send + 'static) {
        self.store().constraints.insert(table(name), Box::new(constraint));
    }

    /// How many loads came to any table, applied or not.
    pub(crate) fn loads(&self) -> usize {
        self.store().loads
    }

    pub(crate) fn hold(&self) -> Hold<'_> {
        self.store().held = true;
        Hold(self)
    }

    /// Waits until `done` is true of a table.
    pub(crate) fn wait_for(&self, name: &str, done: impl Fn(&Table) -> bool) {
        let done = |store: &mut Store| !done(store.tables.entry(table(name)).or_default());
        self.wait_while(done);
    }

    fn wait_while(&self, condition: impl FnMut(&mut Store) -> bool) {
        let waited = self.shared.changed.wait_timeout_while(self.store(), LONG, condition);
        let (_store, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "what the test waits for does not come");
    }

    fn fail(fault: Option<Fault>) -> Result<(), LoadError> {
        let failed = |kind| LoadError::new(kind, format!("the test wants {kind:?}"));
        match fault {
            None | Some(Fault::AppliedUnknown | Fault::AppliedPanics) => Ok(()),
            Some(Fault::Fails(kind)) => Err(failed(kind)),
            Some(Fault::Unknown) => Err(failed(LoadErrorKind::Unavailable).possibly_applied()),
            Some(Fault::Panics) => panic!("the test wants a panic"),
        }
    }
}

impl Hold<'_> {
    /// Waits until a load waits here.
    pub(crate) fn wait_for_load(&self) {
        self.0.wait_while(|store| store.waiting_loads == 0);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.store().held = false;
        self.0.shared.changed.notify_all();
    }
}

impl Store {
    fn next_fault(faults: &mut HashMap<TableName, VecDeque<Fault>>, table: &TableName) -> Option<Fault> {
        faults.get_mut(table).and_then(VecDeque::pop_front)
    }
}

impl Destination for Memory {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        let mut store = self.store();
        Self::fail(Store::next_fault(&mut store.state_faults, table))?;
        Ok(store.tables.get(table).and_then(|table| table.state.clone()))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        let mut store = self.store();
        store.waiting_loads += 1;
        self.shared.changed.notify_all();
        let mut store =
            self.shared.changed.wait_while(store, |store| store.held).unwrap_or_else(PoisonError::into_inner);
        store.waiting_loads -= 1;
        if store.away.iter().any(|away| away.table() == load.table.table()) {
            return Err(LoadError::new(LoadErrorKind::Unavailable, "the test's table is away"));
        }
        store.loads += 1;
        if let Some(constraint) = store.constraints.get(&load.table)
            && (0..load.rows.num_rows()).any(|index| !constraint(&row(&load.rows, index)))
        {
            return Err(LoadError::new(LoadErrorKind::BadRow, "the test's table has a constraint"));
        }
        let fault = Store::next_fault(&mut store.load_faults, &load.table);
        Self::fail(fault)?;
        let applied = store.tables.entry(load.table.clone()).or_default().apply(load)?;
        self.shared.changed.notify_all();
        match fault {
            Some(Fault::AppliedPanics) => panic!("the test wants a panic"),
            Some(Fault::AppliedUnknown) => {
                Err(LoadError::new(LoadErrorKind::Unavailable, "the test lost the answer").possibly_applied())
            }
            _ => Ok(applied),
        }
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let mut store = self.store();
        Self::fail(Store::next_fault(&mut store.removal_faults, table))?;
        if store.tables.get(table).and_then(|table| table.state.as_ref()) != Some(found) {
            return Err(LoadError::new(LoadErrorKind::Stale, "the test's table is at another state"));
        }
        match removal {
            Removal::Table => drop(store.tables.remove(table)),
            Removal::RejectsBefore(moment) => {
                store.tables.entry(table.clone()).and_modify(|table| table.remove_rejects_before(moment));
            }
            _ => return Err(LoadError::new(LoadErrorKind::Refused, "the test's destination cannot remove that")),
        }
        self.shared.changed.notify_all();
        Ok(store.tables.get(table).and_then(|table| table.state.clone()))
    }
}

impl Table {
    /// The steps of [`Destination::load`], but for hard deletes. Columns need no step here: a row holds its own names.
    fn apply(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        load.check_planned_on(self.state.as_ref())?;
        let mut outcome = Outcome::default();
        if load.activates() {
            let before = self.rows.len();
            self.rows.retain(|_, row| age_of(row).0 >= load.active_version);
            outcome.removed_rows = (before - self.rows.len()) as u64;
        }
        for index in 0..load.rows.num_rows() {
            let key = match load.keys.as_slice() {
                [] => vec![format!("{:09}", self.rows.len())],
                keys => keys.iter().map(|key| value(&load.rows, key, index).unwrap()).collect(),
            };
            match self.rows.get(&key) {
                Some(stored) if age_of(stored) > age(&load.rows, index) => outcome.stale_rows += 1,
                Some(_) => drop(self.rows.insert(key, row(&load.rows, index))),
                None => {
                    outcome.new_rows += 1;
                    self.rows.insert(key, row(&load.rows, index));
                }
            }
        }
        self.rejects.extend((0..load.rejects.num_rows()).map(|index| row(&load.rejects, index)));
        let rejected_at = load.rejects.column_by_name(rejected::REJECTED_AT).unwrap();
        self.rejected_at.extend(rejected_at.as_primitive::<TimestampMicrosecondType>().values());
        let state = load.committed(outcome);
        self.state = Some(state.clone());
        self.loads += 1;
        Ok(state)
    }

    fn remove_rejects_before(&mut self, moment: i64) {
        let mut moments = self.rejected_at.iter();
        self.rejects.retain(|_| moments.next().is_some_and(|rejected_at| *rejected_at >= moment));
        self.rejected_at.retain(|rejected_at| *rejected_at >= moment);
    }
}

fn row(rows: &RecordBatch, index: usize) -> Row {
    let names = rows.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    names.into_iter().filter_map(|name| Some((name.clone(), value(rows, &name, index)?))).collect()
}

/// Integers and texts. Moments are left out: they say when a test ran.
fn value(rows: &RecordBatch, name: &str, index: usize) -> Option<String> {
    let column = rows.column_by_name(name).filter(|column| column.is_valid(index))?;
    match column.data_type() {
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(index).to_string()),
        DataType::Utf8 => Some(column.as_string::<i32>().value(index).to_owned()),
        _ => None,
    }
}

type Age = (Option<i64>, Option<i64>);

fn age(rows: &RecordBatch, index: usize) -> Age {
    let number = |name| {
        let column = rows.column_by_name(name)?.as_primitive::<Int64Type>();
        column.is_valid(index).then(|| column.value(index))
    };
    (number(system::TABLE_VERSION), number(system::SEQUENCE))
}

fn age_of(row: &Row) -> Age {
    let number = |name| Some(row.get(name)?.parse().unwrap());
    (number(system::TABLE_VERSION), number(system::SEQUENCE))
}
