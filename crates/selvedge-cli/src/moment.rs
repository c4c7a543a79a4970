//! Moments as people read them.

use chrono::{DateTime, SecondsFormat};

/// A number of microseconds since 1970 (UTC), to the second.
pub(crate) fn moment(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
