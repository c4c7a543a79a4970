//! Looking at a destination while somebody loads into it.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use selvedge_core::{Counted, Destination, Inspect, LoadError, LoadErrorKind, Part, TableName, TableState};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Elements, generated_keys, integers, next};
use crate::place::Place;

/// Loads made meanwhile.
const LOADS: i64 = 40;
/// Rows of each.
const ROWS: i64 = 50;
/// How long a reader may hold up a load.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn one_moment(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let mut destination = place.open()?;
    let first = load(&mut *destination, &table, None)?;
    let looks = thread::scope(|scope| {
        let loading = scope.spawn(|| load_all(&mut *destination, &table, first));
        let looks = look_until(|| loading.is_finished(), place, &table);
        loading.join().unwrap_or_else(|_| Err(Failure::new("loading panicked"))).and(looks)
    })?;
    ensure(looks > 0, || "nobody could look while there were loads".to_owned())
}

fn load_all(destination: &mut dyn Destination, table: &TableName, first: TableState) -> Checked {
    (1..LOADS).try_fold(first, |state, _| load(destination, table, Some(&state)))?;
    Ok(())
}

/// Loads once more; a reader may have what is to be written, for a moment.
fn load(
    destination: &mut dyn Destination,
    table: &TableName,
    state: Option<&TableState>,
) -> Result<TableState, Failure> {
    let from = state.map_or(0, |state| state.counts.live_rows.cast_signed());
    let columns = vec![integers("id", from..from + ROWS), generated_keys(from..from + ROWS)];
    let mut load = next(table, state, &[], columns)?;
    Elements::of(&["items"], &[1; ROWS as usize], vec![integers("n", from..from + ROWS)]).join(&mut load)?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(state) = unless_unavailable(destination.load(&load))? {
            return Ok(state);
        }
        thread::yield_now();
    }
    Err(Failure::new("loading was unavailable for a minute"))
}

/// Looks again and again, and returns how often there was something to see.
fn look_until(is_done: impl Fn() -> bool, place: &Place<'_>, table: &TableName) -> Result<usize, Failure> {
    let mut looks = 0;
    loop {
        let last = is_done();
        if let Some(mut destination) = unless_unavailable(place.look())? {
            looks += look(&mut *destination, table)?;
        }
        if last {
            return Ok(looks);
        }
    }
}

fn look(destination: &mut dyn Inspect, table: &TableName) -> Result<usize, Failure> {
    let mut looks = 0;
    if let Some(Some(Counted { state, rows })) = unless_unavailable(destination.count(table))? {
        ensure_equal(&rows, &state.counts.live_rows, "rows counted, and committed with the state they come with")?;
        looks += 1;
    }
    // Each row has one element.
    for part in [Part::Rows, Part::Subtable("t__items")] {
        let (mut rows, mut committed) = (0, None);
        let read = destination.read(table, part, &mut |state, batch| {
            rows += batch.num_rows() as u64;
            committed = Some(state.counts.live_rows);
            ControlFlow::Continue(())
        });
        if unless_unavailable(read)?.is_some() {
            ensure_equal(&Some(rows), &committed, "rows read, and committed with the state they come with")?;
            looks += 1;
        }
    }
    Ok(looks)
}

/// Where one has to wait for the other, it says so.
fn unless_unavailable<T>(result: Result<T, LoadError>) -> Result<Option<T>, Failure> {
    match result {
        Err(error) if error.kind() == LoadErrorKind::Unavailable => Ok(None),
        result => Ok(Some(result?)),
    }
}
