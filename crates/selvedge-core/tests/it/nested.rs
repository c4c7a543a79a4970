//! Objects and arrays as structs and lists.

use arrow_array::{RecordBatch, UInt32Array};
use arrow_json::LineDelimitedWriter;
use selvedge_core::nested::{self, Flat, Subrows};
use selvedge_core::{Column, LoadErrorKind, Subtable, schema};

use crate::shelf::{Filled, doubles, extras, integers, level_ids, sequences, source_keys, subtable, texts};

/// A table, flat. Its rows have the ids 0, 1, …, so that source keys are indices too.
struct Table {
    columns: Vec<Column>,
    subtables: Vec<Subtable>,
    flat: Flat,
}

impl Table {
    fn new(filled: impl IntoIterator<Item = Filled>) -> Self {
        let (columns, values): (Vec<Column>, Vec<_>) = filled.into_iter().unzip();
        let rows = RecordBatch::try_new(schema(&columns), values).unwrap();
        Self { columns, subtables: Vec::new(), flat: Flat { rows, subrows: Vec::new() } }
    }

    fn with(mut self, source: &str, roots: Vec<i64>, filled: impl IntoIterator<Item = Filled>) -> Self {
        let of_roots = UInt32Array::from_iter_values(roots.iter().map(|root| *root as u32));
        let (subtable, rows) = subtable(source, filled.into_iter().chain([source_keys(roots)]));
        self.subtables.push(subtable);
        self.flat.subrows.push(Subrows { rows, roots: of_roots });
        self
    }

    fn compose(&self) -> Result<RecordBatch, selvedge_core::LoadError> {
        nested::compose(&self.flat, &self.columns, &self.subtables)
    }

    fn decompose(&self, batch: &RecordBatch) -> Flat {
        nested::decompose(batch, &self.columns, &self.subtables, &["id".to_owned()]).unwrap()
    }
}

/// Checks the fields, with their types, and the rows as JSON without nulls; and that they can be taken apart again.
#[track_caller]
fn check(table: &Table, fields: &[&str], rows: &[&str]) {
    let nested = table.compose().unwrap();
    let schema = nested.schema();
    let found = schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type()));
    assert_eq!(found.collect::<Vec<_>>(), fields);
    let mut json = LineDelimitedWriter::new(Vec::new());
    json.write(&nested).unwrap();
    let json = String::from_utf8(json.into_inner()).unwrap();
    assert_eq!(json.lines().collect::<Vec<_>>(), rows);
    assert_eq!(table.decompose(&nested), table.flat);
}

#[test]
fn objects_are_structs() {
    let table = Table::new([
        integers("id", "id", vec![0, 1, 2]),
        texts("address__city", "address/city", vec![Some("Ice"), None, None]),
        sequences(vec![7, 8, 9]),
        doubles("total", "total", vec![Some(1.5), None, None]),
        doubles("address__at__lat", "address/at/lat", vec![None, Some(2.5), None]),
    ]);
    check(
        &table,
        &[
            "id: Int64",
            r#"address: Struct("city": Utf8, "at": Struct("lat": Float64))"#,
            "total: Float64",
            "_sdc_sequence: Int64",
        ],
        &[
            r#"{"id":0,"address":{"city":"Ice"},"total":1.5,"_sdc_sequence":7}"#,
            r#"{"id":1,"address":{"at":{"lat":2.5}},"_sdc_sequence":8}"#,
            r#"{"id":2,"_sdc_sequence":9}"#,
        ],
    );
}

