//! The text of values and back: every value's text is read as that value, and no other text is read at all.

use std::fmt::Debug;

use proptest::prelude::*;
use selvedge_sql::{
    date_text, parse_date, parse_decimal, parse_time, parse_timestamp, time_text, timestamp_text, write_decimal,
};

const DAY: i64 = 86_400_000_000;
/// The first day of the year 0 and the last of the year 9999.
const DAYS: std::ops::RangeInclusive<i32> = -719_528..=2_932_896;
const LARGEST: i128 = 10_i128.pow(38) - 1;

fn decimal_text(value: i128, scale: u8) -> Option<Vec<u8>> {
    let mut text = String::new();
    write_decimal(&mut text, value, scale).ok()?;
    Some(text.into_bytes())
}

/// A text is nothing, or the value whose text it is.
fn check_exact<V: Debug, T: AsRef<[u8]>>(text: &[u8], value: Option<V>, write: impl Fn(&V) -> Option<T>) {
    if let Some(value) = value {
        let written = write(&value);
        assert_eq!(written.as_ref().map(AsRef::as_ref), Some(text), "{value:?}");
    }
}

#[test]
fn every_day_comes_back() {
    for day in DAYS {
        assert_eq!(parse_date(&date_text(day).unwrap()), Some(day));
    }
}

#[track_caller]
fn check_none<V: Debug + PartialEq>(parse: impl Fn(&[u8]) -> Option<V>, texts: &[&str]) {
    for text in texts {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn what_is_almost_a_date_is_none() {
    check_none(parse_date, &["", "2026-01-01 ", "2026-01-011", "2026-1-01", "2026/01/01", "2026-01-0é", "10000-01-01"]);
    check_none(parse_date, &["2026-02-29", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32"]);
    check_none(parse_date, &["+026-01-01", "-001-01-01", "2026-+1-01"]);
}

#[test]
fn what_is_almost_a_time_is_none() {
    check_none(
        parse_time,
        &["", "23:59:59", "23:59:59.00000", "23:59:59.0000000", "23:59:59,000000", "23.59:59.000000"],
    );
    check_none(parse_time, &["24:00:00.000000", "23:60:00.000000", "23:59:60.000000", "-1:59:59.000000"]);
}

#[test]
fn what_is_almost_a_timestamp_is_none() {
    check_none(
        parse_timestamp,
        &["2026-01-01 00:00:00.000000Z", "2026-01-01T00:00:00.000000z", "2026-01-01T00:00:00Z"],
    );
    check_none(parse_timestamp, &["2026-01-01T00:00:00.000000", "2026-01-01T00:00:00.000000+00:00"]);
    check_none(parse_timestamp, &["2026-01-01T24:00:00.000000Z", "2026-01-32T00:00:00.000000Z"]);
}

#[test]
fn what_is_almost_a_decimal_is_none() {
    let parse = |text: &[u8]| parse_decimal(text, 2);
    check_none(parse, &["", "-", ".", "1", "1.0", "1.000", "01.00", "0000.00", "-0.00", "+1.00", "--1.00", ".50"]);
    check_none(parse, &["1,00", "1.5e", "1e2", " 1.00", "1.00 ", "1.00é"]);
    check_none(parse, &["1000000000000000000000000000000000000.00", "99999999999999999999999999999999999999999999.00"]);
    check_none(|text| parse_decimal(text, 39), &["1", "0.000000000000000000000000000000000000001"]);
}

#[test]
fn decimals_of_every_scale_come_back() {
    for scale in 0..=38 {
        for value in [0, 1, -1, 10_i128.pow(scale.into()).min(LARGEST), LARGEST, -LARGEST] {
            assert_eq!(parse_decimal(&decimal_text(value, scale).unwrap(), scale), Some(value));
        }
    }
}

proptest! {
    #[test]
    fn times_and_timestamps_come_back(day in DAYS, micros in 0..DAY) {
        prop_assert_eq!(parse_time(&time_text(micros).unwrap()), Some(micros));
        let moment = i64::from(day) * DAY + micros;
        prop_assert_eq!(parse_timestamp(&timestamp_text(moment).unwrap()), Some(moment));
    }

    #[test]
    fn decimals_come_back(value in -LARGEST..=LARGEST, shift in 0..38_u32, scale in 0..=38_u8) {
        let value = value / 10_i128.pow(shift);
        prop_assert_eq!(parse_decimal(&decimal_text(value, scale).unwrap(), scale), Some(value));
    }

    /// A text with one byte changed is another value's, or nobody's.
    #[test]
    fn a_changed_byte_is_another_value_or_none(day in DAYS, micros in 0..DAY, at in 0..27_usize, byte in b'+'..=b'a') {
        let changed = |text: &[u8]| {
            let mut text = text.to_vec();
            let length = text.len();
            text[at % length] = byte;
            text
        };
        let date = changed(&date_text(day).unwrap());
        check_exact(&date, parse_date(&date), |days| date_text(*days));
        let time = changed(&time_text(micros).unwrap());
        check_exact(&time, parse_time(&time), |micros| time_text(*micros));
        let moment = changed(&timestamp_text(i64::from(day) * DAY + micros).unwrap());
        check_exact(&moment, parse_timestamp(&moment), |moment| timestamp_text(*moment));
        let decimal = changed(&decimal_text(micros.into(), 6).unwrap());
        check_exact(&decimal, parse_decimal(&decimal, 6), |value| decimal_text(*value, 6));
    }
}
