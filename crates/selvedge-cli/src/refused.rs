//! The record or batch that ended a load.

use std::fmt;

use selvedge::{EngineError, Refusal};
use serde::Serialize;

use crate::error::with_causes;
use crate::input::Input;
use crate::input::piece::{BadPiece, Origin};
use crate::load::SAMPLE_LINES;

/// What was refused, and where it stands. Serialized, it is the `refused` of the report.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    input: String,
    /// The line of the plain record, or the one its batch begins on.
    line: u64,
    /// The record's index, from 0: in an input of plain records, or in its batch. None when no single record is to blame.
    record: Option<u64>,
    /// The place in the record as a JSON pointer.
    pointer: String,
    reason: String,
    /// The first line that was not loaded.
    #[serde(skip)]
    first_line: u64,
    #[serde(skip)]
    hint: Option<&'static str>,
}

const HINT_FOR_BATCHES: &str = "If the input holds plain records instead of batches, name their table: --table NAME --key \
                                COLUMN.";
const HINT_FOR_STREAMS: &str = "The schema came from the first 10,000 lines; save standard input to a file and load that, to \
                                have it taken from all of them.";

impl Refused {
    /// A piece that did not even become a batch.
    pub(crate) fn piece(input: &Input, bad: BadPiece) -> Self {
        let BadPiece { line, record, pointer, reason, first_line } = bad;
        Self { input: input.to_string(), line, record, pointer, reason, first_line, hint: None }
    }

    /// A batch the engine refused.
    pub(crate) fn batch(input: &Input, origin: &Origin, error: &EngineError) -> Self {
        let refusal = error.refusal();
        let index = refusal.and_then(Refusal::record);
        let (line, record) = locate(origin, index);
        let hint = match (origin, input) {
            (Origin::Batch(_), _) if index.is_none() => Some(HINT_FOR_BATCHES),
            (Origin::Records { .. }, Input::Standard) if line > SAMPLE_LINES as u64 => Some(HINT_FOR_STREAMS),
            _ => None,
        };
        Self {
            input: input.to_string(),
            line,
            record,
            pointer: refusal.map(Refusal::pointer).unwrap_or_default().to_owned(),
            reason: refusal.map_or_else(|| with_causes(error), |refusal| refusal.reason().to_owned()),
            first_line: origin.first_line(),
            hint,
        }
    }
}

/// The line and the index to show for record number `index` of a piece.
fn locate(origin: &Origin, index: Option<u64>) -> (u64, Option<u64>) {
    match (origin, index) {
        (Origin::Records { lines, before }, Some(index)) => {
            let line = usize::try_from(index).ok().and_then(|index| lines.get(index));
            (line.copied().unwrap_or_else(|| origin.first_line()), Some(before + index))
        }
        _ => (origin.first_line(), index),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, line, record, pointer, reason, first_line, hint } = self;
        write!(f, "{input}, line {line}")?;
        if let Some(record) = record {
            write!(f, ", record {record}")?;
        }
        if !pointer.is_empty() {
            write!(f, ", at {pointer}")?;
        }
        writeln!(f, ": {reason}")?;
        write!(f, "The load ended there: ")?;
        match first_line {
            1 => write!(f, "nothing of {input} is loaded. Put it right and run the command again.")?,
            _ => write!(
                f,
                "what stands before line {first_line} is loaded, the rest is not. Put it right and run the command again: \
                 tables with a key take everything once more without a change; for tables without one, take out what \
                 stands before line {first_line} first."
            )?,
        }
        hint.map_or(Ok(()), |hint| write!(f, "\n{hint}"))
    }
}
