//! What DuckDB's errors mean to the engine.

use std::path::Path;

use selvedge_core::{LoadError, LoadErrorKind};

/// The classes of DuckDB's errors whose messages speak of files, tables and memory. The others may quote the values they
/// stumbled on, and an error must not hold a record's content.
const WITHOUT_VALUES: [&str; 9] = [
    "Binder Error",
    "Catalog Error",
    "Dependency Error",
    "IO Error",
    "Out of Memory Error",
    "Parser Error",
    "Permission Error",
    "Serialization Error",
    "TransactionContext Error",
];

/// What is done when a constraint may keep a row out.
const WRITING_ROWS: [&str; 3] = ["write rows to", "write rows of a subtable to", "commit to"];

/// The error for what DuckDB said while it was asked to do something with the file: `write rows to`.
pub(crate) fn load_error(path: &Path, doing: &str, cause: duckdb::Error) -> LoadError {
    let text = cause.to_string();
    let file = path.display();
    let (kind, message) = if text.contains("Could not set lock on file") {
        return in_use(path).with_source(cause);
    } else if is_full(&text) {
        (LoadErrorKind::Full, format!("there is no room on the disk of {file}; make some, it will be tried again"))
    } else if WRITING_ROWS.contains(&doing) && is_constraint(&text) {
        (LoadErrorKind::BadRow, format!("a constraint in {file} keeps a row out of a table"))
    } else if is_out_of_memory(&text) {
        (
            LoadErrorKind::Refused,
            format!("DuckDB needs more memory to {doing} {file}; raise the memory limit of this destination"),
        )
    } else {
        (LoadErrorKind::Refused, format!("DuckDB could not {doing} {file}; remove the cause, then start again"))
    };
    with_cause(LoadError::new(kind, message), &text, cause)
}

/// The error for a file that somebody else has.
pub(crate) fn in_use(path: &Path) -> LoadError {
    LoadError::new(
        LoadErrorKind::Unavailable,
        format!("{} is open in another program; wait until that is done with it", path.display()),
    )
}

fn is_full(text: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "max_temp_directory_size"].iter().any(|sign| text.contains(sign))
}

/// Some constraints are checked with the row, some with the commit.
fn is_constraint(text: &str) -> bool {
    text.starts_with("Constraint Error") || (text.contains("Failed to commit") && text.contains("constraint"))
}

fn is_out_of_memory(text: &str) -> bool {
    // At a commit, the class of the error is another.
    ["Out of Memory Error", "failed to pin block", "could not allocate block"].iter().any(|sign| text.contains(sign))
}

fn with_cause(error: LoadError, text: &str, cause: duckdb::Error) -> LoadError {
    match text.split_once(": ") {
        Some((class, _)) if WITHOUT_VALUES.contains(&class) => error.with_source(cause),
        Some((class, _)) if class.ends_with("Error") => error.with_source(class),
        _ => error,
    }
}
