//! The exact text of values, where a destination stores text.
//!
//! All are ASCII and need no allocation: a destination writes several of them for every row.

use std::fmt;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A moment in RFC 3339, UTC, with exactly six digits of fraction: `2026-11-23T23:59:59.000001Z`.
///
/// `micros` counts microseconds since 1970-01-01T00:00:00Z. `None` outside the years 0 to 9999.
pub fn timestamp_text(micros: i64) -> Option<[u8; 27]> {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let days = i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?;
    text[..10].copy_from_slice(&date_text(days)?);
    text[11..26].copy_from_slice(&time_text(micros.rem_euclid(MICROS_PER_DAY))?);
    Some(text)
}

/// A day of the calendar: `2026-11-23`.
///
/// `days` counts days since 1970-01-01. `None` outside the years 0 to 9999.
pub fn date_text(days: i32) -> Option<[u8; 10]> {
    let (year, month, day) = calendar(i64::from(days));
    if !(0..=9999).contains(&year) {
        return None;
    }
    let mut text = *b"0000-00-00";
    text[..2].copy_from_slice(&two_digits(year / 100));
    text[2..4].copy_from_slice(&two_digits(year));
    text[5..7].copy_from_slice(&two_digits(month));
    text[8..].copy_from_slice(&two_digits(day));
    Some(text)
}

/// A time of day with exactly six digits of fraction: `23:59:59.000001`.
///
/// `micros` counts microseconds since midnight. `None` outside one day.
pub fn time_text(micros: i64) -> Option<[u8; 15]> {
    if !(0..MICROS_PER_DAY).contains(&micros) {
        return None;
    }
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    let mut text = *b"00:00:00.000000";
    text[..2].copy_from_slice(&two_digits(seconds / 3_600));
    text[3..5].copy_from_slice(&two_digits(seconds / 60 % 60));
    text[6..8].copy_from_slice(&two_digits(seconds % 60));
    text[9..11].copy_from_slice(&two_digits(fraction / 10_000));
    text[11..13].copy_from_slice(&two_digits(fraction / 100));
    text[13..].copy_from_slice(&two_digits(fraction));
    Some(text)
}

/// Writes the decimal `value / 10^scale` with exactly `scale` digits after the point and no exponent: `-0.50`.
///
/// # Errors
/// When `out` fails, or `scale` is above 38.
pub fn write_decimal(out: &mut impl fmt::Write, value: i128, scale: u8) -> fmt::Result {
    let unit = 10_u128.checked_pow(scale.into()).ok_or(fmt::Error)?;
    let digits = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    write!(out, "{sign}{}", digits / unit)?;
    if scale > 0 {
        write!(out, ".{:0width$}", digits % unit, width = usize::from(scale))?;
    }
    Ok(())
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year and month lengths repeat in fives; an era
/// is the calendar's period of 400 years.
fn calendar(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    const MARCH_OF_YEAR_0: i64 = -719_468;
    let days = days - MARCH_OF_YEAR_0;
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = days.div_euclid(DAYS_PER_ERA) * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// The last two digits of a number that is not negative.
fn two_digits(number: i64) -> [u8; 2] {
    let digit = |number: i64| b"0123456789".get((number % 10) as usize).copied().unwrap_or(b'0');
    [digit(number / 10), digit(number)]
}
