//! Moments, days and times of day, from their RFC 3339 text.

use chrono::{Datelike, NaiveDate};

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_TO_1970: i32 = 719_163;

/// Microseconds since 1970-01-01T00:00:00Z. A zone is demanded (`Z`, `+01:00` or `+0100`); digits finer than microseconds
/// are cut off. `None` for anything else, or when the moment in UTC lies outside the years 1 to 9999.
#[inline]
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = i64::from(date(day)?);
    if !matches!(rest.as_bytes().first()?, b'T' | b't' | b' ') {
        return None;
    }
    let (micros, zone) = clock(rest.get(1..)?)?;
    let moment = (days * SECONDS_PER_DAY - offset_seconds(zone)?) * MICROSECONDS_PER_SECOND + micros;
    (MIN_TIMESTAMP..=MAX_TIMESTAMP).contains(&moment).then_some(moment)
}

/// 0001-01-01T00:00:00Z.
const MIN_TIMESTAMP: i64 = -62_135_596_800 * MICROSECONDS_PER_SECOND;
/// 9999-12-31T23:59:59.999999Z.
const MAX_TIMESTAMP: i64 = 253_402_300_800 * MICROSECONDS_PER_SECOND - 1;

/// Days since 1970-01-01 of `2026-11-23`.
#[inline]
pub(crate) fn date(text: &str) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *bytes else { return None };
    let year = two_digits(y1, y2)? * 100 + two_digits(y3, y4)?;
    let date = NaiveDate::from_ymd_opt(year.cast_signed(), two_digits(m1, m2)?, two_digits(d1, d2)?)?;
    (year > 0).then(|| date.num_days_from_ce() - DAYS_TO_1970)
}

/// Microseconds since midnight of `23:59:59.999999`. A trailing `Z` is let pass.
#[inline]
pub(crate) fn time(text: &str) -> Option<i64> {
    let (micros, rest) = clock(text)?;
    matches!(rest, "" | "Z" | "z").then_some(micros)
}

/// Microseconds since midnight, and what follows the time of day.
#[inline]
fn clock(text: &str) -> Option<(i64, &str)> {
    let (clock, mut rest) = text.split_at_checked(8)?;
    let bytes: &[u8; 8] = clock.as_bytes().try_into().ok()?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *bytes else { return None };
    let (hour, minute, second) = (two_digits(h1, h2)?, two_digits(m1, m2)?, two_digits(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut micros = i64::from(hour * 3600 + minute * 60 + second) * MICROSECONDS_PER_SECOND;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        micros += fraction_micros(fraction.as_bytes().get(..digits)?);
        rest = fraction.get(digits..)?;
    }
    Some((micros, rest))
}

fn fraction_micros(digits: &[u8]) -> i64 {
    let mut micros = 0;
    let mut unit = 100_000;
    for digit in digits.iter().take(6) {
        micros += i64::from(digit - b'0') * unit;
        unit /= 10;
    }
    micros
}

fn offset_seconds(zone: &str) -> Option<i64> {
    let (sign, hour, minute) = match *zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, two_digits(h1, h2)?, two_digits(m1, m2)?),
        _ => return None,
    };
    let seconds = i64::from(hour * 3600 + minute * 60);
    match sign {
        _ if hour > 23 || minute > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
    digits.then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}
