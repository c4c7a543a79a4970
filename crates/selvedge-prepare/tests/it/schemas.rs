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
fn steps_are_decimal() {
    check(
        r#"{"type":"number","multipleOf":1e-5}"#,
        &[("1.27588", None), ("1.275888", Some("1.275888 is not a multiple of 0.00001"))],
    );
    check(
        r#"{"type":"integer","multipleOf":0.5}"#,
        &[("1", None), ("9223372036854775807", None), ("1.5", Some("expected type: Integer, found: Double"))],
    );
    check(
        r#"{"type":"integer","multipleOf":1.5}"#,
        &[("3", None), ("-3", None), ("2", Some("2 is not a multiple of 1.5"))],
    );
    check(
        r#"{"type":"integer","multipleOf":1e3}"#,
        &[("0", None), ("7e3", None), ("700", Some("700 is not a multiple of 1000"))],
    );
}

#[test]
fn both_bounds() {
    check(
        r#"{"type":"integer","minimum":3,"exclusiveMinimum":3,"maximum":7,"exclusiveMaximum":8}"#,
        &[("4", None), ("7", None), ("3", Some("3 is not greater than 3")), ("8", Some("8 is not less or equal to 7"))],
    );
}

/// What the schema forbids is a violation, even where no column could hold it.
#[test]
fn limits_beyond_the_range_of_a_type() {
    check(
        r#"{"type":"integer","maximum":5}"#,
        &[("9223372036854775808", Some("9223372036854775808 is not less or equal to 5"))],
    );
    check(r#"{"type":"number","minimum":0}"#, &[("-1e400", Some("-1e400 is not greater or equal to 0"))]);
    check(r#"{"type":"integer","enum":[5]}"#, &[("1e30", Some("1e30 is not a valid enum value"))]);
}

#[test]
fn enumerations() {
    check(
        r#"{"type":"string","enum":["a","b",5]}"#,
        &[
            (r#""a""#, None),
            (r#""\u0062""#, None),
            (r#""c""#, Some("c is not a valid enum value")),
            (r#""""#, Some(" is not a valid enum value")),
            ("5", Some("expected type: String, found: Integer")),
            ("null", Some("expected type: String, found: null")),
        ],
    );
    check(
        r#"{"enum":["a",5,true,null]}"#,
        &[
            (r#""a""#, None),
            ("5", None),
            ("5.0", None),
            ("true", None),
            ("null", None),
            ("6", Some("6 is not a valid enum value")),
            ("false", Some("false is not a valid enum value")),
            (r#""b""#, Some("b is not a valid enum value")),
            ("[]", Some("expected type: String or Integer or Boolean, found: JSONArray")),
        ],
    );
    check(
        r#"{"type":["null","integer","string"],"enum":[1,"x"]}"#,
        &[("1", None), (r#""x""#, None), ("null", Some("expected type: Integer or String, found: null"))],
    );
    check(
        r#"{"type":"number","multipleOf":0.01,"enum":[0.5,1]}"#,
        &[("0.50", None), ("1", None), ("0.51", Some("0.51 is not a valid enum value"))],
    );
    check(
        r#"{"enum":[0.1,0,2]}"#,
        &[("0.1", None), ("1e-1", None), ("-0.0", None), ("2", None), ("0.2", Some("0.2 is not a valid enum value"))],
    );
    check(r#"{"const":"a"}"#, &[(r#""a""#, None), (r#""b""#, Some("b is not a valid enum value"))]);
    check(
        r#"{"type":"string","format":"date","enum":["2026-11-23"]}"#,
        &[(r#""2026-11-23""#, None), (r#""2026-11-24""#, Some("2026-11-24 is not a valid enum value"))],
    );
    check(
        r#"{"enum":[{"a":1},[1,2],3]}"#,
        &[
            (r#"{"a":1.0}"#, None),
            ("[1,2]", None),
            ("3", None),
            ("[2,1]", Some("[2,1] is not a valid enum value")),
            (r#"{"a":2}"#, Some(r#"{"a":2} is not a valid enum value"#)),
        ],
    );
}

#[test]
fn patterns() {
    let cases = [
        ("^a+$", "aaa", "ab"),
        ("b", "abc", "ac"),
        (r"^\d$", "7", "٧"),
        (r"^\D$", "٧", "7"),
        (r"^\w+$", "aZ_9", "é"),
        (r"^[\w-]+$", "a-b", "a b"),
        (r"^[^\s]$", "x", "\u{feff}"),
        (r"^\s$", "\u{2003}", "x"),
        (r"^\S$", "\u{85}", "\u{a0}"),
        (r"^.$", "\u{85}", "\u{2028}"),
        (r"^[.]$", ".", "x"),
        (r"^[[&&]$", "&", "]"),
        (r"^[a\]~~b]$", "~", "c"),
        (r"^a\/b$", "a/b", "ab"),
        (r"^\u00e9$", "é", "e"),
        (r"\bfoo", "éfoo", "xfoo"),
        (r"^(a|b){2}$", "ab", "abc"),
        (r"^[\b]$", "\u{8}", "b"),
        (r"^\$$", "$", "x"),
        ("^$|^x$", "", "y"),
    ];
    for (pattern, matching, other) in cases {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let refused = format!("string [{other}] does not match pattern {pattern}");
        check(
            &format!(r#"{{"type":"string","pattern":{}}}"#, text(pattern)),
            &[(&text(matching), None), (&text(other), Some(&refused))],
        );
    }
    check(
        r#"{"type":["string","integer"],"pattern":"^x"}"#,
        &[("5", None), (r#""y""#, Some("string [y] does not match pattern ^x"))],
    );
}

/// Drafts before 6 have no schemas that are `true` or `false`; all else is read in every draft.
#[test]
fn drafts() {
    let outcome = |draft: &str, property: &str, value: &str| {
        let schema =
            format!(r#"{{"$schema":"http://json-schema.org/{draft}/schema#","properties":{{"v":{property}}}}}"#);
        let found = decoded(&schema, &[], &[&format!(r#"{{"v":{value}}}"#)]);
        found.map(drop).map_err(|refusal| refusal.reason().to_owned())
    };
    let no_schema = "key null: expected type is one of JSONObject, found: Boolean";
    for draft in ["draft-04", "draft-03", ""] {
        assert_eq!(outcome(draft, "true", "1"), Err(no_schema.to_owned()));
        assert_eq!(outcome(draft, r#"{"anyOf":[{"type":"integer"},false]}"#, "1"), Err(no_schema.to_owned()));
    }
    for draft in ["draft-06", "draft-07", "draft/2019-09", "draft/2020-12"] {
        assert_eq!(outcome(draft, "true", "1"), Ok(()));
        assert_eq!(outcome(draft, "true", "[1]"), Ok(()));
        assert_eq!(outcome(draft, "false", "1"), Err("false schema always fails".to_owned()));
        assert_eq!(outcome(draft, r#"{"items":false}"#, "[]"), Ok(()));
        assert_eq!(outcome(draft, r#"{"items":false}"#, "[1]"), Err("false schema always fails".to_owned()));
    }
    for draft in ["draft-04", "draft-07"] {
        assert_eq!(outcome(draft, r#"{"const":1}"#, "2"), Err("2 is not a valid enum value".to_owned()));
        for exclusive in [r#""minimum":3,"exclusiveMinimum":true"#, r#""exclusiveMinimum":3"#] {
            let property = format!(r#"{{"type":"integer",{exclusive}}}"#);
            assert_eq!(outcome(draft, &property, "3"), Err("3 is not greater than 3".to_owned()));
        }
    }
}

#[test]
fn refused_schemas() {
    let cases = [
        (r#"{"properties":{"v":{"type":"strng"}}}"#, "unknown type: [strng]"),
        (r#"{"properties":{"v":{"type":["null","strng"]}}}"#, "unknown type: [strng]"),
        (r#"{"properties":{"v":{"type":5}}}"#, "unknown type: [5]"),
        (r#"{"properties":{"v":{"type":[]}}}"#, "unknown type: [[]]"),
        (r#"{"properties":{"v":{"type":[5]}}}"#, "unknown type: [5]"),
        (r#"{"properties":{"v":true}}"#, "key null: expected type is one of JSONObject, found: Boolean"),
        (r#"{"properties":{"v":"string"}}"#, "key null: expected type is one of JSONObject, found: String"),
        (r#"{"properties":{"v":{"items":5}}}"#, "key null: expected type is one of JSONObject, found: Integer"),
        (r#"{"properties":{"v":{"anyOf":[null]}}}"#, "key null: expected type is one of JSONObject, found: null"),
        (r#"{"properties":{"v":{"anyOf":{}}}}"#, "expected type: JSONArray, found: JSONObject"),
        (r#"{"properties":{"v":{"oneOf":[]}}}"#, "oneOf holds no schema"),
        (r#"{"properties":[]}"#, "expected type: JSONObject, found: JSONArray"),
        (r#"{"properties":{"v":{"properties":5}}}"#, "expected type: JSONObject, found: Integer"),
        (r#"{"required":"v"}"#, "expected type: JSONArray, found: String"),
        (r#"{"required":[5]}"#, "expected type: String, found: Integer"),
        (r#"{"properties":{"v":{"enum":"a"}}}"#, "expected type: JSONArray, found: String"),
        (r#"{"properties":{"v":{"type":"string","pattern":5}}}"#, "expected type: String, found: Integer"),
        (
            r#"{"properties":{"v":{"type":"string","pattern":"(?=a)b"}}}"#,
            "the pattern [(?=a)b] cannot be checked in linear time: look-around, including look-ahead and look-behind, is not \
             supported",
        ),
        (
            r#"{"properties":{"v":{"type":"string","pattern":"(a)\\1"}}}"#,
            "the pattern [(a)\\1] cannot be checked in linear time: backreferences are not supported",
        ),
        (
            r#"{"properties":{"v":{"type":"string","pattern":"(a"}}}"#,
            "the pattern [(a] cannot be checked in linear time: unclosed group",
        ),
        (
            r#"{"properties":{"v":{"type":"number","multipleOf":1e-39}}}"#,
            "multipleOf has more than 38 digits after the point",
        ),
        (r#"{"properties":{"v":{"type":"number","multipleOf":0}}}"#, "multipleOf is a number above 0"),
        (r#"{"properties":{"v":{"type":"integer","multipleOf":-1}}}"#, "multipleOf is a number above 0"),
        (r#"{"properties":{"v":{"type":"number","multipleOf":"1"}}}"#, "multipleOf is a number above 0"),
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
            r#"{"properties":{"v":{"type":"array","prefixItems":[{}]}}}"#,
            "the keyword `prefixItems` is of a later draft than 7, and no rule is ignored silently; remove it",
        ),
        (r#"{"type":"array"}"#, "a record is an object, but the schema's type is \"array\""),
        (r#"{"type":["null","string"]}"#, "a record is an object, but the schema's type is [\"null\",\"string\"]"),
    ];
    for (schema, reason) in cases {
        let refusal = decoded(schema, &[], &["{}"]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("Invalid JSON schema: {reason}"), "{schema}");
        assert_eq!(refusal.record(), None);
    }
    let refusal = decoded(cases[0].0, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.pointer(), "/v");
    for (name, kept) in [("_sdc_v", "_sdc"), ("__SDC", "_sdc"), ("_rjm_v", "_rjm"), ("_Rjm", "_rjm")] {
        let refusal = decoded(&format!(r#"{{"properties":{{"{name}":{{}}}}}}"#), &[], &["{}"]).unwrap_err();
        let expected = format!("names beginning with `{kept}` are selvedge's own; rename the property");
        assert_eq!(refusal.reason(), expected);
    }
    let elements = |name: &str| {
        let object = format!(
            r#"{{"properties":{{"o":{{"type":"array","items":{{"items":{{"properties":{{"{name}":{{}}}}}}}}}}}}}}"#
        );
        decoded(&format!(r#"{{"properties":{{"v":{object}}}}}"#), &[], &["{}"]).map(drop)
    };
    let refusal = elements("_sdc_level_0_id").unwrap_err();
    assert_eq!(refusal.pointer(), "/v/o/_sdc_level_0_id");
    assert_eq!(elements("level_0_id"), Ok(()));
    // Within an object it is no name of a column.
    assert!(decoded(r#"{"properties":{"v":{"properties":{"_sdc_v":{}}}}}"#, &[], &["{}"]).is_ok());
}

/// What is required need not be declared.
#[test]
fn required_without_a_declaration() {
    let check = |schema: &str, record: &str, expected: &str| assert_eq!(outcome(schema, record), expected, "{record}");
    let schema = r#"{"properties":{"a":{"type":"integer"}},"required":["v"]}"#;
    check(schema, r#"{"v":"x"}"#, "/v string x");
    check(schema, r#"{"v":null}"#, "");
    check(schema, r#"{"a":1}"#, ": required key [v] not found");
    let closed = r#"{"properties":{"o":{"additionalProperties":false,"required":["v"]}}}"#;
    check(closed, r#"{"o":{}}"#, "/o: required key [v] not found");
    check(closed, r#"{"o":{"v":1}}"#, "/o: extraneous key [v] is not permitted");
    check(closed, "{}", "");
}

#[test]
fn keys_are_declared_scalars() {
    let cases = [
        (r#"{"properties":{"b":{"type":"integer"}}}"#, "the key `a` is not among the schema's properties"),
        (r#"{"properties":{"a":{}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":["integer","string"]}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":"array"}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":"object","properties":{}}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"type":["array","string"]}}}"#, "a key has one scalar type"),
        (r#"{"properties":{"a":{"anyOf":[{"type":"string"},{}]}}}"#, "a key has one scalar type"),
    ];
    for (schema, reason) in cases {
        assert_eq!(decoded(schema, &["a"], &[r#"{"a":1}"#]).unwrap_err().reason(), reason, "{schema}");
    }
}

/// Beyond sixteen levels values are kept as JSON, and checked all the same.
#[test]
fn deep_schemas() {
    let nested = |levels: usize, value: &str| {
        let (before, after) = (r#"{"properties":{"a":"#.repeat(levels), "}}".repeat(levels));
        let record = format!("{}{value}{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        outcome(&format!("{before}{{\"type\":\"integer\"}}{after}"), &record)
    };
    let path = "/a".repeat(17);
    assert_eq!(nested(17, "1"), format!("{path} integer 1"));
    assert_eq!(nested(17, "\"1\""), format!("{path}: expected type: Integer, found: String"));
    assert_eq!(nested(18, "1"), format!("{path} json {{\"a\":1}}"));
    assert_eq!(nested(18, "\"1\""), format!("{path}/a: expected type: Integer, found: String"));
    assert_eq!(nested(40, "1"), format!("{path} json {}1{}", r#"{"a":"#.repeat(23), "}".repeat(23)));
    assert_eq!(nested(40, "\"1\""), format!("{}: expected type: Integer, found: String", "/a".repeat(40)));
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
