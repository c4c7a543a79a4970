//! Scalars: which texts each type takes, and what value they have.

use crate::batch::outcome;

/// Decodes `value` as the property `v` of type `property`; expects its column's type and value, or the refusal's reason.
#[track_caller]
fn check(property: &str, cases: &[(&str, &str)]) {
    let schema = format!(r#"{{"properties":{{"v":{property}}}}}"#);
    for (value, expected) in cases {
        let found = outcome(&schema, &format!(r#"{{"v":{value}}}"#));
        let found = found.strip_prefix("/v").map(|found| found.trim_start_matches([' ', ':']));
        assert_eq!(found, Some(*expected), "{value} as {property}");
    }
}

#[test]
fn integers() {
    check(
        r#"{"type":"integer"}"#,
        &[
            ("5", "integer 5"),
            ("-5", "integer -5"),
            ("1.0", "integer 1"),
            ("1e2", "integer 100"),
            ("1.5E+1", "integer 15"),
            ("100e-2", "integer 1"),
            ("-0", "integer 0"),
            ("-0.0", "integer 0"),
            ("0e99999999999999999999", "integer 0"),
            ("123456789012345678", "integer 123456789012345678"),
            ("9223372036854775807", "integer 9223372036854775807"),
            ("-9223372036854775808", "integer -9223372036854775808"),
            ("9223372036854775807.000", "integer 9223372036854775807"),
            ("9223372036854775808", "rejected: integer out of range for selvedge on 9223372036854775808"),
            ("-9223372036854775809", "rejected: integer out of range for selvedge on -9223372036854775809"),
            ("12345678901234567890123", "rejected: integer out of range for selvedge on 12345678901234567890123"),
            ("1e400", "rejected: integer out of range for selvedge on 1e400"),
            ("1e9223372036854775807", "rejected: integer out of range for selvedge on 1e9223372036854775807"),
            ("1e99999999999999999999", "rejected: integer out of range for selvedge on 1e99999999999999999999"),
            ("1.5", "expected type: Integer, found: Double"),
            ("1e-1", "expected type: Integer, found: Double"),
            ("1e-99999999999999999999", "expected type: Integer, found: Double"),
            ("9223372036854775807.5", "expected type: Integer, found: Double"),
            (r#""1""#, "expected type: Integer, found: String"),
            ("true", "expected type: Integer, found: Boolean"),
            ("null", "expected type: Integer, found: null"),
            ("[1]", "expected type: Integer, found: JSONArray"),
            (r#"{"a":1}"#, "expected type: Integer, found: JSONObject"),
        ],
    );
}

#[test]
fn decimals_of_two_digits() {
    let not_a_multiple = |value: &str| format!("{value} is not a multiple of 0.01");
    check(
        r#"{"type":"number","multipleOf":0.01}"#,
        &[
            ("1.10", "decimal(2) 1.10"),
            ("1.1", "decimal(2) 1.10"),
            ("1", "decimal(2) 1.00"),
            ("1.1000000", "decimal(2) 1.10"),
            ("145636.93", "decimal(2) 145636.93"),
            ("-0.00", "decimal(2) 0.00"),
            ("-0.07", "decimal(2) -0.07"),
            ("1e-2", "decimal(2) 0.01"),
            ("1.5e1", "decimal(2) 15.00"),
            ("123456789012345678901234567890123456", "decimal(2) 123456789012345678901234567890123456.00"),
            ("-999999999999999999999999999999999999.99", "decimal(2) -999999999999999999999999999999999999.99"),
            (
                "1234567890123456789012345678901234567",
                "rejected: decimal out of range for selvedge on 1234567890123456789012345678901234567",
            ),
            ("1e400", "rejected: decimal out of range for selvedge on 1e400"),
            ("1e9223372036854775807", "rejected: decimal out of range for selvedge on 1e9223372036854775807"),
            ("1.105", &not_a_multiple("1.105")),
            ("1e-3", &not_a_multiple("1e-3")),
            (r#""1.10""#, "expected type: Number, found: String"),
        ],
    );
}

#[test]
fn decimals_of_other_steps() {
    check(
        r#"{"type":"number","multipleOf":1e-20}"#,
        &[
            ("1", "decimal(20) 1.00000000000000000000"),
            ("12.5", "decimal(20) 12.50000000000000000000"),
            ("12345.12345678901234567890", "decimal(20) 12345.12345678901234567890"),
            ("0.00000000000000000001", "decimal(20) 0.00000000000000000001"),
            ("123456789012345678", "decimal(20) 123456789012345678.00000000000000000000"),
            ("1234567890123456789", "rejected: decimal out of range for selvedge on 1234567890123456789"),
        ],
    );
    check(
        r#"{"type":"number","multipleOf":0.05}"#,
        &[("0.15", "decimal(2) 0.15"), ("0.16", "0.16 is not a multiple of 0.05")],
    );
    check(
        r#"{"type":"number","multipleOf":5}"#,
        &[
            ("15", "decimal(0) 15"),
            ("1.5e1", "decimal(0) 15"),
            ("12345678901234567890123456789012345675", "decimal(0) 12345678901234567890123456789012345675"),
            ("7", "7 is not a multiple of 5"),
            ("2.5", "2.5 is not a multiple of 5"),
        ],
    );
    check(r#"{"type":"integer","multipleOf":5}"#, &[("-15", "integer -15"), ("7", "7 is not a multiple of 5")]);
}

/// Every step of one digit, whichever way the schema writes it.
#[test]
fn decimals_of_every_scale() {
    for scale in 1..=38 {
        let zeros = "0".repeat(scale - 1);
        let steps =
            [format!("1e-{scale}"), format!("0.{zeros}1"), format!("0.{zeros}5"), format!("2.50e-{}", scale - 1)];
        for step in steps {
            let property = format!(r#"{{"type":"number","multipleOf":{step}}}"#);
            check(&property, &[("0", &format!("decimal({scale}) 0.{zeros}0"))]);
        }
    }
}

#[test]
fn doubles() {
    check(
        r#"{"type":"number"}"#,
        &[
            ("1", "double 1.0"),
            ("0.1", "double 0.1"),
            ("-2.50", "double -2.5"),
            ("0.30000000000000004", "double 0.30000000000000004"),
            ("9007199254740991", "double 9007199254740991.0"),
            ("9007199254740993", "double 9007199254740992.0"),
            ("123456789012345678", "double 1.2345678901234568e17"),
            ("1e23", "double 1e23"),
            ("5e-324", "double 5e-324"),
            ("1.7976931348623157e308", "double 1.7976931348623157e308"),
            ("1e-400", "double 0.0"),
            ("-0", "double 0.0"),
            ("-0.0", "double 0.0"),
            ("-1e-400", "double 0.0"),
            ("1e400", "rejected: number out of range for selvedge on 1e400"),
            ("-1e400", "rejected: number out of range for selvedge on -1e400"),
            (r#""NaN""#, "expected type: Number, found: String"),
        ],
    );
}

#[test]
fn decimals_as_strings() {
    check(
        r#"{"type":"string","format":"singer.decimal"}"#,
        &[
            (r#""1.10""#, "decimal 1.1"),
            (r#""-0.0""#, "decimal 0"),
            (r#""1e3""#, "decimal 1000"),
            (r#""12.5e-3""#, "decimal 0.0125"),
            (
                r#""12345678901234567890123456789012345678901234567890.5""#,
                "decimal 12345678901234567890123456789012345678901234567890.5",
            ),
            (r#""""#, "the string is no decimal number"),
            (r#"" 1""#, "the string is no decimal number"),
            (r#""1 ""#, "the string is no decimal number"),
            (r#""+1""#, "the string is no decimal number"),
            (r#""NaN""#, "the string is no decimal number"),
            (r#""1e2000""#, "rejected: decimal out of range for selvedge on 1e2000"),
            ("1.5", "expected type: String, found: Double"),
        ],
    );
}

#[test]
fn date_times() {
    let refused = |text: &str| {
        let expected = "yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z";
        format!("[{text}] is not a valid date-time. Expected [{expected}]")
    };
    let accepted = [
        ("2026-11-23T10:11:12Z", "2026-11-23T10:11:12.000000Z"),
        ("2026-11-23t10:11:12z", "2026-11-23T10:11:12.000000Z"),
        ("2026-11-23 10:11:12Z", "2026-11-23T10:11:12.000000Z"),
        ("2026-11-23T10:11:12+01:00", "2026-11-23T09:11:12.000000Z"),
        ("2026-11-23T10:11:12+0100", "2026-11-23T09:11:12.000000Z"),
        ("2026-11-23T10:11:12-23:59", "2026-11-24T10:10:12.000000Z"),
        ("2026-11-23T10:11:12.5Z", "2026-11-23T10:11:12.500000Z"),
        ("2026-11-23T10:11:12.1234567Z", "2026-11-23T10:11:12.123456Z"),
        ("2026-11-23T10:11:12.123456999Z", "2026-11-23T10:11:12.123456Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
    ];
    let refusals = [
        "2018-08-30T19:48:57.974000",
        "2026-11-23T10:11:12",
        "2026-11-23T10:11Z",
        "2026-11-23T10:11:12.Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T10:60:00Z",
        "2026-11-23T10:11:12+24:00",
        "2026-11-23T10:11:12+01:0",
        "2026-11-23",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-02-30T00:00:00Z",
        "2026-1:-23T10:11:12Z",
        "2026-11-23T10:11:1éZ",
        "",
    ];
    let out_of_range =
        ["0000-12-31T00:00:00Z", "0000-02-29T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"];
    let property = r#"{"type":"string","format":"date-time"}"#;
    for text in out_of_range {
        let expected = format!("rejected: timestamp out of range for selvedge on {text}");
        check(property, &[(&format!(r#""{text}""#), &expected)]);
    }
    for (text, moment) in accepted {
        check(property, &[(&format!(r#""{text}""#), &format!("timestamp {moment}"))]);
    }
    for text in refusals {
        check(property, &[(&format!(r#""{text}""#), &refused(text))]);
    }
}

/// The calendar agrees with another implementation of it on every day there is.
#[test]
fn every_day_of_the_calendar() {
    use chrono::NaiveDate;
    let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
    let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= NaiveDate::MAX).take(3_652_059).collect();
    assert_eq!(days.last().unwrap().to_string(), "9999-12-31");
    let schema = r#"{"properties":{"v":{"type":"string","format":"date"}}}"#;
    for days in days.chunks(20_000) {
        let records: Vec<String> = days.iter().map(|day| format!(r#"{{"v":"{day}"}}"#)).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let decoded = crate::batch::decoded(schema, &[], &records).unwrap();
        for (row, day) in days.iter().enumerate() {
            assert_eq!(crate::shown::value(&decoded.columns[0].values, row), Some(day.to_string()));
        }
    }
}

#[test]
fn dates_and_times() {
    check(
        r#"{"type":"string","format":"date"}"#,
        &[
            (r#""2026-11-23""#, "date 2026-11-23"),
            (r#""2026-11-23T00:00:00Z""#, "[2026-11-23T00:00:00Z] is not a valid date. Expected [yyyy-MM-dd]"),
            (r#""2026-04-31""#, "[2026-04-31] is not a valid date. Expected [yyyy-MM-dd]"),
        ],
    );
    check(
        r#"{"type":"string","format":"time"}"#,
        &[
            (r#""00:00:00""#, "time 00:00:00.000000"),
            (r#""23:59:59.9999999Z""#, "time 23:59:59.999999"),
            (r#""12:00:00+01:00""#, "[12:00:00+01:00] is not a valid time. Expected [HH:mm:ss[.digits]]"),
            (r#""24:00:00""#, "[24:00:00] is not a valid time. Expected [HH:mm:ss[.digits]]"),
        ],
    );
}

#[test]
fn strings() {
    let escape = "malformed JSON: a string holds an unknown escape or half a surrogate pair";
    check(
        r#"{"type":"string"}"#,
        &[
            (r#""""#, "string "),
            (r#""grün 🧵""#, "string grün 🧵"),
            (r#""a\"\\\/\b\f\n\r\tb""#, "string a\"\\/\u{8}\u{c}\n\r\tb"),
            (r#""\u0041\u00e9\u00E9""#, "string Aéé"),
            (r#""\ud83e\uddf5""#, "string 🧵"),
            (r#""\u0000""#, "string \0"),
            (r#""\ud83e""#, escape),
            (r#""\ud83e\u0041""#, escape),
            (r#""\uddf5""#, escape),
            (r#""\u12é4""#, escape),
            (r#""\u+123""#, escape),
            (r#""\x41""#, escape),
            (r#""\é""#, escape),
            ("5", "expected type: String, found: Integer"),
            ("5.5", "expected type: String, found: Double"),
        ],
    );
}

/// Long strings take other paths than short ones: every length around the width of a word, with each special character at
/// each place.
#[test]
fn strings_of_every_length() {
    for length in 0..40 {
        let text = "x".repeat(length);
        check(r#"{"type":"string"}"#, &[(&format!(r#""{text}""#), &format!("string {text}"))]);
        for place in 0..=length {
            let (before, after) = text.split_at(place);
            let escaped = format!(r#""{before}\"{after}é\n""#);
            check(r#"{"type":"string"}"#, &[(&escaped, &format!("string {before}\"{after}é\n"))]);
            let control =
                outcome(r#"{"properties":{"v":{"type":"string"}}}"#, &format!("{{\"v\":\"{before}\u{1f}{after}\"}}"));
            assert!(control.contains("control characters must be escaped"), "{control}");
        }
    }
}

#[test]
fn booleans() {
    check(
        r#"{"type":"boolean"}"#,
        &[
            ("true", "boolean true"),
            ("false", "boolean false"),
            ("0", "expected type: Boolean, found: Integer"),
            (r#""true""#, "expected type: Boolean, found: String"),
        ],
    );
}

/// Where the schema says nothing, each value is typed by itself.
#[test]
fn untyped() {
    check(
        "{}",
        &[
            ("5", "integer 5"),
            ("5.0", "integer 5"),
            ("-0", "integer 0"),
            ("1e2", "integer 100"),
            ("9223372036854775807", "integer 9223372036854775807"),
            ("5.5", "double 5.5"),
            ("1e100", "double 1e100"),
            ("true", "boolean true"),
            (r#""\u0041""#, "string A"),
            (r#""2026-11-25""#, "string 2026-11-25"),
        ],
    );
}

#[test]
fn several_types() {
    check(
        r#"{"type":["null","integer","string","boolean"]}"#,
        &[
            ("5", "integer 5"),
            (r#""5""#, "string 5"),
            ("true", "boolean true"),
            ("5.5", "expected type: Integer or String or Boolean, found: Double"),
        ],
    );
    check(r#"{"type":["integer","number"]}"#, &[("5", "integer 5"), ("5.0", "integer 5"), ("5.5", "double 5.5")]);
    check(r#"{"type":["number","integer"]}"#, &[("5", "double 5.0")]);
    check(
        r#"{"type":["integer","array"]}"#,
        &[("5", "integer 5"), ("5.5", "expected type: JSONArray or Integer, found: Double")],
    );
}
