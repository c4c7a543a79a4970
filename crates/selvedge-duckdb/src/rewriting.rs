//! Writing a file anew, so that nothing of what was deleted is left in its bytes.
//!
//! DuckDB marks deleted rows and leaves them in their blocks, writes a block for several tables, and leaves as it is what a
//! freed block holds. So only a copy is free of them. The copy takes the file's name in one step: whenever the process is
//! killed, one of the two stands there whole. What the file system does with the blocks of the old one is its own affair.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use selvedge_core::{LoadError, LoadErrorKind};

use crate::session::{CATALOG, Session, literal};

/// What the copy is called beside the file. One that a process was killed over is made anew by the next.
pub(crate) const SUFFIX: &str = ".rewritten";
/// The name the copy is attached under.
const COPY: &str = "_sdc_rewritten";

/// Puts a copy of what stands in the file in its place. Everything else that others have in it is copied as well.
///
/// Nothing may be written in this stay afterwards: DuckDB has the old file until it is released.
pub(crate) fn apply(session: &Session) -> Result<(), LoadError> {
    let path = session.path();
    let copy = beside(path, SUFFIX);
    empty_log(session)?;
    discard(&copy).map_err(|cause| failed(path, cause))?;
    let done = write(session, &copy).and_then(|()| take_place(&copy, path).map_err(|cause| failed(path, cause)));
    if done.is_err() {
        // It would take room until the next one. What cannot be removed now is removed then.
        let _ = session.execute_batch(&format!("DETACH DATABASE IF EXISTS {COPY}"));
        let _ = discard(&copy);
    }
    done
}

fn write(session: &Session, copy: &Path) -> Result<(), LoadError> {
    let copy = literal(&copy.to_string_lossy());
    let statements = format!("ATTACH {copy} AS {COPY}; COPY FROM DATABASE {CATALOG} TO {COPY}; DETACH {COPY}");
    session.execute_batch(&statements).map_err(session.failed("write a copy of"))
}

/// Moves what the log holds into the file.
pub(crate) fn empty_log(session: &Session) -> Result<(), LoadError> {
    session.execute_batch("FORCE CHECKPOINT").map_err(session.failed("move the log into"))?;
    let log = beside(session.path(), ".wal");
    if fs::metadata(&log).map_or(0, |log| log.len()) > 0 {
        let message =
            format!("{} holds something still; end other programs that use the file, then try again", log.display());
        return Err(LoadError::new(LoadErrorKind::Unavailable, message));
    }
    Ok(())
}

/// Removes a copy that was not finished.
fn discard(copy: &Path) -> io::Result<()> {
    for file in [copy.to_owned(), beside(copy, ".wal")] {
        match fs::remove_file(file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
    }
    Ok(())
}

/// Gives a file the name of another, and its permissions.
fn take_place(copy: &Path, path: &Path) -> io::Result<()> {
    fs::set_permissions(copy, fs::metadata(path)?.permissions())?;
    File::open(copy)?.sync_all()?;
    fs::rename(copy, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn failed(path: &Path, cause: io::Error) -> LoadError {
    let kind = if cause.kind() == io::ErrorKind::StorageFull { LoadErrorKind::Full } else { LoadErrorKind::Refused };
    let message = format!(
        "{} could not be replaced by a copy without what was removed; remove the cause, then remove it once more",
        path.display()
    );
    LoadError::new(kind, message).with_source(cause)
}
