//! One load: one transaction.

use selvedge_core::{LoadError, TableLoad, TableState};

use crate::session::Session;
use crate::target::Target;
use crate::{changes, coalescing, rejects, rows, state, subrows};

/// Applies a load, all or nothing, and returns the state it left.
pub(crate) fn apply(session: &Session, load: &TableLoad) -> Result<TableState, LoadError> {
    // Dropped before the commit, it rolls back.
    let transaction = session.unchecked_transaction().map_err(session.failed("begin a transaction in"))?;
    load.check_planned_on(state::read(session, &load.table)?.as_ref())?;
    let target = Target::root(load);
    let others = changes::apply(session, &target)?;
    coalescing::make_again(session, load)?;
    let written = rows::write(session, &target, load, &others).map_err(session.failed("write rows to"))?;
    for part in &load.subtables {
        subrows::write(session, load, part, &written)?;
    }
    rejects::write(session, load)?;
    let state = load.committed(written.outcome());
    state::write(session, &load.table, &state)?;
    transaction.commit().map_err(session.failed("commit to")).map_err(LoadError::possibly_applied)?;
    Ok(state)
}
