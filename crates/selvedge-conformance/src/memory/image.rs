//! The file of each table: its state and rows as one Arrow stream; the rows of each subtable, its tombstones and its rejects as others.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use selvedge_core::{IntegrationName, LoadError, LoadErrorKind, TableName, TableState};

use super::{Content, Table};

/// Where the stream of rows holds the table's state, as JSON.
const STATE: &str = "state";
/// The folder of the tables without an integration: no integration is called like that.
const NO_INTEGRATION: &str = "@";
const LOCK: &str = "@lock";

/// Takes the folder for one owner.
pub(super) fn lock(folder: &Path) -> Result<File, LoadError> {
    let file = lock_file(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("`{}` belongs to another one; drop that first", folder.display());
            Err(LoadError::new(LoadErrorKind::Unavailable, message))
        }
        Err(TryLockError::Error(cause)) => Err(failed(folder, cause)),
    }
}

/// The file that is locked.
pub(super) fn lock_file(folder: &Path) -> Result<File, LoadError> {
    let open = || {
        fs::create_dir_all(folder)?;
        OpenOptions::new().create(true).write(true).truncate(false).open(folder.join(LOCK))
    };
    open().map_err(|cause| failed(folder, cause))
}

/// Puts a table in the place of what its file held before: all of it or nothing, durable when it returns.
pub(super) fn write(root: &Path, name: &TableName, table: &Table) -> Result<(), LoadError> {
    let folder = folder_of(root, name);
    let next = folder.join("next");
    let write = || {
        fs::create_dir_all(&folder)?;
        File::open(root)?.sync_all()?;
        let mut file = File::create(&next)?;
        write_table(&mut file, table).map_err(io::Error::other)?;
        file.sync_all()
    };
    write().map_err(|cause| failed(&next, cause))?;
    let publish = || {
        fs::rename(&next, file_of(root, name))?;
        File::open(&folder)?.sync_all()
    };
    publish().map_err(|cause| failed(&next, cause).possibly_applied())
}

/// Leaves nothing of a table, durably.
pub(super) fn remove(root: &Path, name: &TableName) -> Result<(), LoadError> {
    let file = file_of(root, name);
    let remove = || {
        fs::remove_file(&file)?;
        File::open(folder_of(root, name))?.sync_all()
    };
    remove().map_err(|cause| failed(&file, cause).possibly_applied())
}

fn folder_of(root: &Path, name: &TableName) -> PathBuf {
    root.join(name.integration().map_or(NO_INTEGRATION, IntegrationName::as_str))
}

fn file_of(root: &Path, name: &TableName) -> PathBuf {
    folder_of(root, name).join(format!("{}.arrow", name.table()))
}

fn write_table(mut out: impl Write, table: &Table) -> Result<(), ArrowError> {
    let state = serde_json::to_string(&table.state).map_err(|cause| ArrowError::ExternalError(cause.into()))?;
    let Content { rows, subrows, tombstones } = &table.content;
    let schema = rows.schema().as_ref().clone().with_metadata([(STATE.to_owned(), state)]);
    let rows = rows.clone().with_schema(Arc::new(schema))?;
    for part in [&rows].into_iter().chain(subrows).chain([tombstones, &table.rejects]) {
        let mut stream = StreamWriter::try_new(&mut out, &part.schema())?;
        stream.write(part)?;
        stream.finish()?;
    }
    Ok(())
}

/// The tables in a folder; none when there is no folder.
pub(super) fn read_all(folder: &Path) -> Result<BTreeMap<TableName, Table>, LoadError> {
    let mut tables = BTreeMap::new();
    let mut read = || {
        for integration in names(folder)? {
            let folder = folder.join(&integration);
            for file in names(&folder)? {
                if let Some(name) = name(&integration, &file) {
                    tables.insert(name, read_table(File::open(folder.join(&file))?).map_err(io::Error::other)?);
                }
            }
        }
        Ok(())
    };
    read().map_err(|cause| failed(folder, cause))?;
    Ok(tables)
}

fn read_table(mut file: impl Read) -> Result<Table, ArrowError> {
    let rows = read_part(&mut file)?;
    let mut schema = rows.schema().as_ref().clone();
    let state = schema.metadata.remove(STATE).unwrap_or_default();
    let state: TableState = serde_json::from_str(&state).map_err(|cause| ArrowError::ExternalError(cause.into()))?;
    // Without the state, which the rows of a later load do not have.
    let rows = RecordBatch::try_new(Arc::new(schema), rows.columns().to_vec())?;
    let subrows = state.subtables.iter().map(|_| read_part(&mut file)).collect::<Result<_, _>>()?;
    let tombstones = read_part(&mut file)?;
    Ok(Table { state, content: Content { rows, subrows, tombstones }, rejects: read_part(&mut file)? })
}

fn read_part(file: impl Read) -> Result<RecordBatch, ArrowError> {
    let stream = StreamReader::try_new(file, None)?;
    let schema = stream.schema();
    concat_batches(&schema, &stream.collect::<Result<Vec<_>, _>>()?)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The table whose file is called like that; `None` for any other file.
fn name(integration: &str, file: &str) -> Option<TableName> {
    let table = file.strip_suffix(".arrow")?;
    let integration = match integration {
        NO_INTEGRATION => None,
        name => Some(IntegrationName::new(name).ok()?),
    };
    TableName::new(integration, table).ok()
}

fn failed(path: &Path, cause: io::Error) -> LoadError {
    let message = format!("`{}` cannot be read or written; put right what is named below", path.display());
    LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
}
