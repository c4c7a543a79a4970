//! What a load does to rows.

use std::sync::Arc;

use arrow_array::StringArray;
use selvedge_core::{
    ColumnType, Counts, Destination, Part, RowOrder, TableLoad, TableName, TableState, Value, logical_view, system,
};

use crate::Memory;
use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Elements, Values, column, generated_keys, in_order, integers, next, texts};
use crate::place::{Cells, Place, cells, ensure_state};

pub(crate) fn no_rows(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let none: [i64; 0] = [];
    let columns = |ids: &[i64]| vec![integers("id", ids.iter().copied()), integers(system::SEQUENCE, sequences(ids))];
    let mut load = next(&table, None, &["id"], columns(&none))?;
    Elements::of(&["items"], &[], vec![integers("sku", none)]).join(&mut load)?;
    let made = place.load(&load)?;
    ensure_equal(&made.counts, &Counts::default(), "the counts of a table without rows")?;
    ensure_equal(&rows(place, &table)?, &0, "the rows of a table without rows")?;
    let subrows = place.cells(&table, Part::Subtable("t__items"), &["sku"])?;
    ensure_equal(&subrows, &Cells::new(), "the rows of a subtable without rows")?;
    let filled = place.load(&next(&table, Some(&made), &["id"], columns(&[1, 2]))?)?;
    let moved = place.load(&next(&table, Some(&filled), &["id"], columns(&none))?)?;
    ensure_equal(&moved.counts, &filled.counts, "the counts after a load without rows")?;
    ensure_equal(&moved.position.batch, &3, "the batch of the position after a load without rows")?;
    ensure_equal(&rows(place, &table)?, &2, "the rows after a load without rows")
}

/// A sequence for each id.
fn sequences(ids: &[i64]) -> impl IntoIterator<Item = i64> {
    ids.iter().map(|_| 1)
}

/// The rows counted.
fn rows(place: &Place<'_>, table: &TableName) -> Result<u64, Failure> {
    let counted = place.look()?.count(table)?;
    Ok(counted.ok_or_else(|| Failure::new(format!("table {table} is not there")))?.rows)
}

pub(crate) fn whole_or_nothing(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let row = |id: i64, note: &str| {
        vec![integers("id", [id]), texts("note", [note.to_owned()]), integers(system::SEQUENCE, [id])]
    };
    let element = |load: &mut TableLoad, values| Elements::of(&["items"], &[1], values).join(load);
    let mut load = next(&table, None, &["id"], row(1, "stands"))?;
    element(&mut load, vec![texts("sku", ["stands"])])?;
    let state = place.load(&load)?;

    // A new column is to be added, but the rows lack it.
    let mut late = row(2, "never to be seen");
    late.push(integers("late", [7]));
    let mut torn = next(&table, Some(&state), &["id"], late)?;
    torn.rows = torn.rows.project(&(0..state.columns.len()).collect::<Vec<_>>())?;
    refuse(place, &torn, &state, "a load whose rows lack a column")?;
    // The same of a subtable: the rows it belongs to are in order.
    let mut torn = next(&table, Some(&state), &["id"], row(1, "never to be seen"))?;
    element(&mut torn, vec![texts("sku", ["never to be seen"]), integers("late", [7])])?;
    for subtable in &mut torn.subtables {
        let stand = state.subtable(&subtable.subtable.name).map_or(0, |subtable| subtable.columns.len());
        subtable.rows = subtable.rows.project(&(0..stand).collect::<Vec<_>>())?;
    }
    refuse(place, &torn, &state, "a load whose rows for a subtable lack a column")?;

    // What failed left nothing that is in the way of the next load.
    let mut good = row(2, "seen");
    good.push(integers("late", [7]));
    let mut good = next(&table, Some(&state), &["id"], good)?;
    element(&mut good, vec![texts("sku", ["seen"]), integers("late", [7])])?;
    let after = place.load(&good)?;
    ensure_equal(&after.counts.live_rows, &2, "the live rows after the next load")?;
    let found = place.cells(&table, Part::Subtable("t__items"), &["_sdc_source_key_id", "late"])?;
    let expected = [(1, None), (2, Some(7))].map(|(id, late)| vec![Some(Value::Integer(id)), late.map(Value::Integer)]);
    ensure_equal(&found, &expected.to_vec(), "the rows of the subtable after the next load")
}

/// Applies a load that has to fail and to leave everything as it is.
fn refuse(place: &Place<'_>, load: &TableLoad, state: &TableState, what: &str) -> Checked {
    let look = || -> Result<_, Failure> {
        let subrows = place.cells(&load.table, Part::Subtable("t__items"), &["_sdc_source_key_id", "sku"])?;
        Ok((place.view(&load.table)?, subrows))
    };
    let before = look()?;
    ensure(place.open()?.load(load).is_err(), || format!("{what} was applied"))?;
    ensure_state(place.state(&load.table)?.as_ref(), Some(state), format!("the state after {what}"))?;
    ensure_equal(&look()?, &before, format!("the rows after {what}"))
}

/// So many loads differ from each other in every way that matters.
const LOADS: u64 = 60;

