//! Moments, days and times of day, from their RFC 3339 text.

use crate::decode::string::shown;

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// From 0000-03-01, where the years that end in February begin to be counted, to 1970-01-01.
const DAYS_TO_1970: u32 = 719_468;

/// Microseconds since 1970-01-01T00:00:00Z. A zone is demanded (`Z`, `+01:00` or `+0100`); digits finer than microseconds
/// are cut off. `None` for anything else, or when the moment in UTC lies outside the years 1 to 9999.
#[inline]
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    moment(text).filter(|moment| (MIN_TIMESTAMP..=MAX_TIMESTAMP).contains(moment))
}

/// Whether a text that is no [`timestamp`] is a moment all the same, in a year before 1 or after 9999 of UTC.
#[cold]
pub(crate) fn is_beyond_years(text: &str) -> bool {
    match text.strip_prefix("0000") {
        // A year of as many days stands for the year 0, which the calendar of columns does not have.
        Some(rest) => moment(&format!("0004{rest}")).is_some(),
        None => moment(text).is_some(),
    }
}

/// As [`timestamp`], and up to a day beyond its years.
#[inline]
fn moment(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = i64::from(date(day)?);
    if !matches!(rest.as_bytes().first()?, b'T' | b't' | b' ') {
        return None;
    }
    let (micros, zone) = clock(rest.get(1..)?)?;
    Some((days * SECONDS_PER_DAY - offset_seconds(zone)?) * MICROSECONDS_PER_SECOND + micros)
}

/// What is said of a text that is no [`timestamp`].
#[cold]
pub(crate) fn refused(text: &str) -> String {
    format!(
        "[{}] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,9}}Z]",
        shown(text)
    )
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
    let [century, year, month, day] = pairs([y1, y2, y3, y4, m1, m2, d1, d2])?;
    let year = century * 100 + year;
    let valid = year > 0 && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    valid.then(|| days_since_1970(year, month, day))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Years are taken to begin with March: then the leap day is the last, and months begin every 30.6 days.
fn days_since_1970(year: u32, month: u32, day: u32) -> i32 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let before_month = (month * 306 + 5) / 10;
    (before_year + before_month + day - 1).cast_signed() - DAYS_TO_1970.cast_signed()
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
    let [hour, minute, second, _] = pairs([h1, h2, m1, m2, s1, s2, b'0', b'0'])?;
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
    let (sign, digits) = match *zone.as_bytes() {
        [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, [h1, h2, m1, m2, b'0', b'0', b'0', b'0']),
        _ => return None,
    };
    let [hour, minute, ..] = pairs(digits)?;
    let seconds = i64::from(hour * 3600 + minute * 60);
    match sign {
        _ if hour > 23 || minute > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// The four numbers that eight digits make, two digits each; `None` if anything else is among them.
///
/// All bytes are looked at together. Digits are 0x30 to 0x39: their high half is 3, and still is when 6 is added.
#[inline]
fn pairs(bytes: [u8; 8]) -> Option<[u32; 4]> {
    const HIGH_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const THREES: u64 = 0x3030_3030_3030_3030;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    const EVERY_OTHER: u64 = 0x000F_000F_000F_000F;
    let word = u64::from_le_bytes(bytes);
    if word & HIGH_HALVES != THREES || word.wrapping_add(SIXES) & HIGH_HALVES != THREES {
        return None;
    }
    let numbers = (word & EVERY_OTHER) * 10 + ((word >> 8) & EVERY_OTHER);
    Some([0, 16, 32, 48].map(|shift| ((numbers >> shift) & 0xFF) as u32))
}
