//! A destination of one's own: a table is a file of JSON, one row a line. `docs/writing-a-destination.md` builds it.
//! `cargo run --release -p selvedge --example json_lines` loads a row, `cargo test …` with the same runs the kit.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::ops::ControlFlow::{self, Continue};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow_json::{LineDelimitedWriter, ReaderBuilder};
use arrow_select::filter::filter_record_batch;
use selvedge::LoadErrorKind::{Refused, Unavailable};
use selvedge::{
    Batch, Capabilities, Column, ColumnType, Destination, Each, Engine, Inspect, IntegrationName, Key, LoadError,
    LoadErrorKind, Outcome, Part, Removal, RowOrder, SubtableLoad, TableLoad, TableName, TableState, rejected, schema,
};
use serde::{Deserialize, Serialize};

/// A folder of tables, each written anew by every load.
struct JsonLines {
    root: PathBuf,
    /// Held by whoever loads; who only looks goes without.
    _lock: Option<File>,
}

/// What a table's `state.json` holds. Replacing that file commits a load.
#[derive(Serialize, Deserialize)]
struct Commit {
    /// The name of the folder beside it with a file for each part of the table, from 1 on.
    generation: u64,
    state: TableState,
}

/// Any error on the way; one that is not yet a [`LoadError`] becomes one at the seam.
type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Lines = LineDelimitedWriter<BufWriter<File>>;
type EachBatch<'e> = dyn FnMut(RecordBatch) -> Fallible<ControlFlow<()>> + 'e;
/// The folder of what was committed last, and its state; `None` before a table's first load.
type Stands<'s> = Option<(&'s Path, &'s TableState)>;

impl JsonLines {
    /// Opens a folder to load into it.
    fn open(root: &Path) -> Result<Self, LoadError> {
        fs::create_dir_all(root).map_err(|cause| failed(cause.into()))?;
        let lock = File::create(root.join(".lock")).map_err(|cause| failed(cause.into()))?;
        lock.try_lock().map_err(|_| LoadError::new(Unavailable, "the folder has another owner; stop that one"))?;
        Ok(Self { root: root.to_owned(), _lock: Some(lock) })
    }

    /// `ROOT/INTEGRATION/TABLE`; no integration is called `@`.
    fn folder(&self, table: &TableName) -> PathBuf {
        self.root.join(table.integration().map_or("@", IntegrationName::as_str)).join(table.table())
    }

    /// What was committed last, if anything.
    fn commit(&self, table: &TableName) -> Fallible<Option<Commit>> {
        let file = self.folder(table).join("state.json");
        if file.try_exists()? { Ok(Some(serde_json::from_slice(&fs::read(file)?)?)) } else { Ok(None) }
    }

    fn apply(&self, load: &TableLoad) -> Fallible<TableState> {
        let before = self.commit(&load.table)?;
        load.check_planned_on(before.as_ref().map(|commit| &commit.state))?;
        load.check_rows()?;
        load.subtables.iter().try_for_each(SubtableLoad::check_rows)?;
        let generation = before.as_ref().map_or(0, |commit| commit.generation);
        let folder = self.folder(&load.table);
        let (from, to) = (folder.join(generation.to_string()), folder.join((generation + 1).to_string()));
        let stands = before.as_ref().map(|commit| (from.as_path(), &commit.state));
        // The generation that is replaced now is left to those who look at it; the one before has served its time.
        let _ = fs::remove_dir_all(folder.join(generation.saturating_sub(1).to_string()));
        fs::create_dir_all(&to)?;
        write(&to, Part::Rejects, |lines| {
            read(stands, Part::Rejects, &rejected::columns(), &mut |batch| Ok(Continue(lines.write(&batch)?)))?;
            Ok(lines.write(&load.rejects)?)
        })?;
        let (outcome, written) = write(&to, Part::Rows, |lines| merge(stands, load, lines))?;
        for of in &load.subtables {
            write(&to, Part::Subtable(&of.subtable.name), |lines| replace(stands, load, of, &written, lines))?;
        }
        publish(&folder, Commit { generation: generation + 1, state: load.committed(outcome) })
    }
}

