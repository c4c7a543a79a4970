//! Durations and sizes as people write them: a number and its unit.

use std::time::Duration;

/// A duration such as `30d`, `12h`, `15m` or `10s`.
///
/// # Errors
/// What to write instead, when it is none.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = quantity(text, &[("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]);
    seconds.map(Duration::from_secs).ok_or_else(|| "write a whole number and its unit: 30d, 12h, 15m or 10s".to_owned())
}

/// A number of bytes, such as `1GiB`, `512MiB` or `64KiB`.
///
/// # Errors
/// What to write instead, when it is none.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = quantity(text, &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]);
    bytes.ok_or_else(|| "write a whole number and its unit: 1GiB, 512MiB or 64KiB".to_owned())
}

/// How much of the least unit it is.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let (_, size) = units.iter().find(|(unit, _)| text.strip_prefix(digits) == Some(unit))?;
    digits.parse::<u64>().ok()?.checked_mul(*size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [("30d", 2_592_000), ("12h", 43_200), ("15m", 900), ("10s", 10), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "30", "30 d", "-1d", "1.5h", "1h30m", "30D", "300000000000000d", "9w", "１d"] {
            assert_eq!(
                duration(text).unwrap_err(),
                "write a whole number and its unit: 30d, 12h, 15m or 10s",
                "{text}"
            );
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [("1GiB", 1 << 30), ("512MiB", 512 << 20), ("64KiB", 64 << 10), ("0KiB", 0)] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "GiB", "1", "1GB", "1gib", "1 GiB", "17179869184GiB", "-1KiB"] {
            assert_eq!(bytes(text).unwrap_err(), "write a whole number and its unit: 1GiB, 512MiB or 64KiB", "{text}");
        }
    }

    /// What the command's help says is what the engine does.
    #[test]
    fn defaults() {
        assert_eq!(duration("30d"), Ok(selvedge::DEFAULT_REJECTED_KEPT));
        assert_eq!(bytes("1GiB"), Ok(selvedge::DEFAULT_PAUSED_LIMIT_BYTES));
    }
}
