//! One load: from the current generation of a table to the next.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use parquet::file::metadata::KeyValue;
use selvedge_core::{
    Change, Column, Key, LoadError, Outcome, Part, Removal, Subtable, SubtableLoad, TableLoad, TableState, rejected,
    schema,
};

use crate::append::append;
use crate::columns::Columns;
use crate::contenders::Contenders;
use crate::description::description;
use crate::draft::Draft;
use crate::error::refused;
use crate::generation::{Generation, StoredPart, TableFolder};
use crate::incoming::Incoming;
use crate::leaving::Leaving;
use crate::manifest::{DataFile, Files, Manifest};
use crate::nested::Nested;
use crate::part::{self, Place};
use crate::reshape::Reshape;
use crate::transition::Transition;
use crate::upsert::{beaten, upsert};
use crate::{Nesting, Settings};

/// Applies a load to the table in `folder`, and a removal with it, if there is one. Returns the state it left.
pub(crate) fn advance(
    folder: &TableFolder,
    load: &TableLoad,
    removal: Option<Removal<'_>>,
    settings: &Settings,
) -> Result<TableState, LoadError> {
    let before = folder.current()?;
    let found = before.as_ref().map(|generation| &generation.manifest.state);
    load.check_planned_on(found)?;
    check_shape(load, found)?;
    folder.sweep(before.as_ref(), settings.keep_outdated)?;
    let draft = Draft::after(before.as_ref(), folder)?;
    let nesting = before.as_ref().map_or(settings.nesting, |generation| generation.manifest.nesting);
    let (files, outcome) = Step { load, removal, before: before.as_ref(), draft: &draft, nesting, settings }.write()?;
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
    removal: Option<Removal<'a>>,
    before: Option<&'a Generation>,
    draft: &'a Draft<'a>,
    nesting: Nesting,
    settings: &'a Settings,
}

impl<'a> Step<'a> {
    /// Writes or keeps the files of all places.
    fn write(&self) -> Result<(Files, Outcome), LoadError> {
        if self.load.keys.is_empty() { self.append() } else { self.merge() }
    }

