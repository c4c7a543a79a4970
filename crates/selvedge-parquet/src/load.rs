//! One load: from the current generation of a table to the next.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use selvedge_core::{
    Change, Column, Key, LoadError, Outcome, Part, SubtableLoad, TableLoad, TableState, rejected, schema,
};

use crate::Settings;
use crate::append::append;
use crate::draft::Draft;
use crate::error::refused;
use crate::generation::{Generation, StoredPart, TableFolder};
use crate::incoming::{Incoming, Written};
use crate::manifest::{DataFile, Files, Manifest};
use crate::reshape::Reshape;
use crate::transition::Transition;
use crate::upsert::{Found, upsert};

/// Applies a load to the table in `folder`, and returns the state it left.
pub(crate) fn load(folder: &TableFolder, load: &TableLoad, settings: &Settings) -> Result<TableState, LoadError> {
    let before = folder.current()?;
    let found = before.as_ref().map(|generation| &generation.manifest.state);
    load.check_planned_on(found)?;
    check_shape(load, found)?;
    folder.sweep(before.as_ref(), settings.keep_outdated)?;
    let draft = Draft::after(before.as_ref(), folder)?;
    let step = Step { load, before: before.as_ref(), draft: &draft, settings };
    let (files, outcome) = if load.keys.is_empty() { step.append()? } else { step.upsert()? };
    let state = load.committed(outcome);
    draft.publish(&Manifest::new(state.clone(), files))?;
    Ok(state)
}

/// Refuses what stored files cannot follow, but for changes of columns, which [`Reshape::along`] refuses.
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
    settings: &'a Settings,
}

impl<'a> Step<'a> {
    /// Writes or keeps the files of a keyless table.
    fn append(&self) -> Result<(Files, Outcome), LoadError> {
        let rows = self.typed(&self.load.rows, &self.load.columns)?;
        let outcome = Outcome { stale_rows: 0, new_rows: rows.num_rows() as u64 };
        let rows = append(&rows, &self.rows()?)?;
        let subtables = self.load.subtables.iter().map(|subtable| {
            let subrows = self.typed(&subtable.rows, &subtable.subtable.columns)?;
            Ok((subtable.subtable.name.clone(), append(&subrows, &self.subrows(subtable)?)?))
        });
        Ok((Files { rows, subtables: subtables.collect::<Result<_, _>>()?, rejects: self.rejects()? }, outcome))
    }

    /// Writes or keeps the files of a keyed table.
    fn upsert(&self) -> Result<(Files, Outcome), LoadError> {
        let key = Key::of(self.load)?;
        let rows = self.typed(&self.load.rows, &self.load.columns)?;
        let keys = key.contestants(&rows)?;
        let incoming = Incoming::rows(rows, &keys, &key)?;
        let (rows, found) = upsert(&incoming, &self.rows()?.sorted_by(self.load.keys.clone()))?;
        let outcome = Outcome { stale_rows: found.stale.len() as u64, new_rows: found.new_keys };
        let subtables = self.upsert_subrows(&found, &key)?;
        Ok((Files { rows, subtables, rejects: self.rejects()? }, outcome))
    }

    /// The subrows of rows that were written.
    fn upsert_subrows(&self, found: &Found, key: &Key) -> Result<BTreeMap<String, Vec<DataFile>>, LoadError> {
        if self.load.subtables.is_empty() {
            return Ok(BTreeMap::new());
        }
        let written = Written::new(&self.load.rows, &found.stale, key)?;
        let upsert = |subtable: &SubtableLoad| {
            let transition = self.subrows(subtable)?.sorted_by(subtable.subtable.keys());
            let rows = self.typed(&written.subrows(subtable)?, &subtable.subtable.columns)?;
            let (files, _) = upsert(&Incoming::subrows(rows, &subtable.subtable, &written.keys, key)?, &transition)?;
            Ok((subtable.subtable.name.clone(), files))
        };
        self.load.subtables.iter().map(upsert).collect()
    }

    /// Rejects are kept as the rows of a keyless table are, but there is no trace of them before the first.
    fn rejects(&self) -> Result<Vec<DataFile>, LoadError> {
        let rejects = self.typed(&self.load.rejects, &rejected::columns())?;
        let from = self.stored(Part::Rejects)?;
        if rejects.num_rows() == 0 && from.files.is_empty() {
            return Ok(Vec::new());
        }
        let to = self.draft.part(Part::Rejects)?;
        append(&rejects, &Transition::new(from, to, Reshape::none(&rejected::columns()), self.settings)?)
    }

    fn rows(&self) -> Result<Transition<'a>, LoadError> {
        self.transition(Part::Rows, &self.load.changes, &self.load.columns)
    }

    fn subrows(&self, subtable: &SubtableLoad) -> Result<Transition<'a>, LoadError> {
        let part = Part::Subtable(&subtable.subtable.name);
        self.transition(part, &subtable.changes, &subtable.subtable.columns)
    }

    fn transition(&self, part: Part<'_>, changes: &[Change], columns: &[Column]) -> Result<Transition<'a>, LoadError> {
        let from = self.stored(part)?;
        let reshape = Reshape::along(&from.columns, changes, columns).ok_or_else(|| unsupported(self.load))?;
        Transition::new(from, self.draft.part(part)?, reshape, self.settings)
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
