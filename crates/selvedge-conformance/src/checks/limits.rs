//! The largest a destination has to hold: values at the ends of their types, and as many columns as a table may have.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use selvedge_core::{ColumnType, DECIMAL_PRECISION, Part, TableName, TableState, Value, system};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, Elements, Values, column, generated_keys, in_order, integers, next, scalar_elements, texts};
use crate::place::{Cells, Place};
use crate::scenario::Scenario;

/// The most columns a table has, selvedge's own among them.
const COLUMNS: usize = 1_000;

/// The most characters a text in a key has.
const KEY_CHARACTERS: usize = 1_024;
/// The bytes of a text that is no key.
const TEXT_BYTES: usize = 200_000;

/// The microseconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59.999999Z.
const MOMENTS: [i64; 2] = [-62_135_596_800_000_000, 253_402_300_799_999_999];
/// The days of 0001-01-01 and of 9999-12-31.
const DAYS: [i32; 2] = [-719_162, 2_932_896];
/// Thirty-eight nines.
const LARGEST_DECIMAL: i128 = 10_i128.pow(38) - 1;

pub(crate) fn types(place: &Place<'_>) -> Checked {
    for (number, (column_type, values)) in extremes()?.into_iter().enumerate() {
        value_and_key(place, number, column_type, &values).map_err(|failure| failure.during(column_type))?;
    }
    long_text(place)
}

fn long_text(place: &Place<'_>) -> Checked {
    let table = loads::table("long")?;
    let text = "x".repeat(TEXT_BYTES);
    let row = vec![integers("id", [1]), texts("text", [&text]), integers(system::SEQUENCE, [1])];
    place.load(&next(&table, None, &["id"], row)?)?;
    let view = place.view(&table)?;
    let found = view.rows.values().next().and_then(|row| row.get("/text"));
    ensure(found == Some(&Value::String(text)), || format!("a text of {TEXT_BYTES} bytes is not read as it was loaded"))
}

/// Each type with values at its ends, all different, none null.
fn extremes() -> Result<Vec<(ColumnType, ArrayRef)>, Failure> {
    let decimals = |scale: u8| -> Result<(ColumnType, ArrayRef), Failure> {
        let values = Decimal128Array::from(vec![-LARGEST_DECIMAL, -1, 0, 1, 1_000, LARGEST_DECIMAL]);
        let values = values.with_precision_and_scale(DECIMAL_PRECISION, scale.cast_signed())?;
        Ok((ColumnType::Decimal { scale }, Arc::new(values)))
    };
    let doubles =
        vec![f64::MIN, -1.5, 0.0, f64::MIN_POSITIVE, f64::from_bits(1), 0.1, 9_007_199_254_740_993.0, f64::MAX];
    let longest_key = "k".repeat(KEY_CHARACTERS);
    let texts = vec![
        "",
        " ",
        "a",
        "A",
        "a ",
        "\u{e4}",
        "a\u{308}",
        "'\"`\\;--\n\r\t",
        "null",
        "NULL",
        "1",
        "\u{1f9f5}\u{202e}\u{feff}",
        &longest_key,
    ];
    let long_decimal = format!("-{}.{}1", "9".repeat(60), "0".repeat(60));
    let json = vec!["{}", "[]", "null", "\"text\"", "1.10", "1e400", "{\"b\": 1,\"a\":[true,  null]}"];
    let moments: Vec<i64> = [&MOMENTS[..1], &[-1, 0, 1_700_000_000_123_456], &MOMENTS[1..]].concat();
    let days: Vec<i32> = [&DAYS[..1], &[-1, 0, 19_675], &DAYS[1..]].concat();
    Ok(vec![
        (ColumnType::Boolean, Arc::new(BooleanArray::from(vec![false, true]))),
        (ColumnType::Integer, Arc::new(Int64Array::from(vec![i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX]))),
        decimals(0)?,
        decimals(2)?,
        decimals(38)?,
        (ColumnType::DecimalText, Arc::new(StringArray::from(vec!["0", "-0.5", "1.1", &long_decimal]))),
        (ColumnType::Double, Arc::new(Float64Array::from(doubles))),
        (ColumnType::String, Arc::new(StringArray::from(texts))),
        (ColumnType::Timestamp, Arc::new(TimestampMicrosecondArray::from(moments).with_timezone("UTC"))),
        (ColumnType::Date, Arc::new(Date32Array::from(days))),
        (ColumnType::Time, Arc::new(Time64MicrosecondArray::from(vec![0, 1, 43_200_000_000, 86_399_999_999]))),
        (ColumnType::Json, Arc::new(StringArray::from(json))),
    ])
}

