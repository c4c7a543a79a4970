//! The columns a load plans: their names, and how they stay what they are.

use selvedge_core::{Change, RowOrder, TableState};

use crate::load::{applied, prepared, values, waiting};

// Hashes in the names below are spelled out: they may not change, or tables that stand already would get columns anew.

/// Loads one batch after the other, each `(schema, record)`; expects the names of the properties' columns after each.
#[track_caller]
fn check(batches: &[(&str, &str)], expected: &[&str]) {
    let mut state: Option<TableState> = None;
    for ((schema, record), expected) in batches.iter().zip(expected) {
        let load = prepared(state.as_ref(), &[waiting(1, schema, &[], &[record])], RowOrder::Any).unwrap();
        let properties = load.columns.iter().filter(|column| column.path.is_some());
        let names: Vec<&str> = properties.map(|column| column.name.as_str()).collect();
        assert_eq!(names.join(" "), *expected, "{record}");
        let new = &load.columns[state.as_ref().map_or(0, |state| state.columns.len())..];
        match &state {
            None => assert_eq!(load.changes, [Change::CreateTable(new.to_vec())]),
            Some(_) => assert_eq!(load.changes, new.iter().cloned().map(Change::AddColumn).collect::<Vec<_>>()),
        }
        state = Some(applied(&load));
    }
}

const INTEGER: &str = r#"{"properties":{"a":{"type":"integer"}}}"#;

#[test]
fn declared_columns_are_made_without_values() {
    check(&[(INTEGER, "{}"), (INTEGER, r#"{"a":1}"#)], &["a", "a"]);
}

#[test]
fn new_properties_become_new_columns() {
    check(&[(INTEGER, "{}"), (INTEGER, r#"{"b":1}"#), (INTEGER, r#"{"a":1}"#)], &["a", "a b", "a b"]);
}

#[test]
fn another_type_splits_the_column() {
    let of_type = |property: &str| format!(r#"{{"properties":{{"a":{property}}}}}"#);
    let types = [
        (r#"{"type":"integer"}"#, "a"),
        (r#"{"type":"string"}"#, "a__st"),
        (r#"{"type":"boolean"}"#, "a__bo"),
        (r#"{"type":"number"}"#, "a__do"),
        (r#"{"type":"string","format":"date-time"}"#, "a__ti"),
        (r#"{"type":"string","format":"date"}"#, "a__da"),
        (r#"{"type":"string","format":"time"}"#, "a__tm"),
        (r#"{"type":"number","multipleOf":0.01}"#, "a__de"),
        (r#"{"type":"integer"}"#, ""),
    ];
    let schemas: Vec<String> = types.iter().map(|(property, _)| of_type(property)).collect();
    let batches: Vec<(&str, &str)> = schemas.iter().map(|schema| (schema.as_str(), "{}")).collect();
    let mut names = String::new();
    let expected: Vec<String> = types
        .iter()
        .map(|(_, name)| {
            names = format!("{names} {name}").trim().to_owned();
            names.clone()
        })
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(&batches, &expected);
    check(&[(of_type(r#"{"type":["string","integer"]}"#).as_str(), "{}")], &["a a__bi"]);
}

#[test]
fn names_that_differ_in_case_only() {
    check(
        &[("{}", r#"{"Größe":1}"#), ("{}", r#"{"größe":1,"GRÖSSE":1}"#), ("{}", r#"{"Größe":1}"#)],
        &["Größe", "Größe größe__9073e9e7c8feb21a GRÖSSE", "Größe größe__9073e9e7c8feb21a GRÖSSE"],
    );
}

#[test]
fn paths_that_join_alike() {
    let nested = r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#;
    check(&[(nested, r#"{"a__b":1}"#)], &["a__b a__b__4babec77b6f031c2"]);
    check(&[("{}", r#"{"a__b":1}"#), (nested, "{}")], &["a__b", "a__b a__b__52588ef1a6e3a49d"]);
}

/// Nobody takes a name away by naming a property after the hash.
#[test]
fn a_property_named_like_a_hash() {
    let nested = r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#;
    let load = prepared(None, &[waiting(1, nested, &[], &[r#"{"a__b":1}"#])], RowOrder::Any).unwrap();
    let hashed = load.columns[1].name.clone();
    let both = format!(r#"{{"{hashed}":2,"a":{{"b":3}}}}"#);
    let batches =
        [waiting(1, "{}", &[], &[&format!(r#"{{"a__b":1,"{hashed}":2}}"#)]), waiting(2, nested, &[], &[&both])];
    let load = prepared(None, &batches, RowOrder::Any).unwrap();
    assert_eq!(values(&load, &hashed), [Some("2".to_owned()), Some("2".to_owned())]);
    assert_eq!(load.columns.iter().filter(|column| column.name.starts_with("a__b")).count(), 3);
}

/// An empty name and what follows it can join to a name of selvedge's own.
#[test]
fn paths_that_join_to_a_name_of_selvedge() {
    let schema = r#"{"properties":{"":{"properties":{"sdc_primary_key":{"type":"string"}}}}}"#;
    let load = prepared(None, &[waiting(1, schema, &[], &[r#"{"":{"sdc_primary_key":"x"}}"#])], RowOrder::Any).unwrap();
    assert!(load.columns[0].name.starts_with("__sdc_primary_key__"));
    assert_eq!(values(&load, &load.columns[0].name), [Some("x".to_owned())]);
    assert_eq!(values(&load, "__sdc_primary_key")[0].as_ref().map(String::len), Some(36));
}

/// Whether batches are loaded together or one by one makes no difference to the columns.
#[test]
fn columns_do_not_depend_on_the_grouping_of_batches() {
    let nested = r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#;
    let string = r#"{"properties":{"a":{"type":"string"},"A":{"type":"string"}}}"#;
    let batches = [
        waiting(1, INTEGER, &[], &["{}"]),
        waiting(2, string, &[], &["{}", r#"{"x":1}"#]),
        waiting(3, nested, &[], &[r#"{"a__b":1}"#, r#"{"A":1}"#]),
        waiting(4, "{}", &[], &[r#"{"a":1,"X":2}"#]),
    ];
    let columns = |groups: &[usize]| {
        let mut state = None;
        let mut batches = batches.as_slice();
        for size in groups {
            let (group, rest) = batches.split_at(*size);
            state = Some(applied(&prepared(state.as_ref(), group, RowOrder::Any).unwrap()));
            batches = rest;
        }
        let mut columns: Vec<String> = state.unwrap().columns.iter().map(|column| format!("{column:?}")).collect();
        columns.sort();
        columns
    };
    let together = columns(&[4]);
    for groups in [&[1, 1, 1, 1][..], &[2, 2], &[1, 3], &[3, 1]] {
        assert_eq!(columns(groups), together, "{groups:?}");
    }
}
