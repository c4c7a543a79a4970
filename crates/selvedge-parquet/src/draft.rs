//! The next generation of a table while it is written.

use std::fs;
use std::path::{Path, PathBuf};

use selvedge_core::{Applied, LoadError};
use uuid::Uuid;

use crate::disk::{make_folder, sync_folder};
use crate::error::failed;
use crate::generation::{Generation, TableFolder};
use crate::manifest::Manifest;
use crate::part::{self, Place};

/// The next generation. Nobody sees it before [`publish`](Self::publish); dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    table: &'a TableFolder,
    number: u64,
    folder: PathBuf,
    perhaps_published: bool,
}

/// Where files of the next generation go. The folder is made for the first of them.
#[derive(Debug)]
pub(crate) struct DraftPart {
    number: u64,
    folder: PathBuf,
}

impl<'a> Draft<'a> {
    /// Begins the generation that follows `current`. Whatever an earlier attempt left has to be swept before.
    pub(crate) fn after(current: Option<&Generation>, table: &'a TableFolder) -> Result<Self, LoadError> {
        if current.is_none() {
            table.create()?;
        }
        let number = current.map_or(0, |generation| generation.number) + 1;
        let folder = table.generation(number);
        fs::create_dir(&folder).map_err(|error| failed("create", &folder, error))?;
        Ok(Self { table, number, folder, perhaps_published: false })
    }

    /// Where the files of a place go.
    pub(crate) fn part(&self, place: Place<'_>) -> Result<DraftPart, LoadError> {
        Ok(DraftPart { number: self.number, folder: part::folder(&self.folder, place)? })
    }

    /// Makes this generation the current one. All its files are synced by now.
    pub(crate) fn publish(mut self, manifest: &Manifest) -> Result<(), LoadError> {
        manifest.write(&self.folder)?;
        for place in manifest.files.places() {
            sync_folder(&part::folder(&self.folder, place)?)?;
        }
        let published = self.table.make_current(self.number);
        self.perhaps_published = published.as_ref().err().is_none_or(|error| error.applied() == Applied::Unknown);
        published
    }
}

impl Drop for Draft<'_> {
    /// Frees the room at once. What cannot be removed now is swept later.
    fn drop(&mut self) {
        if !self.perhaps_published {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl DraftPart {
    /// Takes over a file of the generation before, as it is.
    pub(crate) fn link(&self, path: &Path, name: &str) -> Result<(), LoadError> {
        make_folder(&self.folder)?;
        fs::hard_link(path, self.folder.join(name)).map_err(|error| failed("link", path, error))
    }

    /// A path for a new file. The number keeps a listing in the order of writing; the rest is never drawn twice, not even
    /// when a crash makes the number be used again.
    pub(crate) fn new_file(&self) -> Result<PathBuf, LoadError> {
        make_folder(&self.folder)?;
        Ok(self.folder.join(format!("{:012}-{}.parquet", self.number, Uuid::new_v4().simple())))
    }
}
