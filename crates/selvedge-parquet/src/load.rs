//! One load: from the current generation of a table to the next.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use parquet::file::metadata::KeyValue;
use selvedge_core::{
    Change, Column, Key, LoadError, Outcome, Part, Subtable, SubtableLoad, TableLoad, TableState, rejected, schema,
};

use crate::append::append;
use crate::columns::Columns;
use crate::description::description;
use crate::draft::Draft;
use crate::error::refused;
use crate::generation::{Generation, StoredPart, TableFolder};
use crate::incoming::{Incoming, Written};
use crate::manifest::{DataFile, Files, Manifest};
use crate::nested::Nested;
use crate::reshape::Reshape;
use crate::transition::Transition;
use crate::upsert::{Found, upsert};
use crate::{Nesting, Settings};

/// Applies a load to the table in `folder`, and returns the state it left.
pub(crate) fn load(folder: &TableFolder, load: &TableLoad, settings: &Settings) -> Result<TableState, LoadError> {
    let before = folder.current()?;
    let found = before.as_ref().map(|generation| &generation.manifest.state);
    load.check_planned_on(found)?;
    check_shape(load, found)?;
    folder.sweep(before.as_ref(), settings.keep_outdated)?;
    let draft = Draft::after(before.as_ref(), folder)?;
    let nesting = before.as_ref().map_or(settings.nesting, |generation| generation.manifest.nesting);
    let (files, outcome) = Step { load, before: before.as_ref(), draft: &draft, nesting, settings }.write()?;
    let state = load.committed(outcome);
    draft.publish(&Manifest::new(nesting, state.clone(), files))?;
    Ok(state)
}

/// Refuses what stored files cannot follow, but for changes of columns, which [`Columns::along`] refuses.
fn check_shape(load: &TableLoad, found: Option<&TableState>) -> Result<(), LoadError> {
    for subtable in &load.subtables {
        subtable.subtable.table_name(&load.table)?;
    }
    let subtables = || load.subtables.iter().map(|load| &load.subtable);
    let follows = |state: &TableState| {
        let stand = subtables().zip(&state.subtables).all(|(subtable, stands)| {
            (&subtable.name, &subtable.source, subtable.keys()) == (&stands.name, &stands.source, stands.keys())
        });
        state.keys == load.keys && state.subtables.len() <= load.subtables.len() && stand
    };
    if found.is_none_or(follows) { Ok(()) } else { Err(unsupported(load)) }
}

fn unsupported(load: &TableLoad) -> LoadError {
    refused(format!(
        "table {} is to change in a way Parquet files do not support; move its folder away and load it anew",
        load.table
    ))
}

/// A load on its way from one generation to the next.
struct Step<'a> {
    load: &'a TableLoad,
    before: Option<&'a Generation>,
    draft: &'a Draft<'a>,
    nesting: Nesting,
    settings: &'a Settings,
}

impl<'a> Step<'a> {
    /// Writes or keeps the files of all parts.
    fn write(&self) -> Result<(Files, Outcome), LoadError> {
        let key = if self.load.keys.is_empty() { None } else { Some(Key::of(self.load)?) };
        let (rows, found) = self.rows(key.as_ref())?;
        let subtables = match self.nesting {
            Nesting::Flat => self.subtables(key.as_ref(), &found)?,
            Nesting::Native => BTreeMap::new(),
        };
        let outcome = Outcome { stale_rows: found.stale.len() as u64, new_rows: found.new_keys, removed_rows: 0 };
        Ok((Files { rows, subtables, rejects: self.rejects()? }, outcome))
    }

    fn rows(&self, key: Option<&Key>) -> Result<(Vec<DataFile>, Found), LoadError> {
        let (rows, transition) = match self.nesting {
            Nesting::Flat => self.flat_rows()?,
            Nesting::Native => self.nested_rows()?,
        };
        let Some(key) = key else {
            let found = Found { stale: Vec::new(), new_keys: rows.num_rows() as u64 };
            return Ok((append(&rows, &transition)?, found));
        };
        let keys = key.contestants(&self.load.rows)?;
        upsert(&Incoming::rows(rows, &keys, key)?, &transition.sorted_by(self.load.keys.clone()))
    }

