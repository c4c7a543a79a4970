//! From what went wrong to what the engine and a person do about it.

use std::error::Error;
use std::io;
use std::path::Path;

use selvedge_core::{LoadError, LoadErrorKind};

/// The error of an operation on `path` that failed because of `cause`; `doing` is a verb: `read`, `write`.
pub(crate) fn failed(doing: &str, path: &Path, cause: impl Into<Box<dyn Error + Send + Sync>>) -> LoadError {
    let cause = cause.into();
    let path = path.display();
    let error = if is_full(&*cause) {
        LoadError::new(LoadErrorKind::Full, format!("cannot {doing} `{path}`: the disk is full; make room there"))
    } else {
        refused(format!("cannot {doing} `{path}`; check that selvedge may {doing} there and that the disk is healthy"))
    };
    error.with_source(cause)
}

/// The error of something that stays wrong until a person acts; `message` says how.
pub(crate) fn refused(message: impl Into<String>) -> LoadError {
    LoadError::new(LoadErrorKind::Refused, message)
}

/// Parquet wraps the operating system's errors, so the whole chain is looked through.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let full = |kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    error.downcast_ref::<io::Error>().is_some_and(|io| full(io.kind())) || error.source().is_some_and(is_full)
}
