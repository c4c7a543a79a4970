//! A process that loads is killed at any moment, again and again, in one and the same destination.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use selvedge_core::{
    Counts, Destination, LoadErrorKind, LogicalRow, Part, RowOrder, TableLoad, TableName, TableState, Value, system,
};

use crate::child::{self, Task, What, told};
use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::kit::Kit;
use crate::loads::{self, generated_keys, in_order, integers, next, texts};
use crate::place::{Place, Thing};

/// How often the process is killed.
const KILLS: u32 = 24;
/// How much later it is killed than the time before, counted from its first load.
const LATER: Duration = Duration::from_micros(1_700);
/// How long a process may take for its first load.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows a load replaces, and as many it adds.
const HALF: i64 = 100;

/// The two tables that are loaded in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Keyed,
    Keyless,
}

pub(crate) fn kills(place: &Place<'_>) -> Checked {
    for number in 1..=KILLS {
        let task = Task {
            what: What::Load,
            destination: place.folder(Thing::Destination),
            told: place.aside(&format!("told-{number}")),
        };
        std::fs::create_dir_all(place.aside(""))?;
        kill_after(&task, LATER * number)?;
        for kind in [Kind::Keyed, Kind::Keyless] {
            check(place, kind, &told(&task.told)).map_err(|f| f.during(format!("kill {number}, table {kind:?}")))?;
        }
    }
    Ok(())
}

/// Starts a process that loads, and kills it so long after its first load.
fn kill_after(task: &Task, moment: Duration) -> Checked {
    let mut process = child::start(task)?;
    let begun = Instant::now();
    while told(&task.told).is_empty() {
        if let Some(status) = process.try_wait()? {
            return Err(Failure::new(format!("the process that loads ended by itself ({status}), as is told above")));
        }
        if begun.elapsed() > PATIENCE {
            process.kill()?;
            return Err(Failure::new("the process that loads did not load within a minute"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(moment);
    process.kill()?;
    process.wait()?;
    Ok(())
}

/// In the process: loads both tables in turns until it is killed, and tells of each load that is durable.
pub(crate) fn load_for_ever(kit: &Kit, task: &Task) -> Checked {
    let mut told = OpenOptions::new().create(true).append(true).open(&task.told)?;
    let mut destination = kit.open(&task.destination)?;
    loop {
        for kind in [Kind::Keyed, Kind::Keyless] {
            let state = load_next(&mut *destination, kind)?;
            writeln!(told, "{kind:?} {}", state.position.batch)?;
        }
    }
}

fn load_next(destination: &mut dyn Destination, kind: Kind) -> Result<TableState, Failure> {
    let order = destination.capabilities().row_order;
    let state = destination.state(&kind.table()?)?;
    Ok(destination.load(&kind.load(state.as_ref(), order)?)?)
}

impl Kind {
    fn table(self) -> Result<TableName, Failure> {
        loads::table(match self {
            Self::Keyed => "keyed",
            Self::Keyless => "keyless",
        })
    }

    /// The load that follows a state: it depends on the number of loads before it and on nothing else.
    fn load(self, planned_on: Option<&TableState>, order: RowOrder) -> Result<TableLoad, Failure> {
        let number = planned_on.map_or(0, |state| state.position.batch.cast_signed()) + 1;
        let ids = number * HALF..(number + 2) * HALF;
        let mut columns = vec![
            integers("id", ids.clone()),
            texts("note", ids.clone().map(|id| format!("{id} as of load {number}"))),
            integers(system::SEQUENCE, ids.clone().map(|_| number)),
        ];
        let keys: &[&str] = match self {
            Self::Keyed => &["id"],
            Self::Keyless => {
                columns.push(generated_keys(ids.map(|id| number * 1_000_000 + id)));
                &[]
            }
        };
        let mut load = next(&self.table()?, planned_on, keys, columns)?;
        load.rejects = loads::rejects(&load.table, &[number])?;
        in_order(load, order)
    }

    /// What stands after so many loads: the number of the load that brought each row, by key.
    fn rows_after(self, loads: i64) -> BTreeMap<Value, i64> {
        let mut rows = BTreeMap::new();
        for number in 1..=loads {
            for id in number * HALF..(number + 2) * HALF {
                let key = match self {
                    Self::Keyed => Value::Integer(id),
                    Self::Keyless => Value::String(format!("00000000-0000-8000-8000-{:012}", number * 1_000_000 + id)),
                };
                rows.insert(key, number);
            }
        }
        rows
    }
}

/// Checks that the table holds whole loads, all that were told of and at most one more, and that the next load is planned
/// on just that.
fn check(place: &Place<'_>, kind: Kind, told: &[String]) -> Checked {
    let table = kind.table()?;
    let state = state_once_free(place, &table)?;
    let loads = state.as_ref().map_or(0, |state| state.position.batch.cast_signed());
    let prefix = format!("{kind:?} ");
    let durable = told.iter().filter_map(|line| line.strip_prefix(&prefix)?.parse::<i64>().ok()).max();
    if let Some(durable) = durable {
        ensure(loads == durable || loads == durable + 1, || {
            format!("load {durable} was durable, and the position is that of load {loads}")
        })?;
    }
    let Some(state) = state else { return Ok(()) };
    let view = place.view(&table)?;
    let number = |row: &LogicalRow| match row.get(system::SEQUENCE) {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    };
    let found = view.rows.iter().filter_map(|(key, row)| Some((key.first()?.clone(), number(row)))).collect();
    let expected = kind.rows_after(loads);
    ensure(expected == found, || {
        let (expected, found) = (expected.len(), found.len());
        format!("the rows are not those of {loads} loads: expected {expected} of them, found {found}, or other ones")
    })?;
    let counts = Counts {
        loaded: 2 * HALF.unsigned_abs() * loads.unsigned_abs(),
        superseded: 0,
        rejected: loads.unsigned_abs(),
        live_rows: expected.len() as u64,
    };
    ensure_equal(&state.counts, &counts, format!("the counts after {loads} loads"))?;
    let mut rejects = 0;
    place.look()?.read(&table, Part::Rejects, &mut |_, batch| {
        rejects += batch.num_rows() as u64;
        ControlFlow::Continue(())
    })?;
    ensure_equal(&rejects, &counts.rejected, format!("the rejected records after {loads} loads"))
}

/// The state, once the killed process has let the destination go: what it held may be free a moment after its end.
fn state_once_free(place: &Place<'_>, table: &TableName) -> Result<Option<TableState>, Failure> {
    let begun = Instant::now();
    loop {
        match place.state(table) {
            Err(error) if error.kind() == LoadErrorKind::Unavailable && begun.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            state => return Ok(state?),
        }
    }
}
