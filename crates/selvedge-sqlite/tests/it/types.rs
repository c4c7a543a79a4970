//! How each type is declared and stored.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use selvedge_core::ColumnType;

use crate::database::{Database, column, table};

/// Loads the values into one column; expects its declared type and each value with SQLite's own type of it.
#[track_caller]
fn check(column_type: ColumnType, array: ArrayRef, declared: &str, stored: &[&str]) {
    let mut database = Database::new();
    database.load(&table("t"), &[], &[(column("c", column_type), array)]);
    assert_eq!(database.strings("SELECT type FROM pragma_table_info('t')"), [declared]);
    assert_eq!(database.strings("SELECT typeof(c) || ' ' || quote(c) FROM t"), stored);
}

#[test]
fn booleans_are_integers() {
    let array = BooleanArray::from(vec![Some(false), Some(true), None]);
    check(ColumnType::Boolean, Arc::new(array), "BOOLEAN_INTEGER", &["integer 0", "integer 1", "null NULL"]);
}

#[test]
fn integers_are_exact() {
    let array = Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]);
    let stored = ["integer -9223372036854775808", "integer 9223372036854775807", "null NULL"];
    check(ColumnType::Integer, Arc::new(array), "INTEGER", &stored);
}

#[test]
fn decimals_are_text_with_their_scale() {
    let values = vec![Some(14_563_693), Some(-5), None, Some(10_i128.pow(38) - 1)];
    let array = Decimal128Array::from(values).with_precision_and_scale(38, 2).unwrap();
    let stored = ["text '145636.93'", "text '-0.05'", "null NULL", "text '999999999999999999999999999999999999.99'"];
    check(ColumnType::Decimal { scale: 2 }, Arc::new(array), "DECIMAL_TEXT(38,2)", &stored);
}

#[test]
fn decimals_without_a_scale_keep_their_text() {
    let array = StringArray::from(vec![Some("123456789012345678901234567890123456789012.5"), Some("7"), None]);
    let stored = ["text '123456789012345678901234567890123456789012.5'", "text '7'", "null NULL"];
    check(ColumnType::DecimalText, Arc::new(array), "DECIMAL_TEXT", &stored);
}

#[test]
fn doubles_are_real() {
    let array = Float64Array::from(vec![Some(0.1), Some(3.0), Some(1e300), None]);
    check(ColumnType::Double, Arc::new(array), "REAL", &["real 0.1", "real 3.0", "real 1.0e+300", "null NULL"]);
}

#[test]
fn text_that_looks_like_a_number_stays_text() {
    let array = StringArray::from(vec![Some("007"), Some(""), Some("it's ü"), None]);
    check(ColumnType::String, Arc::new(array), "TEXT", &["text '007'", "text ''", "text 'it''s ü'", "null NULL"]);
}

#[test]
fn timestamps_are_rfc_3339() {
    let array = TimestampMicrosecondArray::from(vec![Some(1_795_478_399_000_001), Some(-1), None]).with_timezone("UTC");
    let stored = ["text '2026-11-23T23:59:59.000001Z'", "text '1969-12-31T23:59:59.999999Z'", "null NULL"];
    check(ColumnType::Timestamp, Arc::new(array), "TIMESTAMP_TEXT", &stored);
}

#[test]
fn dates_and_times_are_text() {
    let dates = Date32Array::from(vec![Some(20_780), None]);
    check(ColumnType::Date, Arc::new(dates), "DATE_TEXT", &["text '2026-11-23'", "null NULL"]);
    let times = Time64MicrosecondArray::from(vec![Some(86_399_000_780), None]);
    check(ColumnType::Time, Arc::new(times), "TIME_TEXT", &["text '23:59:59.000780'", "null NULL"]);
}

#[test]
fn json_keeps_its_text() {
    let array = StringArray::from(vec![Some(r#"{"a": [1]}"#), Some("12"), None]);
    check(ColumnType::Json, Arc::new(array), "JSON_TEXT", &[r#"text '{"a": [1]}'"#, "text '12'", "null NULL"]);
}
