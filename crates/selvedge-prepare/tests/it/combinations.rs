//! Schemas made of several: where values go that conform to one of them, and what is said of those that do not.

use crate::batch::outcome;

/// Decodes `value` as the property `v`; expects its columns' types and values, or the refusal's reason.
#[track_caller]
fn check(property: &str, cases: &[(&str, &str)]) {
    let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
    for (value, expected) in cases {
        let found = outcome(&schema, &format!(r#"{{"v":{value}}}"#));
        let found = found.replace("/v", "");
        assert_eq!(found.trim_start_matches([' ', ':']), *expected, "{value} as {property}");
    }
}

const NONE_OF_2: &str = "no subschema matched out of the total 2 subschemas";

#[test]
fn any_of_scalars() {
    check(
        r#"{"anyOf":[{"type":"string","format":"date-time"},{"type":["string","null"],"maxLength":3}]}"#,
        &[
            (r#""2026-11-23T00:00:00Z""#, "timestamp 2026-11-23T00:00:00.000000Z"),
            (r#""abc""#, "string abc"),
            ("null", ""),
            (r#""abcd""#, NONE_OF_2),
            ("5", NONE_OF_2),
        ],
    );
    check(
        r#"{"anyOf":[{"type":"null"},{"type":"integer"}]}"#,
        &[
            ("null", ""),
            ("5", "integer 5"),
            ("5.5", NONE_OF_2),
            ("1e30", "rejected: integer out of range for selvedge on 1e30"),
        ],
    );
    check(
        r#"{"anyOf":[{"type":"integer","maximum":5},{"type":"number","minimum":10}]}"#,
        &[("5", "integer 5"), ("10", "double 10.0"), ("7", NONE_OF_2)],
    );
    check(
        r#"{"anyOf":[{"type":"number","multipleOf":0.01},{"type":"number","multipleOf":0.001}]}"#,
        &[("0.10", "decimal(2) 0.10"), ("0.105", "decimal(3) 0.105"), ("0.1055", NONE_OF_2)],
    );
    check(
        r#"{"anyOf":[{"type":"string"}]}"#,
        &[(r#""x""#, "string x"), ("5", "expected type: String, found: Integer")],
    );
}

/// Two conditions on one column: a value has to meet either of them as a whole.
#[test]
fn any_of_one_column() {
    check(
        r#"{"anyOf":[{"type":"integer","minimum":0,"maximum":5},{"type":"integer","minimum":10,"multipleOf":2}]}"#,
        &[("5", "integer 5"), ("12", "integer 12"), ("7", NONE_OF_2), ("11", NONE_OF_2), (r#""x""#, NONE_OF_2)],
    );
    check(
        r#"{"anyOf":[{"type":"string","enum":["a"]},{"type":"string","pattern":"^x"}]}"#,
        &[(r#""a""#, "string a"), (r#""xy""#, "string xy"), (r#""y""#, NONE_OF_2)],
    );
}

/// What stands beside the combination applies to each of its schemas.
#[test]
fn keywords_beside_a_combination() {
    check(
        r#"{"type":["null","string"],"anyOf":[{"format":"date-time"},{"maxLength":3}]}"#,
        &[
            (r#""2026-11-23T00:00:00Z""#, "timestamp 2026-11-23T00:00:00.000000Z"),
            (r#""abc""#, "string abc"),
            ("null", ""),
            (r#""abcd""#, NONE_OF_2),
            ("5", NONE_OF_2),
        ],
    );
    check(
        r#"{"type":["integer","string"],"minimum":1,"oneOf":[{"type":"number","maximum":5},{"type":"string"}]}"#,
        &[
            ("5", "integer 5"),
            (r#""x""#, "string x"),
            ("0", "0 subschemas matched instead of one"),
            ("6", "0 subschemas matched instead of one"),
        ],
    );
}

#[test]
fn any_of_with_everything() {
    check(
        r#"{"anyOf":[{"type":"string","format":"date"},{}]}"#,
        &[
            (r#""2026-11-23""#, "date 2026-11-23"),
            (r#""x""#, "string x"),
            ("5", "integer 5"),
            (r#"{"a":[true]}"#, "/a/0 boolean true"),
        ],
    );
    check(
        r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["b"]},{}]}"#,
        &[(r#"{"a":1}"#, "/a integer 1"), (r#"{"a":"x"}"#, "/a string x"), ("[1]", "/0 integer 1")],
    );
}

#[test]
fn one_of() {
    let none = "0 subschemas matched instead of one";
    check(
        r#"{"oneOf":[{"type":"integer","maximum":5},{"type":["null","string"]},{"type":"array","items":{"type":"integer"}}]}"#,
        &[
            ("5", "integer 5"),
            ("null", ""),
            (r#""x""#, "string x"),
            ("[1]", "/0 integer 1"),
            ("6", none),
            ("5.5", none),
            ("{}", none),
        ],
    );
    check(
        r#"{"oneOf":[{"type":"integer"},{"type":"number","minimum":2}]}"#,
        &[("1", "integer 1"), ("2.5", "double 2.5"), ("2", "2 subschemas matched instead of one"), ("1.5", none)],
    );
    check(
        r#"{"oneOf":[{"type":"string","format":"date-time"},{"type":"string"}]}"#,
        &[(r#""x""#, "string x"), (r#""2026-11-23T00:00:00Z""#, "2 subschemas matched instead of one")],
    );
    check(
        r#"{"oneOf":[{"type":"number","multipleOf":0.01},{"type":"string"}]}"#,
        &[("123456789012345678.01", "decimal(2) 123456789012345678.01"), ("0.001", none)],
    );
}

/// As some write an enumeration whose values have titles.
#[test]
fn one_of_many_constants() {
    let constants: Vec<String> = (0..500).map(|index| format!(r#"{{"const":"c{index}","title":"{index}"}}"#)).collect();
    check(
        &format!(r#"{{"type":["string","null"],"oneOf":[{}]}}"#, constants.join(",")),
        &[(r#""c0""#, "string c0"), (r#""c499""#, "string c499"), (r#""c""#, "0 subschemas matched instead of one")],
    );
}

#[test]
fn all_of() {
    check(
        r#"{"allOf":[{"type":["null","string"]},{"maxLength":3},{"pattern":"^a"}]}"#,
        &[
            ("null", ""),
            (r#""abc""#, "string abc"),
            (r#""abcd""#, "expected maxLength: 3, actual: 4"),
            (r#""b""#, "string [b] does not match pattern ^a"),
            ("5", "expected type: String, found: Integer"),
        ],
    );
    check(
        r#"{"allOf":[{"type":"number","minimum":1},{"type":["integer","string"],"maximum":5},{"minimum":3}]}"#,
        &[
            ("3", "integer 3"),
            ("2", "2 is not greater or equal to 3"),
            ("0", "0 is not greater or equal to 1"),
            ("6", "6 is not less or equal to 5"),
            ("3.5", "expected type: Integer, found: Double"),
            (r#""x""#, "expected type: Integer, found: String"),
        ],
    );
    check(
        r#"{"allOf":[
            {"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},
            {"properties":{"a":{"minimum":1},"b":{"type":"string"}},"additionalProperties":false}
        ]}"#,
        &[
            (r#"{"a":1,"b":"x"}"#, "/a integer 1\n/b string x"),
            (r#"{"a":0}"#, "/a: 0 is not greater or equal to 1"),
            (r#"{"b":"x"}"#, "required key [a] not found"),
            (r#"{"a":1,"c":1}"#, "extraneous key [c] is not permitted"),
        ],
    );
}

#[test]
fn any_of_objects() {
    check(
        r#"{"anyOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"type":"null"}]}"#,
        &[
            (r#"{"a":1}"#, "/a integer 1"),
            ("null", ""),
            (r#"{"a":"x"}"#, "/a: expected type: Integer, found: String"),
            ("5", NONE_OF_2),
        ],
    );
    let objects = r#"{"anyOf":[
        {"type":"object","properties":{"kind":{"enum":["a"]},"n":{"type":"integer"}},"required":["kind","n"],"additionalProperties":false},
        {"type":"object","properties":{"kind":{"enum":["b"]},"n":{"type":"string"}},"required":["kind"],"additionalProperties":false}
    ]}"#;
    check(
        objects,
        &[
            (r#"{"kind":"a","n":1}"#, "/kind string a\n/n integer 1"),
            (r#"{"kind":"b","n":"x"}"#, "/kind string b\n/n string x"),
            (r#"{"kind":"b"}"#, "/kind string b"),
            (r#"{"kind":"a","n":"x"}"#, NONE_OF_2),
            (r#"{"kind":"a"}"#, NONE_OF_2),
            (r#"{"n":1}"#, "required key [kind] not found"),
            (r#"{"kind":"b","x":1}"#, "extraneous key [x] is not permitted"),
            (r#"{"kind":"b","n":true}"#, "/n: expected type: Integer or String, found: Boolean"),
        ],
    );
    check(
        r#"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
        &[(r#"{"a":1}"#, "/a integer 1"), (r#"{"b":1}"#, "/b integer 1"), ("{}", NONE_OF_2)],
    );
}

#[test]
fn any_of_arrays() {
    check(
        r#"{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"array","items":{"type":"string"}}]}"#,
        &[
            ("[1,2]", "/0 integer 1\n/1 integer 2"),
            (r#"["x"]"#, "/0 string x"),
            ("[]", ""),
            (r#"[1,"x"]"#, NONE_OF_2),
            ("[true]", "/0: expected type: Integer or String, found: Boolean"),
        ],
    );
}

/// The record itself may be a combination.
#[test]
fn combinations_of_records() {
    let schema = r#"{
        "properties":{"a":{"type":"integer"},"b":{"type":"integer"}},
        "oneOf":[{"required":["a"]},{"required":["b"]}]
    }"#;
    assert_eq!(outcome(schema, r#"{"a":1}"#), "/a integer 1");
    assert_eq!(outcome(schema, "{}"), ": 0 subschemas matched instead of one");
    assert_eq!(outcome(schema, r#"{"a":1,"b":2}"#), ": 2 subschemas matched instead of one");
    let joined = r#"{"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"b":{"type":"string"}}}]}"#;
    assert_eq!(outcome(joined, r#"{"a":1,"b":"x"}"#), "/a integer 1\n/b string x");
}

#[test]
fn too_many_alternatives() {
    let pair = r#"{"anyOf":[{"maximum":1},{"minimum":2}]}"#;
    let schema = format!(r#"{{"properties":{{"v":{{"type":"integer","allOf":[{}]}}}}}}"#, [pair; 14].join(","));
    let refusal = crate::batch::decoded(&schema, &[], &["{}"]).unwrap_err();
    assert_eq!(refusal.to_string(), "Invalid JSON schema: the alternatives of a value have more than 10000 parts");
}
