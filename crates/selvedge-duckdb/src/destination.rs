//! The destination and its settings.

use std::num::NonZero;
use std::path::Path;

use selvedge_core::{Capabilities, Destination, LoadError, Removal, RowOrder, TableLoad, TableName, TableState};

use crate::instance::{DEFAULT_MEMORY_LIMIT_BYTES, Instance};
use crate::session::Access;
use crate::{coalescing, load, removal, state};
use selvedge_core::Nesting;

/// What may be set about DuckDB's memory aside.
const CAPABILITIES: Capabilities = Capabilities {
    kind: "duckdb",
    row_order: RowOrder::Any,
    worthwhile_records: 200_000,
    memory_bytes: DEFAULT_MEMORY_LIMIT_BYTES,
};

/// A DuckDB file as a destination.
///
/// The file belongs to the program that has it open, and this destination has it only during a call. Within one program
/// DuckDB cannot tell two users of a file apart: while an engine runs, do not open its file through DuckDB in the same
/// process, except by a [`DuckDbReader`](crate::DuckDbReader).
#[derive(Debug)]
pub struct DuckDb {
    instance: Instance,
    settings: Settings,
    capabilities: Capabilities,
}

/// What may be set about the tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// How objects and arrays are kept in tables that are new; those that stand stay as they are. Default:
    /// [`Nesting::Flat`].
    pub nesting: Nesting,
}

impl DuckDb {
    /// Takes a file and makes it unless it stands, with the default [`Settings`]. A file that another program has open is no
    /// error here: loads wait for it.
    ///
    /// # Errors
    /// [`Refused`](selvedge_core::LoadErrorKind::Refused) when it cannot be opened or is no DuckDB database,
    /// [`Full`](selvedge_core::LoadErrorKind::Full) when there is no room to make it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::open_with(path, Settings::default())
    }

    /// Takes a file as [`open`](Self::open) does, with settings.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, settings: Settings) -> Result<Self, LoadError> {
        Ok(Self { instance: Instance::new(path.as_ref(), Access::Load)?, settings, capabilities: CAPABILITIES })
    }

    /// How much memory DuckDB may use, in bytes; 128 MiB unless set. What does not fit goes to a folder beside the file.
    #[must_use]
    pub fn memory_limit(self, bytes: usize) -> Self {
        let capabilities = Capabilities { memory_bytes: bytes, ..self.capabilities };
        Self { instance: self.instance.memory_limit(bytes), capabilities, ..self }
    }

    /// How many threads DuckDB may use; 2 unless set.
    #[must_use]
    pub fn threads(self, threads: NonZero<usize>) -> Self {
        Self { instance: self.instance.threads(threads), ..self }
    }

    /// Makes a view of a table beside it, in which a path whose values are of several types is one column, as
    /// [`Dialect::coalescing_view`](selvedge_sql::Dialect::coalescing_view) says. A view of that name is replaced.
    ///
    /// Loads that change the table's columns make the view again, so that it has them all.
    ///
    /// # Errors
    /// [`Refused`](selvedge_core::LoadErrorKind::Refused) when the table was never loaded, when no table may have the view's
    /// name, or one has it.
    pub fn create_coalescing_view(&mut self, table: &TableName, view: &str) -> Result<(), LoadError> {
        self.instance.with_file(Access::Load, |session| coalescing::create(session, table, view))
    }
}

impl Destination for DuckDb {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        let found = self.instance.with_file(Access::Load, |session| state::read(session, table))?;
        Ok(found.map(|found| found.state))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        self.instance.with_file(Access::Load, |session| load::apply(session, load, self.settings.nesting))
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.instance.with_file(Access::Load, |session| removal::apply(session, table, found, removal))
    }
}
