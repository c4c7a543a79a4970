//! How a command ended.

use std::process::ExitCode;

use crate::error::{Error, ErrorKind};

/// How a command ended that went its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is as it should be.
    Good,
    /// Records were refused or rejected; the rest is loaded.
    NotAllGood,
    /// Something is in the way of records that are in the queue.
    Waiting,
    /// A destination does not hold what it should.
    DoesNotHold,
    /// Somebody ended it, with this signal; what was accepted is in the queue.
    Stopped(u8),
}

impl Ending {
    /// The code the command ends with.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Good => 0,
            Self::Waiting => FAILED,
            Self::NotAllGood => 3,
            Self::DoesNotHold => 4,
            Self::Stopped(signal) => 128 + signal,
        })
    }
}

/// Something failed.
const FAILED: u8 = 1;
/// The command cannot be carried out as it was written; clap ends with the same code.
const WRONG_USAGE: u8 = 2;

impl Error {
    /// The code a command ends with that could not be carried out.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind() {
            ErrorKind::Usage => WRONG_USAGE,
            ErrorKind::Failed => FAILED,
        })
    }
}