/// Writes the stored rows that stay and those of the load that are not older; tells which those are, and what became of all.
fn merge(stands: Stands<'_>, load: &TableLoad, lines: &mut Lines) -> Fallible<(Outcome, BooleanArray)> {
    let key = Key::of(load)?;
    let new = key.contestants(&load.rows)?;
    let row_of: HashMap<_, usize> = (0..new.len()).map(|row| (new.key(row), row)).collect();
    let (mut met, mut beaten) = (0, HashSet::new());
    read(stands, Part::Rows, &load.columns, &mut |batch| {
        let old = key.contestants(&batch)?;
        let mut stays = |stored: usize| {
            let Some(&row) = row_of.get(&old.key(stored)) else { return true };
            met += 1;
            old.age(stored) > new.age(row) && beaten.insert(row)
        };
        let stay: Vec<bool> = (0..batch.num_rows()).map(&mut stays).collect();
        Ok(Continue(lines.write(&filter_record_batch(&batch, &stay.into())?)?))
    })?;
    let written = BooleanArray::from_iter((0..new.len()).map(|row| Some(!beaten.contains(&row))));
    lines.write(&filter_record_batch(&load.rows, &written)?)?;
    Ok((Outcome { stale_rows: beaten.len() as u64, new_rows: new.len() as u64 - met, removed_rows: 0 }, written))
}

/// Writes the stored rows of a subtable but for those of the rows written, and what the load has for these.
fn replace(
    stands: Stands<'_>,
    load: &TableLoad,
    of: &SubtableLoad,
    written: &BooleanArray,
    lines: &mut Lines,
) -> Fallible<()> {
    let key = Key::of(load)?;
    let new = key.contestants(&load.rows)?;
    let replaced: HashSet<_> = (0..new.len()).filter(|row| written.value(*row)).map(|row| new.key(row)).collect();
    read(stands, Part::Subtable(&of.subtable.name), &of.subtable.columns, &mut |batch| {
        let roots = key.roots(&of.subtable, &batch)?;
        let stay: Vec<bool> = roots.iter().map(|root| !replaced.contains(&root)).collect();
        Ok(Continue(lines.write(&filter_record_batch(&batch, &stay.into())?)?))
    })?;
    Ok(lines.write(&of.written(|row| written.value(row))?)?)
}

/// Writes a file of a generation, durably.
fn write<T>(generation: &Path, part: Part<'_>, fill: impl FnOnce(&mut Lines) -> Fallible<T>) -> Fallible<T> {
    let mut lines = Lines::new(BufWriter::new(File::create(file(generation, part))?));
    let filled = fill(&mut lines)?;
    lines.finish()?;
    lines.into_inner().into_inner()?.sync_all()?;
    File::open(generation)?.sync_all()?;
    Ok(filled)
}

