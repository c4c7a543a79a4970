//! Columns that change while values stand in them.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
use selvedge_core::{Change, Column, ColumnType, DECIMAL_PRECISION, Part, TableName, TableState, Value, system};

use crate::failure::{Checked, Failure, ensure_equal};
use crate::loads::{self, Values, column, integers, next_changed, texts};
use crate::place::Place;

pub(crate) fn widened(place: &Place<'_>) -> Checked {
    for (number, widenings) in widenings()?.into_iter().enumerate() {
        widen(place, &loads::table(&format!("t{number}"))?, &widenings)?;
    }
    Ok(())
}

/// Types that a column has one after the other, each with values that are loaded while it has it.
fn widenings() -> Result<Vec<Vec<(ColumnType, ArrayRef)>>, Failure> {
    let integers = |values: &[i64]| (ColumnType::Integer, Arc::new(Int64Array::from(values.to_vec())) as ArrayRef);
    let decimals = |scale: u8, values: &[i128]| -> Result<(ColumnType, ArrayRef), Failure> {
        let values = Decimal128Array::from(values.to_vec());
        let values = values.with_precision_and_scale(DECIMAL_PRECISION, scale.cast_signed())?;
        Ok((ColumnType::Decimal { scale }, Arc::new(values)))
    };
    let texts = |values: &[&str]| (ColumnType::DecimalText, Arc::new(StringArray::from(values.to_vec())) as ArrayRef);
    let doubles = (ColumnType::Double, Arc::new(Float64Array::from(vec![0.5, 1e300])) as ArrayRef);
    let fifteen_digits = integers(&[-999_999_999_999_999, -1, 0, 999_999_999_999_999]);
    let all_digits = || integers(&[i64::MIN, (1 << 53) + 1, 0, i64::MAX]);
    let largest = 10_i128.pow(36) - 1;
    let long = format!("-{}.{}1", "9".repeat(60), "0".repeat(60));
    Ok(vec![
        vec![fifteen_digits, doubles],
        vec![all_digits(), decimals(0, &[largest])?],
        vec![all_digits(), decimals(2, &[-150])?, decimals(5, &[largest])?, texts(&[&long])],
        vec![all_digits(), texts(&[&long])],
        vec![decimals(0, &[-largest, 1])?, decimals(2, &[1])?],
        vec![decimals(1, &[-15, 0, 9])?, decimals(37, &[10_i128.pow(37) + 1])?, texts(&["0.1"])],
    ])
}

fn widen(place: &Place<'_>, table: &TableName, widenings: &[(ColumnType, ArrayRef)]) -> Checked {
    let mut state: Option<TableState> = None;
    let mut expected: Vec<Value> = Vec::new();
    for (column_type, values) in widenings {
        let id = i64::try_from(expected.len())?;
        let rows = i64::try_from(values.len())?;
        let wider = column("value", *column_type);
        let brought = vec![
            integers("id", id..id + rows),
            (wider.clone(), Arc::clone(values)),
            integers(system::SEQUENCE, (0..rows).map(|_| 1)),
        ];
        let changes = if state.is_some() { vec![Change::WidenColumn(wider.clone())] } else { Vec::new() };
        let loaded = place.load(&next_changed(table, state.as_ref(), &["id"], changes, brought)?)?;
        ensure_equal(&loaded.column("value"), &Some(&wider), "the wider column")?;
        expected = expected.into_iter().map(|value| as_in(*column_type, value)).collect();
        expected.extend((0..values.len()).filter_map(|row| Value::of(*column_type, values, row)));
        let rows = (0..).zip(&expected).map(|(id, value)| vec![Some(Value::Integer(id)), Some(value.clone())]);
        let found = place.cells(table, Part::Rows, &["id", "value"])?;
        ensure_equal(&found, &rows.collect(), format!("the values once the column is one of type {column_type}"))?;
        state = Some(loaded);
    }
    Ok(())
}

/// A number as a column of a wider type holds it.
fn as_in(column_type: ColumnType, value: Value) -> Value {
    match (column_type, value) {
        (ColumnType::Double, Value::Integer(integer)) => Value::Double((integer as f64).into()),
        (ColumnType::Decimal { .. } | ColumnType::DecimalText, Value::Integer(integer)) => {
            Value::Decimal(integer.to_string())
        }
        (_, same) => same,
    }
}

pub(crate) fn renamed(place: &Place<'_>) -> Checked {
    let table = loads::table("t")?;
    let load = |planned_on: Option<&TableState>, id: i64, changes: Vec<Change>, mut values: Vec<Values>| {
        values.extend([integers("id", [id]), integers(system::SEQUENCE, [1])]);
        place.load(&next_changed(&table, planned_on, &["id"], changes, values)?)
    };
    let rename = |from: &str, to: &str| Change::RenameColumn { from: from.to_owned(), to: to.to_owned() };
    let named = |name: &str, (column, values): Values| (Column { name: name.to_owned(), ..column }, values);

    // As when a second type comes, which takes the plain name of the first.
    let first = load(None, 1, Vec::new(), vec![integers("age", [41]), texts("note", ["stays"])])?;
    let changes = vec![rename("age", "age__bi")];
    let values = vec![named("age__bi", integers("age", [42])), texts("age", ["forty-two"])];
    let second = load(Some(&first), 2, changes, values)?;
    // One name after the other moves on.
    let changes = vec![rename("age", "age__st"), rename("note", "age")];
    let values = vec![named("age__bi", integers("age", [43])), named("age", texts("note", ["new"]))];
    let third = load(Some(&second), 3, changes, values)?;
    load(Some(&third), 4, Vec::new(), vec![named("age__st", texts("age", ["forty-four"]))])?;

    let found = place.cells(&table, Part::Rows, &["id", "age__bi", "age__st", "age"])?;
    let text = |text: &str| Some(Value::String(text.to_owned()));
    let row = |id: i64, age: Option<i64>, texts: [Option<Value>; 2]| {
        [vec![Some(Value::Integer(id)), age.map(Value::Integer)], texts.to_vec()].concat()
    };
    let expected = vec![
        row(1, Some(41), [None, text("stays")]),
        row(2, Some(42), [text("forty-two"), None]),
        row(3, Some(43), [None, text("new")]),
        row(4, None, [text("forty-four"), None]),
    ];
    ensure_equal(&found, &expected, "the values in columns that were renamed")
}
