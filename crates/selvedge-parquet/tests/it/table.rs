//! A table to load and to read back. Rows are written as text: values apart by spaces, rows by `;`, `-` is null.

use std::fs::{self, File};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use selvedge_core::{
    ArrayPath, Change, Column, Destination, Epoch, Inspect, IntegrationName, Key, LoadError, Part, Path as SourcePath,
    Position, QueueId, Subtable, SubtableLoad, TableLoad, TableName, TableState, rejected, tombstone,
};
use selvedge_parquet::{Parquet, ParquetReader, Settings};

/// Puts another manifest in the place of a table's, with its checksum: as if selvedge had written it so.
pub(crate) fn write_manifest(table: &Path, text: &str) {
    let (head, members) = text.split_at(text.match_indices('\n').nth(1).unwrap().0 + 1);
    let digits = head.rfind("\",").unwrap();
    let sum = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(members.as_bytes()));
    fs::write(table.join("current/manifest.json"), format!("{}{sum}\",\n{members}", &head[..digits - 32])).unwrap();
}

/// A folder with one table.
pub(crate) struct Table {
    pub(crate) lake: Parquet,
    pub(crate) name: TableName,
    keys: Vec<String>,
    queue: QueueId,
    loads: u64,
}

impl Table {
    /// The table `orders`; `keys` apart by spaces.
    pub(crate) fn open(root: &Path, settings: Settings, keys: &str) -> Self {
        let lake = Parquet::open_with(root, settings).unwrap();
        Self {
            lake,
            name: table_name("orders"),
            keys: keys.split_whitespace().map(str::to_owned).collect(),
            queue: QueueId::random(),
            loads: 0,
        }
    }

    /// A load planned on what stands there.
    pub(crate) fn plan(&mut self, columns: &str, rows: &str) -> TableLoad {
        let columns = columns_of(columns);
        let rows = batch(&columns, rows);
        self.plan_batch(columns, rows)
    }

    pub(crate) fn plan_batch(&mut self, columns: Vec<Column>, rows: RecordBatch) -> TableLoad {
        self.loads += 1;
        let planned_on = self.lake.state(&self.name).unwrap();
        let changes = changes(planned_on.as_ref().map(|state| &state.columns[..]), &columns);
        let to = Position { queue: self.queue, epoch: Epoch::from_bytes([9; 16]), batch: self.loads, record: 0 };
        let (table, keys) = (self.name.clone(), self.keys.clone());
        let deletes = tombstone::none(&columns, &keys);
        let active_version = planned_on.as_ref().and_then(|state| state.active_version);
        let counts = planned_on.as_ref().map(|state| state.counts).unwrap_or_default();
        TableLoad {
            table,
            planned_on,
            changes,
            columns,
            keys,
            rows,
            subtables: Vec::new(),
            deletes,
            active_version,
            activations: 0,
            superseded: 0,
            rejects: rejected::none(),
            counts,
            to,
        }
    }

    /// Loads rows, and rejects a record for each number.
    pub(crate) fn load_rejecting(&mut self, columns: &str, rows: &str, rejected: Range<u64>) -> TableState {
        let mut load = self.plan(columns, rows);
        load.rejects = rejects(rejected);
        self.lake.load(&load).unwrap()
    }

    pub(crate) fn try_load(&mut self, columns: &str, rows: &str) -> Result<TableState, LoadError> {
        let load = self.plan(columns, rows);
        self.lake.load(&load)
    }

    pub(crate) fn load(&mut self, columns: &str, rows: &str) -> TableState {
        let state = self.try_load(columns, rows).unwrap();
        assert_eq!(self.lake.state(&self.name).unwrap().as_ref(), Some(&state));
        state
    }
}

/// What leads from the columns that stand to others that have them all, some of them wider.
fn changes(standing: Option<&[Column]>, columns: &[Column]) -> Vec<Change> {
    match standing {
        None => vec![Change::CreateTable(columns.to_vec())],
        Some(standing) => {
            let widens =
                standing.iter().zip(columns).filter(|(stands, column)| stands.column_type != column.column_type);
            let widened = widens.map(|(_, column)| Change::WidenColumn(column.clone()));
            widened.chain(columns.iter().skip(standing.len()).cloned().map(Change::AddColumn)).collect()
        }
    }
}

/// Adds a subtable to a load: all its columns, and rows in the order of their keys. The array `tags` of the elements of
/// `items` is `items__tags`.
pub(crate) fn add_subtable(load: &mut TableLoad, name: &str, columns: &str, rows: &str) {
    let columns = columns_of(columns);
    let standing = load.planned_on.as_ref().and_then(|state| state.subtable(name));
    let changes = changes(standing.map(|subtable| &subtable.columns[..]), &columns);
    let rows = batch(&columns, rows);
    let source = ArrayPath(name.split("__").map(|name| SourcePath(vec![name.to_owned()])).collect());
    let subtable = Subtable { name: name.to_owned(), source, columns };
    let key = Key::of(load).unwrap();
    let (keys, roots) = (key.contestants(&load.rows).unwrap(), key.roots(&subtable, &rows).unwrap());
    let root_of = |row| (0..keys.len()).position(|root| keys.key(root) == roots.row(row)).unwrap() as u32;
    let roots = (0..rows.num_rows()).map(root_of).collect::<Vec<_>>().into();
    load.subtables.push(SubtableLoad { subtable, changes, rows, roots });
}

