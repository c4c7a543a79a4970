//! A replication engine: programs push batches of records, selvedge makes them durable, types and flattens them by their
//! JSON Schema, keeps the newest version of each key, and loads them exactly once.
//!
//! This crate is what a service adds. It is a list: the engine and its queue from [`selvedge_engine`], the seam from
//! [`selvedge_core`], and each destination as a feature.
//!
//! ```
//! use std::time::Duration;
//!
//! use selvedge::{Batch, Engine, sqlite::Sqlite};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(&folder)?;
//! let engine = Engine::builder("queue").destination("warehouse", Sqlite::open("warehouse.db")?).start()?;
//!
//! let schema = json!({"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}});
//! let batch = Batch::new("customers", &["id"], &schema).upsert(1, &json!({"id": 1, "name": "Finn"}));
//! let receipt = engine.push(batch)?; // durable from here on
//! receipt.wait_loaded(Duration::from_secs(30))?; // and now in the warehouse
//! println!("{}", engine.progress());
//! # Ok(())
//! # }
//! ```

// The seam: what a destination implements, and what it is handed.
pub use selvedge_core::{
    Age, Applied, ArrayPath, Capabilities, Change, Column, ColumnType, Contestants, Counts, Destination, Epoch,
    IntegrationName, Key, LoadError, LoadErrorKind, NameError, Nesting, Outcome, Path, Position, QueueId, Removal,
    RowOrder, Subtable, SubtableLoad, TableLoad, TableName, TableState, rejected, schema, system, tombstone,
};
// Looking at what a destination holds.
pub use selvedge_core::{
    Bits, Comparison, Counted, Difference, Differences, Discrepancy, Each, Inspect, LogicalRow, LogicalView, Obstacle,
    Part, Side, Value, compare, logical_view, logical_view_of, sample,
};
// The engine.
pub use selvedge_engine::{
    BadRecords, Batch, ChangedTypes, ColumnRuleError, ColumnRules, Cursor, DEFAULT_BUDGET_BYTES,
    DEFAULT_PAUSED_LIMIT_BYTES, DEFAULT_REJECTED_KEPT, DeclaredColumns, Deletes, EmptySecret, Engine, EngineBuilder,
    EngineError, EngineErrorKind, FirstType, Loading, NewColumns, Policy, Progress, Receipt, Refusal, Repeats, Secret,
    TableProgress, Tally, Waiting,
};
// What is done by hand, while no engine runs on the queue.
pub use selvedge_engine::{
    RecordKey, check_purgeable, drop_table, is_of_queue, purge, purge_kept, requeue, requeued, reset_table,
};
// The queue, for those who manage which destinations it keeps records for, and who tend a table by hand.
pub use selvedge_engine::{
    EmbeddedQueue, Kept, Queue, QueueError, QueueErrorKind, QueueReader, Registered, Registration, SealedBody, Since,
    TableBounds,
};

/// Loading into DuckDB.
#[cfg(feature = "duckdb")]
pub use selvedge_duckdb as duckdb;
/// Loading into local Parquet files.
#[cfg(feature = "parquet")]
pub use selvedge_parquet as parquet;
/// Loading into SQLite.
#[cfg(feature = "sqlite")]
pub use selvedge_sqlite as sqlite;
