//! A destination in memory: what the seam asks for, in as little code as it takes.

mod image;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave_record_batch;
use selvedge_core::{
    Age, Capabilities, Change, Column, Contestants, Destination, Each, Inspect, Key, LoadError, LoadErrorKind, Outcome,
    Part, RowOrder, TableLoad, TableName, TableState, rejected, schema,
};

const CAPABILITIES: Capabilities = Capabilities { kind: "memory", row_order: RowOrder::Any, worthwhile_records: 1_000 };

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
#[derive(Debug)]
struct Table {
    state: TableState,
    rows: RecordBatch,
    rejects: RecordBatch,
}

/// The rows of a table after a load, and what became of those of the load.
type Merged = Result<(RecordBatch, Outcome), LoadError>;

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
        merge: impl FnOnce(&TableLoad, &RecordBatch) -> Merged,
    ) -> Result<TableState, LoadError> {
        if self.lock.is_none() {
            return Err(refused("this was opened to look only; open it to load"));
        }
        let found = self.tables.get(&load.table);
        load.check_planned_on(found.map(|table| &table.state))?;
        let stored = changed(load, found)?;
        let (rows, outcome) = merge(load, &stored)?;
        let rejects = with_rejects(load, found)?;
        let table = Table { state: load.committed(outcome), rows, rejects };
        if let Err(error) = image::write(&self.folder, &load.table, &table) {
            // Whether it was applied all the same, only the file knows.
            self.tables = image::read_all(&self.folder)?;
            return Err(error);
        }
        let state = table.state.clone();
        self.tables.insert(load.table.clone(), table);
        Ok(state)
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
        let rows = match part {
            Part::Rows => &table.rows,
            Part::Subtable(_) => return Ok(Some(table.state.clone())),
            Part::Rejects => &table.rejects,
        };
        for from in (0..rows.num_rows()).step_by(ROWS_AT_ONCE) {
            let some = rows.slice(from, ROWS_AT_ONCE.min(rows.num_rows() - from));
            if each(&table.state, some) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(Some(table.state.clone()))
    }
}

/// The stored rows with the columns the table has after the changes of the load.
fn changed(load: &TableLoad, found: Option<&Table>) -> Result<RecordBatch, LoadError> {
    let mut columns = found.map(|table| table.state.columns.clone());
    for change in &load.changes {
        match (change, &mut columns) {
            (Change::CreateTable(new), None) => columns = Some(new.clone()),
            (Change::AddColumn(new), Some(columns)) if !columns.iter().any(|column| column.name == new.name) => {
                columns.push(new.clone());
            }
            _ => return Err(refused("the table cannot be changed like this; report this as a defect of selvedge")),
        }
    }
    if columns.as_ref() != Some(&load.columns) {
        return Err(refused("the changes do not lead to the columns of the load; report this as a defect of selvedge"));
    }
    let rows = found.map_or(0, |table| table.rows.num_rows());
    let stored = |column: &Column| {
        let stands = found.and_then(|table| table.rows.column_by_name(&column.name)).cloned();
        stands.unwrap_or_else(|| new_null_array(&column.column_type.arrow(), rows))
    };
    batch(&schema(&load.columns), load.columns.iter().map(stored).collect(), rows)
}

/// The rule of the seam: the newer row of a key stays, at a tie the one of the load.
pub(crate) fn newest_stays(load: &TableLoad, stored: &RecordBatch) -> Merged {
    let key = Key::of(load)?;
    let (old, new) = (key.contestants(stored)?, key.contestants(&rows(load)?)?);
    merge(load, stored, &old, &new, |old, new| old > new)
}

/// One row for each key; `stays` tells by the ages whether a stored row stays in the face of one of the load.
pub(crate) fn merge(
    load: &TableLoad,
    stored: &RecordBatch,
    old: &Contestants,
    new: &Contestants,
    stays: fn(Age, Age) -> bool,
) -> Merged {
    const STORED: usize = 0;
    const LOADED: usize = 1;
    let mut of_key: BTreeMap<_, _> = (0..old.len()).map(|row| (old.key(row), (STORED, row))).collect();
    let mut outcome = Outcome::default();
    for row in 0..new.len() {
        match of_key.entry(new.key(row)) {
            Entry::Vacant(free) => {
                outcome.new_rows += 1;
                free.insert((LOADED, row));
            }
            Entry::Occupied(mut taken) => match *taken.get() {
                (STORED, before) if stays(old.age(before), new.age(row)) => outcome.stale_rows += 1,
                _ => drop(taken.insert((LOADED, row))),
            },
        }
    }
    let rows_of_keys: Vec<(usize, usize)> = of_key.into_values().collect();
    Ok((interleave_record_batch(&[stored, &rows(load)?], &rows_of_keys).map_err(unfit)?, outcome))
}

fn with_rejects(load: &TableLoad, found: Option<&Table>) -> Result<RecordBatch, LoadError> {
    let none = rejected::none();
    let stored = found.map_or(&none, |table| &table.rejects);
    concat_batches(&none.schema(), [stored, &load.rejects]).map_err(unfit)
}

/// The rows of the load, if they are typed as its columns say.
pub(crate) fn rows(load: &TableLoad) -> Result<RecordBatch, LoadError> {
    batch(&schema(&load.columns), load.rows.columns().to_vec(), load.rows.num_rows())
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, LoadError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(unfit)
}

pub(crate) fn unfit(cause: ArrowError) -> LoadError {
    refused("the rows do not fit the table; report this as a defect of selvedge").with_source(cause)
}

fn refused(message: &str) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, message)
}
