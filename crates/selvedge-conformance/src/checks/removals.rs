//! What is removed though no record came for that.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{RecordBatch, StringArray};
use selvedge_core::{
    Applied, Counts, IntegrationName, LoadErrorKind, Part, Removal, SOURCE_KEY_PREFIX, TableLoad, TableName,
    TableState, Value, rejected, schema, system,
};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Elements, Values, in_order, integers, next, texts};
use crate::place::{Place, Thing, ensure_state};

/// The keys of the tables here.
const KEYS: [&str; 2] = ["shop", "id"];

/// What the row of an id holds, and nothing else does.
fn note(id: i64) -> String {
    format!("what stands in the row of {id} and nowhere else: 8f2f0b5c61d74e0d9a3c{id:08}")
}

pub(crate) fn table(place: &Place<'_>) -> Checked {
    let shop = IntegrationName::new("shop")?;
    let (table, namesake) = (loads::table("t")?, TableName::new(Some(shop), "t")?);
    let removed = filled(place, &table)?;
    let stays = filled(place, &namesake)?;
    ensure_equal(&place.remove(&table, &removed, Removal::Table)?, &None, "the state that removing a table answers")?;
    ensure_equal(&place.look()?.tables()?, &vec![namesake.clone()], "the tables once one is removed")?;
    ensure_equal(&place.look()?.count(&table)?, &None, "the rows of a table that is removed")?;
    ensure_state(place.state(&namesake)?.as_ref(), Some(&stays), "the state of its namesake")?;
    expect(place, &namesake, "its namesake", &[1, 2, 3])?;
    ensure_equal(&rejected(place, &namesake)?, &vec![1, 2, 3], "the rejected records of its namesake")?;

    // Its successor finds nothing of it: no row, no tombstone, no rejected record.
    let load = with_elements(place, next(&table, None, &KEYS, rows(&[3, 9], 0))?)?;
    let begun = place.load(&load)?;
    let counts = Counts { loaded: 2, live_rows: 2, ..Counts::default() };
    ensure_equal(&begun.counts, &counts, "the counts of a table that is made anew")?;
    expect(place, &table, "a table that is made anew", &[3, 9])?;
    ensure_equal(&rejected(place, &table)?, &Vec::new(), "the rejected records of a table that is made anew")
}

pub(crate) fn keys(place: &Place<'_>) -> Checked {
    let (table, other) = (loads::table("t")?, loads::table("other")?);
    let state = filled(place, &table)?;
    filled(place, &other)?;
    // A row, one that is only a tombstone, and one that never was.
    let left = remove_keys(place, &table, &state, &[2, 9, 77])?;
    let counts = Counts { live_rows: 2, ..state.counts };
    ensure_state(Some(&left), Some(&TableState { counts, ..state }), "the state once keys are removed")?;
    expect(place, &table, "keys are removed", &[1, 3])?;
    expect(place, &other, "keys of another table are removed", &[1, 2, 3])?;
    ensure_equal(&rejected(place, &table)?, &vec![1, 2, 3], "the rejected records once keys are removed")?;
    let unchanged = remove_keys(place, &table, &left, &[77])?;
    ensure_state(Some(&unchanged), Some(&left), "the state once a key is removed that there is not")?;

    // Neither rows nor tombstones are in the way of what comes.
    let load = with_elements(place, next(&table, Some(&left), &KEYS, rows(&[2, 9], 0))?)?;
    let after = place.load(&load)?;
    ensure_equal(&after.counts.superseded, &left.counts.superseded, "the superseded records once keys came again")?;
    expect(place, &table, "keys came again", &[1, 2, 3, 9])
}

pub(crate) fn rejects(place: &Place<'_>) -> Checked {
    let (table, other) = (loads::table("t")?, loads::table("other")?);
    let state = filled(place, &table)?;
    filled(place, &other)?;
    let left = remove_rejects(place, &table, &state, &[1, 3, 77])?;
    ensure_state(Some(&left), Some(&state), "the state once rejected records are removed")?;
    ensure_equal(&rejected(place, &table)?, &vec![2], "the rejected records once some are removed")?;
    ensure_equal(&rejected(place, &other)?, &vec![1, 2, 3], "the rejected records of another table")?;
    expect(place, &table, "rejected records are removed", &[1, 2, 3])?;

    let mut load = with_elements(place, next(&table, Some(&left), &KEYS, rows(&[4], 1))?)?;
    load.rejects = loads::rejects(&table, &[5])?;
    let after = place.load(&load)?;
    ensure_equal(&after.counts.rejected, &4, "the count of rejected records, removed ones too")?;
    ensure_equal(&rejected(place, &table)?, &vec![2, 5], "the rejected records once one more came")
}

