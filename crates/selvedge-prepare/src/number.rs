//! Numbers, from their JSON text to exact values.

/// The significant digits and the exponent of a number's text: its value is `digits × 10^exponent`.
struct Parts {
    negative: bool,
    digits: u128,
    exponent: i32,
}

/// The integer a number's text stands for: `5`, `5.0` and `5e0` alike. `None` when it is not whole or beyond 64 bits;
/// [`is_whole`] tells which.
#[inline]
pub(crate) fn integer(text: &str) -> Option<i64> {
    small_integer(text).or_else(|| i64::try_from(scaled(text, 0)?).ok())
}

/// Whether a number's text stands for a whole number, however large.
pub(crate) fn is_whole(text: &str) -> bool {
    let mantissa_end = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(mantissa_end);
    let exponent: i64 = exponent.get(1..).map_or(0, |digits| digits.parse().unwrap_or_else(|_| beyond(digits)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let zeros_at_end = (whole.len() - whole.trim_end_matches('0').len()) as i64;
    let zero = fraction.is_empty() && whole.trim_start_matches('-').trim_matches('0').is_empty();
    zero || if fraction.is_empty() { exponent >= -zeros_at_end } else { exponent >= fraction.len() as i64 }
}

/// What stands for an exponent too long to be read.
fn beyond(exponent: &str) -> i64 {
    if exponent.starts_with('-') { i64::MIN } else { i64::MAX }
}

/// The value times `10^scale` as an integer of at most 38 digits; `None` when that is not whole or too large.
#[inline]
pub(crate) fn scaled(text: &str, scale: u8) -> Option<i128> {
    let Parts { negative, mut digits, mut exponent } = parts(text).or_else(|| parts(&canonical(text)?))?;
    if digits == 0 {
        return Some(0);
    }
    exponent = exponent.checked_add(i32::from(scale))?;
    while exponent < 0 {
        if digits % 10 != 0 {
            return None;
        }
        digits /= 10;
        exponent += 1;
    }
    if exponent > 38 {
        return None;
    }
    let value = digits.checked_mul(10_u128.checked_pow(exponent.unsigned_abs())?)?;
    if value >= 10_u128.pow(38) {
        return None;
    }
    let value = value.cast_signed();
    Some(if negative { -value } else { value })
}

/// The text without an exponent, superfluous zeros or a sign of zero; `None` beyond 1,000 digits.
pub(crate) fn canonical(text: &str) -> Option<String> {
    const MAX_DIGITS: i64 = 1_000;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // Where the point stands, counted from the first significant digit.
    let point = whole.len() as i64 - (digits.len() - significant.len()) as i64 + exponent;
    let significant = significant.trim_end_matches('0');
    let length = significant.len() as i64;
    if length > MAX_DIGITS || point.abs() > MAX_DIGITS {
        return None;
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    Some(if point <= 0 {
        format!("{sign}0.{}{significant}", zeros(-point))
    } else if point >= length {
        format!("{sign}{significant}{}", zeros(point - length))
    } else {
        let (whole, fraction) = significant.split_at(usize::try_from(point).unwrap_or(0));
        format!("{sign}{whole}.{fraction}")
    })
}

/// The nearest double; `None` beyond its range.
#[inline]
pub(crate) fn double(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Plain digits that cannot overflow: nearly every integer there is.
fn small_integer(text: &str) -> Option<i64> {
    let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
    if digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value * sign)
}

fn parts(text: &str) -> Option<Parts> {
    let mut parts = Parts { negative: text.starts_with('-'), digits: 0, exponent: 0 };
    let mut fraction = false;
    let mut bytes = text.bytes().skip(usize::from(parts.negative));
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => fraction = true,
            b'e' | b'E' => {
                let exponent = text.get(text.len() - bytes.len()..)?;
                parts.exponent = parts.exponent.checked_add(exponent.parse().ok()?)?;
                break;
            }
            _ => push_digit(&mut parts, byte - b'0', fraction)?,
        }
    }
    Some(parts)
}

fn push_digit(parts: &mut Parts, digit: u8, fraction: bool) -> Option<()> {
    parts.digits = parts.digits.checked_mul(10)?.checked_add(u128::from(digit))?;
    parts.exponent = parts.exponent.checked_sub(i32::from(fraction))?;
    Some(())
}
