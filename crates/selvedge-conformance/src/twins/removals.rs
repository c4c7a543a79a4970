//! Defects in what is left once something is removed.

use std::fs;

use selvedge_core::{Destination, LoadError, LoadErrorKind, Removal, TableName, TableState};

use super::Broken;
use crate::memory::Content;

/// What [`Destination::remove`] answers.
type Left = Result<Option<TableState>, LoadError>;

pub(super) fn removes_nothing(_: &mut Broken, _: &TableName, found: &TableState, removal: Removal<'_>) -> Left {
    Ok(match removal {
        Removal::Table => None,
        _ => Some(found.clone()),
    })
}

pub(super) fn removes_blindly(broken: &mut Broken, table: &TableName, _: &TableState, removal: Removal<'_>) -> Left {
    broken.memory.remove_by(table, removal, |_, left| left)
}

pub(super) fn removes_all_rejects(
    broken: &mut Broken,
    table: &TableName,
    found: &TableState,
    removal: Removal<'_>,
) -> Left {
    let removal = match removal {
        Removal::RejectsBefore(_) => Removal::RejectsBefore(i64::MAX),
        other => other,
    };
    broken.memory.remove(table, found, removal)
}

pub(super) fn removal_leaves_tombstones(
    broken: &mut Broken,
    table: &TableName,
    _: &TableState,
    removal: Removal<'_>,
) -> Left {
    broken.memory.remove_by(table, removal, |stood, left| Content { tombstones: stood.tombstones.clone(), ..left })
}

pub(super) fn removal_leaves_subrows(
    broken: &mut Broken,
    table: &TableName,
    _: &TableState,
    removal: Removal<'_>,
) -> Left {
    broken.memory.remove_by(table, removal, |stood, left| Content { subrows: stood.subrows.clone(), ..left })
}

/// Keeps what stood before in a file that nobody looks at.
pub(super) fn keeps_backups(broken: &mut Broken, table: &TableName, found: &TableState, removal: Removal<'_>) -> Left {
    let backup = broken.folder.join("backup");
    let copied = fs::create_dir_all(&backup)
        .and_then(|()| fs::copy(broken.folder.join("@").join("t.arrow"), backup.join("t.before")));
    copied.map_err(|cause| LoadError::new(LoadErrorKind::Refused, "the backup failed").with_source(cause))?;
    broken.memory.remove(table, found, removal)
}
