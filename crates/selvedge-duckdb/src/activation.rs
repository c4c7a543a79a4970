//! Removing what a version that is activated leaves behind.

use selvedge_core::{LoadError, Nesting, TableLoad};

use crate::dialect::DIALECT;
use crate::keys::root_keys;
use crate::session::Session;
use crate::tombstones::Tombstones;

/// Removes the rows below the version that a load activates, with their subrows and such tombstones. Returns how many rows
/// it removed.
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
        let keys = root_keys(&load.keys);
        for part in &load.subtables {
            let statement = DIALECT.delete_subrows_below(&load.table, &load.columns, &keys, &part.subtable, version)?;
            session.execute_batch(&statement).map_err(&failed)?;
        }
    }
    tombstones.remove_below(session, version).map_err(&failed)?;
    let statement = DIALECT.delete_rows_below(&load.table, &load.columns, version);
    let removed = session.execute(&statement, []).map_err(&failed)?;
    Ok(removed as u64)
}
