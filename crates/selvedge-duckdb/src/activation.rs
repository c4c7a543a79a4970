//! Removing what a version that is activated leaves behind.

use selvedge_core::{LoadError, Nesting, SubtableLoad, TableLoad};

use crate::dialect::DIALECT;
use crate::session::Session;
use crate::tombstones::Tombstones;

/// Removes the rows below the version that a load activates, with their subrows and such tombstones. Returns how many rows
/// it removed.
///
/// This comes after the rows of the load, so that one which takes the place of a row below keeps what others added to it.
pub(crate) fn apply(
    session: &Session,
    load: &TableLoad,
    nesting: Nesting,
    tombstones: &Tombstones,
) -> Result<u64, LoadError> {
    let Some(version) = load.active_version.filter(|_| load.activates() && load.planned_on.is_some()) else {
        return Ok(0);
    };
    let failed = session.failed("remove the rows of lower versions from");
    if nesting == Nesting::Flat {
        for SubtableLoad { subtable, .. } in &load.subtables {
            let name = subtable.table_name(&load.table)?;
            let statement = DIALECT.delete_rows_below(&name, &subtable.columns, version);
            session.execute_batch(&statement).map_err(&failed)?;
        }
    }
    tombstones.remove_below(session, version).map_err(&failed)?;
    let statement = DIALECT.delete_rows_below(&load.table, &load.columns, version);
    let removed = session.execute(&statement, []).map_err(&failed)?;
    Ok(removed as u64)
}
