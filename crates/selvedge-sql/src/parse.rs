//! Values from their exact text: what [`text`](crate::text) writes, and nothing else.
//!
//! Each reads loosely, writes what it read again, and compares: so a text has a value only if it is that value's text.

use std::fmt;

use selvedge_core::DECIMAL_PRECISION;

use crate::text::{MICROS_PER_DAY, MICROS_PER_SECOND, date_text, time_text, timestamp_text, write_decimal};

/// The microseconds since 1970-01-01T00:00:00Z that [`timestamp_text`] writes as this.
pub fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let days = parse_date(text.get(..10)?)?;
    let micros = i64::from(days) * MICROS_PER_DAY + parse_time(text.get(11..26)?)?;
    (timestamp_text(micros)?.as_slice() == text).then_some(micros)
}

/// The days since 1970-01-01 that [`date_text`] writes as this.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let part = |range| number(text.get(range)?);
    let days = i32::try_from(days(part(0..4)?, part(5..7)?, part(8..10)?)).ok()?;
    (date_text(days)?.as_slice() == text).then_some(days)
}

/// The microseconds since midnight that [`time_text`] writes as this.
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let part = |range| number(text.get(range)?);
    let seconds = (part(0..2)? * 60 + part(3..5)?) * 60 + part(6..8)?;
    let micros = seconds * MICROS_PER_SECOND + part(9..15)?;
    (time_text(micros)?.as_slice() == text).then_some(micros)
}

/// The value of 38 digits that [`write_decimal`] writes as this, with this scale.
pub fn parse_decimal(text: &[u8], scale: u8) -> Option<i128> {
    let mut digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let magnitude = digits.try_fold(0, |value, digit| add_digit(value, *digit))?;
    let value = if text.starts_with(b"-") { -magnitude } else { magnitude };
    let mut rest = Rewritten(text);
    write_decimal(&mut rest, value, scale).ok()?;
    (rest.0.is_empty() && magnitude < 10_i128.pow(DECIMAL_PRECISION.into())).then_some(value)
}

fn add_digit(value: i128, digit: u8) -> Option<i128> {
    value.checked_mul(10)?.checked_add((digit - b'0').into())
}

/// What is left of a text that is being written again.
struct Rewritten<'a>(&'a [u8]);

impl fmt::Write for Rewritten<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(text.as_bytes()).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Days since 1970-01-01, from year, month and day of the proleptic Gregorian calendar. Years are counted from March, as
/// where they are written.
fn days(year: i64, month: i64, day: i64) -> i64 {
    const DAYS_TO_MARCH_OF_YEAR_0: i64 = -719_468;
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    DAYS_TO_MARCH_OF_YEAR_0 + 365 * year + leap_days + day_of_year
}
