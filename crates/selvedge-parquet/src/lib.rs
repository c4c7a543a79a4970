//! Loads into local Parquet files.
//!
//! # On disk
//! ```text
//! <root>/.selvedge.lock
//! <root>/[<integration>/]<table>/current -> .generations/000000000042
//! <root>/[<integration>/]<table>/.generations/000000000042/*.parquet, manifest.json
//! <root>/[<integration>/]<table>/.generations/000000000042/<subtable>/*.parquet
//! <root>/[<integration>/]<table>/.generations/000000000042/_sdc_rejected/*.parquet
//! <root>/[<integration>/]<table>/.generations/000000000042/_sdc_tombstones/*.parquet
//! ```
//! Read a table as `<root>/<table>/current/*.parquet`, a subtable of it as `<root>/<table>/current/<subtable>/*.parquet`,
//! and the records that were for it and were rejected, once there are any, as
//! `<root>/<table>/current/_sdc_rejected/*.parquet`. Each load writes a new generation: new files, hard links to the files
//! it does not change, and a manifest that lists them and holds the table's state. Everything is synced; then `current`, a
//! symbolic link, is replaced by one rename. A reader that lists `current/` finds one committed state, or, if it had listed
//! before a publication, at worst a file that is gone; one that resolves the link first and is done within
//! [`Settings::keep_outdated`] not even that. A file's name never stands for two contents.
//!
//! All files of a generation have the same columns, those of the table in its order, so that readers need no option for
//! differing files. The price: a load that adds, widens or renames a column rewrites the whole table, or subtable. A small
//! one, too: with each file the columns are written that stand, about 7 µs for each, so that a table that grows column by
//! column costs the square of its columns, which is seen beside the syncs of a load from some hundreds of columns on.
//!
//! A subtable's folder has its name. Where that ends in `.parquet`, or in that and underscores, the folder has one
//! underscore more, so that it is not taken for a file.
//!
//! # Keyed tables
//! Files are sorted by key, and their ranges of keys do not overlap. A load rewrites the files in whose ranges its rows
//! fall, and no other: keys that ascend cost little, keys scattered over a large table rewrite most of it with every load.
//! Larger loads are the remedy. A merge holds the rows of the load, their keys, and a few megabytes of the stored file.
//!
//! Subtables are kept in the same way, by source keys and level ids: a file is rewritten if a row of the load was written
//! whose subrows fall, or stood, in its range. Of neighbours that became small, the rewritten one takes in the other.
//!
//! A key that was deleted has a tombstone in place of its row: the key, how new the delete is, and when it was. Tombstones are
//! kept as rows are, sorted and in files that are rewritten as keys fall into them. Where there are none, there is no folder
//! of theirs and no work for them.
//!
//! # Keyless tables
//! A load appends a file, to the table and to each subtable. Small files are merged as they gather, so that a row is
//! rewritten a few times in its life. Rejects are kept in the same way, whether or not the table has keys.
//!
//! # What goes
//! A load that activates a version leaves out all rows, subrows and tombstones of lower ones and of none. Files whose
//! statistics show that they hold none of these stay as they are; the others are rewritten, or left out as a whole.
//!
//! What [`Destination::remove`] takes out is gone from all files when it returns: those that held it are rewritten, and the
//! generations before are swept at once, so that a reader which resolved one of them before fails. A table that is removed
//! loses its link `current` first and then all else. The blocks of the disk are not overwritten.
//!
//! # Nested tables
//! With [`Nesting::Native`] a table has no subtables on disk: its rows hold objects as structs and arrays as lists. All else
//! is as above; the state in the manifest is the same, and so is what [`ParquetReader`] shows.
//!
//! # Where it works
//! On Unix, on file systems with hard links, symbolic links and locks.

mod append;
mod columns;
mod contenders;
mod description;
mod disk;
mod draft;
mod encoding;
mod error;
mod generation;
mod incoming;
mod key;
mod leaving;
mod load;
mod manifest;
mod merge;
mod nested;
mod part;
mod read;
mod reader;
mod removal;
mod reshape;
mod transition;
mod upsert;
mod widen;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use selvedge_core::{Capabilities, Destination, LoadError, Removal, RowOrder, TableLoad, TableName, TableState};

use crate::disk::LockedRoot;
use crate::generation::TableFolder;
pub use crate::reader::ParquetReader;
pub use selvedge_core::Nesting;

const CAPABILITIES: Capabilities = Capabilities {
    kind: "parquet",
    row_order: RowOrder::Key,
    worthwhile_records: 1_000_000,
    memory_bytes: encoding::ROW_GROUP_BYTES + read::BATCH_BYTES,
};

/// A folder of Parquet files as a destination.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let root = folder.path();
/// use selvedge_core::{Destination, TableName};
/// use selvedge_parquet::Parquet;
///
/// let mut lake = Parquet::open(root)?;
/// assert!(lake.state(&TableName::new(None, "orders")?)?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Parquet {
    root: PathBuf,
    settings: Settings,
    /// Held, not used: the root is this owner's until it is dropped.
    _lock: LockedRoot,
}

/// What may be set about the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a generation stays on disk after the next one was published, for readers that resolved `current` before.
    /// Swept when the folder is opened and at the next load of the table. Default: five minutes.
    pub keep_outdated: Duration,
    /// A file holds at most as many rows; fewer where rows are wide, so that it stays near 128 MiB. Small files make
    /// scattered keys cheaper, large ones whole scans. At least 1. Default: 1,000,000.
    pub rows_per_file: u64,
    /// How objects and arrays are kept in tables that are new; those that stand stay as they are. Default:
    /// [`Nesting::Flat`].
    pub nesting: Nesting,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keep_outdated: Duration::from_secs(300), rows_per_file: 1_000_000, nesting: Nesting::default() }
    }
}

impl Parquet {
    /// Opens a folder, making it if it is missing, with the default [`Settings`].
    ///
    /// The folder belongs to the returned value until that is dropped.
    ///
    /// # Errors
    /// [`Unavailable`](selvedge_core::LoadErrorKind::Unavailable) while another owner has the folder, in this process or
    /// another; otherwise when the folder cannot be made, locked or read.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::open_with(root, Settings::default())
    }

    /// Opens a folder as [`open`](Self::open) does, with settings.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(root: impl AsRef<Path>, settings: Settings) -> Result<Self, LoadError> {
        let root = root.as_ref();
        disk::create_folders(root)?;
        let lock = disk::lock(root)?;
        for table in TableFolder::all(root)? {
            // A table that cannot be swept keeps no other from being loaded; its own next load tells why.
            let _ = table.current().and_then(|current| table.sweep(current.as_ref(), settings.keep_outdated));
        }
        Ok(Self { root: root.to_owned(), settings, _lock: lock })
    }
}

impl Destination for Parquet {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        let folder = TableFolder::of(&self.root, table);
        let Some(current) = folder.current()? else { return Ok(None) };
        folder.sync()?;
        Ok(Some(current.manifest.state))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        load::advance(&TableFolder::of(&self.root, &load.table), load, None, &self.settings)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        removal::remove(&TableFolder::of(&self.root, table), table, found, removal, &self.settings)
    }
}
