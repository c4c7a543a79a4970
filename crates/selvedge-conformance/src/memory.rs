//! A destination in memory: what the seam asks for, in as little code as it takes.

mod change;
mod image;
mod merge;
mod removal;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use selvedge_core::{
    Capabilities, Destination, Each, Inspect, LoadError, LoadErrorKind, Part, Removal, RowOrder, Subtable,
    SubtableLoad, TableLoad, TableName, TableState, rejected, tombstone,
};

pub(crate) use merge::{Contest, Merged, activated, join, merge, newest_stays, only, replaced_subrows};

const CAPABILITIES: Capabilities =
    Capabilities { kind: "memory", row_order: RowOrder::Any, worthwhile_records: 1_000, memory_bytes: 0 };

/// How many rows a reader is handed at once.
const ROWS_AT_ONCE: usize = 1_000;

/// A destination whose tables are held in memory.
///
/// It is the shortest destination that keeps the whole contract but one part: its memory is not bounded. Each load also
/// writes its table to a file, so that it survives the process.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// use selvedge_conformance::Memory;
/// use selvedge_core::{Destination, TableName};
///
/// let mut memory = Memory::open(folder.path())?;
/// assert!(memory.state(&TableName::new(None, "orders")?)?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
    tables: BTreeMap<TableName, Table>,
    /// Locked for as long as this may load; `None` when it only looks.
    lock: Option<File>,
}

/// A table and everything committed with it.
#[derive(Debug, Clone)]
struct Table {
    state: TableState,
    content: Content,
    rejects: RecordBatch,
}

/// The rows of a table, those of its subtables in their order, and what is kept of deleted keys.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) rows: RecordBatch,
    pub(crate) subrows: Vec<RecordBatch>,
    pub(crate) tombstones: RecordBatch,
}

impl Memory {
    /// Takes in what an earlier one left in `folder`, which belongs to this one until it is dropped.
    ///
    /// # Errors
    /// [`LoadErrorKind::Unavailable`] while another one has the folder; otherwise when it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LoadError> {
        let lock = image::lock(folder)?;
        let mut memory = Self::read_only(folder)?;
        memory.lock = Some(lock);
        Ok(memory)
    }

    /// Takes in what stands in `folder` at this moment, to look at it beside the one that loads. It takes no loads.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read_only(folder: &Path) -> Result<Self, LoadError> {
        Ok(Self { folder: folder.to_owned(), tables: image::read_all(folder)?, lock: None })
    }

    /// As [`open`](Self::open), beside others that have the folder. Two of them do not see what the other loads.
    pub(crate) fn unlocked(folder: &Path) -> Result<Self, LoadError> {
        let mut memory = Self::read_only(folder)?;
        memory.lock = Some(image::lock_file(folder)?);
        Ok(memory)
    }

    /// Applies a load by a rule for which rows stay: `merge` is given the stored ones, with the columns of the load.
    pub(crate) fn load_by(
        &mut self,
        load: &TableLoad,
        merge: impl FnOnce(&TableLoad, &Content) -> Result<Merged, LoadError>,
    ) -> Result<TableState, LoadError> {
        self.check_owned()?;
        let found = self.tables.get(&load.table);
        load.check_planned_on(found.map(|table| &table.state))?;
        load.check_rows()?;
        load.subtables.iter().try_for_each(SubtableLoad::check_rows)?;
        let merged = merge(load, &changed(load, found)?)?;
        let rejects = with_rejects(load, found)?;
        let table = Table { state: load.committed(merged.outcome()), content: merged.content, rejects };
        self.put(&load.table, table)
    }

    /// Removes something from a table, whatever its state is; `None` once nothing is left of it. `leave` is given what stood and
    /// what is left of it.
    pub(crate) fn remove_by(
        &mut self,
        name: &TableName,
        removal: Removal<'_>,
        leave: impl FnOnce(&Content, Content) -> Content,
    ) -> Result<Option<TableState>, LoadError> {
        self.check_owned()?;
        let Some(table) = self.tables.get(name) else { return Ok(None) };
        let left = match removal {
            Removal::Table => {
                image::remove(&self.folder, name)?;
                self.tables.remove(name);
                return Ok(None);
            }
            Removal::Keys(keys) => removal::without_keys(table, keys)?,
            Removal::Rejects(keys) => removal::without_rejects(table, keys)?,
            Removal::RejectsBefore(moment) => match removal::without_rejects_before(table, moment)? {
                left if left.rejects.num_rows() == table.rejects.num_rows() => return Ok(Some(left.state)),
                left => left,
            },
            _ => return Err(refused("this cannot be removed here; update the destination")),
        };
        let left = Table { content: leave(&table.content, left.content), ..left };
        self.put(name, left).map(Some)
    }

    /// Puts a table in the place of what stands.
    fn put(&mut self, name: &TableName, table: Table) -> Result<TableState, LoadError> {
        if let Err(error) = image::write(&self.folder, name, &table) {
            // Whether it was applied all the same, only the file knows.
            self.tables = image::read_all(&self.folder)?;
            return Err(error);
        }
        let state = table.state.clone();
        self.tables.insert(name.clone(), table);
        Ok(state)
    }

    fn check_owned(&self) -> Result<(), LoadError> {
        self.lock.as_ref().map(|_| ()).ok_or_else(|| refused("this was opened to look only; open it to load"))
    }
}

