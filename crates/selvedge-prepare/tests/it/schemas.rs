//! Schemas: what they restrict, and which are refused.

use selvedge_prepare::{Schemas, decode};

use crate::batch::{body, decoded, outcome};

/// The reason a property is refused for, or that it is not.
#[track_caller]
fn check(property: &str, cases: &[(&str, Option<&str>)]) {
    let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
    for (value, expected) in cases {
        let found = outcome(&schema, &format!(r#"{{"v":{value}}}"#));
        assert_eq!(found.strip_prefix("/v: "), *expected, "{value} as {property}");
    }
}

#[test]
fn bounds() {
    check(
        r#"{"type":"integer","minimum":3,"maximum":7}"#,
        &[
            ("3", None),
            ("7", None),
            ("2", Some("2 is not greater or equal to 3")),
            ("8", Some("8 is not less or equal to 7")),
        ],
    );
    for exclusive in [
        r#""minimum":3,"exclusiveMinimum":true,"maximum":7,"exclusiveMaximum":true"#,
        r#""exclusiveMinimum":3,"exclusiveMaximum":7"#,
    ] {
        check(
            &format!(r#"{{"type":"integer",{exclusive}}}"#),
            &[("4", None), ("6", None), ("3", Some("3 is not greater than 3")), ("7", Some("7 is not less than 7"))],
        );
    }
    check(
        r#"{"type":"number","minimum":-0.5,"exclusiveMaximum":0.5}"#,
        &[
            ("-0.5", None),
            ("0.49", None),
            ("-0.51", Some("-0.51 is not greater or equal to -0.5")),
            ("5e-1", Some("5e-1 is not less than 0.5")),
        ],
    );
    check(
        r#"{"type":"number","maximum":-0.0}"#,
        &[("0", None), ("-0.0", None), ("0.1", Some("0.1 is not less or equal to 0"))],
    );
}

/// Where a double would round, integers and decimals are still compared exactly.
#[test]
fn bounds_are_exact() {
    check(
        r#"{"type":"integer","maximum":9007199254740992}"#,
        &[
            ("9007199254740992", None),
            ("9007199254740993", Some("9007199254740993 is not less or equal to 9007199254740992")),
        ],
    );
    check(
        r#"{"type":"number","multipleOf":1e-20,"minimum":0.1}"#,
        &[("0.1", None), ("0.09999999999999999999", Some("0.09999999999999999999 is not greater or equal to 0.1"))],
    );
    check(
        r#"{"type":"integer","minimum":0.5,"maximum":1e30}"#,
        &[("1", None), ("0", Some("0 is not greater or equal to 0.5")), ("9223372036854775807", None)],
    );
}

#[test]
fn lengths_are_counted_in_characters() {
    check(
        r#"{"type":"string","minLength":2,"maxLength":3}"#,
        &[
            (r#""öü""#, None),
            (r#""\u00f6\u00fc\u00df""#, None),
            (r#""ö""#, Some("expected minLength: 2, actual: 1")),
            (r#""öüßä""#, Some("expected maxLength: 3, actual: 4")),
        ],
    );
    check(
        r#"{"type":"string","format":"date","maxLength":9}"#,
        &[(r#""2026-11-23""#, Some("expected maxLength: 9, actual: 10"))],
    );
}

#[test]
fn refused_schemas() {
    let cases = [
        (r#"{"properties":{"v":{"type":"strng"}}}"#, "unknown type: [strng]"),
        (r#"{"properties":{"v":true}}"#, "key null: expected type is one of JSONObject, found: Boolean"),
        (r#"{"properties":{"v":"string"}}"#, "key null: expected type is one of JSONObject, found: String"),
        (
            r#"{"properties":{"v":{"type":"number","multipleOf":1e-39}}}"#,
            "multipleOf has more than 38 digits after the point",
        ),
        (
            r#"{"properties":{"v":{"type":"number","multipleOf":0}}}"#,
            "multipleOf is a number above 0, and a whole one for integers",
        ),
        (
            r#"{"properties":{"v":{"type":"integer","multipleOf":0.5}}}"#,
            "multipleOf is a number above 0, and a whole one for integers",
        ),
        (
            r#"{"properties":{"v":{"type":"string","maxLength":"3"}}}"#,
            "maxLength is a whole number that is not negative",
        ),
        (
            r#"{"properties":{"v":{"type":"string","minLength":-1}}}"#,
            "minLength is a whole number that is not negative",
        ),
        (r#"{"properties":{"v":{"type":"integer","minimum":"3"}}}"#, "expected type: Number, found: String"),
        (
            r#"{"properties":{"v":{"type":"integer","minimum":1,"exclusiveMinimum":1}}}"#,
            "use either minimum or exclusiveMinimum, not both",
        ),
        (
            r#"{"properties":{"v":{"enum":[1]}}}"#,
            "the keyword `enum` is not checked by this version, and no rule is ignored silently; remove it",
        ),
        (r#"{"properties":{},"required":["v"]}"#, "`v` is required but not among the properties"),
        (r#"{"type":"array"}"#, "a record is an object, but the schema's type is \"array\""),
    ];
    for (schema, reason) in cases {
        let refusal = decoded(schema, &[], &["{}"]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("Invalid JSON schema: {reason}"), "{schema}");
        assert_eq!(refusal.record(), None);
    }
    let refusal = decoded(cases[0].0, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.pointer(), "/v");
    let refusal = decoded(r#"{"properties":{"_sdc_v":{}}}"#, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.reason(), "names beginning with `_sdc` are selvedge's own; rename the property");
}

#[test]
fn keys_are_declared_scalars() {
    let cases = [
        (r#"{"properties":{"b":{"type":"integer"}}}"#, "the key `a` is not among the schema's properties"),
        (r#"{"properties":{"a":{}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":["integer","string"]}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":"array"}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":"object","properties":{}}}}"#, "a key has one scalar type"),
    ];
    for (schema, reason) in cases {
        assert_eq!(decoded(schema, &["a"], &[r#"{"a":1}"#]).unwrap_err().reason(), reason, "{schema}");
    }
}

#[test]
fn deep_schemas_are_refused() {
    let nested = |levels: usize| {
        let (before, after) = (r#"{"properties":{"a":"#.repeat(levels), "}}".repeat(levels));
        decoded(&format!("{before}{{\"type\":\"integer\"}}{after}"), &[], &["{}"]).map(drop)
    };
    assert_eq!(nested(32), Ok(()));
    assert_eq!(nested(33).unwrap_err().reason(), "objects are declared deeper than 32 levels");
}

/// What is remembered of one batch's schema does not leak into another's.
#[test]
fn schemas_are_remembered_by_text_and_keys() {
    let schemas = Schemas::new();
    let schema = r#"{"properties":{"a":{"type":"integer"}}}"#;
    let other = r#"{"properties":{"a":{"type":"string"}}}"#;
    for _ in 0..2 {
        assert!(decode(body(schema, &[], &["{}"]).as_bytes(), &schemas).is_ok());
        assert!(decode(body(schema, &["a"], &["{}"]).as_bytes(), &schemas).is_err());
        assert!(decode(body(schema, &["a"], &[r#"{"a":1}"#]).as_bytes(), &schemas).is_ok());
        assert!(decode(body(other, &["a"], &[r#"{"a":1}"#]).as_bytes(), &schemas).is_err());
    }
}
