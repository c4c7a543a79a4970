//! Defects in what is seen of a destination.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use selvedge_core::{Counted, Each, Inspect, LoadError, Part, TableName, TableState};

use crate::memory::Memory;

/// Sees the state as of one moment and the rows as of another.
struct TwoMoments(PathBuf);

/// The time between the two moments.
const BETWEEN: Duration = Duration::from_millis(3);

pub(super) fn two_moments(folder: &Path) -> Result<Box<dyn Inspect>, LoadError> {
    Ok(Box::new(TwoMoments(folder.to_owned())))
}

impl Inspect for TwoMoments {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        Memory::read_only(&self.0)?.tables()
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        let Some(before) = Memory::read_only(&self.0)?.count(table)? else { return Ok(None) };
        thread::sleep(BETWEEN);
        let after = Memory::read_only(&self.0)?.count(table)?;
        Ok(after.map(|after| Counted { state: before.state, rows: after.rows }))
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        Memory::read_only(&self.0)?.read(table, part, each)
    }
}

/// Sees every row twice, as where a row that was replaced is still there.
struct Doubles(Memory);

pub(super) fn doubles(folder: &Path) -> Result<Box<dyn Inspect>, LoadError> {
    Ok(Box::new(Doubles(Memory::read_only(folder)?)))
}

impl Inspect for Doubles {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        self.0.tables()
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.0.read(table, part, &mut |state, batch| {
            let flow = each(state, batch.clone());
            if flow.is_break() { flow } else { each(state, batch) }
        })
    }
}
