//! The manifest: what a generation of a table holds, beside the files it describes.

mod sum;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use selvedge_core::{LoadError, Part, TableState};
use serde::{Deserialize, Serialize};

use crate::disk::remove_file;
use crate::error::{failed, refused};
use crate::key::KeyText;
use crate::part::Place;
use selvedge_core::Nesting;

/// The version of everything this crate writes to disk: folders, file names, manifest, encodings of keys.
const FORMAT: u32 = 5;
const NAME: &str = "manifest.json";

/// What a generation holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(flatten)]
    versions: Versions,
    pub(crate) nesting: Nesting,
    pub(crate) state: TableState,
    pub(crate) files: Files,
}

/// The files of each place, in the order of their keys; in a keyless table, and of rejects, in the order of arrival. Files
/// without rows are not listed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files {
    pub(crate) rows: Vec<DataFile>,
    /// By the names of all the subtables; none where rows have their subrows in them.
    pub(crate) subtables: BTreeMap<String, Vec<DataFile>>,
    pub(crate) tombstones: Vec<DataFile>,
    pub(crate) rejects: Vec<DataFile>,
}

/// Read before the rest, which another version may have changed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Versions {
    format: u32,
    state_format: u32,
}

const VERSIONS: Versions = Versions { format: FORMAT, state_format: TableState::FORMAT };

/// A Parquet file of a generation. Its name never stands for another content, in any generation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DataFile {
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Only in keyed tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<KeyRange>,
}

/// The least and the greatest key of a file. The ranges of a generation's files do not overlap.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRange {
    pub(crate) first: KeyText,
    pub(crate) last: KeyText,
}

impl Files {
    /// Those of a place; none of one that does not exist.
    pub(crate) fn of(&self, place: Place<'_>) -> &[DataFile] {
        match place {
            Place::Part(Part::Rows) => &self.rows,
            Place::Part(Part::Subtable(name)) => self.subtables.get(name).map_or(&[], Vec::as_slice),
            Place::Part(Part::Rejects) => &self.rejects,
            Place::Tombstones => &self.tombstones,
        }
    }

    /// The places that exist; that of the rows, whose folder holds the others', comes last.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let subtables = self.subtables.keys().map(|name| Part::Subtable(name).into());
        let tombstones = (!self.tombstones.is_empty()).then_some(Place::Tombstones);
        let rejects = (!self.rejects.is_empty()).then_some(Part::Rejects.into());
        subtables.chain(tombstones).chain(rejects).chain([Part::Rows.into()])
    }
}

impl Manifest {
    pub(crate) fn new(nesting: Nesting, state: TableState, files: Files) -> Self {
        Self { versions: VERSIONS, nesting, state, files }
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, LoadError> {
        let path = folder.join(NAME);
        let text = fs::read(&path).map_err(|error| failed("read", &path, error))?;
        let versions: Versions = serde_json::from_slice(&text).map_err(|error| malformed(&path, &error))?;
        if versions != VERSIONS {
            return Err(refused(format!(
                "`{}` is of format {}.{}, this selvedge knows {FORMAT}.{}; use the version of selvedge that wrote it",
                path.display(),
                versions.format,
                versions.state_format,
                TableState::FORMAT
            )));
        }
        if !sum::holds(&text) {
            return Err(damaged(&path, "its checksum is another"));
        }
        serde_json::from_slice(&text).map_err(|error| malformed(&path, &error))
    }

    /// Checks that that of a folder is there.
    pub(crate) fn check(folder: &Path) -> Result<(), LoadError> {
        let path = folder.join(NAME);
        fs::metadata(&path).map(|_| ()).map_err(|error| failed("read", &path, error))
    }

    /// Removes that of a folder, if it is there.
    pub(crate) fn remove(folder: &Path) -> Result<(), LoadError> {
        remove_file(&folder.join(NAME))
    }

    /// Writes it durably; its entry in the folder is the caller's to sync.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), LoadError> {
        let path = folder.join(NAME);
        let text = serde_json::to_string_pretty(self).map_err(|error| failed("write", &path, error))?;
        let text = sum::added_to(&text);
        File::create_new(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| failed("write", &path, error))
    }
}

/// The cause is told by its place alone, because its text may quote a key.
fn malformed(path: &Path, error: &serde_json::Error) -> LoadError {
    damaged(path, &format!("line {}, column {}", error.line(), error.column()))
}

fn damaged(path: &Path, how: &str) -> LoadError {
    refused(format!(
        "`{}` is no manifest of selvedge, or was altered ({how}); restore the table's folder from a backup, or move it away to \
         load the table anew",
        path.display(),
    ))
}
