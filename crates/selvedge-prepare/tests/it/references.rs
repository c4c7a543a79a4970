//! References within a schema.

use crate::batch::{decoded, outcome};

/// Decodes a record by a schema with these definitions and properties.
#[track_caller]
fn check(members: &str, cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        assert_eq!(outcome(&format!("{{{members}}}"), record), *expected, "{record} by {members}");
    }
}

#[test]
fn definitions() {
    for (place, pointer) in [
        (r#""definitions":{"d":D}"#, "#/definitions/d"),
        (r#""$defs":{"d":D}"#, "#/$defs/d"),
        (r#""definitions":{"a/b~c %é":D}"#, "#/definitions/a~1b~0c%20%25%C3%A9"),
        (r#""elsewhere":[{},{"d":D}]"#, "#/elsewhere/1/d"),
    ] {
        let place = place.replace('D', r#"{"type":"string","maxLength":2}"#);
        check(
            &format!(r#"{place},"properties":{{"v":{{"$ref":"{pointer}"}}}}"#),
            &[
                (r#"{"v":"ab"}"#, "/v string ab"),
                (r#"{"v":"abc"}"#, "/v: expected maxLength: 2, actual: 3"),
                (r#"{"v":1}"#, "/v: expected type: String, found: Integer"),
            ],
        );
    }
}

#[test]
fn references_within_combinations_and_rules() {
    check(
        r##""definitions":{"d":{"type":"string","maxLength":2},"n":{"not":{"$ref":"#/definitions/x%20y"}},"x y":{"enum":["no"]}},
            "properties":{"v":{"anyOf":[{"$ref":"#/definitions/d"},{"type":"null"}]},"w":{"$ref":"#/definitions/n"}}"##,
        &[
            (r#"{"v":"ab","w":1}"#, "/v string ab\n/w integer 1"),
            (r#"{"v":null}"#, ""),
            (r#"{"v":1}"#, "/v: no subschema matched out of the total 2 subschemas"),
            (r#"{"w":"no"}"#, r##"/w: subject must not be valid against schema {"$ref":"#/definitions/x%20y"}"##),
        ],
    );
}

/// In these drafts nothing beside a reference counts.
#[test]
fn keywords_beside_a_reference_are_ignored() {
    check(
        r##""definitions":{"d":{"type":"string"}},"properties":{"v":{"$ref":"#/definitions/d","type":"integer","maxLength":1}}"##,
        &[(r#"{"v":"abc"}"#, "/v string abc")],
    );
}

/// Later drafts count them.
#[test]
fn keywords_beside_a_reference_in_later_drafts() {
    let schema = |beside: &str| {
        format!(
            r##"{{"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{{"d":{{"type":"string"}}}},
                "properties":{{"v":{{"$ref":"#/$defs/d",{beside}}}}}}}"##
        )
    };
    assert_eq!(outcome(&schema(r#""description":"D""#), r#"{"v":"x"}"#), "/v string x");
    let refusal = decoded(&schema(r#""maxLength":1"#), &[], &["{}"]).unwrap_err();
    assert_eq!(
        refusal.reason(),
        "the keyword `maxLength` stands beside $ref, where drafts up to 7 ignore it; put both into an `allOf`"
    );
}

#[test]
fn references_that_lead_far() {
    let schema = |length: usize, property: &str| {
        let chain: Vec<String> = (0..length)
            .map(|at| format!(r##""d{at}":{{"$ref":"#/definitions/d{}"}}"##, at + 1))
            .chain([format!(r#""d{length}":{{"type":"integer"}}"#)])
            .collect();
        format!(r#"{{"definitions":{{{}}},"properties":{{"v":{property}}}}}"#, chain.join(","))
    };
    let first = r##"{"$ref":"#/definitions/d0"}"##;
    assert_eq!(outcome(&schema(100, first), r#"{"v":1}"#), "/v integer 1");
    let refusal = decoded(&schema(100_000, first), &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.reason(), "more than 128 schemas refer to one another up to #/definitions/d127");
    let within_rules = format!(r#"{{"not":{first}}}"#);
    assert_eq!(outcome(&schema(29, &within_rules), r#"{"v":"x"}"#), "/v string x");
    let refusal = decoded(&schema(100_000, &within_rules), &[], &["{}"]).unwrap_err();
    assert!(refusal.reason().ends_with("is one of more than 32 that lead to one another for one value"), "{refusal}");
    let wide: Vec<String> = (0..10_000).map(|index| format!(r#""p{index}":{{}}"#)).collect();
    let schema = format!(r#"{{"properties":{{"v":{{"not":{{"properties":{{{}}}}}}}}}}}"#, wide.join(","));
    let refusal = decoded(&schema, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.reason(), "rules lead to more than 10000 schemas");
}

#[test]
fn a_list_within_itself() {
    let schema = r##""properties":{"n":{"type":"integer"},"next":{"anyOf":[{"type":"null"},{"$ref":"#"}]}}"##;
    let nested =
        |levels: usize, value: &str| format!("{}{{\"n\":{value}}}{}", r#"{"next":"#.repeat(levels), "}".repeat(levels));
    let path = |levels: usize| "/next".repeat(levels);
    check(
        schema,
        &[
            (&nested(0, "1"), "/n integer 1"),
            (&nested(1, "1"), "/next/n integer 1"),
            (&nested(15, "1"), &format!("{}/n integer 1", path(15))),
            (&nested(15, "\"1\""), &format!("{}/n: expected type: Integer, found: String", path(15))),
            (&nested(40, "1"), &format!("{} json {}", path(16), nested(24, "1"))),
            (&nested(40, "\"1\""), &format!("{}: no subschema matched out of the total 2 subschemas", path(16))),
            (r#"{"next":{"next":null}}"#, ""),
        ],
    );
}

/// Where laying it out would make too many columns, less of it is laid out; all of it is checked.
#[test]
fn a_tree_within_itself() {
    let schema = r##""definitions":{"tree":{"type":"object","properties":{
            "n":{"type":"integer"},"left":{"$ref":"#/definitions/tree"},"middle":{"$ref":"#/definitions/tree"},
            "right":{"$ref":"#/definitions/tree"}},"required":["n"]}},
        "properties":{"t":{"$ref":"#/definitions/tree"},"children":{"type":"array","items":{"$ref":"#"}}}"##;
    let nested = |levels: usize, value: &str| {
        format!(r#"{{"t":{}{{"n":{value}}}{}}}"#, r#"{"n":0,"right":"#.repeat(levels), "}".repeat(levels))
    };
    check(
        schema,
        &[
            (&nested(0, "1"), "/t/n integer 1"),
            (&nested(1, "1"), "/t/n integer 0\n/t/right/n integer 1"),
            (&nested(9, "\"1\""), &format!("/t{}/n: expected type: Integer, found: String", "/right".repeat(9))),
            (r#"{"children":[{"children":[{"t":{"n":1}}]}]}"#, "/children/0/children/0/t/n integer 1"),
            (r#"{"children":[{"children":[{"t":{}}]}]}"#, "/children/0/children/0/t: required key [n] not found"),
        ],
    );
}

#[test]
fn refused_references() {
    let refused = |members: &str, expected: &str| {
        let refusal = decoded(&format!("{{{members}}}"), &[], &["{}"]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("Invalid JSON schema: {expected}"), "{members}");
    };
    let to = |reference: &str| format!(r#""definitions":{{"d":{{}}}},"properties":{{"v":{{"$ref":"{reference}"}}}}"#);
    for nowhere in ["#/definitions/x", "#/definitions/d/", "#definitions", "#/definitions/%", "#/%FF"] {
        refused(&to(nowhere), &format!("$ref [{nowhere}] leads to nothing within the schema"));
    }
    for elsewhere in ["http://example.com/schema", "other.json#/definitions/d", ""] {
        refused(
            &to(elsewhere),
            &format!("$ref [{elsewhere}] leads out of the schema; put what it names under `definitions`"),
        );
    }
    refused(r#""properties":{"v":{"$ref":5}}"#, "expected type: String, found: Integer");
    refused(&to("#/properties/v"), "$ref [#/properties/v] leads back to itself");
    refused(
        r##""definitions":{"a":{"$ref":"#/definitions/b"},"b":{"anyOf":[{"type":"null"},{"$ref":"#/definitions/a"}]}},
            "properties":{"v":{"$ref":"#/definitions/a"}}"##,
        "$ref [#/definitions/a] leads back to itself",
    );
    refused(r##""allOf":[{"$ref":"#"}]"##, "$ref [#] leads back to itself");
}

/// The same for alternatives, and for schemas that all have to be met.
#[test]
fn combinations_that_double() {
    for combination in ["allOf", "anyOf"] {
        let definitions: Vec<String> = (0..60)
            .map(|level| {
                let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
                format!(r#""d{level}":{{"{combination}":[{next},{next}]}}"#)
            })
            .collect();
        let schema = format!(
            r##"{{"definitions":{{{},"d60":{{}}}},"properties":{{"v":{{"$ref":"#/definitions/d0"}}}}}}"##,
            definitions.join(",")
        );
        let refusal = decoded(&schema, &[], &["{}"]).unwrap_err();
        assert_eq!(refusal.reason(), "the alternatives of a value have more than 10000 parts");
    }
}

/// Definitions that double at each step would make more places than any record has values.
#[test]
fn definitions_that_double() {
    let definitions: Vec<String> = (0..15)
        .map(|level| {
            let next = level + 1;
            format!(r##""d{level}":{{"properties":{{"a":{{"$ref":"#/definitions/d{next}"}},"b":{{"$ref":"#/definitions/d{next}"}}}}}}"##)
        })
        .collect();
    let schema = format!(
        r##"{{"definitions":{{{},"d15":{{"type":"integer"}}}},"properties":{{"v":{{"$ref":"#/definitions/d0"}}}}}}"##,
        definitions.join(",")
    );
    let refusal = decoded(&schema, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.to_string(), "Invalid JSON schema: the schema has more than 20000 places");
}
