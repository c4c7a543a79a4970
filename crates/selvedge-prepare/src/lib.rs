//! Decode, dedupe, plan and shape: pure functions from batches to loads.
//!
//! [`decode()`] turns the body of a batch into typed columns, [`prepare()`] turns the decoded batches of a table into the
//! one [`TableLoad`](selvedge_core::TableLoad) that brings them to a destination. [`redact()`] leaves out and hashes what is
//! not to be stored. No I/O, no clock, no thread.

mod column_rules;
mod datetime;
mod decode;
mod dedupe;
mod json_type;
mod leaf;
mod limits;
mod member;
mod messages;
mod number;
mod object;
mod plan;
mod policy;
mod prepare;
mod record_type;
mod records;
mod redact;
mod redact_schema;
mod redaction;
mod refusal;
mod rewriter;
mod scanner;
mod schema;
mod secret;
mod shape;
mod string;

pub use column_rules::{ColumnRuleError, ColumnRules};
pub use decode::decode;
pub use messages::MAX_RECORDS;
pub use policy::{ChangedTypes, DeclaredColumns, FirstType, NewColumns, Policy};
pub use prepare::{Blocked, Pending, prepare};
pub use records::{Elements, RecordColumn, Records, Rejection, Typing};
pub use redact::redact;
pub use redaction::{MissingSecret, Redaction};
pub use refusal::Refusal;
pub use schema::Schemas;
pub use secret::{EmptySecret, Secret};
