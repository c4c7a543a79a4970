//! A process that loads is killed at any moment, again and again, in one and the same destination.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use selvedge_core::{
    Counts, Destination, LoadErrorKind, Part, RowOrder, SOURCE_KEY_PREFIX, TableLoad, TableName, TableState, Value,
    level_id, system,
};

use crate::child::{self, Task, What, told};
use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::kit::Kit;
use crate::loads::{self, Elements, generated_key, generated_keys, in_order, integers, next, texts};
use crate::place::{Cells, Place, Thing};

/// How often the process is killed: each time later, until twice the time of a load.
const KILLS: u32 = 24;
/// How often it is killed while it opens a new destination and loads for the first time.
const KILLS_IN_THE_FIRST_LOAD: u32 = 8;
/// How long a process may take for a load.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows a load replaces, and as many it adds.
const HALF: i64 = 100;
/// Every so many loads a version is activated.
const LOADS_OF_A_VERSION: i64 = 8;

/// How many elements a row has in its array.
fn elements(id: i64) -> usize {
    usize::try_from(id % 3).unwrap_or_default()
}

/// The two tables that are loaded in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Keyed,
    Keyless,
}

pub(crate) fn kills(place: &Place<'_>) -> Checked {
    let mut until_first_load = Duration::ZERO;
    for number in 1..=KILLS {
        let task = task(place, number)?;
        let loads = f64::from(number) * 2.0 / f64::from(KILLS);
        until_first_load = kill_in_a_later_load(&task, loads)?;
        check_both(place, &task).map_err(|failure| failure.during(format!("kill {number}")))?;
    }
    for number in 1..=KILLS_IN_THE_FIRST_LOAD {
        let place = Place::new(place.kit)?;
        let task = task(&place, number)?;
        let moment = until_first_load.mul_f64(f64::from(number) / f64::from(KILLS_IN_THE_FIRST_LOAD));
        kill_at(&task, moment)?;
        check_both(&place, &task).map_err(|failure| failure.during(format!("kill {number} in a first load")))?;
    }
    Ok(())
}

fn task(place: &Place<'_>, number: u32) -> Result<Task, Failure> {
    fs::create_dir_all(place.aside(""))?;
    let told = place.aside(&format!("told-{number}"));
    Ok(Task { what: What::Load, destination: place.folder(Thing::Destination), told })
}

fn check_both(place: &Place<'_>, task: &Task) -> Checked {
    let told = told(&task.told);
    [Kind::Keyed, Kind::Keyless]
        .into_iter()
        .try_for_each(|kind| check(place, kind, &told).map_err(|failure| failure.during(format!("table {kind:?}"))))
}

/// Kills a process so long after its start.
fn kill_at(task: &Task, moment: Duration) -> Checked {
    let mut process = child::start(task)?;
    thread::sleep(moment);
    kill(&mut process)
}

/// Kills a process that would have gone on.
fn kill(process: &mut Child) -> Checked {
    process.kill()?;
    let status = process.wait()?;
    ensure(status.code().is_none(), || format!("the process that loads ended by itself ({status}), as is told above"))
}

/// Lets a process load twice, and kills it so many times of a load later. Returns how long it took for the first.
fn kill_in_a_later_load(task: &Task, loads: f64) -> Result<Duration, Failure> {
    let started = Instant::now();
    let mut process = child::start(task)?;
    let first = wait_until_told(task, 1, &mut process)?;
    let second = wait_until_told(task, 2, &mut process)?;
    thread::sleep(second.duration_since(first).mul_f64(loads));
    kill(&mut process)?;
    Ok(first.duration_since(started))
}

