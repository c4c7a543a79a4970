//! What becomes of the rows of a stored file: rows of the next generation, or those that a reader sees.

use std::error::Error;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use selvedge_core::{Part, TableState, schema};

use crate::columns::Columns;
use crate::nested::{Nested, unnested};
use crate::part;

/// What becomes of stored rows.
#[derive(Debug)]
pub(crate) enum Reshape<'a> {
    /// They get other columns.
    Flat(Columns),
    /// They and the subrows nested in them get other columns.
    Nested(Nested<'a>),
    /// Those of a part come out of the nested rows of a table that stands so.
    Unnested(&'a TableState, Part<'a>),
}

impl Reshape<'_> {
    /// The Arrow schema of what becomes of them.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Flat(columns) => columns.schema().clone(),
            Self::Nested(nested) => nested.schema().clone(),
            Self::Unnested(state, part) => schema(&part::columns(state, *part)),
        }
    }

    /// Whether they differ from what becomes of them.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Self::Flat(columns) => columns.changes(),
            Self::Nested(nested) => nested.changes(),
            Self::Unnested(..) => true,
        }
    }

    /// What becomes of them.
    pub(crate) fn apply(&self, stored: &RecordBatch) -> Result<RecordBatch, Box<dyn Error + Send + Sync>> {
        Ok(match self {
            Self::Flat(columns) => columns.apply(stored)?,
            Self::Nested(nested) => nested.apply(stored)?,
            Self::Unnested(state, part) => unnested(stored, state, *part)?,
        })
    }
}
