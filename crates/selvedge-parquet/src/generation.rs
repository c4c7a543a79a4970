//! Generations: the committed states of a table, and how the next one replaces the current one.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selvedge_core::{IntegrationName, LoadError, TableName, rejected};
use uuid::Uuid;

use crate::disk::{create_folder, folders, remove_file, sync_folder};
use crate::error::{failed, refused};
use crate::manifest::{DataFile, Manifest};

const CURRENT: &str = "current";
const GENERATIONS: &str = ".generations";
/// The link about to be renamed to [`CURRENT`].
const NEXT: &str = ".current-next";

/// The folder of a table.
#[derive(Debug)]
pub(crate) struct TableFolder {
    root: PathBuf,
    /// The folders from the root down to the table's own.
    names: Vec<String>,
}

/// A committed state of a table.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
}

/// What a generation holds of a part of a table, its rows or its rejects: the files, and the folder they are in.
#[derive(Debug, Default)]
pub(crate) struct StoredPart<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) files: &'a [DataFile],
}

/// The next generation while it is written. Nobody sees it before [`publish`](Self::publish); dropped, it is removed.
#[derive(Debug)]
pub(crate) struct Draft {
    table: PathBuf,
    number: u64,
    folder: PathBuf,
    perhaps_published: bool,
}

/// The folder of a part of the next generation.
#[derive(Debug)]
pub(crate) struct DraftPart {
    number: u64,
    folder: PathBuf,
}

impl TableFolder {
    pub(crate) fn of(root: &Path, table: &TableName) -> Self {
        let integration = table.integration().map(|integration| integration.as_str().to_owned());
        Self { root: root.to_owned(), names: integration.into_iter().chain([table.table().to_owned()]).collect() }
    }

    /// The folders below `root` in which tables have been loaded. A folder that cannot be read, as the `lost+found` of a
    /// disk, holds none.
    pub(crate) fn all(root: &Path) -> Result<Vec<Self>, LoadError> {
        let mut tables = Vec::new();
        for outer in folders(root)? {
            for inner in folders(&root.join(&outer)).unwrap_or_default() {
                tables.push(Self { root: root.to_owned(), names: vec![outer.clone(), inner] });
            }
            tables.push(Self { root: root.to_owned(), names: vec![outer] });
        }
        tables.retain(|table| table.path().join(GENERATIONS).is_dir());
        Ok(tables)
    }

    fn path(&self) -> PathBuf {
        self.names.iter().fold(self.root.clone(), |path, name| path.join(name))
    }

    /// The table that is loaded here; `None` if no table may be called so.
    pub(crate) fn table(&self) -> Option<TableName> {
        let (table, integration) = self.names.split_last()?;
        let integration = integration.first().map(IntegrationName::new).transpose().ok()?;
        TableName::new(integration, table).ok()
    }

    /// Whether a generation was ever published. One that cannot be found any more counts: reading it tells why.
    pub(crate) fn was_loaded(&self) -> bool {
        !matches!(self.current_number(), Ok(None))
    }

    /// The folder of a generation.
    pub(crate) fn generation(&self, number: u64) -> PathBuf {
        self.path().join(relative_folder(number))
    }

    /// The current generation; `None` before the first.
    pub(crate) fn current(&self) -> Result<Option<Generation>, LoadError> {
        let Some(number) = self.current_number()? else { return Ok(None) };
        let folder = self.generation(number);
        let manifest = Manifest::read(&folder)?;
        Ok(Some(Generation { number, folder, manifest }))
    }

    /// Makes sure that the generation [`current`](Self::current) found stays the current one after a power failure: the
    /// process that published it may have ended just before.
    pub(crate) fn sync(&self) -> Result<(), LoadError> {
        sync_folder(&self.path())
    }

