//! What is excluded or hashed before it is stored.

use selvedge_prepare::{ColumnRules, Redaction, Refusal, Schemas, Secret, decode, redact};

use crate::batch::body;
use crate::shown;

/// The rules written as `-/excluded #/hashed`, with the secret `secret`.
fn redaction(rules: &str) -> Redaction {
    let add = |set: ColumnRules, rule: &str| match rule.split_at(1) {
        ("-", pointer) => set.exclude(pointer).unwrap(),
        (_, pointer) => set.hash(pointer).unwrap(),
    };
    let rules = rules.split(' ').fold(ColumnRules::new(), add);
    Redaction::new(&rules, Some(&Secret::new("secret").unwrap())).unwrap()
}

/// The body after the rules; it is accepted if it was before.
#[track_caller]
fn redacted(rules: &str, body: &str) -> String {
    let found = redact(body.as_bytes(), &redaction(rules)).unwrap();
    if decode(body.as_bytes(), &Schemas::new()).is_ok() {
        decode(&found, &Schemas::new()).unwrap();
    }
    String::from_utf8(found).unwrap()
}

#[track_caller]
fn check_record(rules: &str, record: &str, expected: &str) {
    assert_eq!(redacted(rules, &body("{}", &[], &[record])), body("{}", &[], &[expected]), "{rules}");
}

#[track_caller]
fn check_schema(rules: &str, schema: &str, expected: &str) {
    assert_eq!(redacted(rules, &body(schema, &[], &["{}"])), body(expected, &[], &["{}"]), "{rules}");
}

