//! The logical view of a table: which values stand at which places of which rows.

use std::collections::BTreeMap;

use selvedge_core::{LoadErrorKind, LogicalView, Value, logical_view};

use crate::shelf::{
    Life, Shelf, decimal_texts, decimals, doubles, extras, generated_keys, generated_source_keys, integers, level_ids,
    moments, orders, sequences, source_keys, texts,
};

/// Checks the rows by their keys, each with `place: value` of all its values, in the order of the places.
#[track_caller]
fn check(mut shelf: Shelf, expected: &[(&str, &[&str])]) {
    let LogicalView { rows } = logical_view(&mut shelf, &orders()).unwrap().unwrap();
    let shown = |values: &[Value]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let found = rows.iter().map(|(key, row)| {
        (shown(key), row.iter().map(|(place, value)| format!("{place}: {value}")).collect::<Vec<_>>())
    });
    let expected = expected.iter().map(|(key, row)| ((*key).to_owned(), row.iter().map(ToString::to_string).collect()));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected.collect());
}

#[test]
fn elements_stand_at_their_indices() {
    let shelf = Shelf::new([integers("id", "id", vec![1, 2]), texts("a__b", "a/b", vec![Some("x"), None])])
        .with(
            "items/*",
            [
                integers("price", "price", vec![10, 20, 30]),
                texts("at__city", "at/city", vec![None, Some("Ice"), None]),
                source_keys(vec![1, 1, 2]),
                level_ids(0, vec![0, 1, 0]),
                moments("_sdc_received_at", vec![5, 5, 5]),
                sequences(vec![1, 1, 2]),
            ],
        )
        .with("tags/*", [texts("value", "", vec!["c"]), source_keys(vec![2]), level_ids(0, vec![2])]);
    check(
        shelf,
        &[
            ("1", &["/a/b: \"x\"", "/id: 1", "/items/0/price: 10", "/items/1/at/city: \"Ice\"", "/items/1/price: 20"]),
            ("2", &["/id: 2", "/items/0/price: 30", "/tags/2: \"c\""]),
        ],
    );
}

#[test]
fn arrays_within_arrays() {
    let shelf = Shelf::new([integers("id", "id", vec![1])])
        .with("matrix/*", [source_keys(vec![1, 1]), level_ids(0, vec![0, 1])])
        .with(
            "matrix/*/*",
            [
                integers("value", "", vec![5, 6]),
                source_keys(vec![1, 1]),
                level_ids(0, vec![0, 1]),
                level_ids(1, vec![1, 0]),
            ],
        )
        .with(
            "a/items/*/b/taxes/*",
            [texts("name", "name", vec!["vat"]), source_keys(vec![1]), level_ids(0, vec![12]), level_ids(1, vec![3])],
        );
    check(shelf, &[("1", &["/a/items/12/b/taxes/3/name: \"vat\"", "/id: 1", "/matrix/0/1: 5", "/matrix/1/0: 6"])]);
}

#[test]
fn names_with_slashes_in_them_are_escaped() {
    let shelf = Shelf::new([integers("id", "id", vec![1])])
        .with("a~b/*", [integers("value", "", vec![5]), source_keys(vec![1]), level_ids(0, vec![0])]);
    check(shelf, &[("1", &["/a~0b/0: 5", "/id: 1"])]);
}

#[test]
fn splits_within_elements() {
    let shelf = Shelf::new([integers("id", "id", vec![1])]).with(
        "x/*",
        [
            integers("value", "", vec![Some(1), None, None]),
            texts("value__st", "", vec![None, Some("2"), None]),
            integers("n", "n", vec![None, None, Some(3)]),
            source_keys(vec![1, 1, 1]),
            level_ids(0, vec![0, 1, 2]),
        ],
    );
    check(shelf, &[("1", &["/id: 1", "/x/0: 1", "/x/1: \"2\"", "/x/2/n: 3"])]);
}

