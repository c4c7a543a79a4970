//! What a load does to the rows of subtables.

use std::sync::Arc;

use arrow_array::Date32Array;
use selvedge_core::{
    Change, Column, ColumnType, Part, RowOrder, SOURCE_KEY_PREFIX, TableName, TableState, Value, level_id, system,
};

use crate::failure::{Checked, Failure, ensure_equal};
use crate::loads::{
    self, Elements, Values, column, generated_key, generated_keys, in_order, integers, next, scalar_elements, texts,
};
use crate::place::{Cells, Place};

/// A row: its key, its sequence, and what its array holds.
type Row<'r> = (i64, i64, &'r [&'r str]);

pub(crate) fn replaced(place: &Place<'_>) -> Checked {
    let shelf = Shelf::new(place, &["id"])?;
    let first = shelf.load(None, &[(1, 1, &["a", "b"]), (2, 1, &["c"]), (3, 1, &[])])?;
    shelf.expect("the first load", &[(1, &["a", "b"]), (2, &["c"])])?;
    let second = shelf.load(Some(&first), &[(1, 2, &["x"]), (4, 2, &["y", "z"])])?;
    shelf.expect("fewer elements", &[(1, &["x"]), (2, &["c"]), (4, &["y", "z"])])?;
    let third = shelf.load(Some(&second), &[(1, 2, &["tie", "tied"]), (3, 2, &["late"])])?;
    let expected: [(i64, &[&str]); 4] = [(1, &["tie", "tied"]), (2, &["c"]), (3, &["late"]), (4, &["y", "z"])];
    shelf.expect("a load of equal sequences", &expected)?;
    let fourth = shelf.load(Some(&third), &[])?;
    shelf.expect("a load without rows", &expected)?;
    shelf.load(Some(&fourth), &[(1, 3, &[]), (4, 3, &["y"])])?;
    shelf.expect("an empty array", &[(2, &["c"]), (3, &["late"]), (4, &["y"])])?;
    let unknown = place.cells(&shelf.table, Part::Subtable("t__unknown"), &["value"])?;
    ensure_equal(&unknown, &Cells::new(), "the rows of a subtable there is not")
}

pub(crate) fn stale(place: &Place<'_>) -> Checked {
    let shelf = Shelf::new(place, &["id"])?;
    let first = shelf.load(None, &[(1, 5, &["a", "b"]), (2, 5, &["c"]), (3, 5, &[])])?;
    let second = shelf.load(Some(&first), &[(1, 4, &["old"]), (3, 4, &["old", "old"]), (4, 4, &["new"])])?;
    ensure_equal(&second.counts.superseded, &2, "the superseded records")?;
    shelf.expect("a load of older rows", &[(1, &["a", "b"]), (2, &["c"]), (4, &["new"])])?;
    shelf.load(Some(&second), &[(1, 3, &[]), (2, 6, &["newer"])])?;
    shelf.expect("an older row whose array is empty", &[(1, &["a", "b"]), (2, &["newer"]), (4, &["new"])])
}

pub(crate) fn keyless(place: &Place<'_>) -> Checked {
    let shelf = Shelf::new(place, &[])?;
    let first = shelf.load(None, &[(1, 1, &["a", "b"]), (2, 1, &[])])?;
    let second = shelf.load(Some(&first), &[(3, 1, &["a"]), (4, 1, &["c", "d"])])?;
    shelf.expect("two loads", &[(1, &["a", "b"]), (3, &["a"]), (4, &["c", "d"])])?;
    shelf.load(Some(&second), &[])?;
    shelf.expect("a load without rows", &[(1, &["a", "b"]), (3, &["a"]), (4, &["c", "d"])])
}

/// A table whose rows have an array of texts.
struct Shelf<'p> {
    place: &'p Place<'p>,
    table: TableName,
    keys: &'static [&'static str],
    order: RowOrder,
}

impl<'p> Shelf<'p> {
    fn new(place: &'p Place<'p>, keys: &'static [&'static str]) -> Result<Self, Failure> {
        Ok(Self { place, table: loads::table("t")?, keys, order: place.open()?.capabilities().row_order })
    }

    fn load(&self, planned_on: Option<&TableState>, rows: &[Row<'_>]) -> Result<TableState, Failure> {
        let ids = || rows.iter().map(|(id, ..)| *id);
        let mut columns =
            vec![integers("id", ids()), integers(system::SEQUENCE, rows.iter().map(|(_, sequence, _)| *sequence))];
        if self.keys.is_empty() {
            columns.push(generated_keys(ids()));
        }
        let mut load = next(&self.table, planned_on, self.keys, columns)?;
        let lengths: Vec<usize> = rows.iter().map(|(.., elements)| elements.len()).collect();
        let (_, values) = texts("value", rows.iter().flat_map(|(.., elements)| *elements));
        let values = vec![(scalar_elements(ColumnType::String), values)];
        Elements::of(&["items"], &lengths, values).join(&mut load)?;
        self.place.load(&in_order(load, self.order)?)
    }

    /// Checks that these rows, and no other, have elements: these.
    fn expect(&self, after: &str, expected: &[(i64, &[&str])]) -> Checked {
        let key = |id: i64| if self.keys.is_empty() { Value::String(generated_key(id)) } else { Value::Integer(id) };
        let row = |id: i64, (position, text): (i64, &&str)| {
            vec![Some(key(id)), Some(Value::Integer(position)), Some(Value::String((*text).to_owned()))]
        };
        let rows = expected.iter().flat_map(|(id, elements)| (0..).zip(*elements).map(|element| row(*id, element)));
        let source_key = format!("{SOURCE_KEY_PREFIX}{}", self.keys.first().unwrap_or(&system::PRIMARY_KEY));
        let columns = [source_key.as_str(), &level_id(0), "value"];
        let found = self.place.cells(&self.table, Part::Subtable("t__items"), &columns)?;
        ensure_equal(&found, &rows.collect(), format!("the rows of the subtable after {after}"))
    }
}

