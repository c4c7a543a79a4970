//! The rows of subtables.

use arrow::array::RecordBatch;
use selvedge_core::{Change, Key, RowOrder, SubtableLoad, TableLoad, TableState};
use selvedge_prepare::{Pending, Schemas, decode};

use crate::load::{applied, pending, prepared, waiting};
use crate::shown;

const ID: &str = r#"{"properties":{"id":{"type":"integer"}}}"#;

fn load(state: Option<&TableState>, pending: &[Pending]) -> TableLoad {
    prepared(state, pending, RowOrder::Key).unwrap()
}

/// A subtable: `name: columns`, then `root: values` of each row; without the moments and the sequence, which are the root's.
fn shown(load: &SubtableLoad) -> Vec<String> {
    let is_shown = |name: &&str| !["_sdc_received_at", "_sdc_batched_at", "_sdc_sequence"].contains(name);
    let names: Vec<&str> = load.subtable.columns.iter().map(|column| column.name.as_str()).filter(is_shown).collect();
    let value =
        |name: &&str, row| shown::value(load.rows.column_by_name(name).unwrap(), row).unwrap_or_else(|| "-".to_owned());
    let row = |row| {
        let values: Vec<String> = names.iter().map(|name| value(name, row)).collect();
        format!("{}: {}", load.roots.value(row), values.join(" "))
    };
    let heading = format!("{}: {}", load.subtable.name, names.join(" "));
    std::iter::once(heading).chain((0..load.rows.num_rows()).map(row)).collect()
}

