//! Folders: made to outlive a power failure, listed, and locked.

use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use selvedge_core::{LoadError, LoadErrorKind};

use crate::error::failed;

const LOCK: &str = ".selvedge.lock";

/// Makes a folder and the missing ones above it, each durable in its parent.
pub(crate) fn create_folders(path: &Path) -> Result<(), LoadError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folders(parent)?;
    create_folder(parent, path)
}

/// Makes a folder durable in its parent, whether or not it is there already: an earlier process may have made it and died
/// before the parent was synced.
pub(crate) fn create_folder(parent: &Path, path: &Path) -> Result<(), LoadError> {
    make_folder(path)?;
    sync_folder(parent)
}

/// Makes a folder that may be there already.
pub(crate) fn make_folder(path: &Path) -> Result<(), LoadError> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("create", path, error)),
        _ => Ok(()),
    }
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LoadError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failed("sync", path, error))
}

/// Removes a file or a link, if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<(), LoadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// The names of the folders in a folder, none if it does not exist. Links are not followed.
pub(crate) fn folders(path: &Path) -> Result<Vec<String>, LoadError> {
    let is_folder = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let folders = entries(path)?.into_iter().filter(is_folder);
    Ok(folders.filter_map(|folder| folder.file_name().into_string().ok()).collect())
}

/// The Parquet files in a folder, none if it does not exist, in the order of their names.
pub(crate) fn parquet_files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files: Vec<_> = entries(path)?.iter().map(DirEntry::path).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "parquet"));
    files.sort();
    Ok(files)
}

fn entries(path: &Path) -> Result<Vec<DirEntry>, LoadError> {
    match fs::read_dir(path).and_then(Iterator::collect) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(|error| failed("read", path, error)),
    }
}

/// A root that nobody else may open to load into until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct LockedRoot(File);

/// Closing the file is not enough: a child process that was started a moment ago may still hold a copy of its handle.
impl Drop for LockedRoot {
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked when the process ends.
        let _ = self.0.unlock();
    }
}

/// Takes the root for this owner alone.
pub(crate) fn lock(root: &Path) -> Result<LockedRoot, LoadError> {
    let path = root.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| failed("write", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(LockedRoot(file)),
        Err(TryLockError::WouldBlock) => Err(LoadError::new(
            LoadErrorKind::Unavailable,
            format!("`{}` is being written by another selvedge; stop it or wait", root.display()),
        )),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path, error)),
    }
}
