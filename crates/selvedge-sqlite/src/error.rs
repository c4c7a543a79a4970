//! What SQLite's errors mean to the engine.

use std::path::Path;

use rusqlite::ErrorCode;
use selvedge_core::{Column, LoadError, LoadErrorKind, TableName};

/// What the destination is doing, so that its errors can say so.
pub(crate) struct Doing<'a> {
    /// An infinitive that the file's name follows: `to load table orders into`.
    what: String,
    file: &'a Path,
}

impl<'a> Doing<'a> {
    pub(crate) fn opening(file: &'a Path) -> Self {
        Self { what: "to open".to_owned(), file }
    }

    pub(crate) fn reading_state(file: &'a Path, table: &TableName) -> Self {
        Self { what: format!("to read the state of table {table} in"), file }
    }

    pub(crate) fn reading(file: &'a Path, table: &TableName) -> Self {
        Self { what: format!("to read table {table} in"), file }
    }

    pub(crate) fn listing(file: &'a Path) -> Self {
        Self { what: "to list the tables of".to_owned(), file }
    }

    pub(crate) fn loading(file: &'a Path, table: &TableName) -> Self {
        Self { what: format!("to load table {table} into"), file }
    }

    pub(crate) fn removing(file: &'a Path, table: &TableName) -> Self {
        Self { what: format!("to remove anything of table {table} from"), file }
    }

    pub(crate) fn viewing(file: &'a Path, table: &TableName) -> Self {
        Self { what: format!("to make a view of table {table} in"), file }
    }

    /// The error for a call of SQLite that failed.
    pub(crate) fn failed(&self, cause: rusqlite::Error) -> LoadError {
        let file = self.file.display();
        let (kind, message) = match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (LoadErrorKind::Unavailable, format!("another program is writing to {file}; wait until it is done"))
            }
            Some(ErrorCode::DiskFull) => {
                (LoadErrorKind::Full, format!("there is no room left for {file}; free some, it will be tried again"))
            }
            Some(ErrorCode::ConstraintViolation) => {
                (LoadErrorKind::BadRow, format!("a constraint or a trigger in {file} keeps a row out of a table"))
            }
            _ => return self.refused("correct the cause, then start again").with_source(cause),
        };
        LoadError::new(kind, message).with_source(cause)
    }

    /// The error for files that cannot be freed of what was deleted because somebody reads it.
    pub(crate) fn in_use(&self) -> LoadError {
        let message = format!(
            "another program is reading {}, so that what was removed is in its files still; wait until it is done, \
             then remove it once more",
            self.file.display()
        );
        LoadError::new(LoadErrorKind::Unavailable, message)
    }

    /// The error for a value that selvedge does not write.
    pub(crate) fn found_unreadable(&self, column: &Column, found: &str) -> LoadError {
        self.refused(&format!(
            "its column `{}` is {} and holds {found}, which selvedge does not write there: correct that",
            column.name, column.column_type
        ))
    }

    /// The error for something that trying again would not mend; `remedy` says what would.
    pub(crate) fn refused(&self, remedy: &str) -> LoadError {
        let message = format!("it is not possible {} {}; {remedy}", self.what, self.file.display());
        LoadError::new(LoadErrorKind::Refused, message)
    }
}
