//! The words of selvedge and the seam to its destinations.
//!
//! Everything a destination needs to know stands here: what a table is called ([`TableName`]), which columns it has
//! ([`Column`], [`ColumnType`]), how far a queue has been loaded into it ([`Position`]), what one load brings
//! ([`TableLoad`]), and the trait that applies it ([`Destination`]). Values travel as Arrow columns. There is no JSON, no
//! I/O and no thread in this crate.

mod capabilities;
mod column;
mod destination;
mod error;
mod load;
mod name;
mod position;
mod state;

pub use capabilities::{Capabilities, RowOrder};
pub use column::{Column, ColumnType, DECIMAL_PRECISION, MAX_DECIMAL_SCALE, Path, system};
pub use destination::Destination;
pub use error::{Applied, LoadError, LoadErrorKind};
pub use load::{Change, Outcome, TableLoad};
pub use name::{IntegrationName, MAX_NAME_BYTES, NameError, TableName};
pub use position::{Position, QueueId};
pub use state::{Counts, TableState};