/// Closing the file is not enough: a child process that was started a moment ago may still hold a copy of its handle.
impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            // What cannot be unlocked is unlocked when the process ends.
            let _ = lock.unlock();
        }
    }
}

impl Destination for Memory {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        Ok(self.tables.get(table).map(|table| table.state.clone()))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        self.load_by(load, newest_stays)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        if self.tables.get(table).map(|table| &table.state) == Some(found) {
            return self.remove_by(table, removal, |_, left| left);
        }
        let message = format!("table {table} was changed by somebody else: look at it again before you remove from it");
        Err(LoadError::new(LoadErrorKind::Stale, message))
    }
}

impl Inspect for Memory {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        Ok(self.tables.keys().cloned().collect())
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let Some(table) = self.tables.get(table) else { return Ok(None) };
        let Some(rows) = table.part(part) else { return Ok(Some(table.state.clone())) };
        for from in (0..rows.num_rows()).step_by(ROWS_AT_ONCE) {
            let some = rows.slice(from, ROWS_AT_ONCE.min(rows.num_rows() - from));
            if each(&table.state, some) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(Some(table.state.clone()))
    }
}

impl Table {
    /// The rows of a part; `None` of a subtable there is not.
    fn part(&self, part: Part<'_>) -> Option<&RecordBatch> {
        match part {
            Part::Rows => Some(&self.content.rows),
            Part::Subtable(name) => self.subrows(name),
            Part::Rejects => Some(&self.rejects),
        }
    }

    fn subrows(&self, name: &str) -> Option<&RecordBatch> {
        let at = self.state.subtables.iter().position(|subtable| subtable.name == name)?;
        self.content.subrows.get(at)
    }
}

/// What stands, with the columns it has after the changes of the load.
fn changed(load: &TableLoad, found: Option<&Table>) -> Result<Content, LoadError> {
    let stands = found.map(|table| (&table.state.columns[..], &table.content.rows));
    let subrows = |load: &SubtableLoad| {
        let Subtable { name, columns, .. } = &load.subtable;
        let stands = found.and_then(|table| Some((&table.state.subtable(name)?.columns[..], table.subrows(name)?)));
        change::apply(&load.changes, stands, columns)
    };
    Ok(Content {
        rows: change::apply(&load.changes, stands, &load.columns)?,
        subrows: load.subtables.iter().map(subrows).collect::<Result<_, _>>()?,
        tombstones: found
            .map_or_else(|| tombstone::none(&load.columns, &load.keys), |table| table.content.tombstones.clone()),
    })
}

fn with_rejects(load: &TableLoad, found: Option<&Table>) -> Result<RecordBatch, LoadError> {
    let none = rejected::none();
    let stored = found.map_or(&none, |table| &table.rejects);
    concat_batches(&none.schema(), [stored, &load.rejects]).map_err(unfit)
}

pub(crate) fn unfit(cause: ArrowError) -> LoadError {
    refused("the rows do not fit the table; report this as a defect of selvedge").with_source(cause)
}

fn refused(message: &str) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, message)
}
