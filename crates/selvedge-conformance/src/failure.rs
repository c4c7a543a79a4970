//! Why a check does not hold.

use std::error::Error;
use std::fmt;

/// What was expected and what was found, for the author of a destination.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What a check comes to.
pub(crate) type Checked = Result<(), Failure>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// The same failure, with what was being done before it.
    pub(crate) fn during(self, doing: impl fmt::Display) -> Self {
        Self(format!("{doing}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Any error on the way is a failure, told with its causes.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self(text)
    }
}

/// Fails with `what` unless `holds`.
pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Failure(what())) }
}

/// Fails unless what was found is what was expected; `of` says of what.
pub(crate) fn ensure_equal<T: PartialEq + fmt::Debug>(found: &T, expected: &T, of: impl fmt::Display) -> Checked {
    ensure(found == expected, || format!("{of}: expected {expected:?}, found {found:?}"))
}
