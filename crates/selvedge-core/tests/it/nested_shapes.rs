//! Nested rows are composed of flat ones without a loss, whatever the shape of the records.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use selvedge_core::nested::{self, Flat, Subrows};
use selvedge_core::{
    ArrayPath, Column, ColumnType, MAX_NAME_BYTES, Path, SOURCE_KEY_PREFIX, Subtable, level_id, schema, system,
};

/// What may stand in the records, or in the elements of an array.
#[derive(Debug, Clone)]
struct Shape {
    scalars: Vec<(Path, ColumnType)>,
    arrays: Vec<(Path, Shape)>,
}

fn path(names: std::ops::Range<usize>) -> impl Strategy<Value = Path> {
    let hostile = "é".repeat(MAX_NAME_BYTES);
    let name = select(vec!["a", "A", "b", "value", "a__b", "", "\u{0}\"'"]);
    let name = prop_oneof![9 => name.prop_map(str::to_owned), 1 => Just(hostile)];
    vec(name, names).prop_map(Path)
}

fn scalars(shortest: usize, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(Path, ColumnType)>> {
    use ColumnType::{Boolean, Double, Integer, String};
    vec((path(shortest..4), select(vec![Boolean, Integer, Double, String])), count)
}

/// That of elements, of which each has a column at least somewhere in it.
fn element() -> impl Strategy<Value = Shape> {
    let flat = scalars(0, 1..4).prop_map(|scalars| Shape { scalars, arrays: Vec::new() });
    flat.prop_recursive(4, 16, 3, |inner| {
        (scalars(0, 0..4), vec((path(0..3), inner), 1..3)).prop_map(|(scalars, arrays)| Shape { scalars, arrays })
    })
}

fn record() -> impl Strategy<Value = Shape> {
    (scalars(1, 0..6), vec((path(1..3), element()), 0..3)).prop_map(|(scalars, arrays)| Shape { scalars, arrays })
}

/// Numbers that decide everything about the values, over and over.
#[derive(Debug, Clone)]
struct Chance(Vec<u8>, usize);

impl Chance {
    fn next(&mut self) -> u8 {
        self.1 += 1;
        self.0[self.1 % self.0.len()]
    }

    fn values(&mut self, column_type: ColumnType, rows: usize) -> ArrayRef {
        let values: Vec<Option<u8>> =
            (0..rows).map(|_| self.next()).map(|value| (value % 3 != 0).then_some(value)).collect();
        let values = values.into_iter();
        match column_type {
            ColumnType::Boolean => Arc::new(BooleanArray::from_iter(values.map(|value| value.map(|v| v % 2 == 0)))),
            ColumnType::Integer => Arc::new(Int64Array::from_iter(values.map(|value| value.map(i64::from)))),
            ColumnType::Double => Arc::new(Float64Array::from_iter(values.map(|value| value.map(f64::from)))),
            _ => Arc::new(StringArray::from_iter(values.map(|value| value.map(|v| v.to_string())))),
        }
    }
}

/// A table while it is filled.
struct Filling {
    chance: Chance,
    subtables: Vec<Subtable>,
    subrows: Vec<Subrows>,
}

/// Where a row stands: its root's row, then its indices in the arrays.
type Place = (u32, Vec<i64>);

impl Filling {
    /// The columns of a shape, filled for these rows, whose names are unique without regard to case.
    fn columns(&mut self, shape: &Shape, rows: usize) -> (Vec<Column>, Vec<ArrayRef>) {
        let mut columns: Vec<Column> = Vec::new();
        for (path, column_type) in &shape.scalars {
            let joined = if path.0.is_empty() { "value".to_owned() } else { path.0.join("__") };
            let mut name: String = joined.replace(char::is_control, "_").chars().take(50).collect();
            while columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
                name += column_type.split_suffix();
            }
            if !columns.iter().any(|column| (column.path.as_ref(), column.column_type) == (Some(path), *column_type)) {
                columns.push(Column::new(name, Some(path.clone()), *column_type));
            }
        }
        let values = columns.iter().map(|column| self.chance.values(column.column_type, rows)).collect();
        (columns, values)
    }

    fn arrays(&mut self, shape: &Shape, source: &ArrayPath, outer: &[Place], sequences: &Int64Array) {
        for (at, (path, element)) in shape.arrays.iter().enumerate() {
            if shape.arrays[..at].iter().any(|(other, _)| other == path) {
                continue;
            }
            let source = ArrayPath(source.0.iter().chain([path]).cloned().collect());
            let mut places = Vec::new();
            for (root, levels) in outer {
                let length = i64::from(self.chance.next() % 4);
                places.extend((0..length).map(|at| (*root, levels.iter().copied().chain([at]).collect())));
            }
            self.subrows_of(element, &source, &places, sequences);
            self.arrays(element, &source, &places, sequences);
        }
    }

    fn subrows_of(&mut self, element: &Shape, source: &ArrayPath, places: &[Place], sequences: &Int64Array) {
        let (mut columns, mut values) = self.columns(element, places.len());
        let mut own = |name: &str, numbers: Vec<i64>| {
            columns.push(Column::new(name, None, ColumnType::Integer));
            values.push(Arc::new(Int64Array::from(numbers)));
        };
        own(&format!("{SOURCE_KEY_PREFIX}id"), places.iter().map(|(root, _)| 100 + i64::from(*root)).collect());
        for level in 0..source.levels() {
            own(&level_id(level), places.iter().map(|(_, levels)| levels[level]).collect());
        }
        own(system::SEQUENCE, places.iter().map(|(root, _)| sequences.value(*root as usize)).collect());
        let rows = RecordBatch::try_new(schema(&columns), values).unwrap();
        let roots = UInt32Array::from_iter_values(places.iter().map(|(root, _)| *root));
        self.subtables.push(Subtable { name: source.to_string(), source: source.clone(), columns });
        self.subrows.push(Subrows { rows, roots });
    }
}

