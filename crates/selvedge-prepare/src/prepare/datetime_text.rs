//! Moments, days and times of day as text.

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A moment in RFC 3339, UTC: `2026-11-23T23:59:59.000001Z`. `micros` counts microseconds since 1970-01-01T00:00:00Z.
pub fn timestamp(micros: i64) -> String {
    let (days, time_of_day) = (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY));
    format!("{}T{}Z", date(days), time(time_of_day))
}

/// A day of the calendar: `2026-11-23`. `days` counts days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year; an era is the calendar's period of 400 years.
pub fn date(days: i64) -> String {
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
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time of day: `23:59:59.000001`. `micros` counts microseconds since midnight.
pub fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    format!("{:02}:{:02}:{:02}.{fraction:06}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
