//! The values for which a table has no room left: a JSON object of them for each row that has any.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{Array, StringArray};
use selvedge_core::ColumnType;
use serde_json::Value;

use crate::prepare::names;
use crate::prepare::sheet::{Sheet, Source};
use crate::prepare::{datetime_text, decimal};

/// The column `_sdc_extra` of the rows: what the batches had no columns for, and the values of the sources in `overflow`, for
/// which the table has none. `None` when no row has any.
pub(crate) fn extra(sheet: &Sheet<'_>, overflow: &[usize]) -> Option<StringArray> {
    if overflow.is_empty() && sheet.extra.iter().all(Option::is_none) {
        return None;
    }
    let named = |index: &usize| {
        let source = sheet.sources.get(*index)?;
        Some((Value::from(names::plain(source.path)).to_string(), source))
    };
    let overflow: Vec<(String, &Source<'_>)> = overflow.iter().filter_map(named).collect();
    let of_row = |place: &(usize, usize)| {
        let members = overflow.iter().filter_map(|(name, source)| Some(format!("{name}:{}", value(source, *place)?)));
        let members: Vec<String> = sheet.extra_members(*place).map(str::to_owned).into_iter().chain(members).collect();
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
    };
    let column: StringArray = sheet.rows.places.iter().map(of_row).collect();
    (column.null_count() < column.len()).then_some(column)
}

/// The JSON text of a source's value in a row, which says exactly what the value is.
fn value(source: &Source<'_>, (part, row): (usize, usize)) -> Option<String> {
    let array = source.array(part).filter(|array| array.is_valid(row))?;
    let text = || array.as_string::<i32>().value(row);
    let quoted = |text: &str| Value::from(text).to_string();
    Some(match source.column_type {
        ColumnType::Boolean => array.as_boolean().value(row).to_string(),
        ColumnType::Integer => array.as_primitive::<Int64Type>().value(row).to_string(),
        ColumnType::Decimal { scale } => decimal::text(array.as_primitive::<Decimal128Type>().value(row), scale),
        // The shortest text that means this very double.
        ColumnType::Double => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        ColumnType::DecimalText | ColumnType::Json => text().to_owned(),
        ColumnType::String => quoted(text()),
        ColumnType::Timestamp => {
            quoted(&datetime_text::timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        ColumnType::Date => quoted(&datetime_text::date(array.as_primitive::<Date32Type>().value(row).into())),
        ColumnType::Time => quoted(&datetime_text::time(array.as_primitive::<Time64MicrosecondType>().value(row))),
    })
}