/// Lets a load delete keys: rows of the key, `_sdc_sequence`, `_sdc_table_version` and `_sdc_deleted_at`.
pub(crate) fn delete(load: &mut TableLoad, rows: &str) {
    load.deletes = batch(&load.tombstone_columns(), rows);
}

/// Lets a load activate a version.
pub(crate) fn activate(load: &mut TableLoad, version: i64) {
    load.active_version = Some(version);
    load.activations = 1;
}

/// `integration.table` or `table`.
pub(crate) fn table_name(name: &str) -> TableName {
    match name.split_once('.') {
        Some((integration, table)) => TableName::new(Some(IntegrationName::new(integration).unwrap()), table).unwrap(),
        None => TableName::new(None, name).unwrap(),
    }
}

/// `id:integer address__city:string`; an element that is a scalar is `value`.
pub(crate) fn columns_of(text: &str) -> Vec<Column> {
    let column = |text: &str| {
        let (name, column_type) = text.split_once(':').unwrap();
        let path = (!name.trim_start_matches('_').starts_with("sdc")).then(|| path_of(name));
        Column::new(name, path, column_type.parse().unwrap())
    };
    text.split_whitespace().map(column).collect()
}

fn path_of(name: &str) -> SourcePath {
    SourcePath(name.split("__").filter(|name| *name != "value").map(str::to_owned).collect())
}

pub(crate) fn batch(columns: &[Column], rows: &str) -> RecordBatch {
    let rows: Vec<Vec<&str>> = rows.split(';').map(|row| row.split_whitespace().collect()).collect();
    let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
    let column = |(at, column): (usize, &Column)| -> ArrayRef {
        let text: StringArray = rows.iter().map(|row| Some(row[at]).filter(|value| *value != "-")).collect();
        let data_type = column.column_type.arrow();
        cast(&cast(&text, &number_of(&data_type)).unwrap(), &data_type).unwrap()
    };
    let schema = Schema::new(columns.iter().map(Column::arrow_field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.iter().enumerate().map(column).collect()).unwrap()
}

/// In tests' text, times are numbers of their unit.
fn number_of(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Timestamp(..) | DataType::Time64(_) => DataType::Int64,
        DataType::Date32 => DataType::Int32,
        other => other.clone(),
    }
}

/// Rejected records, one for each number.
pub(crate) fn rejects(numbers: Range<u64>) -> RecordBatch {
    let text: String =
        numbers.map(|n| format!("key-{n} {n} orders no-integer /id {{\"id\":\"{n}\"}} {n} 0;")).collect();
    batch(&rejected::columns(), &text)
}

/// The files of a table a reader sees, in the order of their names.
pub(crate) fn files(table: &Path) -> Vec<PathBuf> {
    parquet_files(&table.join("current"))
}

/// The files of a table's rejects, in the order of their names.
pub(crate) fn reject_files(table: &Path) -> Vec<PathBuf> {
    parquet_files(&table.join("current/_sdc_rejected"))
}

/// The tombstones of a table as text, in the order of their keys' texts.
pub(crate) fn tombstones(table: &Path) -> Vec<String> {
    let folder = table.join("current/_sdc_tombstones");
    let mut rows = if folder.exists() { rows_in(&folder) } else { Vec::new() };
    rows.sort();
    rows
}

/// The files in a folder, in the order of their names.
pub(crate) fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "parquet")).collect();
    files.sort();
    files
}

pub(crate) fn read_file(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// A part of a table as [`ParquetReader`] hands it out.
pub(crate) fn look(root: &Path, table: &TableName, part: Part<'_>) -> Result<Option<Vec<Handed>>, LoadError> {
    let mut handed = Vec::new();
    let found = ParquetReader::open(root)?.read(table, part, &mut |state, batch| {
        handed.push((state.clone(), batch));
        ControlFlow::Continue(())
    })?;
    assert!(handed.iter().all(|(state, _)| Some(state) == found.as_ref()), "{found:?}, {handed:?}");
    Ok(found.map(|_| handed))
}

pub(crate) type Handed = (TableState, RecordBatch);

/// All rows as text, file after file.
pub(crate) fn read(table: &Path) -> Vec<String> {
    rows_in(&table.join("current"))
}

/// The rows of a subtable as text, file after file.
pub(crate) fn read_subtable(table: &Path, name: &str) -> Vec<String> {
    rows_in(&table.join("current").join(name))
}

fn rows_in(folder: &Path) -> Vec<String> {
    parquet_files(folder).iter().flat_map(|file| text_of(&read_file(file))).collect()
}

pub(crate) fn text_of(rows: &RecordBatch) -> Vec<String> {
    let text =
        |column: &ArrayRef| cast(&cast(column, &number_of(column.data_type())).unwrap(), &DataType::Utf8).unwrap();
    let columns: Vec<_> = rows.columns().iter().map(text).collect();
    let value = |column: &ArrayRef, row| {
        let column = column.as_string::<i32>();
        column.iter().nth(row).flatten().unwrap_or("-").to_owned()
    };
    (0..rows.num_rows())
        .map(|row| columns.iter().map(|column| value(column, row)).collect::<Vec<_>>().join(" "))
        .collect()
}