    /// That of a keyless table.
    fn append(&self) -> Result<(Files, Outcome), LoadError> {
        let (rows, transition) = self.rows()?;
        let (files, removed_rows) = append(&rows, &transition)?;
        let subrows = |load: &SubtableLoad, transition: &Transition<'_>| {
            Ok(append(&self.typed(&load.rows, &load.subtable.columns)?, transition)?.0)
        };
        let files = Files {
            rows: transition.complete(files)?,
            subtables: self.subtables(subrows)?,
            tombstones: Vec::new(),
            rejects: self.rejects()?,
        };
        Ok((files, Outcome { stale_rows: 0, new_rows: rows.num_rows() as u64, removed_rows }))
    }

    /// That of a keyed table. A key has a row or a tombstone. What beats the one of those that stands there is written, and
    /// the one, or a row that is to make place for a tombstone, goes with its subrows.
    fn merge(&self) -> Result<(Files, Outcome), LoadError> {
        let key = Key::of(self.load)?;
        let contenders = match self.removal {
            Some(Removal::Keys(keys)) => Contenders::removing(keys, &key)?,
            _ => Contenders::of(self.load, &key)?,
        };
        let tombstones = self.tombstones()?;
        let beaten_by_tombstones = match &tombstones {
            Some(transition) => beaten(&self.deletes(&contenders)?, transition)?,
            None => Vec::new(),
        };
        let contenders = contenders.without(&beaten_by_tombstones)?;
        let (rows, transition) = self.rows()?;
        let sorted = transition.sorted_by(self.load.keys.clone());
        let (rows, found) = upsert(&Incoming::brought(&rows, 0, &contenders)?, &sorted)?;
        let written = contenders.without(&found.stale)?;
        let subrows = |load: &SubtableLoad, transition: &Transition<'_>| self.subrows(load, &written, transition);
        let files = Files {
            rows: sorted.complete(rows)?,
            subtables: self.subtables(subrows)?,
            tombstones: match &tombstones {
                Some(transition) => upsert(&self.deletes(&written)?, transition)?.0,
                None => Vec::new(),
            },
            rejects: self.rejects()?,
        };
        let stale_rows = (beaten_by_tombstones.len() + found.stale.len()) as u64;
        Ok((files, Outcome { stale_rows, new_rows: found.new_rows, removed_rows: found.removed_rows }))
    }

    /// The rows of the load as they are stored, and the way of those that are.
    fn rows(&self) -> Result<(RecordBatch, Transition<'a>), LoadError> {
        match self.nesting {
            Nesting::Flat => self.flat_rows(),
            Nesting::Native => self.nested_rows(),
        }
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
        Ok((rows, self.transition(Part::Rows.into(), Reshape::Nested(nested), description)?))
    }

    /// Writes or keeps the files of each subtable as `write` does. Where rows are nested, they have them in them.
    fn subtables(
        &self,
        write: impl Fn(&SubtableLoad, &Transition<'_>) -> Result<Vec<DataFile>, LoadError>,
    ) -> Result<BTreeMap<String, Vec<DataFile>>, LoadError> {
        let files = |load: &SubtableLoad| {
            let Subtable { name, columns, .. } = &load.subtable;
            let transition = self.flat(Part::Subtable(name), &load.changes, columns)?;
            let transition = match self.load.keys.as_slice() {
                [] => transition,
                _ => transition.sorted_by(load.subtable.keys()),
            };
            Ok((name.clone(), transition.complete(write(load, &transition)?)?))
        };
        match self.nesting {
            Nesting::Flat => self.load.subtables.iter().map(files).collect(),
            Nesting::Native => Ok(BTreeMap::new()),
        }
    }

    fn subrows(
        &self,
        load: &SubtableLoad,
        written: &Contenders<'_>,
        transition: &Transition<'_>,
    ) -> Result<Vec<DataFile>, LoadError> {
        let subrows = written.subrows(load, self.load.rows.num_rows())?;
        let rows = self.typed(&subrows, &load.subtable.columns)?;
        Ok(upsert(&Incoming::subrows(rows, &load.subtable, written)?, transition)?.0)
    }

    /// The way of the tombstones; `None` as long as there are none.
    fn tombstones(&self) -> Result<Option<Transition<'a>>, LoadError> {
        if self.load.deletes.num_rows() == 0 && self.stored(Place::Tombstones)?.files.is_empty() {
            return Ok(None);
        }
        let columns = self.load.tombstone_columns();
        let reshape = Reshape::Flat(Columns::unchanged(&columns));
        let transition = self.transition(Place::Tombstones, reshape, description(&columns, &[])?)?;
        Ok(Some(transition.sorted_by(self.load.keys.clone())))
    }

    /// The tombstones that contenders bring.
    fn deletes<'c>(&self, contenders: &'c Contenders<'c>) -> Result<Incoming<'c>, LoadError> {
        let deletes = self.typed(&self.load.deletes, &self.load.tombstone_columns())?;
        Incoming::brought(&deletes, self.load.rows.num_rows(), contenders)
    }

    /// Rejects are kept as the rows of a keyless table are, but there is no trace of them before the first.
    fn rejects(&self) -> Result<Vec<DataFile>, LoadError> {
        let columns = rejected::columns();
        let rejects = self.typed(&self.load.rejects, &columns)?;
        let reshape = Reshape::Flat(Columns::unchanged(&columns));
        let transition = self.transition(Part::Rejects.into(), reshape, description(&columns, &[])?)?;
        Ok(append(&rejects, &transition)?.0)
    }

    fn flat(&self, part: Part<'_>, changes: &[Change], columns: &[Column]) -> Result<Transition<'a>, LoadError> {
        let state = self.before.map(|generation| &generation.manifest.state);
        let stored = state.map(|state| part::columns(state, part)).unwrap_or_default();
        let changed = Columns::along(&stored, changes, columns).ok_or_else(|| unsupported(self.load))?;
        self.transition(part.into(), Reshape::Flat(changed), description(columns, &[])?)
    }

    fn transition(
        &self,
        place: Place<'_>,
        reshape: Reshape<'a>,
        description: Vec<KeyValue>,
    ) -> Result<Transition<'a>, LoadError> {
        let transition =
            Transition::new(self.stored(place)?, self.draft.part(place)?, reshape, description, self.settings);
        Ok(transition.losing(self.leaving(place)))
    }

    /// What goes from a place whatever comes: what a version that is activated leaves behind, and what is removed.
    fn leaving(&self, place: Place<'_>) -> Leaving<'a> {
        match (place, self.removal, self.load.active_version) {
            (Place::Part(Part::Rejects), Some(Removal::Rejects(keys)), _) => {
                Leaving::Generated(keys.iter().flatten().collect())
            }
            (Place::Part(Part::Rejects), Some(Removal::RejectsBefore(moment)), _) => Leaving::RejectedBefore(moment),
            (Place::Part(Part::Rejects), ..) => Leaving::Nothing,
            (_, _, Some(version)) if self.load.activates() => Leaving::Below(version),
            _ => Leaving::Nothing,
        }
    }

    fn stored(&self, place: Place<'_>) -> Result<StoredPart<'a>, LoadError> {
        self.before.map_or_else(|| Ok(StoredPart::default()), |generation| generation.part(place))
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
