//! The files this process has open.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// DuckDB's own lock keeps other processes out, but not a second user in the same one, and two of them would destroy the
/// file.
static HELD: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// A file that nobody else in this process opens through selvedge.
#[derive(Debug)]
pub(crate) struct HeldFile(PathBuf);

impl HeldFile {
    /// Takes the file, or `None` while somebody else has it.
    pub(crate) fn take(path: &Path) -> Option<Self> {
        // A file that is still to be made has no canonical path.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(path.clone()).then(|| Self(path))
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}
