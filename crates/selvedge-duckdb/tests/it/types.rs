//! Every type, written through Arrow and read back as DuckDB spells it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use selvedge_core::ColumnType;

use crate::fixture::{Warehouse, column, table};

/// Loads the values twice, into an empty table and into one with rows, and compares the column's type and its values.
fn check(column_type: ColumnType, values: impl arrow::array::Array + 'static, expected: &str) {
    let mut warehouse = Warehouse::new();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..values.len() as i64));
    let values: ArrayRef = Arc::new(values);
    for _ in 0..2 {
        let columns = vec![
            (column("number", ColumnType::Integer), Arc::clone(&numbers)),
            (column("value", column_type), Arc::clone(&values)),
        ];
        warehouse.load(&table("values"), &["number"], columns).unwrap();
    }
    let declared =
        warehouse.query("SELECT data_type FROM duckdb_columns() WHERE table_name = 'values' AND column_name = 'value'");
    let found = warehouse.query(r#"SELECT value FROM "values" ORDER BY number"#);
    assert_eq!(format!("{declared}\n{found}"), expected);
}

#[test]
fn booleans() {
    check(ColumnType::Boolean, BooleanArray::from(vec![Some(true), Some(false), None]), "BOOLEAN\ntrue\nfalse\nnull");
}

#[test]
fn integers() {
    check(
        ColumnType::Integer,
        Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None]),
        "BIGINT\n-9223372036854775808\n9223372036854775807\nnull",
    );
}

#[test]
fn decimals() {
    let values = Decimal128Array::from(vec![Some(10_i128.pow(38) - 1), Some(-5), Some(0), None]);
    check(
        ColumnType::Decimal { scale: 2 },
        values.with_precision_and_scale(38, 2).unwrap(),
        "DECIMAL(38,2)\n999999999999999999999999999999999999.99\n-0.05\n0.00\nnull",
    );
}

#[test]
fn decimals_as_text() {
    check(
        ColumnType::DecimalText,
        StringArray::from(vec![Some("123456789012345678901234567890123456789012345.5"), None]),
        "VARCHAR\n123456789012345678901234567890123456789012345.5\nnull",
    );
}

#[test]
fn doubles() {
    check(
        ColumnType::Double,
        Float64Array::from(vec![Some(0.1), Some(f64::MAX), Some(5e-324), None]),
        "DOUBLE\n0.1\n1.7976931348623157e+308\n5e-324\nnull",
    );
}

#[test]
fn strings() {
    check(
        ColumnType::String,
        StringArray::from(vec![
            Some(""),
            Some("null"),
            Some("'; DROP TABLE x; --"),
            Some("grüße 🧵"),
            Some("a\0b"),
            None,
        ]),
        "VARCHAR\n\nnull\n'; DROP TABLE x; --\ngrüße 🧵\na\0b\nnull",
    );
}

#[test]
fn timestamps() {
    let values = vec![Some(-62_135_596_800_000_000), Some(253_402_300_799_999_999), Some(1), None];
    check(
        ColumnType::Timestamp,
        TimestampMicrosecondArray::from(values).with_timezone("UTC"),
        "TIMESTAMP WITH TIME ZONE\n0001-01-01 00:00:00+00\n9999-12-31 23:59:59.999999+00\n\
         1970-01-01 00:00:00.000001+00\nnull",
    );
}

#[test]
fn dates() {
    check(
        ColumnType::Date,
        Date32Array::from(vec![Some(-719_162), Some(2_932_896), None]),
        "DATE\n0001-01-01\n9999-12-31\nnull",
    );
}

#[test]
fn times() {
    check(
        ColumnType::Time,
        Time64MicrosecondArray::from(vec![Some(0), Some(86_399_999_999), None]),
        "TIME\n00:00:00\n23:59:59.999999\nnull",
    );
}

#[test]
fn json() {
    check(
        ColumnType::Json,
        StringArray::from(vec![Some(r#"{"b": [1, 2.50, "\u0000"], "a": null}"#), Some("1e400"), Some("null"), None]),
        "JSON\n{\"b\": [1, 2.50, \"\\u0000\"], \"a\": null}\n1e400\nnull\nnull",
    );
}