pub(crate) fn old_rejects(place: &Place<'_>) -> Checked {
    let (table, other) = (loads::table("t")?, loads::table("other")?);
    let none = place.load(&with_elements(place, next(&table, None, &KEYS, rows(&[1], 0))?)?)?;
    let left = remove_old_rejects(place, &table, &none, 3)?;
    ensure_state(Some(&left), Some(&none), "the state once none of no rejected records is removed")?;
    filled(place, &other)?;
    let mut load = with_elements(place, next(&table, Some(&left), &KEYS, rows(&[2], 0))?)?;
    load.rejects = loads::rejects(&table, &[1, 2, 3])?;
    let mut state = place.load(&load)?;
    // Those that were rejected at the very moment stay.
    for (moment, stay) in [(1, [1, 2, 3].as_slice()), (3, &[3]), (3, &[3])] {
        let left = remove_old_rejects(place, &table, &state, moment)?;
        ensure_state(Some(&left), Some(&state), "the state once old rejected records are removed")?;
        ensure_equal(&rejected(place, &table)?, &stay.to_vec(), "the rejected records once old ones are removed")?;
        ensure_equal(&rejected(place, &other)?, &vec![1, 2, 3], "the rejected records of another table")?;
        expect(place, &table, "old rejected records are removed", &[1, 2])?;
        state = left;
    }

    let mut load = with_elements(place, next(&table, Some(&state), &KEYS, rows(&[4], 1))?)?;
    load.rejects = loads::rejects(&table, &[5])?;
    let after = place.load(&load)?;
    ensure_equal(&after.counts.rejected, &4, "the count of rejected records, old ones too")?;
    ensure_equal(&rejected(place, &table)?, &vec![3, 5], "the rejected records once one more came")?;
    remove_old_rejects(place, &table, &after, 6)?;
    ensure_equal(&rejected(place, &table)?, &Vec::new(), "the rejected records once all of them are old")
}

pub(crate) fn stale(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let state = filled(place, &table)?;
    let load = with_elements(place, next(&table, Some(&state), &KEYS, rows(&[4], 1))?)?;
    let newer = place.load(&load)?;
    let keys = key_rows(&newer, &[1])?;
    let generated = generated(&[1]);
    let old = Removal::RejectsBefore(loads::rejected_at(3));
    for removal in [Removal::Table, Removal::Keys(&keys), Removal::Rejects(&generated), old] {
        let refused = place.open()?.remove(&table, &state, removal).err();
        let error = refused.ok_or_else(|| Failure::new(format!("{removal:?} is done, of an older state")))?;
        let found = (error.kind(), error.applied());
        ensure(found == (LoadErrorKind::Stale, Applied::No), || {
            format!("{removal:?} of an older state has to fail as Stale, not applied; found {found:?}: {error}")
        })?;
        ensure_state(place.state(&table)?.as_ref(), Some(&newer), "the state after a stale removal")?;
        expect(place, &table, "a stale removal", &[1, 2, 3, 4])?;
        ensure_equal(&rejected(place, &table)?, &vec![1, 2, 3], "the rejected records after a stale removal")?;
    }
    // The other way round: a load that was planned before something was removed.
    let load = with_elements(place, next(&table, Some(&newer), &KEYS, rows(&[5], 1))?)?;
    let left = remove_keys(place, &table, &newer, &[1])?;
    let error = place.open()?.load(&load).err().map(|error| error.kind());
    ensure_equal(&error, &Some(LoadErrorKind::Stale), "the error of a load planned before keys were removed")?;
    ensure_state(place.state(&table)?.as_ref(), Some(&left), "the state after a load planned before a removal")
}

pub(crate) fn for_good(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let state = filled(place, &table)?;
    let left = remove_keys(place, &table, &state, &[2])?;
    remove_rejects(place, &table, &left, &[3])?;
    let folder = place.folder(Thing::Destination);
    let gone = [("a removed row", note(2)), ("a rejected record", "{\"id\": 3, \"text\"".to_owned())];
    for (what, text) in gone {
        let found = file_with(&folder, text.as_bytes())?;
        ensure(found.is_none(), || format!("{what} still stands in `{}`", found.unwrap_or_default()))?;
    }
    Ok(())
}

