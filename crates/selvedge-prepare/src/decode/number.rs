//! Numbers, from their JSON text to exact values.

use crate::decode::json_type::JsonType;

/// The most digits a [`Small`] number has: any 18 of them fit 64 bits.
pub(crate) const MAX_SMALL_DIGITS: usize = 18;

/// A number whose grammar was checked and whose digits were added up while its text was passed.
#[derive(Clone, Copy)]
pub(crate) struct Number<'a> {
    pub(crate) text: &'a str,
    /// Its value, if that is small; nearly all are.
    pub(crate) small: Option<Small>,
}

/// `digits / 10^fraction`, of at most [`MAX_SMALL_DIGITS`] digits in all.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    pub(crate) digits: i64,
    pub(crate) fraction: usize,
}

impl Number<'_> {
    pub(crate) fn json_type(self) -> JsonType {
        if is_whole(self.text) { JsonType::Integer } else { JsonType::Double }
    }

    /// The integer this is: `5`, `5.0` and `5e0` alike. `None` when it is not whole or beyond 64 bits; [`json_type`]
    /// tells which.
    ///
    /// [`json_type`]: Self::json_type
    #[inline]
    pub(crate) fn integer(self) -> Option<i64> {
        match self.small {
            Some(Small { digits, fraction: 0 }) => Some(digits),
            _ => i64::try_from(scaled(self.text, 0)?).ok(),
        }
    }

    /// As [`scaled`].
    #[inline]
    pub(crate) fn scaled(self, scale: u8) -> Option<i128> {
        self.small.and_then(|small| small.scaled(scale)).or_else(|| scaled(self.text, scale))
    }

    /// The nearest double; `None` beyond its range. Zero has no sign, so that it is one key in every destination.
    #[inline]
    pub(crate) fn double(self) -> Option<f64> {
        let value = match self.small.and_then(Small::double) {
            Some(value) => value,
            None => self.text.parse::<f64>().ok()? + 0.0,
        };
        value.is_finite().then_some(value)
    }
}

impl Small {
    fn scaled(self, scale: u8) -> Option<i128> {
        let power = POWERS.get(usize::from(scale).checked_sub(self.fraction)?)?;
        Some(i128::from(self.digits).wrapping_mul(i128::from(*power)))
    }

    /// Both sides of the division are exact up to 2^53, so its result is the nearest double.
    fn double(self) -> Option<f64> {
        let power = POWERS.get(self.fraction)?;
        (self.digits.unsigned_abs() < 1 << 53).then(|| self.digits as f64 / *power as f64)
    }
}

/// Powers of ten, by exponent.
const POWERS: [i64; MAX_SMALL_DIGITS + 1] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
];

/// The value of a number's text times `10^scale`, as an integer of at most 38 digits; `None` when that is not whole or too
/// large.
pub(crate) fn scaled(text: &str, scale: u8) -> Option<i128> {
    let exact = canonical(text)?;
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    let zeros = usize::from(scale).checked_sub(fraction.len())?;
    let digits = format!("{whole}{fraction}{}", "0".repeat(zeros));
    digits.parse().ok().filter(|value: &i128| value.unsigned_abs() < 10_u128.pow(38))
}

/// Whether a number's text stands for a whole number, however large.
fn is_whole(text: &str) -> bool {
    let (mantissa, exponent) = mantissa_and_exponent(text);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        return exponent >= fraction.len() as i64;
    }
    let digits = whole.trim_start_matches(['-', '0']);
    let zeros_at_end = digits.len() - digits.trim_end_matches('0').len();
    digits.is_empty() || exponent >= -(zeros_at_end as i64)
}

/// The text of a JSON number without an exponent, superfluous zeros or a sign of zero, so that two of one value are alike; `None`
/// beyond 1,000 digits on either side of the point.
pub fn canonical(text: &str) -> Option<String> {
    const MAX_DIGITS: i64 = 1_000;
    let (mantissa, exponent) = mantissa_and_exponent(text);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // Where the point stands, counted from the first significant digit.
    let point = exponent.saturating_add(whole.len() as i64 - (digits.len() - significant.len()) as i64);
    let significant = significant.trim_end_matches('0');
    let length = significant.len() as i64;
    if point > MAX_DIGITS || length.saturating_sub(point) > MAX_DIGITS {
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

/// The two sides of a number's `e`. An exponent too long to be read is as good as the longest that can be.
fn mantissa_and_exponent(text: &str) -> (&str, i64) {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return (text, 0) };
    let beyond = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    (mantissa, exponent.parse().unwrap_or(beyond))
}
