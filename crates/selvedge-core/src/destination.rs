//! The seam: what a destination implements.

use crate::{Capabilities, LoadError, TableLoad, TableName, TableState};

/// Where prepared tables are loaded.
///
/// # What the engine guarantees
/// - One call at a time, from one thread.
/// - The rows of a [`TableLoad`] hold each key once, are typed as [`TableLoad::columns`] says, and have passed every limit
///   and name rule of selvedge. The destination only changes spelling.
/// - Loads of one table arrive in order: each begins from the state the one before returned.
///
/// # What the destination guarantees
/// - Rows, changes and state become visible and durable together or not at all.
/// - State stands where the rows stand, so that restoring one restores the other.
/// - A load planned on another state than the one found has no effect and fails as
///   [stale](crate::LoadErrorKind::Stale), whoever wrote in between.
pub trait Destination: Send {
    /// What preparation has to know of this destination.
    fn capabilities(&self) -> &Capabilities;

    /// The table as it stands, or `None` before its first load.
    ///
    /// # Errors
    /// When the destination cannot be read. Nothing is changed.
    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError>;

    /// Applies one load, all or nothing, and returns the state it left. `Ok` means durable.
    ///
    /// Inside one transaction:
    /// 1. read the state and refuse the load unless it is the one planned on ([`TableLoad::check_planned_on`]);
    /// 2. apply [`TableLoad::changes`] in order;
    /// 3. in a keyed table, write each row unless the stored row of its key has a greater (table version, sequence), where
    ///    a null version is below all others; at equality the row of the load replaces the stored one, as a whole. In a
    ///    keyless table, append every row;
    /// 4. write the state [`TableLoad::committed`] computes.
    ///
    /// # Errors
    /// The kind says what the engine does next, [`LoadError::applied`] whether the load may have taken effect.
    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError>;
}

/// A boxed destination, for programs that choose one at run time.
impl<D: Destination + ?Sized> Destination for Box<D> {
    fn capabilities(&self) -> &Capabilities {
        (**self).capabilities()
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        (**self).state(table)
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        (**self).load(load)
    }
}
