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
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow_json::{LineDelimitedWriter, ReaderBuilder};
use arrow_select::filter::filter_record_batch;
use selvedge::LoadErrorKind::{Refused, Stale, Unavailable};
use selvedge::{
    Batch, Capabilities, Column, ColumnType, Destination, Each, Engine, Inspect, IntegrationName, Key, LoadError,
    Outcome, Part, Removal, RowOrder, SubtableLoad, TableLoad, TableName, TableState, rejected, schema, system,
    tombstone,
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
/// Whether what stands in a part goes, by its key and its version.
type Goes<'g> = dyn Fn(Part<'_>, &str, Option<i64>) -> bool + 'g;

/// Kept as subtables are, under a name that none of them has: theirs have `__` in them.
const TOMBSTONES: Part<'_> = Part::Subtable(tombstone::TABLE);

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
        let folder = self.folder(&load.table);
        let now = load.committed(Outcome::default());
        let written = contest(&folder, before.as_ref(), load, &now)?;
        let goes = |part: Part<'_>, key: &str, version| {
            part != Part::Rejects && (written.contains(key) || load.activates() && version < load.active_version)
        };
        let comes = |part: Part<'_>| {
            let subtable = |name| load.subtables.iter().find(|of| of.subtable.name == name);
            let rows = match part {
                Part::Rejects => return Ok(load.rejects.clone()),
                Part::Rows => &load.rows,
                Part::Subtable(name) => subtable(name).map_or(&load.deletes, |of| &of.rows),
            };
            let is_written = |key: Option<&str>| key.map(|key| written.contains(key));
            Ok(filter_record_batch(rows, &keys(&now, part, rows)?.iter().map(is_written).collect())?)
        };
        let removed_rows = rewrite(&folder, before.as_ref(), &now, &goes, &comes)?;
        let stale_rows = (load.rows.num_rows() + load.deletes.num_rows() - written.len()) as u64;
        let new_rows = comes(Part::Rows)?.num_rows() as u64;
        publish(&folder, before.as_ref(), load.committed(Outcome { stale_rows, new_rows, removed_rows }))
    }

    fn take_out(&self, table: &TableName, found: &TableState, removal: Removal<'_>) -> Fallible<Option<TableState>> {
        let Some(before) = self.commit(table)?.filter(|commit| commit.state == *found) else {
            return Err(LoadError::new(Stale, format!("{table} was changed by somebody else; look again")).into());
        };
        let folder = self.folder(table);
        let rejects = |ids: StringArray| {
            let ids: ArrayRef = Arc::new(ids);
            Fallible::Ok((
                true,
                keys(found, Part::Rejects, &RecordBatch::try_from_iter([(system::PRIMARY_KEY, ids)])?)?,
            ))
        };
        let (from_rejects, keys) = match removal {
            Removal::Keys(keys) => (false, tombstone::key_texts(keys, &found.keys)?),
            Removal::Rejects(ids) => rejects(ids.clone())?,
            Removal::RejectsBefore(moment) => rejects(rejected_before(&folder, &before, moment)?)?,
            Removal::Table => {
                fs::remove_file(folder.join("state.json"))?;
                let rest = || File::open(&folder)?.sync_all().and_then(|()| fs::remove_dir_all(&folder));
                rest().map_err(|cause: io::Error| failed(cause.into()).possibly_applied())?;
                return Ok(None);
            }
            _ => return Err(LoadError::new(Refused, "that cannot be removed; remove the whole table").into()),
        };
        if keys.is_empty() {
            return Ok(Some(before.state));
        }
        let keys: HashSet<_> = keys.iter().flatten().collect();
        let goes = |part: Part<'_>, key: &str, _| (part == Part::Rejects) == from_rejects && keys.contains(key);
        let nothing = |part: Part<'_>| Ok(RecordBatch::new_empty(schema(&columns(found, part).unwrap_or_default())));
        let mut state = found.clone();
        state.counts.live_rows -= rewrite(&folder, Some(&before), found, &goes, &nothing)?;
        publish(&folder, Some(&before), state.clone())?;
        // Nobody is left a generation that still has what is to be gone.
        fs::remove_dir_all(folder.join(before.generation.to_string()))
            .map_err(|cause| failed(cause.into()).possibly_applied())?;
        Ok(Some(state))
    }
}

