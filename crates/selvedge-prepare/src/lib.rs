//! Decode, dedupe, plan and shape: pure functions from batches to loads.
//!
//! [`decode()`] turns the body of a batch into typed columns, [`prepare()`] turns the decoded batches of a table into the
//! one [`TableLoad`](selvedge_core::TableLoad) that brings them to a destination. [`redact()`] leaves out and hashes what is
//! not to be stored. No I/O, no clock, no thread.
//!
//! ```text
//! parts ─► rejects ─► dedupe ─► the root, then each subtable: placement (which column) ─► shape (rows, changes)
//! ```
//!
//! `part.rs` has what is left to load of a batch, `sheet.rs` what comes to one table, `elements.rs` the same of arrays,
//! `names.rs` the rule for names, `placement.rs` the one for types, and `policy.rs` what a program may say about both.

mod allowed;
mod array;
mod convert;
mod datetime;
mod datetime_text;
mod decimal;
mod decode;
mod dedupe;
mod digits;
mod elements;
mod extra;
mod generated_key;
mod json_type;
mod keys;
mod leaf;
mod limits;
mod member;
mod messages;
mod names;
mod number;
mod object;
mod part;
mod pattern;
mod placement;
mod plan;
mod policy;
mod prepare;
mod reading;
mod record_text;
mod record_type;
mod records;
mod redact;
mod refusal;
mod rejects;
mod root;
mod rules;
mod scanner;
mod schema;
mod shape;
mod sheet;
mod slot;
mod string;
mod subtables;

pub use decode::decode;
pub use messages::MAX_RECORDS;
pub use policy::{ChangedTypes, DeclaredColumns, FirstType, NewColumns, Policy};
pub use prepare::{Blocked, LoadContext, Pending, prepare};
pub use records::{Elements, RecordColumn, Records, Rejection, Typing};
pub use redact::{ColumnRuleError, ColumnRules, EmptySecret, MissingSecret, Redaction, Secret, redact};
pub use refusal::Refusal;
pub use schema::Schemas;
