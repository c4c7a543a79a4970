//! The destinations that are put to the test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use selvedge::{
    BadRecords, Deletes, Destination, Engine, EngineBuilder, Inspect, LoadError, Policy, duckdb, parquet, sqlite,
};

use crate::failure::Failure;

/// A kind of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Target {
    /// A SQLite database.
    Sqlite,
    /// A DuckDB file.
    DuckDb,
    /// A folder of Parquet files.
    Parquet,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::DuckDb, Self::Parquet];

    /// How the command line calls it, and the engine.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::DuckDb => "duckdb",
            Self::Parquet => "parquet",
        }
    }

    /// Where the queue stands under a root.
    pub(crate) fn queue(root: &Path) -> PathBuf {
        root.join("queue")
    }

    /// The folder under a root that is there before it: apart from the queue's, so that what one of them makes durable is of no
    /// use to the other.
    pub(crate) fn folder(root: &Path) -> PathBuf {
        root.join("to")
    }

    /// Where it stands under a root.
    pub(crate) fn place(self, root: &Path) -> PathBuf {
        Self::folder(root).join(match self {
            Self::Sqlite => "copy.db",
            Self::DuckDb => "copy.duckdb",
            Self::Parquet => "lake",
        })
    }

    /// An engine between the two.
    pub(crate) fn start(self, root: &Path) -> Result<Engine, Failure> {
        let hard_deletes = Policy { deletes: Deletes::Hard, ..Policy::default() };
        Ok(self.builder(root)?.policy(hard_deletes).bad_records(BadRecords::RejectEach).start()?)
    }

    fn builder(self, root: &Path) -> Result<EngineBuilder, LoadError> {
        let place = self.place(root);
        let builder = Engine::builder(Self::queue(root));
        Ok(match self {
            Self::Sqlite => builder.destination(self.name(), sqlite::Sqlite::open(place)?),
            Self::DuckDb => builder.destination(self.name(), duckdb::DuckDb::open(place)?),
            Self::Parquet => builder.destination(self.name(), open_lake(&place)?),
        })
    }

    /// Looks at what stands there.
    pub(crate) fn look(self, root: &Path) -> Result<Box<dyn Inspect>, LoadError> {
        let place = self.place(root);
        Ok(match self {
            Self::Sqlite => Box::new(sqlite::SqliteReader::open(place)?),
            Self::DuckDb => Box::new(duckdb::DuckDbReader::open(place)?),
            Self::Parquet => Box::new(parquet::ParquetReader::open(place)?),
        })
    }
}

/// Outdated generations go at once, so that their removal is put to the test too.
fn open_lake(place: &Path) -> Result<impl Destination + 'static, LoadError> {
    let settings = parquet::Settings { keep_outdated: Duration::ZERO, ..parquet::Settings::default() };
    parquet::Parquet::open_with(place, settings)
}
