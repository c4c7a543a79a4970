//! What a table has to hold, as a scenario writes it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta};
use selvedge_core::{
    Column, ColumnType, Counted, Counts, Inspect, Part, Subtable, TableName, TableState, Value, rejected, system,
};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::failure::{Checked, Failure, ensure, ensure_equal};

/// A table as it has to stand in a destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// The types of the columns by their names: all but selvedge's own, and of those any. In a row, values stand in this
    /// order, which need not be the table's.
    columns: Columns,
    /// The rows, in any order. A decimal is a string of its digits; dates, times and moments are strings of RFC 3339.
    rows: Vec<Vec<Json>>,
    /// Its subtables by their names, and no other.
    #[serde(default)]
    subtables: BTreeMap<String, ExpectedSubtable>,
    /// The records that were rejected, in any order.
    #[serde(default)]
    rejected: Vec<ExpectedRejected>,
    /// How many rejected records were erased: they stay counted.
    #[serde(default)]
    erased: u64,
    /// How many records were accepted for it: its counts add up to that.
    accepted: u64,
    /// How many of them were superseded, where it is the same however they are loaded.
    superseded: Option<u64>,
}

/// A subtable: columns and rows as those of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedSubtable {
    columns: Columns,
    rows: Vec<Vec<Json>>,
}

/// A record that was rejected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedRejected {
    reason: String,
    pointer: String,
    /// Its text, character by character.
    record: Box<RawValue>,
}

/// Columns as a scenario names them.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "serde_json::Map<String, Json>")]
struct Columns(Vec<(String, ColumnType)>);

impl TryFrom<serde_json::Map<String, Json>> for Columns {
    type Error = String;

    fn try_from(columns: serde_json::Map<String, Json>) -> Result<Self, String> {
        let column = |(name, column_type): (String, Json)| {
            let column_type = column_type.as_str().unwrap_or_default().parse::<ColumnType>()?;
            Ok((name, column_type))
        };
        columns.into_iter().map(column).collect::<Result<_, _>>().map(Self)
    }
}

/// Checks that the destination holds these tables, by their full names, and no other.
pub(crate) fn check(destination: &mut dyn Inspect, expected: &BTreeMap<String, Expected>) -> Checked {
    let tables: BTreeMap<String, TableName> =
        destination.tables()?.into_iter().map(|table| (table.to_string(), table)).collect();
    let names = |tables: Vec<&String>| tables.into_iter().cloned().collect::<Vec<_>>();
    ensure_equal(&names(tables.keys().collect()), &names(expected.keys().collect()), "the tables")?;
    for ((name, table), expected) in tables.iter().zip(expected.values()) {
        expected.check(destination, table).map_err(|failure| failure.during(format!("table {name}")))?;
    }
    Ok(())
}

impl Expected {
    fn check(&self, destination: &mut dyn Inspect, table: &TableName) -> Checked {
        let Counted { state, rows } =
            destination.count(table)?.ok_or_else(|| Failure::new("it is listed and yet not there"))?;
        self.columns.check(&state.columns)?;
        check_rows(destination, table, Part::Rows, &self.columns, &self.rows)?;
        self.check_subtables(destination, table, &state)?;
        self.check_rejected(destination, table)?;
        self.check_counts(state.counts, rows)
    }

    fn check_subtables(&self, destination: &mut dyn Inspect, table: &TableName, state: &TableState) -> Checked {
        let found: BTreeMap<&String, &Subtable> = state.subtables.iter().map(|found| (&found.name, found)).collect();
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
        ensure_equal(
            &names(found.keys().copied().collect()),
            &names(self.subtables.keys().collect()),
            "the subtables",
        )?;
        for (subtable, ExpectedSubtable { columns, rows }) in found.values().zip(self.subtables.values()) {
            let part = Part::Subtable(&subtable.name);
            let checked = columns.check(&subtable.columns);
            checked
                .and_then(|()| check_rows(destination, table, part, columns, rows))
                .map_err(|failure| failure.during(format!("subtable {}", subtable.name)))?;
        }
        Ok(())
    }

    fn check_rejected(&self, destination: &mut dyn Inspect, table: &TableName) -> Checked {
        let mut found = Vec::new();
        destination.read(table, Part::Rejects, &mut |_, batch| {
            let text = |name: &str, row| {
                let value = batch.column_by_name(name).and_then(|values| Value::of(ColumnType::String, values, row));
                value.map_or_else(|| "null".to_owned(), |value| value.to_string())
            };
            let columns = [rejected::REASON, rejected::POINTER, rejected::RECORD];
            found.extend((0..batch.num_rows()).map(|row| columns.map(|name| text(name, row)).join(" | ")));
            ControlFlow::Continue(())
        })?;
        let expected = self.rejected.iter().map(|ExpectedRejected { reason, pointer, record }| {
            [reason, pointer, record.get()].map(|text| format!("{text:?}")).join(" | ")
        });
        ensure_lines(found, expected.collect(), "the rejected records")
    }

