//! Decode, dedupe, plan and shape: pure functions from batches to loads.
//!
//! [`decode()`] turns the body of a batch into typed columns, [`prepare()`] turns the decoded batches of a table into the
//! one [`TableLoad`](selvedge_core::TableLoad) that brings them to a destination. [`redact()`] leaves out and hashes what is
//! not to be stored, [`replay_body`] and [`erased_body`] write the body of a batch anew with some of its messages. No I/O, no
//! clock, no thread.
//!
//! ```text
//! schema/    a JSON Schema ─► what records may hold, compiled for decoding
//! decode/    the text of a batch ─► columns, one pass
//! redact/    the text of a batch ─► the same without what is not to be stored
//! body.rs    the text of a batch ─► the same with some of its messages
//! prepare/   columns ─► rejects ─► dedupe ─► the root, then each subtable: placement (which column), shape (rows, changes)
//! ```
//!
//! In `prepare/`, `part.rs` has what is left to load of a batch, `activations.rs` which version of the table counts, `sheet.rs`
//! what comes to one table, `elements.rs` the same of arrays, `names.rs` the rule for names, `placement.rs` the one for types, and
//! `policy.rs` what a program may say about all of it.

mod body;
mod decode;
mod prepare;
mod records;
mod redact;
mod refusal;
mod schema;

pub use body::{erased_body, replay_body};
pub use decode::{MAX_RECORDS, decode, decode_rejecting};
pub use prepare::datetime_text;
pub use prepare::generated_key::generated_key;
pub use prepare::policy::{ChangedTypes, DeclaredColumns, Deletes, FirstType, Loading, NewColumns, Policy};
pub use prepare::{Blocked, LoadContext, Pending, ignored_activations, prepare};
pub use records::{Action, Elements, RecordColumn, Records, Rejection, Typing};
pub use redact::{
    ColumnRuleError, ColumnRules, EmptySecret, MissingSecret, Redaction, Secret, redact, redacted_schema,
};
pub use refusal::Refusal;
pub use schema::Schemas;