/// The generated keys of the records that were rejected before a moment.
fn rejected_before(folder: &Path, commit: &Commit, moment: i64) -> Fallible<StringArray> {
    let mut old = Vec::new();
    read(folder, Some(commit), Part::Rejects, &commit.state, &mut |batch| {
        let before = rejected::read(&batch).filter(|rejected| rejected.rejected_at < moment);
        old.extend(before.map(|rejected| rejected.id));
        Ok(Continue(()))
    })?;
    Ok(old.into())
}

/// The keys of which the load's row, or delete, is written: all but those whose row or tombstone is newer.
fn contest(folder: &Path, before: Option<&Commit>, load: &TableLoad, now: &TableState) -> Fallible<HashSet<String>> {
    let key = Key::of(load)?;
    let ages = |rows: &RecordBatch| {
        let (keys, contestants) = (keys(now, Part::Rows, rows)?, key.contestants(rows)?);
        let age = |row| (keys.value(row).to_owned(), contestants.age(row));
        Fallible::Ok((0..rows.num_rows()).map(age).collect::<Vec<_>>())
    };
    let mut written = HashMap::new();
    for rows in [&load.rows, &load.deletes].into_iter().filter(|rows| rows.num_rows() > 0) {
        written.extend(ages(rows)?);
    }
    for part in [Part::Rows, TOMBSTONES] {
        read(folder, before, part, now, &mut |batch| {
            for (key, age) in ages(&batch)? {
                if written.get(&key).is_some_and(|new| *new < age) {
                    written.remove(&key);
                }
            }
            Ok(Continue(()))
        })?;
    }
    Ok(written.into_keys().collect())
}