    fn flat_rows(&self) -> Result<(RecordBatch, Transition<'a>), LoadError> {
        let load = self.load;
        let rows = self.typed(&load.rows, &load.columns)?;
        Ok((rows, self.flat(Part::Rows, &load.changes, &load.columns)?))
    }

    fn nested_rows(&self) -> Result<(RecordBatch, Transition<'a>), LoadError> {
        let found = self.before.map(|generation| &generation.manifest.state);
        let nested = Nested::along(found, self.load).ok_or_else(|| unsupported(self.load))?;
        let rows = nested.rows(self.load)?;
        let (columns, subtables) = nested.shape();
        let description = description(columns, subtables)?;
        Ok((rows, self.transition(Part::Rows, Reshape::Nested(nested), description)?))
    }

    fn subtables(&self, key: Option<&Key>, found: &Found) -> Result<BTreeMap<String, Vec<DataFile>>, LoadError> {
        let load = self.load;
        let key = key.filter(|_| !load.subtables.is_empty());
        let written = key.map(|key| Written::new(&load.rows, &found.stale, key)).transpose()?;
        let files = |load: &SubtableLoad| Ok((load.subtable.name.clone(), self.subrows(load, written.as_ref())?));
        load.subtables.iter().map(files).collect()
    }

    /// Writes or keeps the files of a subtable. `written` is `None` in a keyless table, where all rows are.
    fn subrows(&self, load: &SubtableLoad, written: Option<&Written<'_>>) -> Result<Vec<DataFile>, LoadError> {
        let Subtable { name, columns, .. } = &load.subtable;
        let transition = self.flat(Part::Subtable(name), &load.changes, columns)?;
        let Some(written) = written else { return append(&self.typed(&load.rows, columns)?, &transition) };
        let rows = self.typed(&written.subrows(load)?, columns)?;
        let incoming = Incoming::subrows(rows, &load.subtable, written)?;
        let (files, _) = upsert(&incoming, &transition.sorted_by(load.subtable.keys()))?;
        Ok(files)
    }

    /// Rejects are kept as the rows of a keyless table are, but there is no trace of them before the first.
    fn rejects(&self) -> Result<Vec<DataFile>, LoadError> {
        let columns = rejected::columns();
        let rejects = self.typed(&self.load.rejects, &columns)?;
        if rejects.num_rows() == 0 && self.stored(Part::Rejects)?.files.is_empty() {
            return Ok(Vec::new());
        }
        let reshape = Reshape::Flat(Columns::unchanged(&columns));
        append(&rejects, &self.transition(Part::Rejects, reshape, description(&columns, &[])?)?)
    }

    fn flat(&self, part: Part<'_>, changes: &[Change], columns: &[Column]) -> Result<Transition<'a>, LoadError> {
        let stored = self.stored(part)?;
        let changed = Columns::along(&stored.columns, changes, columns).ok_or_else(|| unsupported(self.load))?;
        self.transition(part, Reshape::Flat(changed), description(columns, &[])?)
    }

    fn transition(
        &self,
        part: Part<'_>,
        reshape: Reshape<'a>,
        description: Vec<KeyValue>,
    ) -> Result<Transition<'a>, LoadError> {
        Ok(Transition::new(self.stored(part)?, self.draft.part(part)?, reshape, description, self.settings))
    }

    fn stored(&self, part: Part<'_>) -> Result<StoredPart<'a>, LoadError> {
        self.before.map_or_else(|| Ok(StoredPart::default()), |generation| generation.part(part))
    }

    fn typed(&self, rows: &RecordBatch, columns: &[Column]) -> Result<RecordBatch, LoadError> {
        RecordBatch::try_new(schema(columns), rows.columns().to_vec()).map_err(|error| {
            let table = &self.load.table;
            refused(format!(
                "the rows or rejects for table {table} do not fit their columns; report this as an error of selvedge"
            ))
            .with_source(error)
        })
    }
}
