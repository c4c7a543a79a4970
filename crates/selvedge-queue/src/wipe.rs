//! Leaving nothing in the files of what was deleted.

use rusqlite::Connection;

/// Gives every free page back to the file system, whatever it held.
pub(crate) fn give_back_pages(connection: &Connection) -> rusqlite::Result<()> {
    let mut pages = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = pages.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}

/// Empties the log, which holds the pages as they were before; tells whether it is empty, which it is not when somebody reads
/// from it for too long.
pub(crate) fn empty_log(connection: &Connection) -> bool {
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    // A log that cannot be emptied stands as it is, and no commit is lost with it.
    busy.is_ok_and(|busy| busy == 0)
}