/// The name of a file in a folder that holds these bytes.
fn file_with(folder: &Path, bytes: &[u8]) -> io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = match () {
            () if path.is_symlink() => None,
            () if path.is_dir() => file_with(&path, bytes)?,
            () => {
                let holds = fs::read(&path)?.windows(bytes.len()).any(|window| window == bytes);
                holds.then(|| path.display().to_string())
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Loads a table of rows 1 to 3, each with two elements, a tombstone of row 9, and three rejected records.
fn filled(place: &Place<'_>, table: &TableName) -> Result<TableState, Failure> {
    let first = place.load(&with_elements(place, next(table, None, &KEYS, rows(&[1, 2, 3, 9], 5))?)?)?;
    let mut load = with_elements(place, next(table, Some(&first), &KEYS, rows(&[1], 6))?)?;
    let deleted = vec![texts("shop", ["north \"1\""]), integers("id", [9]), integers(system::SEQUENCE, [6])];
    loads::delete(&mut load, deleted)?;
    load.rejects = loads::rejects(table, &[1, 2, 3])?;
    place.load(&load)
}

fn rows(ids: &[i64], sequence: i64) -> Vec<Values> {
    vec![
        texts("shop", ids.iter().map(|_| "north \"1\"")),
        integers("id", ids.iter().copied()),
        texts("note", ids.iter().map(|id| note(*id))),
        integers(system::SEQUENCE, ids.iter().map(|_| sequence)),
    ]
}

/// The load, with two elements for each of its rows.
fn with_elements(place: &Place<'_>, mut load: TableLoad) -> Result<TableLoad, Failure> {
    let rows = load.rows.num_rows();
    Elements::of(&["items"], &vec![2; rows], vec![integers("n", (0..rows).flat_map(|_| [1, 2]))]).join(&mut load)?;
    in_order(load, place.open()?.capabilities().row_order)
}

fn key_rows(state: &TableState, ids: &[i64]) -> Result<RecordBatch, Failure> {
    let columns: Vec<_> = KEYS.iter().filter_map(|key| state.column(key)).cloned().collect();
    let values = rows(ids, 0).into_iter().take(KEYS.len()).map(|(_, values)| values).collect();
    Ok(RecordBatch::try_new(schema(&columns), values)?)
}

fn remove_keys(place: &Place<'_>, table: &TableName, found: &TableState, ids: &[i64]) -> Result<TableState, Failure> {
    still_there(place.remove(table, found, Removal::Keys(&key_rows(found, ids)?))?)
}

fn remove_rejects(
    place: &Place<'_>,
    table: &TableName,
    found: &TableState,
    numbers: &[i64],
) -> Result<TableState, Failure> {
    still_there(place.remove(table, found, Removal::Rejects(&generated(numbers)))?)
}

/// Removes the rejected records that are older than the one of a number.
fn remove_old_rejects(
    place: &Place<'_>,
    table: &TableName,
    found: &TableState,
    number: i64,
) -> Result<TableState, Failure> {
    still_there(place.remove(table, found, Removal::RejectsBefore(loads::rejected_at(number)))?)
}

fn still_there(state: Option<TableState>) -> Result<TableState, Failure> {
    state.ok_or_else(|| Failure::new("the table is gone, and only some of what stands in it was to be removed"))
}

/// The generated keys of rejected records.
fn generated(numbers: &[i64]) -> StringArray {
    numbers.iter().map(|number| Some(loads::generated_key(*number))).collect()
}

/// Checks that these rows stand, and their elements, and as many as are committed.
fn expect(place: &Place<'_>, table: &TableName, after: &str, ids: &[i64]) -> Checked {
    place.view(table)?;
    let found = place.cells(table, Part::Rows, &["id", "note"])?;
    let row = |id: &i64| vec![Some(Value::Integer(*id)), Some(Value::String(note(*id)))];
    ensure_equal(&found, &ids.iter().map(row).collect(), format!("the rows of {after}"))?;
    let source_key = format!("{SOURCE_KEY_PREFIX}id");
    let found = place.cells(table, Part::Subtable(&format!("{}__items", table.table())), &[&source_key, "n"])?;
    let subrows = ids.iter().flat_map(|id| [1, 2].map(|n| vec![Some(Value::Integer(*id)), Some(Value::Integer(n))]));
    ensure_equal(&found, &subrows.collect(), format!("the subrows of {after}"))
}

/// The numbers of the records that stand as rejected.
fn rejected(place: &Place<'_>, table: &TableName) -> Result<Vec<i64>, Failure> {
    let mut found = Vec::new();
    place.look()?.read(table, Part::Rejects, &mut |_, batch| {
        let numbers = batch.column_by_name(rejected::BATCH).and_then(|numbers| numbers.as_primitive_opt::<Int64Type>());
        found.extend(numbers.into_iter().flat_map(|numbers| numbers.values().iter().copied()));
        ControlFlow::Continue(())
    })?;
    found.sort_unstable();
    Ok(found)
}