/// Hands the rows of a part to `each`, some at a time, with the columns `now`: those it has, whatever their names and types
/// are by now, and then new ones, in which they hold null.
fn read(stands: Stands<'_>, part: Part<'_>, now: &[Column], each: &mut EachBatch<'_>) -> Fallible<()> {
    let stands = stands.and_then(|(generation, state)| Some((generation, columns(state, part)?)));
    let Some((generation, before)) = stands else { return Ok(()) };
    let stored = before.iter().zip(now).map(|(old, new)| Column { name: old.name.clone(), ..new.clone() });
    let lines = BufReader::new(File::open(file(generation, part))?);
    let reader = ReaderBuilder::new(schema(&stored.collect::<Vec<_>>())).with_coerce_primitive(true);
    for batch in reader.build(lines)? {
        if each(changed(&batch?, now)?)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// What was read with the columns a table had, with those it has now. A number was widened by being read as the wider type.
fn changed(batch: &RecordBatch, now: &[Column]) -> Fallible<RecordBatch> {
    let plain = |digits: &str| match digits.split_once('.') {
        Some(_) => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => digits.to_owned(),
    };
    let value = |(at, column): (usize, &Column)| -> ArrayRef {
        match (batch.columns().get(at), column.column_type) {
            (None, column_type) => new_null_array(&column_type.arrow(), batch.num_rows()),
            (Some(digits), ColumnType::DecimalText) => {
                Arc::new(digits.as_string::<i32>().iter().map(|digits| digits.map(plain)).collect::<StringArray>())
            }
            (Some(values), _) => Arc::clone(values),
        }
    };
    Ok(RecordBatch::try_new(schema(now), now.iter().enumerate().map(value).collect())?)
}

/// The columns of a part; `None` of a subtable there is not.
fn columns(state: &TableState, part: Part<'_>) -> Option<Vec<Column>> {
    match part {
        Part::Rows => Some(state.columns.clone()),
        Part::Subtable(name) => state.subtable(name).map(|subtable| subtable.columns.clone()),
        Part::Rejects => Some(rejected::columns().to_vec()),
    }
}

/// No subtable is called like the other two: its name has `__` in it.
fn file(generation: &Path, part: Part<'_>) -> PathBuf {
    let name = match part {
        Part::Rows => "rows",
        Part::Subtable(name) => name,
        Part::Rejects => "rejects",
    };
    generation.join(format!("{name}.jsonl"))
}

/// Makes a commit the one that counts: until the rename nothing has happened, and after the syncs it lasts.
fn publish(folder: &Path, commit: Commit) -> Fallible<TableState> {
    let next = folder.join("state.next");
    fs::write(&next, serde_json::to_vec(&commit)?)?;
    [next.as_path(), folder].iter().try_for_each(|path| File::open(path)?.sync_all())?;
    let rename = || {
        fs::rename(&next, folder.join("state.json"))?;
        folder.ancestors().take(3).try_for_each(|folder| File::open(folder)?.sync_all())
    };
    rename().map_err(|cause| failed(cause.into()).possibly_applied())?;
    Ok(commit.state)
}

fn failed(cause: Box<dyn Error + Send + Sync>) -> LoadError {
    let refused = LoadError::new(Refused, "a file cannot be read or written; put the cause right, then start again");
    match cause.downcast::<LoadError>() {
        Ok(error) => *error,
        Err(cause) if cause.is::<io::Error>() => refused.with_source(cause),
        // What cannot be parsed is not told: it may be what a record held.
        Err(_) => refused,
    }
}

impl Destination for JsonLines {
    fn capabilities(&self) -> &Capabilities {
        &Capabilities { kind: "json_lines", row_order: RowOrder::Any, worthwhile_records: 100_000 }
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        Ok(self.commit(table).map_err(failed)?.map(|commit| commit.state))
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        self.apply(load).map_err(failed)
    }

    fn remove(
        &mut self,
        table: &TableName,
        _found: &TableState,
        _removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let message = format!("nothing can be removed from {table} by this version");
        Err(LoadError::new(LoadErrorKind::Refused, message))
    }
}

impl Inspect for JsonLines {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries(self.root.clone()).flat_map(|entry| entries(entry.path())).map(|entry| entry.path());
        let name = |folder: PathBuf| {
            let integration = IntegrationName::new(folder.parent()?.file_name()?.to_str()?).ok();
            TableName::new(integration, folder.file_name()?.to_str()?).ok()
        };
        let tables: BTreeSet<_> = folders.filter(|it| it.join("state.json").exists()).filter_map(name).collect();
        Ok(tables.into_iter().collect())
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        let Some(Commit { generation, state }) = self.commit(table).map_err(failed)? else { return Ok(None) };
        let Some(columns) = columns(&state, part) else { return Ok(Some(state)) };
        let folder = self.folder(table).join(generation.to_string());
        let is_outdated = || self.commit(table).is_ok_and(|now| now.is_some_and(|now| now.generation != generation));
        match read(Some((&folder, &state)), part, &columns, &mut |batch| Ok(each(&state, batch))) {
            Err(_) if is_outdated() => Err(LoadError::new(Unavailable, "it was loaded meanwhile; look again")),
            looked => looked.map(|()| Some(state)).map_err(failed),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::builder("lines.queue").destination("lines", JsonLines::open(Path::new("lines"))?).start()?;
    let schema = serde_json::json!({"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}});
    let batch = Batch::new("customers", &["id"], &schema).upsert(1, &serde_json::json!({"id": 1, "name": "Finn"}));
    Ok(engine.push(batch)?.wait_loaded(std::time::Duration::from_secs(30))?)
}

#[cfg(test)]
#[test]
fn conforms() {
    let look = |root: &Path| Ok(JsonLines { root: root.to_owned(), _lock: None });
    selvedge_conformance::Kit::new(JsonLines::open, look).check();
}
