//! One load: one transaction.

use selvedge_core::{LoadError, Outcome, TableLoad, TableState};

use crate::nesting;
use crate::session::Session;
use crate::subrows::Subrows;
use crate::target::Target;
use crate::tombstones::Tombstones;
use crate::{activation, changes, coalescing, nested, rejects, rows, state};
use selvedge_core::Nesting;

/// Applies a load, all or nothing, and returns the state it left. A table that it makes is nested as is said.
pub(crate) fn apply(session: &Session, load: &TableLoad, nesting: Nesting) -> Result<TableState, LoadError> {
    let tombstones = Tombstones::found_by(session, load)?;
    // Dropped before the commit, it rolls back.
    let transaction = session.unchecked_transaction().map_err(session.failed("begin a transaction in"))?;
    let found = state::read(session, &load.table)?;
    load.check_planned_on(found.as_ref().map(|found| &found.state))?;
    let nesting = found.as_ref().map_or(nesting, |found| found.nesting);
    let outcome = match nesting {
        Nesting::Flat => write_flat(session, load, &tombstones)?,
        Nesting::Native => nested::write(session, load, &tombstones)?,
    };
    rejects::write(session, load)?;
    let state = load.committed(outcome);
    state::write(session, &load.table, &state)?;
    if found.is_none() {
        nesting::note(session, &load.table, nesting)?;
    }
    transaction.commit().map_err(session.failed("commit to")).map_err(LoadError::possibly_applied)?;
    Ok(state)
}

/// Writes the rows to the table, and what arrays in them hold to its subtables.
fn write_flat(session: &Session, load: &TableLoad, tombstones: &Tombstones) -> Result<Outcome, LoadError> {
    let target = Target::root(load);
    let planned_on = load.planned_on.as_ref().map(|state| state.columns.as_slice());
    let others = changes::apply(session, &target, planned_on, &load.changes)?;
    coalescing::make_again(session, load)?;
    let subtables: Vec<Subrows<'_>> =
        load.subtables.iter().map(|part| Subrows::fitting(session, load, part)).collect::<Result<_, _>>()?;
    let written = rows::write(session, &target, load, &load.rows, &others, tombstones)?;
    for subtable in &subtables {
        subtable.write(session, &written)?;
    }
    let left_behind = activation::apply(session, load, Nesting::Flat, tombstones)?;
    Ok(written.outcome(left_behind))
}