/// The subtables of one load of these records, keyed by `id`.
#[track_caller]
fn check(records: &[&str], expected: &[&[&str]]) {
    let load = load(None, &[waiting(1, ID, &["id"], records)]);
    let found: Vec<Vec<String>> = load.subtables.iter().map(shown).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_row_for_each_element() {
    check(
        &[
            r#"{"id":7,"items":[{"sku":"a","n":1},{"sku":"b","at":{"x":true}}]}"#,
            r#"{"id":3,"items":[{"n":5}]}"#,
            r#"{"id":5,"items":[]}"#,
            r#"{"id":4}"#,
        ],
        &[&[
            "t__items: sku n at__x _sdc_source_key_id _sdc_level_0_id",
            "0: - 5 - 3 0",
            "3: a 1 - 7 0",
            "3: b - true 7 1",
        ]],
    );
}

#[test]
fn scalars_and_mixed_elements() {
    check(
        &[r#"{"id":1,"v":[2,"x",null,0.5,{"value":3}]}"#],
        &[&[
            // The property has the name of the scalars, in other rows.
            "t__v: value value__ecf6948358e990f9 value__st _sdc_source_key_id _sdc_level_0_id",
            "0: - 2.0 - 1 0",
            "0: - - x 1 1",
            "0: - - - 1 2",
            "0: - 0.5 - 1 3",
            "0: 3 - - 1 4",
        ]],
    );
}

#[test]
fn arrays_within_arrays() {
    check(
        &[
            r#"{"id":2,"a":[{"b":[1,2]},{},{"b":[3]}],"m":[[10],[],[20,[30]]]}"#,
            r#"{"id":1,"a":[{"b":[]},{"b":[4,5]}]}"#,
        ],
        &[
            &["t__a: _sdc_source_key_id _sdc_level_0_id", "0: 1 0", "0: 1 1", "1: 2 0", "1: 2 1", "1: 2 2"],
            &[
                "t__a__b: value _sdc_source_key_id _sdc_level_0_id _sdc_level_1_id",
                "0: 4 1 1 0",
                "0: 5 1 1 1",
                "1: 1 2 0 0",
                "1: 2 2 0 1",
                "1: 3 2 2 0",
            ],
            &["t__m: _sdc_source_key_id _sdc_level_0_id", "1: 2 0", "1: 2 1", "1: 2 2"],
            &[
                "t__m__value: value _sdc_source_key_id _sdc_level_0_id _sdc_level_1_id",
                "1: 10 2 0 0",
                "1: 20 2 2 0",
                "1: - 2 2 1",
            ],
            &[
                "t__m__value__value: value _sdc_source_key_id _sdc_level_0_id _sdc_level_1_id _sdc_level_2_id",
                "1: 30 2 2 1 0",
            ],
        ],
    );
}

/// The elements of a record that loses are not there, in the same load or another part of it.
#[test]
fn only_winners_have_subrows() {
    let batches = [
        waiting(1, ID, &["id"], &[r#"{"id":1,"l":[1,2,3]}"#, r#"{"id":2,"l":[4]}"#, r#"{"id":1,"l":[5]}"#]),
        waiting(2, ID, &["id"], &[r#"{"id":3,"m":["x"]}"#, r#"{"id":2}"#]),
    ];
    let load = load(None, &batches);
    let found: Vec<Vec<String>> = load.subtables.iter().map(shown).collect();
    assert_eq!(
        found,
        [
            vec!["t__l: value _sdc_source_key_id _sdc_level_0_id", "0: 5 1 0"],
            vec!["t__m: value _sdc_source_key_id _sdc_level_0_id", "2: x 3 0"],
        ]
    );
}

/// Of the batch that an earlier load began, only the rest.
#[test]
fn a_load_that_begins_within_a_batch() {
    let whole = waiting(1, ID, &["id"], &[r#"{"id":1,"l":[1,2]}"#, r#"{"id":2,"l":[3]}"#, r#"{"id":3,"l":[4]}"#]);
    let load = load(None, &[Pending { applied: 1, ..whole }]);
    let expected = ["t__l: value _sdc_source_key_id _sdc_level_0_id", "0: 3 2 0", "1: 4 3 0"];
    assert_eq!(shown(&load.subtables[0]), expected);
}

#[test]
fn keyless_tables_have_the_generated_key() {
    let load = load(None, &[waiting(1, "{}", &[], &[r#"{"l":[1]}"#, r#"{"l":[2,3]}"#])]);
    let [subtable] = load.subtables.as_slice() else { panic!("one subtable") };
    assert_eq!(subtable.subtable.keys(), ["_sdc_source_key___sdc_primary_key", "_sdc_level_0_id"]);
    check_roots(&load);
}

/// All keys of the root, in its order, and of its types.
#[test]
fn composite_keys() {
    let schema = r#"{"properties":{"a":{"type":"string"},"b":{"type":"string","format":"date-time"}}}"#;
    let record = r#"{"a":"x","b":"2026-11-23T10:00:00Z","l":[1]}"#;
    let load = load(None, &[waiting(1, schema, &["b", "a"], &[record])]);
    let expected =
        ["t__l: value _sdc_source_key_b _sdc_source_key_a _sdc_level_0_id", "0: 1 2026-11-23T10:00:00.000000Z x 0"];
    assert_eq!(shown(&load.subtables[0]), expected);
    check_roots(&load);
}

/// The source keys of every subrow are the key of its root's row, and the rows are sorted by their keys.
fn check_roots(load: &TableLoad) {
    let key = Key::of(load).unwrap();
    let roots = key.contestants(&load.rows).unwrap();
    for subtable in &load.subtables {
        let found = key.roots(&subtable.subtable, &subtable.rows).unwrap();
        for (row, root) in subtable.roots.values().iter().enumerate() {
            assert_eq!(found.row(row), roots.key(*root as usize));
        }
        assert!(subtable.roots.values().is_sorted());
    }
}

/// What the root has of a record besides its properties, its subrows have too.
#[test]
fn columns_of_the_root() {
    let body = r#"{"table_name":"t","schema":{"properties":{"id":{"type":"integer"}}},"key_names":["id"],
        "table_version":4,"messages":[
        {"action":"upsert","sequence":9,"data":{"id":1,"l":[1]},"time_extracted":"2026-11-23T10:00:00Z"},
        {"action":"upsert","sequence":8,"data":{"id":2,"l":[2]}}]}"#;
    let load = load(None, &[pending(1, decode(body.as_bytes(), &Schemas::new()).unwrap())]);
    let subtable = &load.subtables[0];
    let values = |rows: &RecordBatch, name: &str| {
        let column = rows.column_by_name(name).unwrap();
        (0..column.len()).map(|row| shown::value(column, row)).collect::<Vec<_>>()
    };
    for name in ["_sdc_received_at", "_sdc_batched_at", "_sdc_sequence", "_sdc_table_version"] {
        assert_eq!(values(&subtable.rows, name), values(&load.rows, name), "{name}");
    }
    assert!(subtable.rows.column_by_name("_sdc_extracted_at").is_none());
}

/// The subtables of a table stay, in their order and with their columns, whatever a load brings.
#[test]
fn they_stay_what_they_are() {
    let first = load(None, &[waiting(1, ID, &["id"], &[r#"{"id":1,"l":[{"a":1}],"m":[1]}"#])]);
    let state = applied(&first);
    let nothing = load(Some(&state), &[waiting(2, ID, &["id"], &[r#"{"id":1}"#])]);
    let more = load(Some(&state), &[waiting(2, ID, &["id"], &[r#"{"id":1,"k":[true],"l":[{"b":2,"a":0.5}]}"#])]);
    let names =
        |load: &TableLoad| load.subtables.iter().map(|load| load.subtable.name.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!((names(&first).as_str(), names(&nothing).as_str()), ("t__l t__m", "t__l t__m"));
    assert_eq!(names(&more), "t__l t__m t__k");
    assert_eq!(applied(&nothing).subtables, state.subtables);
    assert!(nothing.subtables.iter().all(|load| load.changes.is_empty() && load.rows.num_rows() == 0));
    let [l, m, k] = more.subtables.as_slice() else { panic!("three subtables") };
    assert!(m.changes.is_empty() && m.rows.num_rows() == 0);
    assert!(matches!(k.changes.as_slice(), [Change::CreateTable(columns)] if *columns == k.subtable.columns));
    let [Change::WidenColumn(a), Change::AddColumn(b)] = l.changes.as_slice() else { panic!("{:?}", l.changes) };
    assert_eq!((a.name.as_str(), b.name.as_str()), ("a", "b"));
    assert_eq!(
        shown(l),
        ["t__l: a _sdc_source_key_id _sdc_level_0_id b", "0: 0.5 1 0 2"],
        "new columns come after those that stand"
    );
}

/// A table version that comes later is a new column of subtables as well.
#[test]
fn a_column_of_the_root_that_comes_later() {
    let state = applied(&load(None, &[waiting(1, ID, &["id"], &[r#"{"id":1,"l":[1]}"#])]));
    let body = r#"{"table_name":"t","schema":{"properties":{"id":{"type":"integer"}}},"key_names":["id"],
        "table_version":4,"messages":[{"action":"upsert","sequence":9,"data":{"id":1,"l":[1]}}]}"#;
    let load = load(Some(&state), &[pending(1, decode(body.as_bytes(), &Schemas::new()).unwrap())]);
    assert_eq!(load.subtables[0].changes.len(), 1);
    assert_eq!(
        load.subtables[0].subtable.columns.last().map(|column| column.name.as_str()),
        Some("_sdc_table_version")
    );
}

/// Digits are counted for elements as for records.
#[test]
fn digits_of_elements() {
    let state = applied(&load(None, &[waiting(1, ID, &["id"], &[r#"{"id":1,"l":[1,-1234]}"#])]));
    assert_eq!(state.subtables[0].columns[0].digits, 4);
    let load = load(Some(&state), &[waiting(1, ID, &["id"], &[r#"{"id":1,"l":[12]}"#])]);
    assert_eq!(load.subtables[0].subtable.columns[0].digits, 4);
    assert!(load.subtables[0].changes.is_empty());
}
