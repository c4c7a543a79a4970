//! Generations: the committed states of a table, and which of them is the current one.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selvedge_core::{IntegrationName, LoadError, TableName};

use crate::disk::{create_folder, folders, remove_file, sync_folder};
use crate::error::{failed, refused};
use crate::manifest::{DataFile, Manifest};
use crate::part::{self, Place};

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

/// What a generation holds of a place: the files, and the folder they are in. Nothing before the first generation.
#[derive(Debug, Default)]
pub(crate) struct StoredPart<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) files: &'a [DataFile],
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
    /// first, so that what a reader lists beside a manifest is whole. `current` is what [`current`](Self::current) found: as
    /// its manifest could be read, what stands beside it is not another version's.
    pub(crate) fn sweep(&self, current: Option<&Generation>, grace: Duration) -> Result<(), LoadError> {
        let current = current.map(|generation| generation.number);
        remove_file(&self.path().join(NEXT))?;
        let generations = self.path().join(GENERATIONS);
        let mut numbers: Vec<u64> = folders(&generations)?.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        let older = numbers.partition_point(|number| Some(*number) < current);
        // Each is outdated since the next one came. So the first that is not yet ends them.
        let since = |next: &u64| age(&self.generation(*next));
        let outdated = numbers.iter().skip(1).take(older).take_while(|next| since(next) >= grace).count();
        let never_published = numbers.iter().filter(|number| Some(**number) > current);
        for number in numbers.iter().take(outdated).chain(never_published) {
            let folder = self.generation(*number);
            Manifest::remove(&folder)?;
            fs::remove_dir_all(&folder).map_err(|error| failed("remove", &folder, error))?;
        }
        Ok(())
    }

    /// Makes the folder, for the first generation.
    pub(crate) fn create(&self) -> Result<(), LoadError> {
        let mut parent = self.root.clone();
        for name in self.names.iter().map(String::as_str).chain([GENERATIONS]) {
            let folder = parent.join(name);
            create_folder(&parent, &folder)?;
            parent = folder;
        }
        Ok(())
    }

    /// Removes all generations, so that the table is as if it had never been loaded. Readers find none from the first step on.
    pub(crate) fn clear(&self) -> Result<(), LoadError> {
        let table = self.path();
        remove_file(&table.join(CURRENT))?;
        let rest = || {
            sync_folder(&table)?;
            self.sweep(None, Duration::ZERO)?;
            // What others put into these folders is theirs to remove.
            for folder in [&table.join(GENERATIONS), &table] {
                let _ = fs::remove_dir(folder);
            }
            table.parent().map_or(Ok(()), sync_folder)
        };
        rest().map_err(LoadError::possibly_applied)
    }

    /// Makes a generation the current one that is whole and synced in its own folder.
    pub(crate) fn make_current(&self, number: u64) -> Result<(), LoadError> {
        let table = self.path();
        sync_folder(&table.join(GENERATIONS))?;
        let next = table.join(NEXT);
        symlink(relative_folder(number), &next).map_err(|error| failed("create", &next, error))?;
        fs::rename(&next, table.join(CURRENT))
            .map_err(|error| failed("rename", &next, error))
            .and_then(|()| sync_folder(&table))
            .map_err(LoadError::possibly_applied)
    }
}

impl Generation {
    pub(crate) fn part(&self, place: Place<'_>) -> Result<StoredPart<'_>, LoadError> {
        Ok(StoredPart { folder: part::folder(&self.folder, place)?, files: self.manifest.files.of(place) })
    }
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