    fn check_counts(&self, counts: Counts, rows: u64) -> Checked {
        let Counts { superseded, live_rows, .. } = counts;
        ensure_equal(&live_rows, &rows, "the committed number of live rows, and the rows counted")?;
        ensure_equal(&live_rows, &(self.rows.len() as u64), "the live rows")?;
        ensure_equal(&counts.rejected, &(self.rejected.len() as u64 + self.erased), "rejected")?;
        ensure_equal(&counts.records(), &self.accepted, "loaded + superseded + rejected")?;
        self.superseded.map_or(Ok(()), |expected| ensure_equal(&superseded, &expected, "superseded"))
    }
}

impl Columns {
    /// Checks that a table has these columns, and no other but of selvedge's own.
    fn check(&self, found: &[Column]) -> Checked {
        let own = |name: &str| name.starts_with("_sdc") || name.starts_with("__sdc");
        let Self(expected) = self;
        let wanted = |name: &str| !own(name) || expected.iter().any(|(expected, _)| expected == name);
        let found = found.iter().filter(|column| wanted(&column.name));
        let found: BTreeMap<&str, ColumnType> =
            found.map(|column| (column.name.as_str(), column.column_type)).collect();
        let expected = expected.iter().map(|(name, column_type)| (name.as_str(), *column_type)).collect();
        ensure_equal(&found, &expected, "the columns")
    }

    fn expected_row(&self, row: &[Json]) -> Result<String, Failure> {
        let Self(columns) = self;
        ensure_equal(&row.len(), &columns.len(), "the values of an expected row")?;
        let texts = columns.iter().zip(row).map(|((_, column_type), value)| expected_text(*column_type, value));
        Ok(texts.collect::<Vec<_>>().join(" | "))
    }
}

/// Columns of which a scenario cannot say what they hold, but that there is a value: they are made of moments and chance.
const UNFORESEEN: [&str; 3] = [system::RECEIVED_AT, system::BATCHED_AT, system::PRIMARY_KEY];
/// Such a value.
const ANY: &str = "*";

/// Checks that a part of a table holds these rows.
fn check_rows(
    destination: &mut dyn Inspect,
    table: &TableName,
    part: Part<'_>,
    columns: &Columns,
    expected: &[Vec<Json>],
) -> Checked {
    let mut found = Vec::new();
    let mut failure = Ok(());
    destination.read(table, part, &mut |_, batch| {
        for row in 0..batch.num_rows() {
            let mut value = |(name, column_type): &(String, ColumnType)| {
                let values = batch.column_by_name(name)?;
                if *values.data_type() != column_type.arrow() {
                    failure = Err(Failure::new(format!("column {name} is read as {}", values.data_type())));
                }
                let value = Value::of(*column_type, values, row)?;
                Some(if UNFORESEEN.contains(&name.as_str()) { ANY.to_owned() } else { found_text(value) })
            };
            let values: Vec<String> =
                columns.0.iter().map(|column| value(column).unwrap_or_else(|| "null".to_owned())).collect();
            found.push(values.join(" | "));
        }
        ControlFlow::Continue(())
    })?;
    failure?;
    let expected = expected.iter().map(|row| columns.expected_row(row)).collect::<Result<Vec<_>, Failure>>()?;
    ensure_lines(found, expected, "the rows")
}

/// Fails unless both are the same lines, in whatever order.
fn ensure_lines(mut found: Vec<String>, mut expected: Vec<String>, of: &str) -> Checked {
    found.sort();
    expected.sort();
    ensure(found == expected, || format!("expected {of}\n  {}\nfound\n  {}", expected.join("\n  "), found.join("\n  ")))
}

/// A value that was found, as [`expected_text`] spells it.
fn found_text(value: Value) -> String {
    match value {
        Value::Timestamp(micros) => DateTime::from_timestamp_micros(micros)
            .map_or_else(|| value.to_string(), |moment| moment.to_rfc3339_opts(SecondsFormat::Micros, true)),
        Value::Date(days) => date(days).map_or_else(|| value.to_string(), |date| date.to_string()),
        Value::Time(micros) => time(micros).format("%H:%M:%S%.6f").to_string(),
        Value::Json(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    let distance = Days::new(days.unsigned_abs().into());
    let epoch = NaiveDate::default();
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}

fn time(micros: i64) -> NaiveTime {
    NaiveTime::MIN + TimeDelta::microseconds(micros)
}

/// A value a scenario expects.
fn expected_text(column_type: ColumnType, value: &Json) -> String {
    match (column_type, value) {
        (ColumnType::Double, Json::Number(number)) => number.as_f64().map_or_else(String::new, |n| format!("{n:?}")),
        (_, Json::String(text)) if text == ANY => text.clone(),
        (ColumnType::String | ColumnType::Json, Json::String(text)) => format!("{text:?}"),
        (_, Json::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}
