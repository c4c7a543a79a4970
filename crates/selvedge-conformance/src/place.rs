//! What a check has to itself: a destination and a queue, each in a folder.

use std::fmt;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use selvedge_core::{
    Counted, Destination, Inspect, LoadError, LogicalView, Part, Removal, TableLoad, TableName, TableState, Value,
    logical_view, schema,
};
use serde::Deserialize;
use tempfile::TempDir;

use crate::failure::{Checked, Failure, ensure_equal};
use crate::kit::Kit;

/// A destination that nobody else uses, with a queue beside it.
pub(crate) struct Place<'k> {
    pub(crate) kit: &'k Kit,
    root: TempDir,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Thing {
    Queue,
    Destination,
}

impl<'k> Place<'k> {
    pub(crate) fn new(kit: &'k Kit) -> Result<Self, Failure> {
        let root = tempfile::tempdir()?;
        fs::create_dir(root.path().join("destination"))?;
        Ok(Self { kit, root })
    }

    pub(crate) fn folder(&self, thing: Thing) -> PathBuf {
        self.root.path().join(match thing {
            Thing::Queue => "queue",
            Thing::Destination => "destination",
        })
    }

    /// For what a check keeps beside the two.
    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.root.path().join("aside").join(name)
    }

    pub(crate) fn open(&self) -> Result<Box<dyn Destination>, LoadError> {
        self.kit.open(&self.folder(Thing::Destination))
    }

    pub(crate) fn look(&self) -> Result<Box<dyn Inspect>, LoadError> {
        self.kit.look(&self.folder(Thing::Destination))
    }

    /// The tables in a place that was opened to be loaded, and then never was.
    pub(crate) fn look_into_nothing(&self) -> Result<Vec<TableName>, LoadError> {
        drop(self.open()?);
        self.look()?.tables()
    }

    /// The state as one finds it who opens the destination now. The one who loads has to be gone.
    pub(crate) fn state(&self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        self.open()?.state(table)
    }

    /// Applies a load that has to succeed, and checks that the state it answers is the one found from now on.
    pub(crate) fn load(&self, load: &TableLoad) -> Result<TableState, Failure> {
        let mut destination = self.open()?;
        let state = destination.load(load)?;
        ensure_state(destination.state(&load.table)?.as_ref(), Some(&state), "the state after a load, read again")?;
        drop(destination);
        ensure_state(self.state(&load.table)?.as_ref(), Some(&state), "the state after the destination was reopened")?;
        Ok(state)
    }

    /// Removes something, which has to succeed, and checks that the state it answers is the one found from now on.
    pub(crate) fn remove(
        &self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, Failure> {
        let mut destination = self.open()?;
        let state = destination.remove(table, found, removal)?;
        ensure_state(destination.state(table)?.as_ref(), state.as_ref(), "the state after a removal, read again")?;
        drop(destination);
        ensure_state(self.state(table)?.as_ref(), state.as_ref(), "the state after a removal, once reopened")?;
        Ok(state)
    }

    /// The logical view of a table, none of whose rows stands twice, and which has as many as its state says.
    pub(crate) fn view(&self, table: &TableName) -> Result<LogicalView, Failure> {
        let mut destination = self.look()?;
        let view = logical_view(&mut *destination, table)?.unwrap_or_default();
        if let Some(Counted { state, rows }) = destination.count(table)? {
            ensure_equal(&rows, &(view.rows.len() as u64), format!("the rows of {table}, and their different keys"))?;
            ensure_equal(&rows, &state.counts.live_rows, format!("the rows of {table}, and how many are committed"))?;
        }
        Ok(view)
    }

    /// What the rows of a part hold, as [`cells`] has it.
    pub(crate) fn cells(&self, table: &TableName, part: Part<'_>, columns: &[&str]) -> Result<Cells, Failure> {
        cells(&mut *self.look()?, table, part, columns)
    }

    /// Puts a copy aside, to be restored later. Nobody may have it open.
    pub(crate) fn copy(&self, thing: Thing) -> io::Result<()> {
        let copy = self.aside(&format!("{thing:?}"));
        remove(&copy)?;
        copy_folder(&self.folder(thing), &copy)
    }

    /// Puts the copy in the place of what stands there.
    pub(crate) fn restore(&self, thing: Thing) -> io::Result<()> {
        remove(&self.folder(thing))?;
        copy_folder(&self.aside(&format!("{thing:?}")), &self.folder(thing))
    }

    /// Leaves nothing but an empty folder.
    pub(crate) fn lose(&self, thing: Thing) -> io::Result<()> {
        remove(&self.folder(thing))?;
        fs::create_dir(self.folder(thing))
    }
}

/// Of each row its values in some columns.
pub(crate) type Cells = Vec<Vec<Option<Value>>>;

/// The values that the rows of a table, or of a subtable of it, have in these columns, sorted.
pub(crate) fn cells(
    destination: &mut dyn Inspect,
    table: &TableName,
    part: Part<'_>,
    columns: &[&str],
) -> Result<Cells, Failure> {
    let mut found = Vec::new();
    let mut misread = None;
    destination.read(table, part, &mut |state, batch| {
        let all = match part {
            Part::Subtable(name) => state.subtable(name).map_or(&[][..], |subtable| &subtable.columns),
            _ => &state.columns,
        };
        if batch.schema().fields() != schema(all).fields() {
            misread = Some(batch.schema());
        }
        let cell = |name: &&str, row| {
            let column = all.iter().find(|column| column.name == **name)?;
            Value::of(column.column_type, batch.column_by_name(name)?, row)
        };
        found.extend((0..batch.num_rows()).map(|row| columns.iter().map(|name| cell(name, row)).collect::<Vec<_>>()));
        ControlFlow::Continue(())
    })?;
    ensure_equal(&misread, &None, format!("columns of {part:?} that are not those of the state"))?;
    found.sort();
    Ok(found)
}

/// Fails unless a state is the one expected, and says in what it differs.
pub(crate) fn ensure_state(
    found: Option<&TableState>,
    expected: Option<&TableState>,
    of: impl fmt::Display,
) -> Checked {
    if let (Some(found), Some(expected)) = (found, expected) {
        ensure_equal(&found.position, &expected.position, format!("{of}, its position"))?;
        ensure_equal(&found.counts, &expected.counts, format!("{of}, its counts"))?;
        ensure_equal(&found.keys, &expected.keys, format!("{of}, its keys"))?;
        ensure_equal(&found.active_version, &expected.active_version, format!("{of}, its active version"))?;
        ensure_equal(&found.columns.len(), &expected.columns.len(), format!("{of}, its number of columns"))?;
        let mut columns = found.columns.iter().zip(&expected.columns);
        columns.try_for_each(|(found, expected)| ensure_equal(found, expected, format!("{of}, a column")))?;
        return ensure_equal(&found.subtables, &expected.subtables, format!("{of}, its subtables"));
    }
    ensure_equal(&found.is_some(), &expected.is_some(), format!("{of}, whether there is one"))
}

fn remove(folder: &Path) -> io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}

/// Links are copied as links: what they lead to is copied as well.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&from, &to)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from)?, to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