fn value_and_key(place: &Place<'_>, number: usize, column_type: ColumnType, values: &ArrayRef) -> Checked {
    let order = place.open()?.capabilities().row_order;
    let table = loads::table(&format!("t{number}"))?;
    let rows = values.len();
    let count = i64::try_from(rows)?;
    let columns = |sequence: i64| -> Vec<Values> {
        vec![
            (column("key", column_type), Arc::clone(values)),
            (column("value", column_type), Arc::clone(values)),
            (column("empty", column_type), arrow_array::new_null_array(&column_type.arrow(), rows)),
            integers(system::SEQUENCE, vec![sequence; rows]),
        ]
    };
    let load = |planned_on: Option<&TableState>, sequence: i64| {
        let mut load = next(&table, planned_on, &["key"], columns(sequence))?;
        // Of each row one element, which holds what the row does.
        let element = (scalar_elements(column_type), Arc::clone(values));
        Elements::of(&["items"], &vec![1; rows], vec![element]).join(&mut load)?;
        place.load(&in_order(load, order)?)
    };
    let first = load(None, 2)?;
    expect(place, &first, &table, column_type, values)?;

    // The same keys once more: newer ones replace them all, older ones none.
    let second = load(Some(&first), 3)?;
    let third = load(Some(&second), 1)?;
    ensure_equal(&third.counts.live_rows, &(rows as u64), "the live rows after the same keys came three times")?;
    ensure_equal(&third.counts.superseded, &(rows as u64), "the superseded of older records")?;
    expect(place, &third, &table, column_type, values)?;
    let items = format!("t{number}__items");
    let found = place.cells(&table, Part::Subtable(&items), &["_sdc_source_key_key", "value"])?;
    let mut expected: Cells = (0..rows).map(|row| vec![Value::of(column_type, values, row); 2]).collect();
    expected.sort();
    ensure_equal(&found, &expected, "source key and value of a subtable")?;

    let keyless = loads::table(&format!("k{number}"))?;
    let mut columns = columns(1);
    columns.push(generated_keys(0..count));
    let loaded = place.load(&next(&keyless, None, &[], columns)?)?;
    expect(place, &loaded, &keyless, column_type, values)
}

/// Checks that the table holds each of the values in both of its columns.
fn expect(
    place: &Place<'_>,
    state: &TableState,
    table: &TableName,
    column_type: ColumnType,
    values: &ArrayRef,
) -> Checked {
    ensure_equal(&state.columns.first().map(|column| column.column_type), &Some(column_type), "the type of a column")?;
    let view = place.view(table)?;
    let mut found: Vec<_> = view.rows.values().map(|row| (row.get("/key"), row.get("/value"))).collect();
    let values: Vec<Option<Value>> =
        (0..values.len()).map(|row| Value::of(column_type, values, row).map(Value::by_value)).collect();
    let mut expected: Vec<_> = values.iter().map(|value| (value.as_ref(), value.as_ref())).collect();
    found.sort();
    expected.sort();
    for (found, expected) in found.iter().zip(&expected) {
        ensure_equal(found, expected, "key and value")?;
    }
    ensure_equal(&found.len(), &expected.len(), "the rows")
}

pub(crate) fn columns(place: &Place<'_>) -> Checked {
    let at_once = loads::table("at_once")?;
    let made = place.load(&next(&at_once, None, &["id"], wide_row(COLUMNS))?)?;
    check_width(place, &at_once, &made)?;

    let grown = loads::table("grown")?;
    let mut state = place.load(&next(&grown, None, &["id"], wide_row(COLUMNS / 2))?)?;
    for columns in [COLUMNS - 1, COLUMNS] {
        state = place.load(&next(&grown, Some(&state), &["id"], wide_row(columns))?)?;
    }
    check_width(place, &grown, &state)
}

/// A row of so many columns, of which each holds its own number.
fn wide_row(columns: usize) -> Vec<Values> {
    let mut row = vec![integers("id", [1]), integers(system::SEQUENCE, [1])];
    row.extend((2_i64..).take(columns - row.len()).map(|number| integers(&format!("column_{number}"), [number])));
    row
}

/// The columns that values of the records may have: the others are selvedge's own.
const RECORD_COLUMNS: usize = COLUMNS - 10;

pub(crate) fn extra(place: &Place<'_>) -> Checked {
    let with_column = 1..RECORD_COLUMNS;
    let join = |members: Vec<String>| members.join(", ");
    let types = with_column.clone().map(|number| format!(r#""p{number}": {{"type": "integer"}}"#)).collect();
    let columns = with_column.clone().map(|number| format!(r#""p{number}": "integer""#)).collect();
    let values = with_column.clone().map(|number| format!(r#""p{number}": {number}"#)).collect();
    let row = with_column.clone().map(|number| number.to_string()).collect();
    let nulls = with_column.map(|_| "null".to_owned()).collect();
    let [types, columns, values, row, nulls] = [types, columns, values, row, nulls].map(join);
    let push = |data: String| {
        format!(
            r#"{{"push": {{"table_name": "t", "key_names": ["id"],
                "schema": {{"properties": {{"id": {{"type": "integer"}}, {types}, "declared": {{"type": "string"}}}}}},
                "messages": [{{"action": "upsert", "sequence": 1, "data": {data}}}]}}}}"#
        )
    };
    let scenario = format!(
        r#"{{"says": "values without a column of their own are kept beside", "steps": [{}, {},
            {{"expect": {{"t": {{
                "columns": {{"id": "integer", {columns}, "_sdc_extra": "json"}},
                "rows": [[1, {row}, "{{\"declared\":\"\\u00e4\",\"o__p\":1.10}}"], [2, {nulls}, null]],
                "accepted": 2
            }}}}}}]}}"#,
        push(format!(r#"{{"id": 1, {values}, "declared": "\u00e4", "o": {{"p": 1.10, "none": null}}}}"#)),
        push(r#"{"id": 2}"#.to_owned()),
    );
    serde_json::from_str::<Scenario>(&scenario)?.run(place)
}

fn check_width(place: &Place<'_>, table: &TableName, state: &TableState) -> Checked {
    ensure_equal(&state.columns.len(), &COLUMNS, format!("the columns of {table}"))?;
    let view = place.view(table)?;
    let row = view.rows.values().next().ok_or_else(|| Failure::new(format!("{table} has no row")))?;
    ensure_equal(&row.len(), &COLUMNS, format!("the values in a row of {table}"))?;
    for number in 2..i64::try_from(COLUMNS)? {
        let place = format!("/column_{number}");
        ensure_equal(&row.get(&place), &Some(&Value::Integer(number)), format!("the value at {place} of {table}"))?;
    }
    Ok(())
}