#[test]
fn arrays_are_lists() {
    let table = Table::new([integers("id", "id", vec![0, 1, 2])])
        .with(
            "lines/*",
            vec![0, 0, 2],
            [integers("price", "price", vec![Some(5), None, Some(7)]), level_ids(0, vec![0, 1, 0])],
        )
        .with(
            "lines/*/taxes/*",
            vec![0, 0, 2],
            [texts("value", "", vec!["a", "b", "c"]), level_ids(0, vec![1, 1, 0]), level_ids(1, vec![0, 1, 0])],
        );
    check(
        &table,
        &["id: Int64", r#"lines: List(Struct("price": Int64, "taxes": List(Utf8)))"#],
        &[
            r#"{"id":0,"lines":[{"price":5},{"taxes":["a","b"]}]}"#,
            r#"{"id":1}"#,
            r#"{"id":2,"lines":[{"price":7,"taxes":["c"]}]}"#,
        ],
    );
}

#[test]
fn values_without_a_column() {
    let table = Table::new([extras(vec![Some("{}"), None]), integers("id", "id", vec![0, 1])]).with(
        "x/*",
        vec![0, 1],
        [extras(vec![None, Some("[]")]), integers("value", "", vec![5, 6]), level_ids(0, vec![0, 0])],
    );
    check(
        &table,
        &["id: Int64", r#"x: List(Struct("_sdc_extra": Utf8, "value": Int64))"#, "_sdc_extra: Utf8"],
        &[r#"{"id":0,"x":[{"value":5}],"_sdc_extra":"{}"}"#, r#"{"id":1,"x":[{"_sdc_extra":"[]","value":6}]}"#],
    );
}

#[test]
fn arrays_within_arrays_and_below_objects() {
    let table =
        Table::new([integers("id", "id", vec![0])]).with("a/matrix/*", vec![0, 0], [level_ids(0, vec![0, 1])]).with(
            "a/matrix/*/*",
            vec![0, 0, 0],
            [
                integers("value", "", vec![Some(1), None, Some(3)]),
                level_ids(0, vec![0, 0, 1]),
                level_ids(1, vec![0, 1, 0]),
            ],
        );
    check(
        &table,
        &["id: Int64", r#"a: Struct("matrix": List(List(Int64)))"#],
        &[r#"{"id":0,"a":{"matrix":[[1,null],[3]]}}"#],
    );
}

#[test]
fn elements_of_several_kinds_are_structs() {
    let kinds = |kinds: Vec<Filled>| {
        let kinds = kinds.into_iter().chain([level_ids(0, vec![0, 1])]);
        Table::new([integers("id", "id", vec![0])]).with("x/*", vec![0, 0], kinds)
    };
    let integer = || integers("value", "", vec![Some(1), None]);
    check(
        &kinds(vec![integer(), texts("value__st", "", vec![None, Some("b")])]),
        &["id: Int64", r#"x: List(Struct("value": Int64, "value__st": Utf8))"#],
        &[r#"{"id":0,"x":[{"value":1},{"value__st":"b"}]}"#],
    );
    check(
        &kinds(vec![integer(), texts("b", "b", vec![None, Some("b")])]),
        &["id: Int64", r#"x: List(Struct("value": Int64, "b": Utf8))"#],
        &[r#"{"id":0,"x":[{"value":1},{"b":"b"}]}"#],
    );
    check(
        &kinds(vec![integer()]).with(
            "x/*/*",
            vec![0],
            [integers("value", "", vec![2]), level_ids(0, vec![1]), level_ids(1, vec![0])],
        ),
        &["id: Int64", r#"x: List(Struct("value": Int64, "value__ar": List(Int64)))"#],
        &[r#"{"id":0,"x":[{"value":1},{"value__ar":[2]}]}"#],
    );
}

#[test]
fn names() {
    let check = |columns: Vec<Filled>, arrays: &[&str], fields: &[&str]| {
        let mut table = Table::new([integers("id", "id", vec![0])].into_iter().chain(columns));
        for array in arrays {
            table = table.with(array, vec![0], [integers("value", "", vec![1]), level_ids(0, vec![0])]);
        }
        let schema = table.compose().unwrap().schema();
        let found = schema.fields().iter().skip(1).map(|field| format!("{}: {}", field.name(), field.data_type()));
        assert_eq!(found.collect::<Vec<_>>(), fields);
    };
    let integer = |name: &str, path: &str| integers(name, path, vec![1]);
    // A path with scalars of two types, an object and an array.
    check(
        vec![integer("a__b", "a/b"), integer("a", "a"), texts("a__st", "a", vec!["1"])],
        &["a/*"],
        &[r#"a__re: Struct("b": Int64)"#, "a: Int64", "a__st: Utf8", "a__ar: List(Int64)"],
    );
    // Cases.
    check(
        vec![integer("a__b", "a/b"), integer("A__b__f3", "A/b")],
        &["lines/*", "Lines/*"],
        &[
            r#"a: Struct("b": Int64)"#,
            r#"A__re: Struct("b__f3": Int64)"#,
            "lines: List(Int64)",
            "Lines__ar: List(Int64)",
        ],
    );
    // What stands before the suffix of a column's name, and names that do not begin with those of the objects.
    check(
        vec![integer("a__b__0f", "a/b"), texts("a__b__0f__st", "a/b", vec!["1"]), integer("long", "a/b")],
        &[],
        &[r#"a: Struct("b__0f": Int64, "b__0f__st": Utf8, "b": Int64)"#],
    );
}

#[test]
fn elements_without_a_row_are_null() {
    let gap = |column: Filled| {
        Table::new([integers("id", "id", vec![0])]).with("x/*", vec![0, 0], [column, level_ids(0, vec![1, 3])])
    };
    check(
        &gap(integers("n", "n", vec![Some(1), None])),
        &["id: Int64", r#"x: List(Struct("n": Int64))"#],
        &[r#"{"id":0,"x":[null,{"n":1},null,{}]}"#],
    );
    let table = gap(integers("value", "", vec![Some(1), None]));
    let rows = table.decompose(&table.compose().unwrap()).subrows[0].rows.clone();
    assert_eq!(rows.num_rows(), 4, "null is an element like any other in a list of scalars");
}

#[test]
fn arrays_without_any_value_are_not_there() {
    let table = Table::new([integers("id", "id", vec![0])])
        .with("x/*", vec![], [level_ids(0, Vec::<i64>::new())])
        .with("x/*/*", vec![], [level_ids(0, Vec::<i64>::new()), level_ids(1, Vec::<i64>::new())]);
    check(&table, &["id: Int64"], &[r#"{"id":0}"#]);
}

#[test]
fn fields_that_are_missing_are_null() {
    let table = Table::new([integers("id", "id", vec![0]), texts("a__b", "a/b", vec![None::<&str>])]).with(
        "x/*",
        vec![],
        [integers("n", "n", Vec::<i64>::new()), level_ids(0, Vec::<i64>::new())],
    );
    let nested = table.compose().unwrap().project(&[0]).unwrap();
    assert_eq!(table.decompose(&nested), table.flat);
}

#[test]
fn what_does_not_fit_is_refused() {
    let check = |roots: Vec<i64>, levels: Vec<i64>| {
        let values = integers("n", "n", vec![1; roots.len()]);
        let table = Table::new([integers("id", "id", vec![0, 1])]).with("x/*", roots, [values, level_ids(0, levels)]);
        assert_eq!(table.compose().unwrap_err().kind(), LoadErrorKind::Refused);
    };
    check(vec![2], vec![0]);
    check(vec![1, 0], vec![0, 0]);
    check(vec![0, 0], vec![1, 0]);
    check(vec![0, 0], vec![0, 0]);
    check(vec![0], vec![-1]);
    let table = Table::new([integers("id", "id", vec![0])]);
    let other = Table::new([texts("id", "id", vec!["0"])]).compose().unwrap();
    let error = nested::decompose(&other, &table.columns, &table.subtables, &["id".to_owned()]).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
}