#[test]
fn values_without_a_column_are_one_text() {
    let shelf = Shelf::new([integers("id", "id", vec![1]), extras(vec![r#"{"y":2}"#])]).with(
        "x/*",
        [integers("n", "n", vec![3]), extras(vec![r#"{"z":4}"#]), source_keys(vec![1]), level_ids(0, vec![0])],
    );
    let (extra, of_element) = (r#"_sdc_extra: json "{\"y\":2}""#, r#"/x/0/_sdc_extra: json "{\"z\":4}""#);
    check(shelf, &[("1", &["/id: 1", of_element, "/x/0/n: 3", extra])]);
}

#[test]
fn subrows_of_no_row_are_a_row_of_their_own() {
    let shelf = Shelf::new([integers("id", "id", vec![1])]).with(
        "tags/*",
        [texts("value", "", vec!["a", "b", "c"]), source_keys(vec![1, 9, 9]), level_ids(0, vec![0, 0, 1])],
    );
    check(shelf, &[("1", &["/id: 1", "/tags/0: \"a\""]), ("9", &["/tags/0: \"b\"", "/tags/1: \"c\""])]);
}

#[test]
fn elements_without_a_value_are_not_there() {
    let tags = [texts("value", "", vec![None::<&str>, None]), source_keys(vec![1, 9]), level_ids(0, vec![0, 0])];
    check(Shelf::new([integers("id", "id", vec![1])]).with("tags/*", tags), &[("1", &["/id: 1"])]);
}

#[test]
fn keyless_rows_have_subrows_too() {
    let shelf = Shelf::new([generated_keys(vec!["k"]), integers("n", "n", vec![5])])
        .with("tags/*", [texts("value", "", vec!["a"]), generated_source_keys(vec!["k"]), level_ids(0, vec![0])]);
    check(shelf, &[("\"k\"", &["/n: 5", "/tags/0: \"a\"", "__sdc_primary_key: \"k\""])]);
}

#[test]
fn whole_numbers_are_integers() {
    let largest = 9_007_199_254_740_992.0_f64; // 2^53
    let shelf = Shelf::new([
        decimals("id", "id", 2, vec![100]),
        doubles("a", "a", vec![-largest]),
        doubles("b", "b", vec![largest + 2.0]),
        doubles("c", "c", vec![-0.0]),
        doubles("d", "d", vec![0.5]),
        decimals("e", "e", 2, vec![150]),
        decimals("f", "f", 0, vec![i128::from(i64::MIN)]),
        decimals("g", "g", 0, vec![i128::from(i64::MIN) - 1]),
        decimal_texts("h", "h", vec!["9223372036854775807"]),
        decimal_texts("i", "i", vec!["-1.25"]),
        texts("j", "j", vec!["1"]),
    ])
    .with("x/*", [doubles("value", "", vec![3.0]), source_keys(vec![1]), level_ids(0, vec![0])]);
    let LogicalView { rows } = logical_view(&mut { shelf }, &orders()).unwrap().unwrap();
    let (decimal, string) = (|text: &str| Value::Decimal(text.to_owned()), |text: &str| Value::String(text.to_owned()));
    let expected = [
        ("/id", Value::Integer(1)),
        ("/a", Value::Integer(-9_007_199_254_740_992)),
        ("/b", Value::Double((largest + 2.0).into())),
        ("/c", Value::Integer(0)),
        ("/d", Value::Double(0.5.into())),
        ("/e", decimal("1.5")),
        ("/f", Value::Integer(i64::MIN)),
        ("/g", decimal("-9223372036854775809")),
        ("/h", Value::Integer(i64::MAX)),
        ("/i", decimal("-1.25")),
        ("/j", string("1")),
        ("/x/0", Value::Integer(3)),
    ];
    let expected = expected.into_iter().map(|(place, value)| (place.to_owned(), value)).collect();
    assert_eq!(rows, BTreeMap::from([(vec![Value::Integer(1)], expected)]));
}

#[test]
fn a_table_that_is_loaded_meanwhile() {
    let mut shelf = Shelf::new([integers("id", "id", vec![1])])
        .with("x/*", [integers("value", "", vec![3]), source_keys(vec![1]), level_ids(0, vec![0])])
        .living(Life::Moving);
    assert_eq!(logical_view(&mut shelf, &orders()).unwrap_err().kind(), LoadErrorKind::Unavailable);
}

#[test]
fn a_table_that_was_never_loaded() {
    let mut shelf = Shelf::new([integers("id", "id", vec![1])]).living(Life::NeverLoaded);
    assert_eq!(logical_view(&mut shelf, &orders()).unwrap(), None);
}
