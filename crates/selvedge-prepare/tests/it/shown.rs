//! Values of columns as text a person can compare.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use selvedge_prepare::{RecordColumn, Records};

/// The values of a record: `/path type value`, one a line, in the order of the columns, then those of its arrays, with the
/// index of an element in its path. Nulls are left out.
pub(crate) fn row(records: &Records, row: usize) -> String {
    let lines = values(records, row).into_iter();
    lines.map(|(path, typed)| format!("{path} {typed}")).collect::<Vec<_>>().join("\n")
}

/// The values of a record by their paths, each as `type value`.
pub(crate) fn values(records: &Records, row: usize) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    add_columns("", &records.columns, records.len(), row, &mut shown);
    add_arrays("", records, None, row, &mut shown);
    shown
}

fn add_columns(prefix: &str, columns: &[RecordColumn], rows: usize, row: usize, shown: &mut Vec<(String, String)>) {
    for column in columns {
        let data_type = column.values.data_type();
        assert!(*data_type == DataType::Null || *data_type == column.column_type.arrow(), "{}", column.path);
        assert_eq!(column.values.len(), rows, "{}", column.path);
        if let Some(value) = value(&column.values, row) {
            shown.push((format!("{prefix}{}", column.path), format!("{} {value}", column.column_type)));
        }
    }
}

/// The elements whose array stands in a row of the records, or of the array `within`.
fn add_arrays(prefix: &str, records: &Records, within: Option<usize>, row: usize, shown: &mut Vec<(String, String)>) {
    for (index, array) in records.arrays.iter().enumerate().filter(|(_, array)| array.within == within) {
        let path = array.source.0.last().unwrap();
        assert!(array.parents.values().is_sorted());
        for element in 0..array.parents.len() {
            if array.parents.value(element) as usize == row {
                let prefix = format!("{prefix}{path}/{}", array.positions.value(element));
                add_columns(&prefix, &array.columns, array.parents.len(), element, shown);
                add_arrays(&prefix, records, Some(index), element, shown);
            }
        }
    }
}

/// One value; `None` for null.
pub(crate) fn value(array: &ArrayRef, row: usize) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    array.logical_nulls().is_none_or(|nulls| nulls.is_valid(row)).then(|| match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Timestamp(..) => moment(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            (epoch + TimeDelta::days(i64::from(days))).to_string()
        }
        DataType::Time64(_) => {
            let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
            (NaiveTime::MIN + TimeDelta::microseconds(micros)).format("%H:%M:%S%.6f").to_string()
        }
        other => panic!("no column is of type {other}"),
    })
}

/// A moment, from microseconds since 1970.
pub(crate) fn moment(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
