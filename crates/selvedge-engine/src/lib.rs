//! Composes intake, queue, preparation and loading.
//!
//! ```text
//! push ─► intake (decode, redact, seal) ─► queue (fsync, receipt) ─► backlog ─► one loader per destination (prepare, load)
//! ```
//!
//! [`Engine`] is what a program holds. `intake.rs` has the way of a batch into the queue, `backlog.rs` what stands between
//! queue and loaders, `loader.rs` the thread of one destination, `source.rs` where it takes batches
//! from.

mod backlog;
mod bad_records;
mod batch;
mod builder;
mod cache;
mod engine;
mod error;
mod intake;
mod isolation;
mod json_type;
mod loader;
mod meeting;
mod policies;
mod progress;
mod purge;
mod receipt;
mod record_key;
mod rekey;
mod replay;
mod retention;
mod shares;
mod source;
mod track;
mod upkeep;

pub use bad_records::BadRecords;
pub use batch::Batch;
pub use builder::{DEFAULT_BUDGET_BYTES, DEFAULT_PAUSED_LIMIT_BYTES, DEFAULT_REJECTED_KEPT, EngineBuilder};
pub use engine::Engine;
pub use error::{EngineError, EngineErrorKind};
pub use progress::{Progress, TableProgress, Tally, Waiting};
pub use purge::{check_purgeable, purge, purge_kept};
pub use receipt::Receipt;
pub use record_key::RecordKey;
pub use rekey::{requeue, requeued};
pub use replay::is_of_queue;
pub use selvedge_prepare::{
    ChangedTypes, ColumnRuleError, ColumnRules, DeclaredColumns, Deletes, EmptySecret, FirstType, Loading, NewColumns,
    Policy, Refusal, Secret,
};
pub use selvedge_queue::{
    Cursor, EmbeddedQueue, Kept, Queue, QueueError, QueueErrorKind, QueueReader, Registered, Registration, Repeats,
    SealedBody, Since, TableBounds,
};
pub use upkeep::{drop_table, reset_table};