/// Writes the next generation: of each part what stands and does not go, then what comes. Tells how many rows went.
fn rewrite(
    folder: &Path,
    before: Option<&Commit>,
    now: &TableState,
    goes: &Goes<'_>,
    comes: &dyn Fn(Part<'_>) -> Fallible<RecordBatch>,
) -> Fallible<u64> {
    let generation = before.map_or(0, |commit| commit.generation);
    // The generation that is replaced now is left to those who look at it; the one before has served its time.
    let _ = fs::remove_dir_all(folder.join(generation.saturating_sub(1).to_string()));
    let to = folder.join((generation + 1).to_string());
    fs::create_dir_all(&to)?;
    let mut gone = 0;
    let subtables = now.subtables.iter().map(|subtable| Part::Subtable(&subtable.name));
    for part in [Part::Rows, TOMBSTONES, Part::Rejects].into_iter().chain(subtables) {
        write(&to, part, |lines| {
            read(folder, before, part, now, &mut |batch| {
                let (keys, versions) = (keys(now, part, &batch)?, batch.column_by_name(system::TABLE_VERSION));
                let versions = versions.map(|versions| versions.as_primitive::<Int64Type>());
                let version = |row| versions.filter(|it| it.is_valid(row)).map(|it| it.value(row));
                let stays = |row| Some(!goes(part, keys.value(row), version(row)));
                let stay: BooleanArray = (0..batch.num_rows()).map(stays).collect();
                gone += if part == Part::Rows { stay.false_count() as u64 } else { 0 };
                Ok(Continue(lines.write(&filter_record_batch(&batch, &stay)?)?))
            })?;
            Ok(lines.write(&comes(part)?)?)
        })?;
    }
    Ok(gone)
}

/// The keys of the rows of a part as texts; those of subrows are the keys of the rows they belong to.
fn keys(state: &TableState, part: Part<'_>, rows: &RecordBatch) -> Fallible<StringArray> {
    let names = match part {
        // A table without keys has deletes without keys, and none of them.
        _ if rows.num_rows() == 0 => Vec::new(),
        Part::Subtable(name) if let Some(of) = state.subtable(name) => of.source_keys().map(str::to_owned).collect(),
        Part::Rows | Part::Subtable(_) if !state.keys.is_empty() => state.keys.clone(),
        _ => vec![system::PRIMARY_KEY.to_owned()],
    };
    Ok(tombstone::key_texts(rows, &names)?)
}

/// Writes a file of a generation, durably.
fn write(generation: &Path, part: Part<'_>, fill: impl FnOnce(&mut Lines) -> Fallible<()>) -> Fallible<()> {
    let mut lines = Lines::new(BufWriter::new(File::create(file(generation, part))?));
    fill(&mut lines)?;
    lines.finish()?;
    lines.into_inner().into_inner()?.sync_all()?;
    Ok(File::open(generation)?.sync_all()?)
}

/// Hands what stands in a part to `each`, some rows at a time, with the columns it has `now`: those it had, whatever their
/// names and types are by now, and then new ones, in which they hold null.
fn read(
    folder: &Path,
    before: Option<&Commit>,
    part: Part<'_>,
    now: &TableState,
    each: &mut EachBatch<'_>,
) -> Fallible<()> {
    let stands = before.and_then(|commit| Some((commit.generation, columns(&commit.state, part)?)));
    let (Some((generation, before)), Some(now)) = (stands, columns(now, part)) else { return Ok(()) };
    let stored = before.iter().zip(&now).map(|(old, new)| Column { name: old.name.clone(), ..new.clone() });
    let lines = BufReader::new(File::open(file(&folder.join(generation.to_string()), part))?);
    let reader = ReaderBuilder::new(schema(&stored.collect::<Vec<_>>())).with_coerce_primitive(true);
    for batch in reader.build(lines)? {
        if each(changed(&batch?, &now)?)?.is_break() {
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
        TOMBSTONES => {
            let keys = state.keys.iter().filter_map(|key| state.column(key).cloned());
            // The first two are what a table of the tombstones of all tables has in place of the keys.
            Some(keys.chain(tombstone::columns().into_iter().skip(2)).collect())
        }
        Part::Subtable(name) => state.subtable(name).map(|subtable| subtable.columns.clone()),
        Part::Rejects => Some(rejected::columns().to_vec()),
    }
}

/// No subtable is called like the others: its name has `__` in it.
fn file(generation: &Path, part: Part<'_>) -> PathBuf {
    let name = match part {
        Part::Rows => "rows",
        Part::Subtable(name) => name,
        Part::Rejects => "rejects",
    };
    generation.join(format!("{name}.jsonl"))
}

/// Makes a commit the one that counts: until the rename nothing has happened, and after the syncs it lasts.
fn publish(folder: &Path, before: Option<&Commit>, state: TableState) -> Fallible<TableState> {
    let commit = Commit { generation: before.map_or(0, |commit| commit.generation) + 1, state };
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
        &Capabilities { kind: "json_lines", row_order: RowOrder::Any, worthwhile_records: 100_000, memory_bytes: 0 }
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
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.take_out(table, found, removal).map_err(failed)
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
        let Some(commit) = self.commit(table).map_err(failed)? else { return Ok(None) };
        let Commit { generation, state } = &commit;
        let is_outdated = || self.commit(table).is_ok_and(|now| now.is_none_or(|now| now.generation != *generation));
        match read(&self.folder(table), Some(&commit), part, state, &mut |batch| Ok(each(state, batch))) {
            Err(_) if is_outdated() => Err(LoadError::new(Unavailable, "it was loaded meanwhile; look again")),
            looked => looked.map(|()| Some(commit.state)).map_err(failed),
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
