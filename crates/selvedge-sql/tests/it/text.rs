//! The text of values, at the edges of what they hold.

use selvedge_sql::{date_text, time_text, timestamp_text, write_decimal};

const DAY: i64 = 86_400_000_000;

#[track_caller]
fn check_timestamp(micros: i64, expected: &str) {
    let text = timestamp_text(micros).expect("within the years");
    assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
}

#[track_caller]
fn check_decimal(value: i128, scale: u8, expected: &str) {
    let mut text = String::new();
    write_decimal(&mut text, value, scale).unwrap();
    assert_eq!(text, expected);
}

#[test]
fn timestamps_have_six_digits_and_a_z() {
    check_timestamp(0, "1970-01-01T00:00:00.000000Z");
    check_timestamp(-1, "1969-12-31T23:59:59.999999Z");
    check_timestamp(1_795_478_399_000_001, "2026-11-23T23:59:59.000001Z");
    check_timestamp(951_782_400_123_456, "2000-02-29T00:00:00.123456Z");
    check_timestamp(-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z");
    check_timestamp(253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z");
}

#[test]
fn a_timestamp_beyond_four_digits_of_year_has_no_text() {
    assert_eq!(timestamp_text(253_402_300_800_000_000), None);
    assert_eq!(timestamp_text(i64::MAX), None);
    assert_eq!(timestamp_text(i64::MIN), None);
}

#[test]
fn consecutive_days_are_consecutive_in_the_calendar() {
    const FIRST: i32 = -719_162;
    const PERIOD: i32 = 146_097;
    let mut expected = (1, 1, 1);
    for days in FIRST..FIRST + PERIOD {
        let (year, month, day) = expected;
        let text = date_text(days).expect("within the years");
        assert_eq!(std::str::from_utf8(&text).unwrap(), format!("{year:04}-{month:02}-{day:02}"));
        expected = day_after(expected);
    }
    assert_eq!(expected, (401, 1, 1), "the calendar's whole period");
}

fn day_after((year, month, day): (i32, u32, u32)) -> (i32, u32, u32) {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        (_, day) if day == last => (year, month + 1, 1),
        _ => (year, month, day + 1),
    }
}

#[test]
fn a_date_beyond_four_digits_of_year_has_no_text() {
    assert_eq!(date_text(2_932_896).as_ref(), Some(b"9999-12-31"));
    assert_eq!(date_text(2_932_897), None);
    assert_eq!(date_text(i32::MIN), None);
}

#[test]
fn times_have_six_digits() {
    assert_eq!(time_text(0).as_ref(), Some(b"00:00:00.000000"));
    assert_eq!(time_text(DAY - 1).as_ref(), Some(b"23:59:59.999999"));
    assert_eq!(time_text(45_296_000_780).as_ref(), Some(b"12:34:56.000780"));
    assert_eq!(time_text(DAY), None);
    assert_eq!(time_text(-1), None);
}

#[test]
fn decimals_keep_their_scale() {
    check_decimal(0, 0, "0");
    check_decimal(0, 2, "0.00");
    check_decimal(-50, 2, "-0.50");
    check_decimal(14_563_693, 2, "145636.93");
    check_decimal(1, 38, "0.00000000000000000000000000000000000001");
    check_decimal(10_i128.pow(38) - 1, 0, "99999999999999999999999999999999999999");
    check_decimal(1 - 10_i128.pow(38), 2, "-999999999999999999999999999999999999.99");
}
