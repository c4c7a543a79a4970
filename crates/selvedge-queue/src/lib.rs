//! The durable queue between intake and loading.
//!
//! [`Queue`] is the narrow trait the engine works against; [`EmbeddedQueue`] is the one implementation, a SQLite database in
//! a folder of its own. A batch is sealed by its sender's thread ([`SealedBody::seal`]), appended durably, read by every
//! registered destination, and deleted once all of them have acknowledged it.
//!
//! ```
//! use selvedge_core::TableName;
//! use selvedge_queue::{Append, EmbeddedQueue, Queue, Repeats, SealedBody};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let queue = EmbeddedQueue::open(folder.path())?;
//! queue.register("warehouse", 0)?;
//!
//! let orders = TableName::new(None, "orders")?;
//! let body = SealedBody::seal(br#"{"messages":[]}"#);
//! let append =
//!     Append { table: orders.clone(), body, records: 0, received_at: 0, repeats: Repeats::Acknowledge, cursor: None };
//! queue.append(vec![append])?; // durable from here on
//!
//! for stored in queue.read(&orders, 0, 100)? {
//!     assert_eq!(queue.body(stored.batch)?, br#"{"messages":[]}"#);
//!     queue.acknowledge("warehouse", &orders, stored.batch)?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Where to look: `queue.rs` has the trait and its values, `body.rs` the sealing, `schema.rs` the format on disk, `folder.rs`
//! the lock, `embedded.rs` the queue as callers see it, `writer.rs` the one thread that writes and commits, `write.rs` and
//! `trim.rs` what it writes, `read.rs` what is read beside it, `reader.rs` the queue for those who only look,
//! `destinations.rs` who batches are kept for, `kept.rs` the bodies kept for replay, `tables.rs` what is done to a table by hand.

mod body;
mod destinations;
mod embedded;
mod error;
mod folder;
mod kept;
mod queue;
mod read;
mod reader;
mod schema;
mod tables;
mod trim;
mod wipe;
mod write;
mod writer;

pub use body::{MAX_STORED_BYTES, SealedBody};
pub use embedded::EmbeddedQueue;
pub use error::{QueueError, QueueErrorKind};
pub use queue::{Append, Appended, Cursor, Kept, Queue, Registered, Registration, Repeats, Since, Stored, TableBounds};
pub use reader::QueueReader;
pub use write::REPEATS_KEPT_DAYS;
