//! The folder of a queue: made durably, locked against a second engine.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{QueueError, QueueErrorKind};

/// A folder that nobody else may open as a queue until this is dropped.
#[derive(Debug)]
pub(crate) struct LockedFolder(File);

impl LockedFolder {
    /// Locks the `queue.lock` in the folder.
    pub(crate) fn take(folder: &Path) -> Result<Self, QueueError> {
        let failed = |error| folder_error(folder, error);
        let file = File::create(folder.join("queue.lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "{} is in use by another selvedge process: wait until it is done, or stop it",
                    folder.display()
                );
                Err(QueueError::new(QueueErrorKind::InUse, message))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Closing the file is not enough: a child process that was started a moment ago may still hold a copy of its handle.
impl Drop for LockedFolder {
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked when the process ends.
        let _ = self.0.unlock();
    }
}

/// Makes the folder if it is not there.
pub(crate) fn create(folder: &Path) -> Result<(), QueueError> {
    create_durably(folder).map_err(|error| folder_error(folder, error))
}

/// The database of a queue in the folder, whether or not it is there.
pub(crate) fn file_in(folder: &Path) -> PathBuf {
    folder.join("queue.db")
}

/// The database of the queue in the folder.
pub(crate) fn existing_file(folder: &Path) -> Result<PathBuf, QueueError> {
    let file = file_in(folder);
    if file.is_file() {
        return Ok(file);
    }
    let message = format!("there is no queue in {}: check the path of the folder", folder.display());
    Err(QueueError::new(QueueErrorKind::Format, message))
}

/// Makes what was created in the folder durable: a file is only as durable as the entry that leads to it.
pub(crate) fn sync(folder: &Path) -> Result<(), QueueError> {
    sync_entries(folder).map_err(|error| folder_error(folder, error))
}

/// Makes the folder, and those above it, so that they are there after a power cut.
fn create_durably(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_durably(parent)?;
    fs::create_dir(folder)?;
    sync_entries(parent)
}

fn sync_entries(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn folder_error(folder: &Path, error: io::Error) -> QueueError {
    let message = format!(
        "the queue folder {} cannot be made or opened: check that the path is right and may be written",
        folder.display()
    );
    QueueError::new(QueueErrorKind::Io, message).with_source(error)
}
