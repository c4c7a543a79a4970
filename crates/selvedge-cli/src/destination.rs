//! Where to load, as the command line spells it: `sqlite:FILE`, `duckdb:FILE` or `parquet:FOLDER`.

#[cfg(feature = "duckdb")]
mod duckdb;
#[cfg(not(feature = "duckdb"))]
#[path = "destination/no_duckdb.rs"]
mod duckdb;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use selvedge::parquet::{self, Parquet, ParquetReader};
use selvedge::sqlite::{Sqlite, SqliteReader};
use selvedge::{Destination, Inspect, LoadError, LoadErrorKind, Nesting, TableName};

use crate::error::Error;

/// How destinations of one kind are opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// To load into them; they are made unless they stand.
    pub(crate) open: fn(&Path, Nesting) -> Opened,
    /// To look at what they hold; nothing is made or written.
    pub(crate) read: fn(&Path) -> Result<Box<dyn Inspect>, LoadError>,
    /// To make a view of a table in which each property is one column.
    pub(crate) create_view: fn(&Path, &TableName, &str) -> Result<(), LoadError>,
}

/// A destination that is to be loaded into.
type Opened = Result<Box<dyn Destination>, LoadError>;

/// A destination that is not opened yet.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// As the user wrote it: the destination's name in the queue and in reports.
    text: String,
    path: PathBuf,
    kind: Kind,
}

impl Address {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The folder of the queue that stands beside this destination.
    pub(crate) fn queue_folder(&self) -> PathBuf {
        // Collecting the components drops a slash at the end, so that the folder stands beside `lake/`, not in it.
        let mut folder = self.path.components().collect::<PathBuf>().into_os_string();
        folder.push(".queue");
        folder.into()
    }

    pub(crate) fn open(&self, nesting: Nesting) -> Result<Box<dyn Destination>, Error> {
        (self.kind.open)(&self.path, nesting)
            .map_err(|cause| Error::failed(format!("the destination {self} cannot be opened")).because(cause))
    }

    pub(crate) fn read(&self) -> Result<Box<dyn Inspect>, Error> {
        (self.kind.read)(&self.path).map_err(|cause| self.unreadable(cause))
    }

    /// Makes a view of a table in which each property is one column.
    pub(crate) fn create_view(&self, table: &TableName, view: &str) -> Result<(), Error> {
        (self.kind.create_view)(&self.path, table, view)
            .map_err(|cause| Error::failed(format!("the view {view} cannot be made in {self}")).because(cause))
    }

    /// The error of this destination when it could not be read.
    pub(crate) fn unreadable(&self, cause: LoadError) -> Error {
        Error::failed(format!("the destination {self} cannot be read")).because(cause)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "write sqlite:FILE, duckdb:FILE or parquet:FOLDER".to_owned();
        let (kind, path) = text.split_once(':').filter(|(_, path)| !path.is_empty()).ok_or_else(expected)?;
        let kind = match kind {
            "sqlite" => Kind {
                open: open_sqlite,
                read: |path| Ok(Box::new(SqliteReader::open(path)?)),
                create_view: |path, table, view| Sqlite::open(path)?.create_coalescing_view(table, view),
            },
            "parquet" => Kind {
                open: |path, nesting| {
                    let settings = parquet::Settings { nesting, ..parquet::Settings::default() };
                    Ok(Box::new(Parquet::open_with(path, settings)?))
                },
                read: |path| Ok(Box::new(ParquetReader::open(path)?)),
                create_view: |_, _, _| {
                    let message = "Parquet files have no views; make one where they are read";
                    Err(LoadError::new(LoadErrorKind::Refused, message))
                },
            },
            "duckdb" => duckdb::kind()?,
            _ => return Err(expected()),
        };
        Ok(Self { text: text.to_owned(), path: path.into(), kind })
    }
}

fn open_sqlite(path: &Path, nesting: Nesting) -> Opened {
    match nesting {
        Nesting::Flat => Ok(Box::new(Sqlite::open(path)?)),
        Nesting::Native => Err(LoadError::new(
            LoadErrorKind::Refused,
            "SQLite has no types for objects and arrays; load into it without `--nesting native`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_stands_beside_the_destination() {
        let check = |address: &str, expected: &str| {
            assert_eq!(address.parse::<Address>().unwrap().queue_folder(), Path::new(expected), "{address}");
        };
        check("sqlite:demo.db", "demo.db.queue");
        check("sqlite:/data/demo.db", "/data/demo.db.queue");
        check("parquet:lake/", "lake.queue");
    }

    #[test]
    fn anything_else_is_told_what_to_write() {
        for text in ["demo.db", "sqlite:", "postgres:x", ":x", ""] {
            let refused = text.parse::<Address>().unwrap_err();
            assert_eq!(refused, "write sqlite:FILE, duckdb:FILE or parquet:FOLDER", "{text}");
        }
    }
}
