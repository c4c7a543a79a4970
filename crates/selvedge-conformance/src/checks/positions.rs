//! The position, and what it keeps from happening twice.

use selvedge_core::{Applied, Counts, Epoch, LoadError, LoadErrorKind, Position, QueueId, TableState, system};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Values, generated_keys, integers, next, texts};
use crate::place::{Place, ensure_state};

fn row(id: i64) -> Vec<Values> {
    vec![integers("id", [id]), generated_keys([id]), integers(system::SEQUENCE, [id])]
}

/// A load that has to fail as stale; `what` tells which.
fn refuse_as_stale(loaded: Result<TableState, LoadError>, what: &str) -> Checked {
    let error = loaded.err().ok_or_else(|| Failure::new(format!("{what} was applied")))?;
    let found = (error.kind(), error.applied());
    ensure(found == (LoadErrorKind::Stale, Applied::No), || {
        format!("{what} has to fail as Stale, certainly not applied; found {found:?}: {error}")
    })
}

pub(crate) fn stale(place: &Place<'_>) -> Checked {
    for keys in [&["id"][..], &[]] {
        let table = loads::table(if keys.is_empty() { "keyless" } else { "keyed" })?;
        let first = place.load(&next(&table, None, keys, row(1))?)?;
        let second = place.load(&next(&table, Some(&first), keys, row(2))?)?;
        let view = place.view(&table)?;

        let mut with_new_column = row(3);
        with_new_column.push(texts("late", ["x"]));
        let other_counts = TableState { counts: Counts { loaded: 1, ..second.counts }, ..second.clone() };
        let other_queue =
            TableState { position: Position { queue: QueueId::random(), ..second.position }, ..second.clone() };
        let other_epoch =
            TableState { position: Position { epoch: Epoch::random(), ..second.position }, ..second.clone() };
        let plans = [
            ("a load planned on no table", next(&table, None, keys, row(3))?),
            ("a load planned on an older state", next(&table, Some(&first), keys, row(3))?),
            ("a load planned on an older state, with a column", next(&table, Some(&first), keys, with_new_column)?),
            ("a load planned on other counts", next(&table, Some(&other_counts), keys, row(3))?),
            ("a load planned on another queue's position", next(&table, Some(&other_queue), keys, row(3))?),
            ("a load planned on another epoch's position", next(&table, Some(&other_epoch), keys, row(3))?),
            ("a load without rows planned on an older state", next(&table, Some(&first), keys, no_row())?),
        ];
        for (what, load) in &plans {
            refuse_as_stale(place.open()?.load(load), what)?;
            ensure_state(place.state(&table)?.as_ref(), Some(&second), format!("the state after {what}"))?;
            ensure_equal(&place.view(&table)?, &view, format!("the rows after {what}"))?;
        }
        let other = loads::table(if keys.is_empty() { "no_keyless" } else { "no_keyed" })?;
        refuse_as_stale(place.open()?.load(&next(&other, Some(&second), keys, row(3))?), "a load planned on a table")?;
        ensure_equal(&place.state(&other)?, &None, "the state of a table that was never loaded")?;
    }
    Ok(())
}

fn no_row() -> Vec<Values> {
    let none: [i64; 0] = [];
    vec![integers("id", none), generated_keys(none), integers(system::SEQUENCE, none)]
}

pub(crate) fn applied_twice(place: &Place<'_>) -> Checked {
    for keys in [&["id"][..], &[]] {
        let table = loads::table(if keys.is_empty() { "keyless" } else { "keyed" })?;
        let mut state: Option<TableState> = None;
        for id in 1..=3 {
            let load = next(&table, state.as_ref(), keys, row(id))?;
            let loaded = place.load(&load)?;
            // By the handle that loaded, and by the next one.
            let mut destination = place.open()?;
            refuse_as_stale(destination.load(&load), "the same load again")?;
            refuse_as_stale(destination.load(&load), "the same load a third time")?;
            state = Some(loaded);
        }
        let counted = place.look()?.count(&table)?;
        ensure_equal(&counted.map(|counted| counted.rows), &Some(3), "the rows after loads that were repeated")?;
    }
    Ok(())
}

pub(crate) fn kept(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let mut state: Option<TableState> = None;
    let large = i64::MAX.unsigned_abs();
    for (batch, record) in [(1, 0), (1, 7), (2, 20_000), (1 << 40, 1), (large, large)] {
        let (queue, epoch) = (QueueId::random(), Epoch::random());
        let to = Position { queue, epoch, batch, record };
        let mut load = next(&table, state.as_ref(), &["id"], row(1))?;
        load.to = to;
        let loaded = place.load(&load)?;
        ensure_equal(&loaded.position, &to, "the position after a load to it")?;
        state = Some(loaded);
    }
    Ok(())
}

pub(crate) fn counts(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let mut load = next(&table, None, &["id"], row(1))?;
    load.superseded = 4;
    let first = place.load(&load)?;
    let expected = Counts { loaded: 1, superseded: 4, rejected: 0, live_rows: 1 };
    ensure_equal(&first.counts, &expected, "the counts of a load in which 4 records lost")?;

    // As when the table is taken over from another queue: only the rows that stand are counted on.
    let mut load = next(&table, Some(&first), &["id"], row(2))?;
    load.counts = Counts { live_rows: first.counts.live_rows, ..Counts::default() };
    let second = place.load(&load)?;
    let expected = Counts { loaded: 1, superseded: 0, rejected: 0, live_rows: 2 };
    ensure_equal(&second.counts, &expected, "the counts of a load that brings counts of its own")
}
