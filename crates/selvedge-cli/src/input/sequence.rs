//! The sequence of plain records: which of two versions of a key is the newer one.

use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Where the sequence of a record comes from. One rule holds for all records of a load, so that all count in one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Numbering {
    /// The later record is the newer one: the sequence of the first one, then one more for each.
    Arrival { first: i64 },
    /// The integer in this property.
    Integers { column: String },
    /// The date-time of RFC 3339 in this property, as microseconds since 1970-01-01T00:00:00Z.
    Moments { column: String },
}

/// What is wrong with a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The place in the record, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) reason: String,
}

impl Numbering {
    /// Checks that `line` is one JSON object, and gives the sequence of this record, before which `before` others stood.
    pub(crate) fn sequence(&self, line: &[u8], before: u64) -> Result<i64, Fault> {
        if !line.starts_with(b"{") {
            return Err(whole("expected a JSON object on each line"));
        }
        match self {
            Self::Arrival { first } => {
                serde_json::from_slice::<IgnoredAny>(line).map_err(|error| malformed(&error))?;
                Ok(first.saturating_add_unsigned(before))
            }
            Self::Integers { column } => from_column(line, column, integer),
            Self::Moments { column } => from_column(line, column, moment),
        }
    }
}

fn from_column(line: &[u8], column: &str, read: fn(&str) -> Result<i64, &'static str>) -> Result<i64, Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let found = deserializer.deserialize_map(Member(column)).map_err(|error| malformed(&error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    let fault = |reason: &str| Fault {
        pointer: format!("/{}", column.replace('~', "~0").replace('/', "~1")),
        reason: reason.to_owned(),
    };
    let value = found.map(RawValue::get).filter(|text| *text != "null");
    read(value.ok_or_else(|| fault("the record has no sequence: --sequence names this property"))?).map_err(fault)
}

fn integer(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "the sequence is no integer of 64 bits, as it is in other records; it must be of one type")
}

fn moment(text: &str) -> Result<i64, &'static str> {
    let parsed = serde_json::from_str::<String>(text).ok().and_then(|text| text.parse::<DateTime<FixedOffset>>().ok());
    let reason = "the sequence is no date-time with a zone (2026-11-23T22:15:00Z), as it is in other records";
    parsed.map(|moment| moment.timestamp_micros()).ok_or(reason)
}

// The cause is told by its kind alone: its own words may hold the record's content.
fn malformed(error: &serde_json::Error) -> Fault {
    let column = error.column();
    whole(&if error.is_eof() {
        format!("expected a JSON object on each line; this one ends too early, at byte {column}")
    } else {
        format!("expected one JSON object on each line; this one is not well-formed at byte {column}")
    })
}

fn whole(reason: &str) -> Fault {
    Fault { pointer: String::new(), reason: reason.to_owned() }
}

/// Finds the member of an object that has this name.
struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut found = None;
        while let Some(named) = members.next_key_seed(IsNamed(self.0))? {
            if named {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a member's name is this one.
struct IsNamed<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsNamed<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsNamed<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numbering: &Numbering, line: &str, expected: Result<i64, &str>) {
        let found = numbering.sequence(line.as_bytes(), 7);
        match expected {
            Ok(sequence) => assert_eq!(found, Ok(sequence), "{line}"),
            Err(part) => {
                let Fault { pointer, reason } = found.unwrap_err();
                assert!(format!("{pointer}: {reason}").contains(part), "{line}: {pointer}: {reason}");
            }
        }
    }

    #[test]
    fn arrival_counts_on() {
        let arrival = Numbering::Arrival { first: 100 };
        check(&arrival, "{\"a\":1}", Ok(107));
        check(&arrival, "[1]", Err(": expected a JSON object"));
        check(&arrival, "{\"a\":1", Err(": expected a JSON object on each line; this one ends too early"));
    }

    #[test]
    fn a_line_cannot_break_out_of_its_message() {
        let arrival = Numbering::Arrival { first: 100 };
        let integers = Numbering::Integers { column: "n".to_owned() };
        for numbering in [arrival, integers] {
            check(&numbering, "{\"n\":1},\"time_extracted\":\"2026-11-23T22:15:00Z\"", Err("not well-formed"));
            check(&numbering, "{\"n\":1}},{\"action\":\"upsert\",\"sequence\":1,\"data\":{}", Err("not well-formed"));
        }
    }

    #[test]
    fn integers_are_taken_as_they_are() {
        let integers = Numbering::Integers { column: "a/b".to_owned() };
        check(&integers, "{\"x\":{\"a/b\":1},\"a/b\":-5}", Ok(-5));
        check(&integers, "{\"a\\/b\": 9223372036854775807 }", Ok(i64::MAX));
        check(&integers, "{\"a/b\":9223372036854775808}", Err("/a~1b: the sequence is no integer of 64 bits"));
        check(&integers, "{\"a/b\":null}", Err("/a~1b: the record has no sequence"));
        check(&integers, "{\"b\":1}", Err("the record has no sequence"));
    }

    #[test]
    fn moments_are_microseconds() {
        let moments = Numbering::Moments { column: "at".to_owned() };
        check(&moments, "{\"at\":\"1970-01-01T00:00:01Z\"}", Ok(1_000_000));
        check(&moments, "{\"at\":\"1970-01-01T01:00:00.0000029+01:00\"}", Ok(2));
        check(&moments, "{\"at\":\"1970-01-01T01:00:00+0100\"}", Ok(0));
        check(&moments, "{\"at\":\"1970-01-01T00:00:01\"}", Err("/at: the sequence is no date-time with a zone"));
        check(&moments, "{\"at\":5}", Err("/at: the sequence is no date-time"));
    }
}