pub(crate) fn random(place: &Place<'_>) -> Checked {
    let model_folder = place.aside("model");
    let order = place.open()?.capabilities().row_order;
    let mut random = Random(0x5e1f_edce);
    for (name, keys) in [("keyed", &["id"][..]), ("keyless", &[])] {
        let table = loads::table(name)?;
        let mut model = Memory::open(&model_folder)?;
        let mut destination = place.open()?;
        for number in 1..=LOADS {
            let load = random_load(&mut random, &table, model.state(&table)?.as_ref(), keys, order)?;
            let (found, expected) = (destination.load(&load)?, model.load(&load)?);
            ensure_state(Some(&found), Some(&expected), format!("the state of {name} after load {number}"))?;
            // As when the process ends and another one begins.
            if random.below(8) == 0 {
                drop(destination);
                destination = place.open()?;
            }
        }
        drop(destination);
        let found = place.view(&table)?.rows;
        let expected = logical_view(&mut model, &table)?.unwrap_or_default().rows;
        ensure_equal(&found.len(), &expected.len(), format!("the rows of {name}"))?;
        for (key, expected) in &expected {
            ensure_equal(&found.get(key), &Some(expected), format!("the row {key:?} of {name}"))?;
        }
        let state = model.state(&table)?;
        for subtable in state.iter().flat_map(|state| &state.subtables) {
            let columns: Vec<&str> = subtable.columns.iter().map(|column| column.name.as_str()).collect();
            let part = Part::Subtable(&subtable.name);
            let (found, expected) = (place.cells(&table, part, &columns)?, cells(&mut model, &table, part, &columns)?);
            ensure(!expected.is_empty(), || format!("{} has no rows, and proves nothing", subtable.name))?;
            ensure_equal(&found, &expected, format!("the rows of {}", subtable.name))?;
        }
    }
    Ok(())
}

/// Numbers that look random, the same every time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn signed_below(&mut self, bound: u64) -> i64 {
        self.below(bound).cast_signed()
    }
}

/// Few keys and few sequences, so that they meet; now and then a new column, and versions from the second load on, of which
/// some are activated.
fn random_load(
    random: &mut Random,
    table: &TableName,
    planned_on: Option<&TableState>,
    keys: &[&str],
    order: RowOrder,
) -> Result<TableLoad, Failure> {
    let ids: Vec<i64> = (0..40).filter(|_| random.below(4) == 0).collect();
    let is_deleted = |_: &i64| !keys.is_empty() && random.below(4) == 0;
    let (deleted, ids): (Vec<i64>, Vec<i64>) = ids.into_iter().partition(is_deleted);
    let active_version = random_activation(random, planned_on);
    let mut columns = of_ids(random, &ids, planned_on, active_version);
    let deletes = of_ids(random, &deleted, planned_on, active_version);
    if keys.is_empty() {
        let at = planned_on.map_or(0, |state| state.position.batch.cast_signed());
        columns.push(generated_keys(ids.iter().map(|id| at * 1_000 + id)));
    }
    let note = |_: &i64| Some(random.below(1_000)).filter(|n| n % 5 > 0).map(|n| format!("note {n}"));
    let notes: StringArray = ids.iter().map(note).collect();
    let number = random.below(6 + planned_on.map_or(0, |state| state.columns.len() as u64));
    columns.push((column(&format!("note_{number}"), ColumnType::String), Arc::new(notes)));
    let mut load = next(table, planned_on, keys, columns)?;
    loads::delete(&mut load, deletes)?;
    load.active_version = active_version;
    load.activations = random.below(8) / 7;
    join_random_elements(random, &mut load)?;
    in_order(load, order)
}

/// The version that is active once the load is applied: now and then the next one.
fn random_activation(random: &mut Random, planned_on: Option<&TableState>) -> Option<i64> {
    let active_version = planned_on?.active_version;
    if random.below(12) == 0 { Some(active_version.unwrap_or(0) + 1) } else { active_version }
}

/// Keys, and how new each is: of no version below the active one.
fn of_ids(
    random: &mut Random,
    ids: &[i64],
    planned_on: Option<&TableState>,
    active_version: Option<i64>,
) -> Vec<Values> {
    let mut columns = vec![
        integers("id", ids.iter().copied()),
        integers(system::SEQUENCE, ids.iter().map(|_| random.signed_below(6)).collect::<Vec<_>>()),
    ];
    if planned_on.is_some() {
        let mut version = |_| match active_version {
            None => Some(random.signed_below(3)).filter(|version| *version > 0),
            Some(active) => Some(active + random.signed_below(3)),
        };
        columns.push(integers(system::TABLE_VERSION, ids.iter().map(|id| version(*id)).collect::<Vec<_>>()));
    }
    columns
}

/// Some elements for most rows, of arrays at one of two places, or at none; now and then with a column of their own.
fn join_random_elements(random: &mut Random, load: &mut TableLoad) -> Checked {
    let source: &'static [&'static str] = match random.below(3) {
        0 => &["items"],
        1 => &["tags"],
        _ => return Ok(()),
    };
    let lengths: Vec<usize> = (0..load.rows.num_rows()).map(|_| random.below(4) as usize).collect();
    let number = random.below(4);
    let values: Vec<i64> = (0..lengths.iter().sum()).map(|_| random.signed_below(1_000)).collect();
    Elements::of(source, &lengths, vec![integers(&format!("n{number}"), values)]).join(load)
}
