//! Looking at what a destination holds.

use std::ops::ControlFlow;

use arrow_array::RecordBatch;

use crate::{LoadError, TableName, TableState};

/// What a destination holds, for those who look: tests, `verify`, a page that shows rows.
///
/// Nothing here writes. Every answer about a table is of one committed moment: its rows and its state belong together, even
/// while somebody loads.
pub trait Inspect {
    /// The tables that were ever loaded, in the order of their names; none where nothing was loaded yet.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError>;

    /// Hands a part of the table to `each`, some rows at a time in any order, until it breaks off or there are no more, and
    /// returns the state they stand in. `None` before the table's first load.
    ///
    /// The batches of [`Part::Rows`] have the columns of the state they come with, those of [`Part::Subtable`] the columns of that
    /// subtable there, those of [`Part::Rejects`] the [columns of rejects](crate::rejected::columns); in that order, and typed as
    /// [`ColumnType::arrow`](crate::ColumnType::arrow) says. A table to which no rejected record ever came has none, and a
    /// subtable that the state does not have has no rows, which is no error; so is a column that somebody dropped, whose values
    /// are null. Memory stays bounded however large the table is.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn read(&mut self, table: &TableName, part: Part<'_>, each: &mut Each<'_>)
    -> Result<Option<TableState>, LoadError>;

    /// Counts the rows that stand in the table, which is not reading the count in its state. `None` before its first load.
    ///
    /// Unless the destination has a faster way, by reading them all.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        let mut rows = 0;
        let state = self.read(table, Part::Rows, &mut |_, batch| {
            rows += batch.num_rows() as u64;
            ControlFlow::Continue(())
        })?;
        Ok(state.map(|state| Counted { state, rows }))
    }
}

/// What [`Inspect::read`] hands rows to, with the state of the table they stand in.
pub type Each<'e> = dyn FnMut(&TableState, RecordBatch) -> ControlFlow<()> + 'e;

/// What of a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'p> {
    /// Its rows.
    Rows,
    /// What arrays in its records hold: the rows of the [`Subtable`](crate::Subtable) of this name.
    Subtable(&'p str),
    /// The records that were for it and were rejected.
    Rejects,
}

/// A table as it stands, and its rows counted one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The table's state.
    pub state: TableState,
    /// The rows found.
    pub rows: u64,
}

/// A boxed destination, for programs that choose one at run time.
impl<I: Inspect + ?Sized> Inspect for Box<I> {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        (**self).tables()
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        (**self).read(table, part, each)
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        (**self).count(table)
    }
}

/// The first rows that come of a part of a table, at most `rows` of them.
///
/// # Errors
/// When the destination cannot be read.
pub fn sample<I: Inspect + ?Sized>(
    destination: &mut I,
    table: &TableName,
    part: Part<'_>,
    rows: usize,
) -> Result<Vec<RecordBatch>, LoadError> {
    let mut sample = Vec::new();
    let mut left = rows;
    destination.read(table, part, &mut |_, batch| {
        let taken = batch.slice(0, left.min(batch.num_rows()));
        left -= taken.num_rows();
        sample.push(taken);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(sample)
}
