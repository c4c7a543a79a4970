//! Agreement with another implementation of JSON Schema, on random small schemas and values: the record is accepted by both
//! or by none.
//!
//! Schemas and values keep to what both read alike: numbers that doubles hold, and a type where there are `properties` or
//! `items`, which for selvedge imply one.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::batch::decoded;

const NAMES: [&str; 3] = ["a", "b", "c"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-4..8_i32).prop_map(Value::from),
        (-8..16_i32).prop_map(|quarters| json!(f64::from(quarters) / 4.0)),
        select(&["", "a", "ab", "abc", "ba", "é", "2026-11-23", "2026-11-23x"][..]).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(select(&NAMES[..]), inner, 0..4)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// Keywords that need no other schema, each with a value.
fn plain_keyword() -> impl Strategy<Value = (&'static str, Value)> {
    let limits = select(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"][..]);
    let counts = select(&["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"][..]);
    let types = btree_set(select(&["null", "boolean", "integer", "number", "string", "array", "object"][..]), 1..4);
    prop_oneof![
        6 => types.prop_map(|types| ("type", json!(types))),
        2 => (limits, -3..6_i32).prop_map(|(limit, halves)| (limit, json!(f64::from(halves) / 2.0))),
        2 => (counts, 0..3_u32).prop_map(|(count, value)| (count, json!(value))),
        1 => select(&[0.25, 0.5, 1.0, 1.5, 2.0][..]).prop_map(|step| ("multipleOf", json!(step))),
        1 => select(&["^a", "b$", r"^\w*$", r"\d"][..]).prop_map(|pattern| ("pattern", json!(pattern))),
        1 => Just(("format", json!("date"))),
        1 => vec(value(), 1..4).prop_map(|values| ("enum", json!(values))),
        1 => value().prop_map(|value| ("const", value)),
        1 => vec(select(&NAMES[..]), 0..2).prop_map(|names| ("required", json!(names))),
        1 => any::<bool>().prop_map(|unique| ("uniqueItems", json!(unique))),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    let plain = vec(plain_keyword(), 0..4).prop_map(keywords);
    let leaf = prop_oneof![8 => plain, 1 => any::<bool>().prop_map(Value::from)];
    let leaf = prop_oneof![8 => leaf, 1 => select(&["#/definitions/a", "#/definitions/b"][..]).prop_map(|to| json!({"$ref": to}))];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let schemas = || vec(inner.clone(), 1..4).prop_map(Value::from);
        let by_name = || btree_map(select(&NAMES[..]), inner.clone(), 0..3).prop_map(|schemas| json!(schemas));
        let combined = prop_oneof![
            2 => schemas().prop_map(|schemas| vec![("anyOf", schemas)]),
            2 => schemas().prop_map(|schemas| vec![("oneOf", schemas)]),
            2 => schemas().prop_map(|schemas| vec![("allOf", schemas)]),
            1 => inner.clone().prop_map(|schema| vec![("not", schema)]),
            1 => (inner.clone(), inner.clone()).prop_map(|(when, then)| vec![("if", when), ("then", then)]),
            1 => inner.clone().prop_map(|schema| vec![("contains", schema)]),
            3 => by_name().prop_map(|schemas| vec![("properties", schemas), ("type", json!(["object", "null"]))]),
            1 => (by_name(), inner.clone()).prop_map(|(schemas, additional)| {
                vec![("properties", schemas), ("additionalProperties", additional), ("type", json!("object"))]
            }),
            1 => (inner.clone(), inner.clone()).prop_map(|(pattern, additional)| {
                let patterns = json!({"^[ab]$": pattern});
                vec![("patternProperties", patterns), ("additionalProperties", additional), ("type", json!("object"))]
            }),
            2 => inner.clone().prop_map(|schema| vec![("items", schema), ("type", json!(["array", "string"]))]),
            1 => (schemas(), inner.clone()).prop_map(|(schemas, further)| {
                vec![("items", schemas), ("additionalItems", further), ("type", json!("array"))]
            }),
        ];
        (vec(plain_keyword(), 0..3), combined)
            .prop_map(|(plain, combined)| keywords(plain.into_iter().chain(combined).collect()))
    })
}

fn keywords(keywords: Vec<(&str, Value)>) -> Value {
    keywords.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn with_another_implementation(
        property in schema(),
        definitions in [schema(), schema()],
        values in vec(value(), 8),
    ) {
        let [a, b] = definitions;
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"a": a, "b": b},
            "properties": {"v": property},
        });
        let other = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        for value in values {
            let record = json!({"v": value});
            let found = decoded(&schema.to_string(), &[], &[&record.to_string()]);
            if let Err(refusal) = &found
                && refusal.to_string().contains("leads back to itself")
            {
                continue;
            }
            prop_assert_eq!(found.is_ok(), other.is_valid(&record), "{} by {}: {:?}", record, schema, found.err());
        }
    }
}