    /// The number of the current generation; `None` before the first.
    pub(crate) fn current_number(&self) -> Result<Option<u64>, LoadError> {
        let table = self.path();
        if fs::read_link(&table).is_ok_and(|target| number_of(&target).is_some()) {
            return Err(not_ours(&table, "holds the rows of another table"));
        }
        let link = table.join(CURRENT);
        match fs::read_link(&link) {
            Ok(target) => number_of(&target).map(Some).ok_or_else(|| not_ours(&link, "is a link to somewhere else")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // What `readlink` says of anything that is no link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(not_ours(&link, "is no link")),
            Err(error) => Err(failed("read", &link, error)),
        }
    }

    /// Removes what crashed loads left, and the generations that have been out of date for `grace`. Each loses its manifest
    /// first, so that what a reader lists beside a manifest is whole.
    pub(crate) fn sweep(&self, grace: Duration) -> Result<(), LoadError> {
        let current = self.current_number()?;
        remove_file(&self.path().join(NEXT))?;
        let generations = self.path().join(GENERATIONS);
        let mut numbers: Vec<u64> = folders(&generations)?.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        for (at, &number) in numbers.iter().enumerate() {
            let never_published = Some(number) > current;
            let outdated = || numbers.get(at + 1).is_some_and(|next| age(&self.generation(*next)) >= grace);
            if never_published || (Some(number) < current && outdated()) {
                let folder = self.generation(number);
                Manifest::remove(&folder)?;
                fs::remove_dir_all(&folder).map_err(|error| failed("remove", &folder, error))?;
            }
        }
        Ok(())
    }

    /// Begins the generation that follows `current`. Whatever an earlier attempt left has to be swept before.
    pub(crate) fn draft(&self, current: Option<&Generation>) -> Result<Draft, LoadError> {
        if current.is_none() {
            self.create()?;
        }
        let table = self.path();
        let number = current.map_or(0, |generation| generation.number) + 1;
        let folder = table.join(relative_folder(number));
        fs::create_dir(&folder).map_err(|error| failed("create", &folder, error))?;
        Ok(Draft { table, number, folder, perhaps_published: false })
    }

    fn create(&self) -> Result<(), LoadError> {
        let mut parent = self.root.clone();
        for name in self.names.iter().map(String::as_str).chain([GENERATIONS]) {
            let folder = parent.join(name);
            create_folder(&parent, &folder)?;
            parent = folder;
        }
        Ok(())
    }
}

impl Generation {
    pub(crate) fn rows(&self) -> StoredPart<'_> {
        StoredPart { folder: self.folder.clone(), files: &self.manifest.files }
    }

    pub(crate) fn rejects(&self) -> StoredPart<'_> {
        StoredPart { folder: rejects_folder(&self.folder), files: &self.manifest.rejects }
    }
}

impl Draft {
    /// Where the rows go.
    pub(crate) fn rows(&self) -> DraftPart {
        DraftPart { number: self.number, folder: self.folder.clone() }
    }

    /// Where the rejects go: a folder that is made by this.
    pub(crate) fn rejects(&self) -> Result<DraftPart, LoadError> {
        let folder = rejects_folder(&self.folder);
        fs::create_dir(&folder).map_err(|error| failed("create", &folder, error))?;
        Ok(DraftPart { number: self.number, folder })
    }

    /// Makes this generation the current one. All its files are synced by now.
    pub(crate) fn publish(mut self, manifest: &Manifest) -> Result<(), LoadError> {
        manifest.write(&self.folder)?;
        if !manifest.rejects.is_empty() {
            sync_folder(&rejects_folder(&self.folder))?;
        }
        sync_folder(&self.folder)?;
        sync_folder(&self.table.join(GENERATIONS))?;
        let next = self.table.join(NEXT);
        symlink(relative_folder(self.number), &next).map_err(|error| failed("create", &next, error))?;
        self.perhaps_published = true;
        fs::rename(&next, self.table.join(CURRENT))
            .map_err(|error| failed("rename", &next, error))
            .and_then(|()| sync_folder(&self.table))
            .map_err(LoadError::possibly_applied)
    }
}

impl DraftPart {
    /// Takes over a file of the generation before, as it is.
    pub(crate) fn link(&self, path: &Path, name: &str) -> Result<(), LoadError> {
        fs::hard_link(path, self.folder.join(name)).map_err(|error| failed("link", path, error))
    }

    /// A path for a new file. The number keeps a listing in the order of writing; the rest is never drawn twice, not even
    /// when a crash makes the number be used again.
    pub(crate) fn new_file(&self) -> PathBuf {
        self.folder.join(format!("{:012}-{}.parquet", self.number, Uuid::new_v4().simple()))
    }
}

impl Drop for Draft {
    /// Frees the room at once. What cannot be removed now is swept later.
    fn drop(&mut self) {
        if !self.perhaps_published {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Below the folder of a generation, so that a reader of the rows does not see the rejects.
pub(crate) fn rejects_folder(generation: &Path) -> PathBuf {
    generation.join(rejected::TABLE)
}

/// From the table's folder; also what [`CURRENT`] says.
fn relative_folder(number: u64) -> PathBuf {
    Path::new(GENERATIONS).join(format!("{number:012}"))
}

fn number_of(target: &Path) -> Option<u64> {
    target.strip_prefix(GENERATIONS).ok()?.to_str()?.parse().ok()
}

/// How long ago the last entry of a folder was written. A generation's last is its manifest, written just before it
/// replaced the one before. Zero where the clock was set back.
fn age(folder: &Path) -> Duration {
    let modified = fs::metadata(folder).and_then(|metadata| metadata.modified());
    modified.ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

fn not_ours(path: &Path, what: &str) -> LoadError {
    refused(format!(
        "`{}` {what}, so selvedge does not write there; rename the table or the integration, or move what stands there",
        path.display()
    ))
}