/// The moment when the process had told of so many loads.
fn wait_until_told(task: &Task, loads: usize, process: &mut Child) -> Result<Instant, Failure> {
    let begun = Instant::now();
    while told(&task.told).len() < loads {
        if let Some(status) = process.try_wait()? {
            return Err(Failure::new(format!("the process that loads ended by itself ({status}), as is told above")));
        }
        if begun.elapsed() > PATIENCE {
            process.kill()?;
            return Err(Failure::new("the process that loads did not load within a minute"));
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(Instant::now())
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
        let rows = self.rows(number);
        let ids = || rows.iter().map(|(id, _)| *id);
        let mut columns = vec![
            integers("id", ids()),
            texts("note", ids().map(|id| format!("{id} as of load {number}"))),
            integers(system::SEQUENCE, rows.iter().map(|(_, sequence)| *sequence)),
            integers(system::TABLE_VERSION, ids().map(|_| version(number))),
        ];
        let keys: &[&str] = match self {
            Self::Keyed => &["id"],
            Self::Keyless => {
                columns.push(generated_keys(ids().map(|id| number * 1_000_000 + id)));
                &[]
            }
        };
        let mut load = next(&self.table()?, planned_on, keys, columns)?;
        let deletes = self.deletes(number);
        let each = |value: i64| deletes.iter().map(move |_| value);
        let newness =
            vec![integers(system::SEQUENCE, each(number)), integers(system::TABLE_VERSION, each(version(number)))];
        let ids_deleted = vec![integers("id", deletes.iter().copied())];
        loads::delete(&mut load, [ids_deleted, newness].concat())?;
        load.active_version = active_version(number);
        load.activations = u64::from(load.activates());
        let lengths: Vec<usize> = ids().map(elements).collect();
        let values = ids().flat_map(|id| vec![number; elements(id)]);
        Elements::of(&["items"], &lengths, vec![integers("load", values)]).join(&mut load)?;
        load.rejects = loads::rejects(&load.table, &[number])?;
        in_order(load, order)
    }

    /// The ids that a load brings, each with its sequence. In the keyed table some come too late: the load before deleted them.
    fn rows(self, number: i64) -> Vec<(i64, i64)> {
        let late = match self {
            Self::Keyed => tenths(number - 2),
            Self::Keyless => Vec::new(),
        };
        let late = late.into_iter().map(|id| (id, number - 2));
        late.chain((number * HALF..(number + 2) * HALF).map(|id| (id, number))).collect()
    }

    /// The ids that a load deletes.
    fn deletes(self, number: i64) -> Vec<i64> {
        match self {
            Self::Keyed => tenths(number - 1),
            Self::Keyless => Vec::new(),
        }
    }

    /// What stands after so many loads.
    fn after(self, loads: i64) -> After {
        let mut after = After::default();
        for number in 1..=loads {
            if active_version(number) != active_version(number - 1) {
                after.newest.retain(|_, newest| Some(newest.version) >= active_version(number));
                after.loaded += 1;
            }
            let rows = self.rows(number).into_iter().map(|(id, sequence)| (id, sequence, Some(elements(id))));
            let deletes = self.deletes(number).into_iter().map(|id| (id, number, None));
            for (id, sequence, elements) in rows.chain(deletes) {
                let key = match self {
                    Self::Keyed => Value::Integer(id),
                    Self::Keyless => Value::String(generated_key(number * 1_000_000 + id)),
                };
                after.put(key, Newest { version: version(number), sequence, load: number, elements });
            }
        }
        after
    }
}

/// A tenth of the ids that a load brings first.
fn tenths(number: i64) -> Vec<i64> {
    (number * HALF..(number + 1) * HALF).filter(|id| *id >= HALF && id % 10 == 0).collect()
}

/// The version of all that a load brings.
fn version(number: i64) -> i64 {
    number / LOADS_OF_A_VERSION
}

/// The version that is active after a load: each is activated with the first load of it.
fn active_version(number: i64) -> Option<i64> {
    Some(version(number)).filter(|version| *version > 0)
}

/// What has to stand after some loads.
#[derive(Debug, Default)]
struct After {
    newest: BTreeMap<Value, Newest>,
    loaded: u64,
    superseded: u64,
}

/// What is newest of a key.
#[derive(Debug)]
struct Newest {
    version: i64,
    sequence: i64,
    /// The load that brought it.
    load: i64,
    /// How many elements its row has; `None` of a tombstone.
    elements: Option<usize>,
}

impl After {
    fn put(&mut self, key: Value, newcomer: Newest) {
        let age = |newest: &Newest| (newest.version, newest.sequence);
        if self.newest.get(&key).is_some_and(|stands| age(stands) > age(&newcomer)) {
            self.superseded += 1;
        } else {
            self.loaded += 1;
            self.newest.insert(key, newcomer);
        }
    }

    /// The rows, by key: each with its sequence, the load that brought it, and how many elements it has.
    fn rows(&self) -> BTreeMap<&Value, (i64, i64, usize)> {
        let row = |(key, newest): (_, &Newest)| Some((key, (newest.sequence, newest.load, newest.elements?)));
        self.newest.iter().filter_map(row).collect()
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
    let expected = kind.after(loads);
    let rows = expected.rows();
    check_rows(place, kind, &rows).map_err(|failure| failure.during(format!("after {loads} loads")))?;
    let counts = Counts {
        loaded: expected.loaded,
        superseded: expected.superseded,
        rejected: loads.unsigned_abs(),
        live_rows: rows.len() as u64,
    };
    ensure_equal(&state.counts, &counts, format!("the counts after {loads} loads"))?;
    let mut rejects = 0;
    place.look()?.read(&table, Part::Rejects, &mut |_, batch| {
        rejects += batch.num_rows() as u64;
        ControlFlow::Continue(())
    })?;
    ensure_equal(&rejects, &counts.rejected, format!("the rejected records after {loads} loads"))
}

/// Checks that these rows stand, and their subrows, and no other.
fn check_rows(place: &Place<'_>, kind: Kind, expected: &BTreeMap<&Value, (i64, i64, usize)>) -> Checked {
    let key = match kind {
        Kind::Keyed => "id",
        Kind::Keyless => system::PRIMARY_KEY,
    };
    let check = |part: Part<'_>, columns: &[&str], expected: Cells| {
        let found = place.cells(&kind.table()?, part, columns)?;
        ensure(expected == found, || {
            let (expected, found) = (expected.len(), found.len());
            format!(
                "the rows of {part:?} are not those of the loads: expected {expected}, found {found}, or other ones"
            )
        })
    };
    let number = |number: i64| Some(Value::Integer(number));
    let rows = expected.iter().map(|(key, (sequence, ..))| vec![Some((*key).clone()), number(*sequence)]);
    check(Part::Rows, &[key, system::SEQUENCE], rows.collect())?;
    let subrows = expected.iter().flat_map(|(key, (_, load, elements))| {
        (0..).take(*elements).map(|at| vec![Some((*key).clone()), number(at), number(*load)])
    });
    let subtable = format!("{}__items", kind.table()?.table());
    let columns = [format!("{SOURCE_KEY_PREFIX}{key}"), level_id(0), "load".to_owned()];
    check(Part::Subtable(&subtable), &columns.each_ref().map(String::as_str), subrows.collect())
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
