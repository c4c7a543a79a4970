//! What the queue remembers of an input: committed together with each batch of it, so that a load goes on exactly where it
//! was stopped.

use selvedge::{Cursor, Engine, IntegrationName};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::LoadArgs;
use crate::error::Error;
use crate::input::Material;
use crate::input::lines::Place;
use crate::input::records::RecordFormat;
use crate::input::sequence::Numbering;
use crate::input::snapshot::Snapshot;

/// The version of [`State`] as it is stored.
const FORMAT: u32 = 1;

/// How far an input is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) stage: Stage,
    /// Where to read on.
    pub(crate) next: Place,
    /// How many plain records stand before that; 0 in an input of batches.
    pub(crate) records: u64,
    /// The destinations the input is loaded into.
    pub(crate) destinations: Vec<String>,
    pub(crate) layout: Layout,
}

/// What is done already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// A part of it is in the queue.
    Reading,
    /// All of it is in the queue, or has been.
    Accepted,
    /// All of it is in the destinations.
    Loaded,
}

/// What an input consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layout {
    Batches,
    Records(Box<RecordFormat>),
}

/// A state as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored<S> {
    format: u32,
    #[serde(flatten)]
    state: S,
}

/// Any version of it.
#[derive(Deserialize)]
struct Unknown {}

/// The name under which the queue remembers an input: its content, and all that decides what is made of it. A stream is not
/// remembered.
pub(crate) fn source_name(material: &Material, args: &LoadArgs) -> Option<String> {
    let Material::File(Snapshot { bytes, digest, .. }) = material else { return None };
    let LoadArgs { integration, table, key, sequence, .. } = args;
    let integration = integration.as_ref().map(IntegrationName::as_str);
    let options = json!({"integration": integration, "table": table, "key": key, "sequence": sequence});
    Some(format!("file xxh3:{digest:032x} bytes:{bytes} {options}"))
}

impl State {
    /// Numbers plain records from here on, if they are numbered by their arrival and have no numbers yet. A file that is
    /// loaded again keeps those it had, so that it does not win over what came after it.
    pub(crate) fn number_from(&mut self, sequence: i64) {
        if let Layout::Records(format) = &mut self.layout
            && let Numbering::Arrival { first } = &mut format.numbering
            && *first == 0
        {
            *first = sequence;
        }
    }

    /// The number the next plain record gets by its arrival; the lowest there is if that is not how they are numbered.
    pub(crate) fn next_arrival(&self) -> i64 {
        if let Layout::Records(format) = &self.layout
            && let Numbering::Arrival { first } = &format.numbering
        {
            return first.saturating_add_unsigned(self.records);
        }
        i64::MIN
    }

    /// What the queue remembers of a source.
    pub(crate) fn recall(engine: &Engine, source: &str) -> Result<Option<Self>, Error> {
        engine.cursor(source)?.map(|text| Self::from_text(&text)).transpose()
    }

    fn from_text(text: &str) -> Result<Self, Error> {
        let Stored { format, state: Unknown {} } = serde_json::from_str(text).map_err(unknown)?;
        if format != FORMAT {
            return Err(unknown(format!("its format is {format}, this selvedge knows {FORMAT}")));
        }
        let Stored { format: _, state } = serde_json::from_str(text).map_err(unknown)?;
        Ok(state)
    }

    /// The state for the queue to remember.
    pub(crate) fn cursor(&self, source: &str) -> Result<Cursor, Error> {
        let stored = Stored { format: FORMAT, state: self };
        let state = serde_json::to_string(&stored).map_err(|cause| {
            Error::failed("how far the input is cannot be written down; please report it").because(cause)
        })?;
        Ok(Cursor { source: source.to_owned(), state })
    }
}

fn unknown(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let message = "how far this queue is with the input was written down by another version of selvedge; use that version, \
                   or a new queue folder with --data";
    Error::failed(message).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let format = RecordFormat {
            table: "t".to_owned(),
            keys: vec!["id".to_owned()],
            schema: json!({"type": "object", "properties": {"b": {}, "a": {}}}),
            numbering: Numbering::Moments { column: "at".to_owned() },
        };
        for layout in [Layout::Batches, Layout::Records(Box::new(format))] {
            let state = State {
                stage: Stage::Reading,
                next: Place { byte: 12, line: 3 },
                records: 2,
                destinations: vec!["sqlite:demo.db".to_owned()],
                layout,
            };
            assert_eq!(State::from_text(&state.cursor("x").unwrap().state).unwrap(), state);
        }
    }

    #[test]
    fn another_format_is_refused() {
        for text in [r#"{"format":2,"new":true}"#, r#"{"format":1}"#, "{}", ""] {
            let error = State::from_text(text).unwrap_err();
            assert!(error.with_causes().contains("another version of selvedge; use that version"), "{text}: {error:?}");
        }
    }
}