pub(crate) fn grows(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let load = |planned_on: Option<&TableState>, id: i64, changes: Vec<Change>, values: Vec<Values>| {
        let row = vec![integers("id", [id]), integers(system::SEQUENCE, [1])];
        let mut load = next(&table, planned_on, &["id"], row)?;
        Elements { changes, ..Elements::of(&["items"], &[1], values) }.join(&mut load)?;
        place.load(&load)
    };
    let first = load(None, 1, Vec::new(), vec![integers("amount", [(1 << 53) + 1])])?;
    let second = load(Some(&first), 2, Vec::new(), vec![texts("note", ["new"]), integers("amount", [2])])?;
    let wider = column("amount", ColumnType::DecimalText);
    let renamed = Column { name: "note__st".to_owned(), ..column("note", ColumnType::String) };
    let changes = vec![
        Change::WidenColumn(wider.clone()),
        Change::RenameColumn { from: "note".to_owned(), to: "note__st".to_owned() },
    ];
    let values =
        |amount: &str, note: &str| vec![(wider.clone(), texts("", [amount]).1), (renamed.clone(), texts("", [note]).1)];
    let third = load(Some(&second), 3, changes, values("0.5", "renamed"))?;
    load(Some(&third), 4, Vec::new(), values("4", "later"))?;
    let found = place.cells(&table, Part::Subtable("t__items"), &["_sdc_source_key_id", "amount", "note__st"])?;
    let row = |id: i64, amount: &str, note: Option<&str>| {
        let note = note.map(|note| Value::String(note.to_owned()));
        vec![Some(Value::Integer(id)), Some(Value::Decimal(amount.to_owned())), note]
    };
    let expected = vec![
        row(1, "9007199254740993", None),
        row(2, "2", Some("new")),
        row(3, "0.5", Some("renamed")),
        row(4, "4", Some("later")),
    ];
    ensure_equal(&found, &expected, "the rows of a subtable that got a column, a wider one and a renamed one")
}

/// As many arrays as may stand within each other.
const LEVELS: usize = 16;
/// Where they stand.
const DEEP: [&str; LEVELS] = ["deep", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""];

pub(crate) fn deep(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let order = place.open()?.capabilities().row_order;
    let load = |planned_on: Option<&TableState>, shops: &[&str], numbers: &[i64], what: &str| {
        let days: Date32Array = numbers.iter().map(|_| Some(19_675)).collect();
        let days: Values = (column("day", ColumnType::Date), Arc::new(days));
        let sequences = integers(system::SEQUENCE, numbers.iter().map(|_| 1));
        let columns = vec![texts("shop", shops), integers("number", numbers.iter().copied()), days, sequences];
        let mut load = next(&table, planned_on, &["shop", "number", "day"], columns)?;
        elements(numbers.len(), what).join(&mut load)?;
        place.load(&in_order(load, order)?)
    };
    let first = load(None, &["a", "A", "a ", "a", "ab"], &[1, 1, 1, 11, 1], "first")?;
    load(Some(&first), &["a", "a"], &[1, 2], "second")?;

    let mut columns = vec!["_sdc_source_key_shop", "_sdc_source_key_number"];
    let level_ids: Vec<String> = (0..LEVELS).map(level_id).collect();
    columns.extend(level_ids.iter().map(String::as_str));
    columns.push("value");
    let name = format!("t__deep{}", "__value".repeat(LEVELS - 1));
    let found = place.cells(&table, Part::Subtable(&name), &columns)?;
    let row = |shop: &str, number: i64, positions: [i64; LEVELS], what: &str| {
        let key = [Value::String(shop.to_owned()), Value::Integer(number)];
        let row = key.into_iter().chain(positions.map(Value::Integer)).chain([Value::String(what.to_owned())]);
        row.map(Some).collect::<Vec<_>>()
    };
    let rows = [("A", 1, "first"), ("a", 1, "second"), ("a", 2, "second"), ("a", 11, "first"), ("a ", 1, "first")];
    let rows = rows.into_iter().chain([("ab", 1, "first")]);
    let mut expected: Cells =
        rows.flat_map(|(shop, number, what)| places().map(|positions| row(shop, number, positions, what))).collect();
    expected.sort();
    ensure_equal(&found, &expected, "the rows of a subtable of arrays deep within each other")
}

/// Three elements of arrays deep within each other: the first, the next one, and one far behind in all of them.
fn places() -> [[i64; LEVELS]; 3] {
    let mut second = [0; LEVELS];
    second[LEVELS - 1] = 1;
    [[0; LEVELS], second, [1 << 40; LEVELS]]
}

/// The same elements for each of so many rows.
fn elements(rows: usize, what: &str) -> Elements {
    let all: Vec<[i64; LEVELS]> = (0..rows).flat_map(|_| places()).collect();
    let value = (scalar_elements(ColumnType::String), texts("", all.iter().map(|_| what)).1);
    let elements = Elements::of(&DEEP, &vec![places().len(); rows], vec![value]);
    let level = |level: usize| all.iter().filter_map(|places| places.get(level).copied()).collect();
    Elements { positions: (0..LEVELS).map(level).collect(), ..elements }
}
