//! The parts of a table, and where their files are: its rows, what arrays in its records hold, its rejected records, and the
//! tombstones of its deleted keys.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use selvedge_core::{Column, LoadError, Part, TableName, TableState, rejected, tombstone};

use crate::error::refused;

/// What the name of a folder may not end with, or a reader that globs the files beside it takes it for one.
const FILE_SUFFIX: &str = ".parquet";

/// What a generation has files of: a part of the table, or tombstones, which are no part that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'p> {
    Part(Part<'p>),
    Tombstones,
}

impl<'p> From<Part<'p>> for Place<'p> {
    fn from(part: Part<'p>) -> Self {
        Self::Part(part)
    }
}

/// The folder in which a generation has the files of a place. All but the rows have one of their own below the
/// generation's, so that a reader of the rows does not see them.
pub(crate) fn folder<'p>(generation: &Path, place: impl Into<Place<'p>>) -> Result<PathBuf, LoadError> {
    Ok(match place.into() {
        Place::Part(Part::Rows) => generation.to_owned(),
        Place::Part(Part::Subtable(name)) => generation.join(&*folder_name(name)?),
        Place::Part(Part::Rejects) => generation.join(rejected::TABLE),
        Place::Tombstones => generation.join(tombstone::TABLE),
    })
}

/// That of a subtable, which is its name as far as that can be. Two names never have the same one: one that ends as files
/// do, but for underscores, gets one underscore more.
fn folder_name(subtable: &str) -> Result<Cow<'_, str>, LoadError> {
    TableName::new(None, subtable).map_err(|error| {
        refused("a subtable has a name that none may have; restore the table from a backup").with_source(error)
    })?;
    let bare = subtable.trim_end_matches('_').to_ascii_lowercase();
    Ok(if bare.ends_with(FILE_SUFFIX) { format!("{subtable}_").into() } else { subtable.into() })
}

/// The columns of a part of a table that stands so; none of a subtable that it does not have.
pub(crate) fn columns<'s>(state: &'s TableState, part: Part<'_>) -> Cow<'s, [Column]> {
    match part {
        Part::Rows => Cow::Borrowed(&state.columns),
        Part::Subtable(name) => Cow::Borrowed(state.subtable(name).map_or(&[][..], |subtable| &subtable.columns)),
        Part::Rejects => Cow::Owned(rejected::columns().into()),
    }
}
