//! Keywords that say something of a value as a whole.

use crate::batch::outcome;

/// Decodes `value` as the property `v` of an object; expects the reasons it is refused for, with their places in it, or
/// nothing.
#[track_caller]
fn check(property: &str, cases: &[(&str, &str)]) {
    let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
    for (value, expected) in cases {
        let found = outcome(&schema, &format!(r#"{{"v":{value}}}"#));
        let is_refused = found.contains(": ");
        let found = if is_refused { found.replace("/v", "") } else { String::new() };
        assert_eq!(found, *expected, "{value} as {property}");
    }
}

#[test]
fn counts_of_elements() {
    check(
        r#"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}"#,
        &[
            ("[1]", ""),
            ("[1,2]", ""),
            ("[]", ": expected minimum item count: 1, found: 0"),
            ("[1,2,3]", ": expected maximum item count: 2, found: 3"),
            (r#"["x",2,3]"#, "/0: expected type: Integer, found: String"),
        ],
    );
}

#[test]
fn unique_elements() {
    check(
        r#"{"type":["null","array"],"uniqueItems":true}"#,
        &[("null", ""), ("[1,2,[1],{\"a\":1}]", ""), ("[1,1.0]", ": array items are not unique")],
    );
    check(r#"{"type":"array","uniqueItems":false,"minItems":0}"#, &[("[1,1]", ""), ("[]", "")]);
}

#[test]
fn contained_elements() {
    check(
        r#"{"type":"array","contains":{"type":"string","format":"date"}}"#,
        &[(r#"[1,"2026-11-23"]"#, ""), (r#"["x"]"#, ": expected at least one array item to match 'contains' schema")],
    );
}

#[test]
fn tuples() {
    check(
        r#"{"items":[{"type":"integer"},{"type":"string"}],"additionalItems":false}"#,
        &[
            (r#"[1,"x"]"#, ""),
            ("[]", ""),
            (
                r#"["x",1]"#,
                ": 2 schema violations found\n#/0: expected type: Integer, found: String\n#/1: expected type: String, found: Integer",
            ),
            (r#"[1,"x",2]"#, ": expected: [2] array items, found: [3]"),
            ("[true]", "/0: expected type: Integer or String, found: Boolean"),
        ],
    );
    check(
        r#"{"items":[{"type":"integer"}]}"#,
        &[(r#"[1,"x",{"a":[]}]"#, ""), (r#"["x"]"#, "/0: expected type: Integer, found: String")],
    );
    check(
        r#"{"items":[{"type":"integer"}],"additionalItems":{"type":"boolean"}}"#,
        &[("[1,true]", ""), ("[1,2]", "/1: expected type: Boolean, found: Integer")],
    );
}

#[test]
fn counts_of_properties() {
    check(
        r#"{"type":"object","minProperties":1,"maxProperties":2}"#,
        &[
            (r#"{"a":1}"#, ""),
            ("{}", ": minimum size: [1], found: [0]"),
            (r#"{"a":1,"b":2,"c":3}"#, ": maximum size: [2], found: [3]"),
        ],
    );
}

#[test]
fn properties_by_pattern() {
    let closed =
        r#"{"patternProperties":{"^n_":{"type":"integer"},"^s_":{"type":"string"}},"additionalProperties":false}"#;
    check(
        closed,
        &[
            (r#"{"n_a":1,"s_a":"x"}"#, ""),
            (r#"{"n_a":"x"}"#, "/n_a: expected type: Integer, found: String"),
            (r#"{"x":1}"#, ": extraneous key [x] is not permitted"),
        ],
    );
    let schema = format!(r#"{{"properties":{{"v":{closed}}}}}"#);
    assert_eq!(outcome(&schema, r#"{"v":{"n_a":1,"s_a":"x"}}"#), "/v/n_a integer 1\n/v/s_a string x");
    check(
        r#"{"properties":{"n_x":{"minimum":5}},"patternProperties":{"^n_":{"type":"integer"}}}"#,
        &[
            (r#"{"n_x":5,"y":"x"}"#, ""),
            (r#"{"n_x":5.5}"#, "/n_x: expected type: Integer, found: Double"),
            (r#"{"n_x":4}"#, "/n_x: 4 is not greater or equal to 5"),
        ],
    );
}

#[test]
fn names_of_properties() {
    check(
        r#"{"type":"object","propertyNames":{"maxLength":2}}"#,
        &[(r#"{"ab":1}"#, ""), (r#"{"abc":1}"#, ": expected maxLength: 2, actual: 3")],
    );
}

#[test]
fn dependencies() {
    check(
        r#"{"type":"object","dependencies":{"a":["b"],"c":{"properties":{"a":{"type":"integer"}}}}}"#,
        &[
            (r#"{"a":1,"b":2}"#, ""),
            (r#"{"a":"x","b":2}"#, ""),
            (r#"{"a":1}"#, ": required key [b] not found"),
            (r#"{"a":"x","b":2,"c":1}"#, "/a: expected type: Integer, found: String"),
        ],
    );
}

#[test]
fn negation_and_conditions() {
    check(
        r#"{"type":["null","string"],"not":{"enum":["a",null]}}"#,
        &[
            (r#""b""#, ""),
            (r#""a""#, r#": subject must not be valid against schema {"enum":["a",null]}"#),
            ("null", r#": subject must not be valid against schema {"enum":["a",null]}"#),
            ("5", ": expected type: String, found: Integer"),
        ],
    );
    check(
        r#"{"type":"object","if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"required":["a"]},"else":{"required":["b"]}}"#,
        &[
            (r#"{"k":1,"a":1}"#, ""),
            (r#"{"k":1,"b":1}"#, ": required key [a] not found"),
            (r#"{"k":2,"a":1}"#, ": required key [b] not found"),
        ],
    );
}

/// Without a type, each keyword is about values of its own type only.
#[test]
fn keywords_without_a_type() {
    check(
        r#"{"minimum":3,"exclusiveMaximum":5,"multipleOf":0.5,"maxLength":2,"pattern":"^a","required":["x"]}"#,
        &[
            ("3.5", ""),
            ("null", ""),
            ("true", ""),
            (r#""ab""#, ""),
            (r#"{"x":1}"#, ""),
            ("2.5", ": 2.5 is not greater or equal to 3"),
            ("5", ": 5 is not less than 5"),
            ("3.3", ": 3.3 is not a multiple of 0.5"),
            (r#""abc""#, ": expected maxLength: 2, actual: 3"),
            (r#""b""#, ": string [b] does not match pattern ^a"),
            ("{}", ": required key [x] not found"),
        ],
    );
    check(
        r#"{"format":"date-time"}"#,
        &[
            ("5", ""),
            (r#""2026-11-23T00:00:00Z""#, ""),
            (
                r#""x""#,
                ": [x] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z]",
            ),
        ],
    );
    check(r#"{"format":"email"}"#, &[(r#""x""#, "")]);
}

/// Rules read numbers, formats, patterns and both drafts' exclusive bounds as everything else does.
#[test]
fn own_keywords_within_rules() {
    let within = |schema: &str| format!(r#"{{"not":{{"not":{schema}}}}}"#);
    let refused = |schema: &str| format!(r#": subject must not be valid against schema {{"not":{schema}}}"#);
    let cases = [
        (r#"{"multipleOf":0.00001}"#, "1.27588", "1.275888"),
        (r#"{"multipleOf":0.01}"#, "4.35", "4.355"),
        (r#"{"minimum":3,"exclusiveMinimum":true}"#, "4", "3"),
        (r#"{"maximum":3,"exclusiveMaximum":true}"#, "2", "3"),
        (r#"{"maximum":3,"exclusiveMaximum":false}"#, "3", "4"),
        (r#"{"exclusiveMinimum":9007199254740992}"#, "9007199254740993", "9007199254740992"),
        (r#"{"type":"integer"}"#, "1.0", "1.5"),
        (r#"{"pattern":"^\\w$"}"#, r#""a""#, r#""é""#),
        (r#"{"format":"date"}"#, r#""2026-11-23""#, r#""2026-11-32""#),
        (r#"{"format":"time"}"#, r#""10:00:00""#, r#""25:00:00""#),
        (r#"{"format":"singer.decimal"}"#, r#""1.5""#, r#""x""#),
        (r#"{"const":"a","maxLength":1}"#, r#""a""#, r#""b""#),
    ];
    for (schema, valid, invalid) in cases {
        check(&within(schema), &[(valid, ""), (invalid, &refused(schema))]);
    }
    check(&within(r#"{"format":"ipv4"}"#), &[(r#""x""#, "")]);
}

#[test]
fn rules_of_elements_and_of_undeclared_properties() {
    check(
        r#"{"type":"array","items":{"type":"integer","not":{"const":5}}}"#,
        &[("[4]", ""), ("[4,5]", r#"/1: subject must not be valid against schema {"const":5}"#)],
    );
    check(
        r#"{"additionalProperties":{"type":"array","minItems":1}}"#,
        &[(r#"{"a":[1]}"#, ""), (r#"{"a":[]}"#, "/a: expected minimum item count: 1, found: 0")],
    );
}

#[test]
fn rules_of_the_record() {
    let schema = r#"{"properties":{"a":{"type":"integer"}},"minProperties":2,"dependencies":{"a":["b"]}}"#;
    assert_eq!(outcome(schema, r#"{"a":1,"b":2}"#), "/a integer 1\n/b integer 2");
    assert_eq!(
        outcome(schema, r#"{"a":1}"#),
        ": 2 schema violations found\n#: minimum size: [2], found: [1]\n#: required key [b] not found"
    );
    assert_eq!(outcome(schema, r#"{"a":"x"}"#), "/a: expected type: Integer, found: String");
}

/// Several broken rules and wrong types of one record are told together.
#[test]
fn violations_are_told_together() {
    let schema = r#"{"properties":{"a":{"type":"array","minItems":1,"uniqueItems":true},"b/":{"properties":{"c":{"not":{"type":"null"}}}}}}"#;
    assert_eq!(
        outcome(schema, r#"{"a":[],"b/":{"c":null}}"#),
        ": 2 schema violations found\n#/a: expected minimum item count: 1, found: 0\n\
         #/b~1/c: subject must not be valid against schema {\"type\":\"null\"}"
    );
}

#[test]
fn rules_that_cannot_be_checked() {
    let refused = |property: &str, expected: &str| {
        let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
        let refusal = crate::batch::decoded(&schema, &[], &["{}"]).unwrap_err();
        let (start, reason) = ("Invalid JSON schema: the schema at #/properties/v is wrong: ", refusal.to_string());
        assert!(reason.starts_with(start) && reason.contains(expected), "{reason}");
    };
    refused(r#"{"not":{"pattern":"(?=a)b"}}"#, "the pattern [(?=a)b] cannot be checked in linear time");
    refused(r#"{"patternProperties":{"(?=a)b":{}}}"#, "(?=a)b");
    refused(r#"{"type":"array","minItems":-1}"#, "-1");
    let refused = |property: &str, expected: &str| {
        let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
        let refusal = crate::batch::decoded(&schema, &[], &["{}"]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("Invalid JSON schema: {expected}"));
    };
    refused(r##"{"not":{"$ref":"#/nowhere"}}"##, "$ref [#/nowhere] leads to nothing within the schema");
    refused(r#"{"items":[{"type":"strng"}]}"#, "unknown type: [strng]");
    refused(r#"{"not":{"not":{"type":"strng"}}}"#, "unknown type: [strng]");
    refused(
        r#"{"not":{"$ref":"http://example.com/x"}}"#,
        "$ref [http://example.com/x] leads out of the schema; put what it names under `definitions`",
    );
}