#[test]
fn excluded_properties_leave_no_trace() {
    check_record("-/a", r#"{"a":1}"#, "{}");
    check_record("-/a", r#"{"a":1,"b":2}"#, r#"{"b":2}"#);
    check_record("-/b", r#"{"a":1,"b":2}"#, r#"{"a":1}"#);
    check_record("-/b", r#"{"a":1,"b":{"b":[2]},"c":3}"#, r#"{"a":1,"c":3}"#);
    check_record("-/b", r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#);
    check_record("-/a -/b", r#"{"a":1,"b":2}"#, "{}");
    check_record("-/a -/b", r#"{"a":1,"b":2,"c":3}"#, r#"{"c":3}"#);
    check_record("-/b -/c", r#"{"a":1,"b":2,"c":3,"d":4}"#, r#"{"a":1,"d":4}"#);
    check_record("-/a -/d -/c", r#"{"a":1,"b":2,"c":3,"d":4}"#, r#"{"b":2}"#);
    check_record("-/address/city", r#"{"address":{"city":"x","zip":1}}"#, r#"{"address":{"zip":1}}"#);
    check_record("-/address/city", r#"{"address":"city"}"#, r#"{"address":"city"}"#);
    check_record("-/items/*/sku", r#"{"items":[{"sku":1},{"n":2,"sku":3},4]}"#, r#"{"items":[{},{"n":2},4]}"#);
    // A record with an array in the place of an object may be rejected, and is then kept.
    check_record(
        "-/address/city",
        r#"{"address":[{"city":"x","zip":1},[{"city":"y"}],"z"]}"#,
        r#"{"address":[{"zip":1},[{}],"z"]}"#,
    );
    check_record("-/items/*/sku", r#"{"items":{"*":{"sku":1}}}"#, r#"{"items":{"*":{"sku":1}}}"#);
    check_record("-/tags/*", r#"{"tags":["a","b"],"n":[1]}"#, r#"{"tags":[],"n":[1]}"#);
}

#[test]
fn names_are_met_however_they_are_written() {
    check_record("-/email", r#"{"\u0065m\u0061il":"x","Email":"y"}"#, r#"{"Email":"y"}"#);
    check_record("-/a~1b~0c -/é", r#"{"a/b~c":1,"é":2,"a":3}"#, r#"{"a":3}"#);
    check_record("-/", r#"{"":1,"a":2}"#, r#"{"a":2}"#);
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let before = r#" { "messages" : [ { "data" : { "x" : 1.10 , "e" : "gone\"}" ,
        "y" : "A, \"b\"" } , "sequence":1,"action":"upsert" } ] ,"table_version":3,
        "schema": {"properties": {"x":{"type":"number"} , "q":{}}} , "table_name":"t" } "#;
    let after = r#" { "messages" : [ { "data" : { "x" : 1.10 ,
        "y" : "A, \"b\"" } , "sequence":1,"action":"upsert" } ] ,"table_version":3,
        "schema": {"properties": {"x":{"type":"number"} , "q":{}}} , "table_name":"t" } "#;
    assert_eq!(redacted("-/e", before), after);
    assert_eq!(redacted("-/nothing #/such", before), before);
}

#[test]
fn hashes_are_of_the_exact_value() {
    const TRUE: &str = "f1e380f6f390738d3c40662b10c7da1ce1f86594b83cb9e3774e644715335e05";
    const ONE_AND_A_HALF: &str = "904b8372bbea8e057fa060fa53260e64acfd96d74cc7bb336edaa1843e582534";
    const HUNDRED: &str = "dea4601f8478398494f420238511441996f37615df112efbdd591a995159dd44";
    const OBJECT: &str = "bd49a4612e6fc84cca5de0125b114578f026159001ed545b7582e5285a66c430";
    let check =
        |value: &str, hash: &str| check_record("#/v", &format!("{{\"v\":{value}}}"), &format!("{{\"v\":{hash}}}"));
    let check = |value: &str, hash: &str| check(value, &format!("\"{hash}\""));
    check(r#""finn@example.org""#, "81bcd781c18263a64f3f5d876a88fd248f778d95d7a97119d3221d178fff2fd3");
    check(r#""\u00e9\n""#, "90b76bb06c9f01a10e8ef85e438d698434bbed4488e8f64d4a2ac12ff3fac9be");
    check(r#""""#, "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169");
    check("1.50", ONE_AND_A_HALF);
    check("15e-1", ONE_AND_A_HALF);
    check(r#""1.5""#, ONE_AND_A_HALF);
    check("100", HUNDRED);
    check("1E2", HUNDRED);
    check("true", TRUE);
    check("false", "6a20f9fc3e1489885684d050218266e98e8a932c8ebe27cfbf97ca05f992c5dd");
    check("{ \"a\" : \"x y\",\n\"b\":[1, 2] }", OBJECT);
    check_record("#/v", r#"{"v":null}"#, r#"{"v":null}"#);
    check_record("#/v/*", r#"{"v":[true,null,1.5]}"#, &format!(r#"{{"v":["{TRUE}",null,"{ONE_AND_A_HALF}"]}}"#));
    check_record("#/v/*/w", r#"{"v":[{"w":true}]}"#, &format!(r#"{{"v":[{{"w":"{TRUE}"}}]}}"#));
}

#[test]
fn strings_with_quotes_and_backslashes_are_hashed_whole() {
    let of = |value: &str| redacted("#/v", &body("{}", &[], &[&format!("{{\"v\":{value}}}")]));
    assert_eq!(of(r#"["a \" b","\\"]"#), of(r#"[ "a \" b" , "\\" ]"#));
    assert_ne!(of(r#"["a \" b","\\"]"#), of(r#"["a \"b","\\"]"#));
    assert_ne!(of(r#"["\\","a  b"]"#), of(r#"["\\","a b"]"#));
}

#[test]
fn the_schema_says_nothing_of_what_is_excluded() {
    let string = r#"{"type":["null","string"]}"#;
    check_schema(
        "-/e #/p",
        r#"{"required":["e","p"],"properties":{"e":{"enum":["x"]},"p":{"type":"integer","default":7},"q":{}}}"#,
        &format!(r#"{{"required":["p"],"properties":{{"p":{string},"q":{{}}}}}}"#),
    );
    check_schema(
        "-/a/e",
        r#"{"examples":[{"a":{"e":1}}],"properties":{"a":{"enum":[{"e":1}],"minProperties":1,"properties":{"e":{}}}}}"#,
        r#"{"properties":{"a":{"properties":{}}}}"#,
    );
    check_schema(
        "-/a/*/e #/b/*",
        r#"{"properties":{"a":{"items":{"properties":{"e":{},"f":{}}}},"b":{"items":{"type":"integer"},"maxItems":2}}}"#,
        &format!(
            r#"{{"properties":{{"a":{{"items":{{"properties":{{"f":{{}}}}}}}},"b":{{"items":{string},"maxItems":2}}}}}}"#
        ),
    );
    check_schema(
        "-/a/*/e",
        r#"{"properties":{"a":{"items":[{"properties":{"e":{}}},true],"additionalItems":{"properties":{"e":{}}}}}}"#,
        r#"{"properties":{"a":{"items":[{"properties":{}},true],"additionalItems":{"properties":{}}}}}"#,
    );
}

#[test]
fn a_type_of_all_undeclared_properties_does_not_hold_for_a_hash() {
    let before = body(r#"{"additionalProperties":{"type":"integer"}}"#, &[], &[r#"{"a":1,"b":2}"#]);
    let after = redacted("#/a", &before);
    let records = decode(after.as_bytes(), &Schemas::new()).unwrap();
    let row = shown::row(&records, 0);
    assert!(row.starts_with("/a string ") && row.ends_with("\n/b integer 2"), "{row}");
    check_schema(
        "-/a/e",
        r#"{"additionalProperties":{"required":["e"],"properties":{"e":{},"f":{}}}}"#,
        r#"{"additionalProperties":{"required":["e"],"properties":{"e":{},"f":{}}},"properties":{"a":{"required":[],"properties":{"f":{}}}}}"#,
    );
    check_schema(
        "-/ab #/ac",
        r#"{"patternProperties":{"^a":{"type":"integer"},"b$":{"type":"integer"}}}"#,
        r#"{"patternProperties":{"^a":{},"b$":{"type":"integer"}}}"#,
    );
}

#[test]
fn branches_and_references_are_followed() {
    check_schema(
        "-/e",
        r#"{"anyOf":[{"required":["e"],"properties":{"e":{}}},{"properties":{"f":{}}}]}"#,
        r#"{"anyOf":[{"required":[],"properties":{}},{"properties":{"f":{}}}]}"#,
    );
    // Without the property, a record may conform to both.
    check_schema(
        "-/e",
        r#"{"oneOf":[{"required":["e"]},{"required":["f"]}]}"#,
        r#"{"anyOf":[{"required":[]},{"required":["f"]}]}"#,
    );
    check_schema(
        "-/a/e",
        r##"{"properties":{"a":{"$ref":"#/definitions/x"},"b":{"$ref":"#/definitions/x"}},"definitions":{"x":{"properties":{"e":{},"f":{}}}}}"##,
        r##"{"properties":{"a":{"properties":{"f":{}}},"b":{"$ref":"#/definitions/x"}},"definitions":{"x":{"properties":{"e":{},"f":{}}}}}"##,
    );
    check_schema(
        "-/a/e",
        r##"{"properties":{"a":{"$ref":"#/definitions/x"}},"definitions":{"x":{"properties":{"e":{"$ref":"#/definitions/y"}}},"y":{"enum":[1]}}}"##,
        r#"{"properties":{"a":{"properties":{}}},"definitions":{}}"#,
    );
    // References that go round in circles end somewhere.
    let circle =
        body(r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}],"properties":{"e":{"enum":["canary"]}}}"##, &[], &["{}"]);
    let cut = redacted("-/e", &circle);
    assert!(!cut.contains("canary") && cut.len() < 100 * circle.len(), "{cut}");
}

#[test]
fn what_conformed_conforms_still() {
    let check = |rules: &str, schema: &str, record: &str, expected: &str| {
        let before = body(schema, &[], &[record]);
        decode(before.as_bytes(), &Schemas::new()).unwrap();
        let records = decode(redacted(rules, &before).as_bytes(), &Schemas::new()).unwrap();
        assert_eq!(shown::row(&records, 0), expected, "{schema}");
        assert_eq!(records.rejected, [], "{schema}");
    };
    check("-/e", "{}", r#"{"e":1e400,"f":1}"#, "/f integer 1");
    check("-/e", r#"{"oneOf":[{"required":["e"]},{"required":["f"]}]}"#, r#"{"f":1}"#, "/f integer 1");
    check("-/e", r#"{"minProperties":2}"#, r#"{"e":1,"f":1}"#, "/f integer 1");
    check(
        "-/e",
        r#"{"properties":{"f":{"type":"number"}},"not":{"required":["g"]}}"#,
        r#"{"e":1,"f":1}"#,
        "/f double 1.0",
    );
    check("-/e", r#"{"dependencies":{"f":["e"]}}"#, r#"{"e":1,"f":1}"#, "/f integer 1");
    check(
        "-/e",
        r#"{"if":{"properties":{"e":{"const":1}}},"then":{"required":["g"]}}"#,
        r#"{"e":2,"f":1}"#,
        "/f integer 1",
    );
    check("-/e", r#"{"patternProperties":{"^e":{"type":"boolean"}}}"#, r#"{"e":true,"f":1}"#, "/f integer 1");
    check("-/a/e", r#"{"properties":{"a":{"enum":[{"e":1,"f":1}]}}}"#, r#"{"a":{"e":1,"f":1}}"#, "/a/f integer 1");
    check(
        "-/a/e",
        r##"{"properties":{"a":{"$ref":"#/definitions/x"},"b":{"$ref":"#/definitions/x"}},
            "definitions":{"x":{"additionalProperties":false,"properties":{"e":{"type":"number"},"f":{"type":"number"}}}}}"##,
        r#"{"a":{"e":1,"f":2},"b":{"e":3,"f":4}}"#,
        "/a/f double 2.0\n/b/e double 3.0\n/b/f double 4.0",
    );
    check(
        "-/e",
        r##"{"$ref":"#/definitions/x","definitions":{"x":{"required":["e"],"properties":{"y":{"$ref":"#/definitions/y"}}},
            "y":{"type":"number"}},"$schema":"http://json-schema.org/draft-07/schema#"}"##,
        r#"{"e":1,"y":2}"#,
        "/y double 2.0",
    );
    let hash = "904b8372bbea8e057fa060fa53260e64acfd96d74cc7bb336edaa1843e582534";
    check(
        "#/e",
        r#"{"allOf":[{"properties":{"e":{"type":"number"}}},{"properties":{"e":{"maximum":2}}}],"additionalProperties":true}"#,
        r#"{"e":1.5}"#,
        &format!("/e string {hash}"),
    );
    check("#/e", r#"{"patternProperties":{"^e":{"type":"number"}}}"#, r#"{"e":1.5}"#, &format!("/e string {hash}"));
    check(
        "-/a/*/e",
        r#"{"properties":{"a":{"uniqueItems":true}}}"#,
        r#"{"a":[{"e":1},{"e":2}],"f":1}"#,
        "/f integer 1",
    );
}

/// Records that are rejected on their own are stored as well, so nothing of them may slip through.
#[test]
fn names_that_stand_twice() {
    check_record(
        "-/a #/b/c",
        r#"{"a":1,"a":[2],"b":{"c":null,"c":null},"d":{"e":1,"e":2}}"#,
        r#"{"b":{"c":null,"c":null},"d":{"e":1,"e":2}}"#,
    );
    check_record("#/a", r#"{"a":null,"a":null}"#, r#"{"a":null,"a":null}"#);
}

#[test]
fn messages_that_are_no_upserts() {
    let batch = |data: &str| {
        format!(
            r#"{{"table_name":"t","table_version":1,"schema":{{"properties":{{"id":{{"type":"integer"}}}}}},"key_names":["id"],
            "messages":[{{"action":"activate_version","sequence":1}},{{"action":"delete","sequence":1,"data":{data}}}]}}"#
        )
    };
    assert_eq!(redacted("-/a", &batch(r#"{"id":1,"a":2}"#)), batch(r#"{"id":1}"#));
}

#[test]
fn a_key_may_be_hashed_but_not_excluded() {
    let batch = body(r#"{"properties":{"id":{"type":"integer"}}}"#, &["id"], &[r#"{"id":1}"#]);
    let records = decode(redacted("#/id", &batch).as_bytes(), &Schemas::new()).unwrap();
    assert!(shown::row(&records, 0).starts_with("/id string "));
    let refused: Refusal = redact(batch.as_bytes(), &redaction("-/id")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Request failed validation:#/key_names: the key `id` is to be excluded, but records are told apart by it; have it \
         hashed instead"
    );
}

#[test]
fn rules_that_cannot_be_used() {
    let check = |pointer: &str, expected: &str| {
        let refused = ColumnRules::new().exclude("/a/b").unwrap().hash(pointer).unwrap_err();
        assert_eq!(refused.to_string(), format!("`{pointer}` {expected}"));
    };
    for pointer in ["", "a", "/*", "/*/a", "/a~", "/a~2"] {
        check(pointer, "is no pointer to a property; write it as /email or /items/*/sku");
    }
    for pointer in ["/a", "/a/b", "/a/b/c", "/a/b/*"] {
        check(pointer, "lies within a property that has a rule already, or holds one; keep one of the two");
    }
    ColumnRules::new().exclude("/a/b").unwrap().hash("/a/bc").unwrap().hash("/a/*").unwrap();
}

#[test]
fn a_secret_is_needed_and_never_shown() {
    let rules = ColumnRules::new().hash("/a").unwrap();
    let missing = Redaction::new(&rules, None).unwrap_err();
    assert_eq!(missing.to_string(), "columns are to be hashed, but the integration has no secret; give it one");
    Redaction::new(&ColumnRules::new().exclude("/a").unwrap(), None).unwrap();
    assert_eq!(Secret::new("").unwrap_err().to_string(), "the secret is empty; give at least 32 random bytes");
    let secret = Secret::new("canary").unwrap();
    let shown = format!("{secret:?} {:?}", Redaction::new(&rules, Some(&secret)).unwrap());
    assert!(shown.contains("Secret") && !shown.contains("canary") && !shown.contains("99, 97, 110"), "{shown}");
}
