//! A piece of an input that becomes one batch, or the reason why there is none.

use std::io;

/// A piece of an input, ready to be a batch.
#[derive(Debug)]
pub(crate) struct Piece {
    /// A batch of the Import API.
    pub(crate) body: Vec<u8>,
    pub(crate) origin: Origin,
}

/// Where a piece stood.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A batch that begins on this line.
    Batch(u64),
    /// Plain records: the line of each, and how many records of the input came before.
    Records { lines: Vec<u64>, before: u64 },
}

/// Why there is no next piece.
#[derive(Debug)]
pub(crate) enum Trouble {
    Unreadable(io::Error),
    Bad(BadPiece),
}

/// Something that is no batch or no record.
#[derive(Debug)]
pub(crate) struct BadPiece {
    pub(crate) line: u64,
    /// The record's index in the input, if it is one of plain records.
    pub(crate) record: Option<u64>,
    /// The place in the record, as a JSON pointer.
    pub(crate) pointer: String,
    pub(crate) reason: String,
    /// Where the piece would have begun.
    pub(crate) first_line: u64,
}

impl Origin {
    /// The line the piece begins on.
    pub(crate) fn first_line(&self) -> u64 {
        match self {
            Self::Batch(line) => *line,
            Self::Records { lines, .. } => lines.first().copied().unwrap_or_default(),
        }
    }

    /// How many plain records it holds.
    pub(crate) fn plain_records(&self) -> u64 {
        match self {
            Self::Batch(_) => 0,
            Self::Records { lines, .. } => lines.len() as u64,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}
