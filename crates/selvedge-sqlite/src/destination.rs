//! The destination: a database file.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};
use selvedge_core::{
    Capabilities, Destination, LoadError, LoadErrorKind, Removal, RowOrder, TableLoad, TableName, TableState,
};

use crate::error::Doing;
use crate::settings::CACHE_BYTES;
use crate::{changes, coalescing, deletes, rejects, removal, rows, settings, state, subrows, versions};

/// Rows in the order of the key are written nearly twice as fast as scattered ones, and loads of 100,000 records more than
/// twice as fast, by the record, as loads of 10,000.
const CAPABILITIES: Capabilities =
    Capabilities { kind: "sqlite", row_order: RowOrder::Key, worthwhile_records: 100_000, memory_bytes: CACHE_BYTES };

/// A SQLite database that tables are loaded into.
///
/// Other programs may read it at any time and write to their own tables in it; a load waits two seconds for a writer,
/// then fails as [unavailable](selvedge_core::LoadErrorKind::Unavailable).
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    file: PathBuf,
}

impl Sqlite {
    /// Opens the database `path`, making it if there is none.
    ///
    /// # Errors
    /// When the file cannot be opened, is no SQLite database, or cannot be written durably (in WAL mode, synced at every
    /// commit), as on most network file systems.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let file = path.as_ref().to_owned();
        let connection = settings::open(&file)?;
        Ok(Self { connection, file })
    }

    /// Makes a view of a table beside it, in which a path whose values are of several types is one column, as
    /// [`Dialect::coalescing_view`](selvedge_sql::Dialect::coalescing_view) says. A view of that name is replaced.
    ///
    /// Loads that change the table's columns make the view again, so that it has them all.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`](selvedge_core::LoadErrorKind::Refused) when the table was never loaded, when no table may
    /// have the view's name, or one has it.
    pub fn create_coalescing_view(&mut self, table: &TableName, view: &str) -> Result<(), LoadError> {
        let doing = Doing::viewing(&self.file, table);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|cause| doing.failed(cause))?;
        coalescing::create(&transaction, table, view, &doing)?;
        transaction.commit().map_err(|cause| doing.failed(cause))
    }
}

impl Destination for Sqlite {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        state::read(&self.connection, table, &Doing::reading_state(&self.file, table))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        let doing = Doing::loading(&self.file, &load.table);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|cause| doing.failed(cause))?;
        load.check_planned_on(state::read(&transaction, &load.table, &doing)?.as_ref())?;
        changes::apply(&transaction, load, &doing)?;
        let fates = rows::write(&transaction, load, &doing)?;
        let deleted = deletes::write(&transaction, load, &doing)?;
        subrows::write(&transaction, load, &fates, &deleted, &doing)?;
        let below = versions::write(&transaction, load, &doing)?;
        rejects::write(&transaction, load).map_err(|cause| doing.failed(cause))?;
        let state = load.committed(rows::outcome(&fates, &deleted, below));
        state::write(&transaction, &load.table, &state, &doing)?;
        transaction.commit().map_err(|cause| doing.failed(cause).possibly_applied())?;
        Ok(state)
    }

    /// What somebody wants erased, keys and rejected records, is removed from the files too: see the [crate]'s documentation for
    /// what that takes.
    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let doing = Doing::removing(&self.file, table);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|cause| doing.failed(cause))?;
        check_found(table, found, state::read(&transaction, table, &doing)?.as_ref())?;
        let left = removal::apply(&transaction, table, found, removal, &doing)?;
        transaction.commit().map_err(|cause| doing.failed(cause).possibly_applied())?;
        if matches!(removal, Removal::Keys(_) | Removal::Rejects(_)) {
            removal::forget(&self.connection, &doing).map_err(LoadError::possibly_applied)?;
        }
        Ok(left)
    }
}

/// Checks that a table stands as somebody found it who removes something.
fn check_found(table: &TableName, found: &TableState, stands: Option<&TableState>) -> Result<(), LoadError> {
    if stands == Some(found) {
        return Ok(());
    }
    let message = format!("table {table} was changed since it was looked at; look at it again, then remove");
    Err(LoadError::new(LoadErrorKind::Stale, message))
}
