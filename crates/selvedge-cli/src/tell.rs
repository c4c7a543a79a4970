//! Telling what a command did.

use std::io::{self, Write};

use crate::error::Error;

/// Writes lines about what is done to standard output.
///
/// # Errors
/// When they cannot be written. What they tell is done all the same.
pub(crate) fn tell(lines: &[String]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .map_err(|cause| Error::failed("what was done cannot be written; everything else is done").because(cause))
}
