//! The names of columns and subtables.

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge_core::{Column, Path, RowOrder, TableLoad};
use selvedge_prepare::{Policy, Schemas, decode};
use serde_json::{Map, Value, json};

use crate::batch::body;
use crate::load::{applied, pending, prepared, prepared_of, queue, values, waiting};

// Hashes in the names below are spelled out: they may not change, or tables that stand already would get columns anew.

/// The names of the columns and subtables that a record makes.
#[track_caller]
fn check(record: &str, expected: &[&str]) {
    let load = prepared(None, &[waiting(1, "{}", &[], &[record])], RowOrder::Any).unwrap();
    let columns = load.columns.iter().filter(|column| column.path.is_some()).map(|column| column.name.clone());
    let subtables = load.subtables.iter().map(|load| load.subtable.name.clone());
    assert_eq!(columns.chain(subtables).collect::<Vec<_>>(), expected);
}

#[test]
fn odd_names() {
    check(r#"{"":1,"a b":1,"日本語":1,"0":1,"select":1,"x.y":1}"#, &["_", "a b", "日本語", "0", "select", "x.y"]);
    check(r#"{"'); DROP TABLE t; --":1,"\"\"":1,"../../etc":1}"#, &["'); DROP TABLE t; --", "\"\"", "../../etc"]);
}

#[test]
fn characters_that_are_not_seen() {
    check(r#"{"a\u0000b":1}"#, &["a_b"]);
    check(r#"{"\n":1}"#, &["_"]);
    let unseen = ["200b", "200f", "202a", "202e", "2060", "2069", "feff", "061c", "001f", "007f", "0085"];
    for character in unseen {
        check(&format!(r#"{{"x\u{character}y":{{"z":1}}}}"#), &["x_y__z"]);
    }
    check(r#"{"x\u200ay":1,"x\u202fy":1,"x\u206ay":1}"#, &["x\u{200a}y", "x\u{202f}y", "x\u{206a}y"]);
}

/// SQLite adds no column that is called as it calls the number of a row.
#[test]
fn row_ids() {
    check(
        r#"{"rowid":1,"OID":1,"_rowid_":1,"x":{"oid":1},"rowids":1}"#,
        &["rowid_", "OID_", "_rowid__", "x__oid", "rowids"],
    );
}

#[test]
fn subtables_are_named_by_their_paths() {
    check(
        r#"{"line items":[{"tax_lines":[{"m":[[1]]}]}],"a":{"b":[1]}}"#,
        &[
            "t__line items",
            "t__line items__tax_lines",
            "t__line items__tax_lines__m",
            "t__line items__tax_lines__m__value",
            "t__a__b",
        ],
    );
    check(r#"{"../x\"y\u0000.":[1],"é$-":[1]}"#, &["t__.._x_y__", "t__é$-"]);
    check(r#"{"A":[1],"a":[1]}"#, &["t__A", "t__a__62636ffe47dff29b"]);
    check(r#"{"":[1],"b ":[1]}"#, &["t__", "t__b_"]);
}

/// Ten thousand bytes, or two hundred: what is longer than destinations take is cut and gets a hash.
#[test]
fn very_long_names() {
    for length in [90, 5_000] {
        let long = "ö".repeat(length);
        let records = [format!(r#"{{"{long}x":1}}"#), format!(r#"{{"{long}y":2}}"#), format!(r#"{{"{long}x":3}}"#)];
        let waiting = |batch: u64, record: &str| waiting(batch, "{}", &[], &[record]);
        let batches: Vec<_> = (1..).zip(&records).map(|(batch, record)| waiting(batch, record)).collect();
        let load = prepared(None, &batches, RowOrder::Any).unwrap();
        let [first, second, ..] = load.columns.as_slice() else { panic!("two columns") };
        assert!(first.name.starts_with(&"ö".repeat(41)) && first.name.len() <= 100, "{}", first.name);
        assert_ne!(first.name, second.name);
        assert_eq!(values(&load, &first.name), [Some("1".to_owned()), None, Some("3".to_owned())]);
    }
    let long = "a".repeat(10_000);
    let load =
        prepared(None, &[waiting(1, "{}", &[], &[&format!(r#"{{"{long}":[1],"{long}b":[2]}}"#)])], RowOrder::Any);
    let names: Vec<String> = load.unwrap().subtables.into_iter().map(|load| load.subtable.name).collect();
    assert!(names.iter().all(|name| name.len() == 120 && name.starts_with(&format!("t__{}__", "a".repeat(99)))));
}

/// The names of source keys, which begin as none of the sender's may, and are cut where a key's is long.
#[test]
fn source_keys() {
    let names = |key: &str| {
        let schema = json!({"properties": {key: {"type": "integer"}}}).to_string();
        let record = json!({key: 1, "l": [1]}).to_string();
        let load = prepared(None, &[waiting(1, &schema, &[key], &[&record])], RowOrder::Any).unwrap();
        load.subtables[0].subtable.source_keys().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names("_id"), ["_sdc_source_key__id"]);
    assert_eq!(names(&"k".repeat(95)), [format!("_sdc_source_key_{}", "k".repeat(95))]);
    let long = names(&"ü".repeat(3_000));
    assert!(long[0].starts_with("_sdc_source_key_üü") && long[0].len() <= 127, "{long:?}");
}

/// No property takes the name of one of selvedge's own columns, of a table or a subtable.
#[test]
fn names_of_selvedge_are_not_taken() {
    let record = r#"{"":{"sdc_primary_key":1},"l":[{"":{"sdc_source_key___sdc_primary_key":1}}]}"#;
    let load = prepared(None, &[waiting(1, "{}", &[], &[record])], RowOrder::Any).unwrap();
    assert!(load.columns[0].name.starts_with("__sdc_primary_key__"));
    assert!(load.columns[0].path.is_some());
    let own = load.subtables[0].subtable.source_keys().collect::<Vec<_>>();
    assert_eq!(own, ["_sdc_source_key___sdc_primary_key"]);
}

/// A name made of any characters, or one of those that collide most.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![Just("a"), Just("A"), Just("_"), Just("__"), Just("b"), Just("é"), Just("É"), Just("\u{0}")];
    let many = vec(part, 0..4).prop_map(|parts| parts.concat());
    prop_oneof![4 => many, 1 => any::<String>()]
        .prop_filter("reserved", |name| !name.to_lowercase().trim_start_matches('_').starts_with("sdc"))
}

/// A record of objects, arrays and numbers under such names.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![(0..9).prop_map(Value::from), Just(Value::from("x")), Just(Value::from(true))];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec((name(), inner.clone()), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
            vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

/// The value of a row at each path, by the columns of its load.
fn by_path(load: &TableLoad, columns: &[Column]) -> Vec<(Path, String)> {
    let columns = columns.iter().filter_map(|column| Some((column.path.clone()?, values(load, &column.name))));
    let held = columns.flat_map(|(path, values)| values.into_iter().flatten().map(move |value| (path.clone(), value)));
    held.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the names, every record is loaded or rejected, none of its values lands in another's column, and the names
    /// stand in the next load. `prepared_of` checks that they are such as destinations take.
    #[test]
    fn any_names(records in vec(vec((name(), value()), 1..5), 1..4)) {
        let objects: Vec<Map<String, Value>> = records.into_iter().map(|members| members.into_iter().collect()).collect();
        let mut state = None;
        for object in objects {
            let body = body("{}", &[], &[&Value::Object(object.clone()).to_string()]);
            let decoded = decode(body.as_bytes(), &Schemas::new()).unwrap();
            let batch = pending(1, decoded);
            let load =
                prepared_of(queue(), state.as_ref(), &[batch], RowOrder::Any, Policy::default(), &[body]).unwrap();
            prop_assert_eq!(load.rows.num_rows() + load.rejects.num_rows(), 1);
            let mut expected = Vec::new();
            if load.rows.num_rows() == 1 {
                scalars(&Value::Object(object), &Path::default(), &mut expected);
            }
            let mut found = by_path(&load, &load.columns);
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
            state = Some(applied(&load));
        }
    }
}

/// The values outside of arrays.
fn scalars(value: &Value, path: &Path, found: &mut Vec<(Path, String)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            scalars(value, &Path([path.0.as_slice(), std::slice::from_ref(name)].concat()), found);
        }),
        Value::Array(_) | Value::Null => {}
        Value::String(text) => found.push((path.clone(), text.clone())),
        other => found.push((path.clone(), other.to_string())),
    }
}
