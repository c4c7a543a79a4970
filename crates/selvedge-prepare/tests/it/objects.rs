//! Records as a whole: which properties they may have, and where their values go.

use crate::batch::{body, decoded, outcome};
use crate::shown;
use selvedge_prepare::{Schemas, decode};

#[track_caller]
fn check(schema: &str, cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        assert_eq!(outcome(schema, record), *expected, "{record}");
    }
}

#[test]
fn optional_required_and_null() {
    check(
        r#"{"properties":{"a":{"type":["null","integer"]},"b":{"type":"integer"},"c":{"type":"null"}},"required":["a","b"]}"#,
        &[
            (r#"{"a":1,"b":2,"c":null}"#, "/a integer 1\n/b integer 2"),
            (r#"{"a":null,"b":2}"#, "/b integer 2"),
            (r#"{"b":2}"#, ": required key [a] not found"),
            (r#"{"a":1}"#, ": required key [b] not found"),
            ("{}", ": 2 schema violations found\n#: required key [a] not found\n#: required key [b] not found"),
            (
                r#"{"a":"x","b":[1]}"#,
                ": 2 schema violations found\n#/a: expected type: Integer, found: String\n#/b: expected type: Integer, found: JSONArray",
            ),
            (r#"{"a":1,"b":null}"#, "/b: expected type: Integer, found: null"),
            (r#"{"a":1,"b":2,"c":3}"#, "/c: expected: null, found: Integer"),
        ],
    );
    check(r#"{"properties":{"a":{"type":"integer"}}}"#, &[("{}", "")]);
}

#[test]
fn nested_objects_are_flattened() {
    let schema = r#"{
        "properties": {
            "id": {"type": "integer"},
            "at": {
                "type": ["object", "null"],
                "properties": {
                    "city": {"type": "string"},
                    "geo": {"properties": {"lat": {"type": "number"}}, "required": ["lat"]}
                }
            }
        }
    }"#;
    check(
        schema,
        &[
            (
                r#"{"id":1,"at":{"city":"Ulm","geo":{"lat":48.4}}}"#,
                "/id integer 1\n/at/city string Ulm\n/at/geo/lat double 48.4",
            ),
            (r#"{"at":{"geo":{"lat":1}},"id":1}"#, "/id integer 1\n/at/geo/lat double 1.0"),
            (r#"{"id":1,"at":null}"#, "/id integer 1"),
            (r#"{"id":1,"at":{}}"#, "/id integer 1"),
            (r#"{"id":1,"at":{"geo":{}}}"#, "/at/geo: required key [lat] not found"),
            (r#"{"id":1,"at":{"geo":{"lat":"x"}}}"#, "/at/geo/lat: expected type: Number, found: String"),
            (r#"{"id":1,"at":{"geo":null}}"#, "/at/geo: expected type: JSONObject, found: null"),
            (r#"{"id":1,"at":[]}"#, "/at: expected type: JSONObject, found: JSONArray"),
            (r#"{"id":1,"at":{"zip":"89073"}}"#, "/id integer 1\n/at/zip string 89073"),
        ],
    );
}

#[test]
fn undeclared_properties() {
    check(
        r#"{"properties":{"a":{"type":"integer"}}}"#,
        &[
            (r#"{"b":[1,{"c":2}],"a":1}"#, "/a integer 1\n/b/0 integer 1\n/b/1/c integer 2"),
            (r#"{"b":{"c":null}}"#, ""),
            (r#"{"_sdc_x":1}"#, "/_sdc_x: names beginning with `_sdc` are selvedge's own; rename the property"),
            (r#"{"_SDC":1}"#, "/_SDC: names beginning with `_sdc` are selvedge's own; rename the property"),
            (r#"{"__sdc":1}"#, "/__sdc: names beginning with `_sdc` are selvedge's own; rename the property"),
            (r#"{"sdc":1}"#, "/sdc integer 1"),
        ],
    );
    check(
        r#"{"properties":{"a":{"type":"integer"}},"additionalProperties":false}"#,
        &[(r#"{"a":1}"#, "/a integer 1"), (r#"{"a":1,"b":2}"#, ": extraneous key [b] is not permitted")],
    );
    check(
        r#"{"additionalProperties":{"type":"integer"}}"#,
        &[(r#"{"b":2}"#, "/b integer 2"), (r#"{"b":"2"}"#, "/b: expected type: Integer, found: String")],
    );
}

#[test]
fn duplicate_keys() {
    let twice = "the key stands twice in one object";
    check(
        r#"{"properties":{"a":{"type":"integer"},"o":{"properties":{"b":{"type":"integer"}}}}}"#,
        &[
            (r#"{"a":1,"a":1}"#, &format!("/a: {twice}")),
            (r#"{"a":1,"\u0061":1}"#, &format!("/a: {twice}")),
            (r#"{"o":{"b":1,"b":2}}"#, &format!("/o/b: {twice}")),
            (r#"{"x":1,"x":1}"#, &format!("/x: {twice}")),
            (r#"{"x":{"y/":1,"z":2,"y/":3}}"#, &format!("/x/y~1: {twice}")),
            (r#"{"x":[0,{"y":1,"\u0079":3}]}"#, &format!("/x/1/y: {twice}")),
            (r#"{"x":{"a":1},"a":2}"#, "/a integer 2\n/x/a integer 1"),
        ],
    );
}

#[test]
fn names_of_any_spelling() {
    check(
        r#"{"properties":{"id":{"type":"integer"},"a\"b\\":{"type":"integer"},"größe":{"type":"integer"},"":{"type":"integer"}}}"#,
        &[
            (r#"{"id":1}"#, "/id integer 1"),
            (r#"{"\u0069d":1}"#, "/id integer 1"),
            (r#"{"a\"b\\":1}"#, "/a\"b\\ integer 1"),
            (r#"{"a\u0022b\u005c":1}"#, "/a\"b\\ integer 1"),
            (r#"{"größe":1,"gr\u00f6\u00dfe2":2}"#, "/größe integer 1\n/größe2 integer 2"),
            (r#"{"":1}"#, "/ integer 1"),
            (r#"{"a/b~":1}"#, "/a~1b~0 integer 1"),
            (r#"{ "id" : 1 , "id2" : 2 }"#, "/id integer 1\n/id2 integer 2"),
            (r#"{"id":"1"}"#, "/id: expected type: Integer, found: String"),
        ],
    );
}

/// Properties are looked for in the order of the record before: any other order gives the same columns.
#[test]
fn properties_in_any_order() {
    let schema = r#"{"properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}}}"#;
    let records =
        [r#"{"a":1,"b":2,"c":3}"#, r#"{"c":3,"b":2,"a":1}"#, r#"{"b":2,"c":3}"#, r#"{"c":3,"x":0,"a":1}"#, "{}"];
    let decoded = decoded(schema, &[], &records).unwrap();
    let rows: Vec<String> = (0..records.len()).map(|row| shown::row(&decoded, row)).collect();
    let all = "/a integer 1\n/b integer 2\n/c integer 3";
    let expected = [all, all, "/b integer 2\n/c integer 3", "/a integer 1\n/c integer 3\n/x integer 0", ""];
    assert_eq!(rows, expected);
}

#[test]
fn keys() {
    let schema = r#"{"properties":{"id":{"type":["null","integer"]},"code":{"type":"string"}}}"#;
    let check = |record: &str, expected: Result<&str, &str>| {
        let found = decoded(schema, &["id", "code"], &[record]);
        let found = found.map(|records| shown::row(&records, 0)).map_err(|refusal| refusal.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{record}");
    };
    check(r#"{"code":"x","id":1}"#, Ok("/id integer 1\n/code string x"));
    check(r#"{"code":"x"}"#, Err("Record is missing key property id"));
    check(r#"{"code":"x","id":null}"#, Err("Record is missing key property id"));
    check(r#"{"id":1}"#, Err("Record is missing key property code"));
    let longest = "ö".repeat(1_024);
    check(&format!(r#"{{"id":1,"code":"{longest}"}}"#), Ok(&format!("/id integer 1\n/code string {longest}")));
    let escaped = r"\u00f6".repeat(1_024);
    check(&format!(r#"{{"id":1,"code":"{escaped}"}}"#), Ok(&format!("/id integer 1\n/code string {longest}")));
    let too_long = "Record 0 did not conform to schema:\n#/code: String keys cannot be longer than 1024 characters";
    check(&format!(r#"{{"id":1,"code":"{longest}x"}}"#), Err(too_long));
    check(&format!(r#"{{"id":1.{},"code":"x"}}"#, "0".repeat(1_100)), Ok("/id integer 1\n/code string x"));
}

/// A refusal names the record, the place in it and the reason; its sentence is the one clients know.
#[test]
fn a_refusal_names_the_record() {
    let schema = r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#;
    let refusal = decoded(schema, &[], &["{}", r#"{"a":{"b":"x"}}"#]).unwrap_err();
    assert_eq!(refusal.record(), Some(1));
    assert_eq!(refusal.pointer(), "/a/b");
    assert_eq!(refusal.reason(), "expected type: Integer, found: String");
    assert_eq!(
        refusal.to_string(),
        "Record 1 did not conform to schema:\n#/a/b: expected type: Integer, found: String"
    );
}

#[test]
fn limits_of_a_record() {
    let record = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!(r#""p{index}":1"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(decoded("{}", &[], &[&record(10_000)]).is_ok());
    let refusal = decoded("{}", &[], &[&record(10_001)]).unwrap_err();
    assert_eq!(refusal.reason(), "a record holds more than 10000 values");
    let elements = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["1"; count].join(","));
    assert!(decoded("{}", &[], &[&elements(9_999)]).is_ok());
    let refusal = decoded("{}", &[], &[&elements(10_000)]).unwrap_err();
    assert_eq!((refusal.pointer(), refusal.reason()), ("/a/9999", "a record holds more than 10000 values"));
}

/// What finds no room among the columns is kept beside them, declared or not, in the records and in elements.
#[test]
fn values_without_room() {
    let properties: Vec<String> = (0..990).map(|index| format!(r#""p{index}":{{"type":"integer"}}"#)).collect();
    let schema = format!(r#"{{"properties":{{{},"more":{{"type":"integer"}}}}}}"#, properties.join(","));
    let extra = |records: &[&str]| {
        let records = decoded(&schema, &[], records).map_err(|refusal| refusal.to_string())?;
        assert_eq!(records.columns.len(), 990);
        let extra = records.extra.iter().flat_map(|extra| extra.iter().map(|text| text.map(str::to_owned)));
        Ok::<_, String>(extra.collect::<Vec<_>>())
    };
    let check = |records: &[&str], expected: &[Option<&str>]| {
        let expected = expected.iter().map(|text| text.map(str::to_owned)).collect();
        assert_eq!(extra(records), Ok(expected), "{records:?}");
    };
    check(&[r#"{"p0":1}"#], &[]);
    check(&[r#"{"p0":1}"#, r#"{"more":2}"#, "{}"], &[None, Some(r#""more":2"#), None]);
    check(
        &[r#"{"more" : 1e2,"x":{"y":"\u0041"},"q\"":[]}"#, r#"{"more":3}"#],
        &[Some(r#""more":1e2,"x__y":"\u0041""#), Some(r#""more":3"#)],
    );
    let refused = "Record 0 did not conform to schema:\n#/more: expected type: Integer, found: String";
    assert_eq!(extra(&[r#"{"more":"x"}"#]), Err(refused.to_owned()));

    let wide: Vec<String> = (0..992).map(|index| format!(r#""p{index}":{index}"#)).collect();
    let records = decoded("{}", &[], &["{}", &format!(r#"{{"a":[null,{{{}}}]}}"#, wide.join(","))]).unwrap();
    assert_eq!((records.columns.len(), records.arrays[0].columns.len()), (0, 990));
    assert_eq!(records.arrays[0].extra.as_ref().unwrap().value(1), r#""p990":990,"p991":991"#);
}

/// Columns are as long as the batch whoever of the records has values.
#[test]
fn sparse_columns_are_filled_with_nulls() {
    let schema = r#"{"properties":{
        "i":{"type":"integer"},"m":{"type":"number","multipleOf":0.1},"f":{"type":"number"},"s":{"type":"string"},
        "b":{"type":"boolean"},"t":{"type":"string","format":"date-time"},"d":{"type":"string","format":"date"},
        "c":{"type":"string","format":"time"},"n":{"type":"string","format":"singer.decimal"},"j":{}}}"#;
    let full = r#"{"i":1,"m":0.5,"f":1.5,"s":"x","b":true,"t":"2026-11-23T00:00:00Z","d":"2026-11-23","c":"01:02:03","n":"7","j":[true]}"#;
    let decoded = decode(body(schema, &[], &["{}", "{}", full, "{}"]).as_bytes(), &Schemas::new()).unwrap();
    let expected = "/i integer 1\n/m decimal(1) 0.5\n/f double 1.5\n/s string x\n/b boolean true\n\
                    /t timestamp 2026-11-23T00:00:00.000000Z\n/d date 2026-11-23\n/c time 01:02:03.000000\n\
                    /n decimal 7\n/j/0 boolean true";
    let rows: Vec<String> = (0..4).map(|row| shown::row(&decoded, row)).collect();
    assert_eq!(rows, ["", "", expected, ""]);
    assert!(decoded.memory_bytes() > 0);
}
