//! Two that load into one destination.

use std::sync::Barrier;
use std::thread;

use selvedge_core::{Applied, Destination, LoadError, LoadErrorKind, TableName, TableState, system};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Values, generated_keys, integers, next};
use crate::place::{Place, ensure_state};

/// How often the two race.
const ROUNDS: u64 = 12;

pub(crate) fn two(place: &Place<'_>) -> Checked {
    for keys in [&["id"][..], &[]] {
        let table = loads::table(if keys.is_empty() { "keyless" } else { "keyed" })?;
        let mut state: Option<TableState> = None;
        for round in 1..=ROUNDS {
            let outcomes = race(place, &table, state.as_ref(), keys)?;
            state = Some(judge(place, &table, state, outcomes).map_err(|f| f.during(format!("round {round}")))?);
        }
    }
    Ok(())
}

/// What came of the load of each of the two, in their order.
type Outcomes = [Result<TableState, LoadError>; 2];

/// The rows of one of the two: in a keyed table they share a key, so that a mixture shows.
fn rows(planned_on: Option<&TableState>, writer: i64) -> Vec<Values> {
    let round = planned_on.map_or(0, |state| state.position.batch.cast_signed());
    let ids = [0, 1, 2].map(|id| id + writer + 100 * round);
    let generated = generated_keys(ids.map(|id| id + 10 * writer));
    vec![integers("id", ids), generated, integers("writer", [writer; 3]), integers(system::SEQUENCE, [round; 3])]
}

/// Lets two load at once, each planned on the same state. One that cannot even open the destination has failed as well.
fn race(
    place: &Place<'_>,
    table: &TableName,
    planned_on: Option<&TableState>,
    keys: &[&str],
) -> Result<Outcomes, Failure> {
    let loads = [1, 2].map(|writer| next(table, planned_on, keys, rows(planned_on, writer)));
    let [first, second] = loads;
    let (first, second) = (&first?, &second?);
    let (mut one, other) = (place.open()?, place.open());
    let start = Barrier::new(2);
    let load = |destination: &mut Box<dyn Destination>, load| {
        start.wait();
        destination.load(load)
    };
    Ok(match other {
        Err(refused) => [one.load(first), Err(refused)],
        Ok(mut other) => thread::scope(|scope| {
            let racing = scope.spawn(|| load(&mut other, second));
            let first = load(&mut one, first);
            let second = racing.join().unwrap_or_else(|_| Err(panicked()));
            [first, second]
        }),
    })
}

fn panicked() -> LoadError {
    LoadError::new(LoadErrorKind::Refused, "the second one panicked").possibly_applied()
}

/// Checks that one of the two loaded and the other was refused for a reason that tells it so; returns the state left.
fn judge(
    place: &Place<'_>,
    table: &TableName,
    before: Option<TableState>,
    outcomes: Outcomes,
) -> Result<TableState, Failure> {
    let (state, error) = match outcomes {
        [Ok(state), Err(error)] | [Err(error), Ok(state)] => (state, error),
        [Ok(_), Ok(_)] => return Err(Failure::new("both loads were applied, planned on the same state")),
        [Err(first), Err(second)] => {
            return Err(Failure::new(format!("neither load was applied: {first}; {second}")));
        }
    };
    let told = matches!(error.kind(), LoadErrorKind::Stale | LoadErrorKind::Unavailable);
    ensure(told && error.applied() == Applied::No, || {
        format!("the second one has to fail as Stale or Unavailable; found {:?}: {error}", error.kind())
    })?;
    ensure_state(place.state(table)?.as_ref(), Some(&state), "the state after two loaded at once")?;
    let view = place.view(table)?;
    ensure_equal(&(view.rows.len() as u64), &state.counts.live_rows, "the rows after two loaded at once")?;
    let loaded = before.map_or(0, |before| before.counts.loaded) + 3;
    ensure_equal(&state.counts.loaded, &loaded, "the records loaded")?;
    Ok(state)
}