#[derive(Debug)]
struct Table {
    columns: Vec<Column>,
    subtables: Vec<Subtable>,
    flat: Flat,
}

fn table(shape: &Shape, rows: usize, chance: Vec<u8>) -> Table {
    let mut filling = Filling { chance: Chance(chance, 0), subtables: Vec::new(), subrows: Vec::new() };
    let (mut columns, mut values) = filling.columns(shape, rows);
    let sequences = Int64Array::from_iter_values((0_i64..).take(rows).map(|row| row * row));
    columns.insert(0, Column::new("id", Some(Path(vec!["id".to_owned()])), ColumnType::Integer));
    values.insert(0, Arc::new(Int64Array::from_iter_values((100_i64..).take(rows))));
    columns.insert(1, Column::new(system::SEQUENCE, None, ColumnType::Integer));
    values.insert(1, Arc::new(sequences.clone()));
    let places: Vec<Place> = (0_u32..).take(rows).map(|row| (row, Vec::new())).collect();
    filling.arrays(shape, &ArrayPath::default(), &places, &sequences);
    let rows = RecordBatch::try_new(schema(&columns), values).unwrap();
    Table { columns, subtables: filling.subtables, flat: Flat { rows, subrows: filling.subrows } }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_composed_is_decomposed(shape in record(), rows in 0_usize..5, chance in vec(any::<u8>(), 1..200)) {
        let Table { columns, subtables, flat } = table(&shape, rows, chance);
        let nested = nested::compose(&flat, &columns, &subtables).unwrap();
        prop_assert_eq!(nested.num_rows(), rows);
        prop_assert_eq!(nested.schema(), nested::schema(&columns, &subtables));
        prop_assert_eq!(nested::decompose(&nested, &columns, &subtables, &["id".to_owned()]).unwrap(), flat.clone());
        // A part of the rows, as destinations hand them out.
        let (from, length) = (rows / 3, rows - rows / 3);
        let part = nested::decompose(&nested.slice(from, length), &columns, &subtables, &["id".to_owned()]).unwrap();
        prop_assert_eq!(part.rows, flat.rows.slice(from, length));
        for (part, whole) in part.subrows.iter().zip(&flat.subrows) {
            let before = whole.roots.values().iter().filter(|root| (**root as usize) < from).count();
            prop_assert_eq!(&part.rows, &whole.rows.slice(before, whole.rows.num_rows() - before));
        }
    }
}
