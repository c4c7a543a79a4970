//! Looking at the files without owning the folder.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use selvedge_core::{Counted, Each, Inspect, LoadError, LoadErrorKind, Part, TableName, TableState};

use crate::columns::Columns;
use crate::disk::parquet_files;
use crate::error::refused;
use crate::generation::TableFolder;
use crate::manifest::Manifest;
use crate::part;
use crate::read::{StoredRows, count_rows};
use crate::reshape::Reshape;
use selvedge_core::Nesting;

/// A folder of Parquet files, to be looked at.
///
/// Takes no lock and writes nothing, so it may be used while an owner loads into the folder, in this process or another.
/// Each look is at one generation. One that takes longer than [`Settings::keep_outdated`](crate::Settings::keep_outdated)
/// while the table is loaded fails as [`Unavailable`](LoadErrorKind::Unavailable), and may be tried again.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let root = folder.path();
/// use selvedge_core::Inspect;
/// use selvedge_parquet::ParquetReader;
///
/// let mut lake = ParquetReader::open(root)?;
/// for table in lake.tables()? {
///     println!("{table} has {} rows", lake.count(&table)?.map_or(0, |counted| counted.rows));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ParquetReader {
    root: PathBuf,
}

/// A part of a table as it stands in one generation.
#[derive(Debug)]
struct Snapshot {
    state: TableState,
    nesting: Nesting,
    /// Those a reader of the folder finds, not those of the manifest: somebody may have added or removed some.
    files: Vec<PathBuf>,
}

impl ParquetReader {
    /// Opens a folder that [`Parquet`](crate::Parquet) loads into, or has loaded into.
    ///
    /// # Errors
    /// [`Refused`](LoadErrorKind::Refused) when there is no such folder.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, LoadError> {
        let root = root.as_ref();
        if !root.is_dir() {
            let root = root.display();
            return Err(refused(format!("there is no folder `{root}`; name one that selvedge has loaded into")));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Looks at a part of a table; `None` before its first load. Whatever fails once another generation is the current one
    /// fails because that of the snapshot was swept.
    fn look<T>(
        &self,
        table: &TableName,
        part: Part<'_>,
        look: impl FnOnce(&Snapshot) -> Result<T, LoadError>,
    ) -> Result<Option<T>, LoadError> {
        let folder = TableFolder::of(&self.root, table);
        let Some(number) = folder.current_number()? else { return Ok(None) };
        match Snapshot::of(&folder.generation(number), part).and_then(|snapshot| look(&snapshot)) {
            Err(error) if folder.current_number().is_ok_and(|now| now != Some(number)) => {
                Err(swept(table).with_source(error))
            }
            looked => looked.map(Some),
        }
    }
}

impl Inspect for ParquetReader {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        let folders = TableFolder::all(&self.root)?;
        let loaded = folders.iter().filter(|folder| folder.was_loaded());
        let mut tables: Vec<_> = loaded.filter_map(TableFolder::table).collect();
        tables.sort();
        Ok(tables)
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.look(table, part, |snapshot| {
            snapshot.read(part, each)?;
            Ok(snapshot.state.clone())
        })
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        self.look(table, Part::Rows, |snapshot| {
            let rows = snapshot.files.iter().map(|file| count_rows(file)).sum::<Result<_, _>>()?;
            Ok(Counted { state: snapshot.state.clone(), rows })
        })
    }
}

impl Snapshot {
    fn of(generation: &Path, part: Part<'_>) -> Result<Self, LoadError> {
        let Manifest { state, nesting, .. } = Manifest::read(generation)?;
        let folder = match part {
            Part::Subtable(name) if state.subtable(name).is_none() => None,
            Part::Subtable(_) if nesting == Nesting::Native => Some(Part::Rows),
            _ => Some(part),
        };
        let files = folder.map(|part| parquet_files(&part::folder(generation, part)?)).transpose()?.unwrap_or_default();
        // It is swept before the files: as it is still there, none of them was missed.
        Manifest::check(generation)?;
        Ok(Self { state, nesting, files })
    }

    fn read(&self, part: Part<'_>, each: &mut Each<'_>) -> Result<(), LoadError> {
        let reshape = match self.nesting {
            Nesting::Native if part != Part::Rejects => Reshape::Unnested(&self.state, part),
            _ => Reshape::Flat(Columns::unchanged(&part::columns(&self.state, part))),
        };
        for file in &self.files {
            for batch in StoredRows::all(file.clone(), &reshape)? {
                if each(&self.state, batch?) == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn swept(table: &TableName) -> LoadError {
    LoadError::new(
        LoadErrorKind::Unavailable,
        format!("table {table} was loaded while it was read, and what was read is gone; read it again"),
    )
}
