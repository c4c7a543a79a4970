//! The words of selvedge and the seam to its destinations.
//!
//! Everything a destination needs to know stands here: what a table is called ([`TableName`]), which columns it has
//! ([`Column`], [`ColumnType`]), how far a queue has been loaded into it ([`Position`]), what one load brings
//! ([`TableLoad`]), and the trait that applies it ([`Destination`]). A second trait, [`Inspect`], reads what a destination
//! holds; [`logical_view`] is what of it depends on nothing but the accepted records, and [`compare`] tells whether two
//! destinations agree in it. Values travel as Arrow columns; [`nested`] is for destinations that keep objects and arrays as they
//! came. There is no JSON, no I/O and no thread in this crate.

mod capabilities;
mod column;
mod compare;
mod contest;
mod destination;
mod error;
mod inspect;
mod load;
mod name;
pub mod nested;
mod position;
pub mod rejected;
mod removal;
mod state;
mod subtable;
pub mod tombstone;
mod view;

pub use capabilities::{Capabilities, RowOrder};
pub use column::{Column, ColumnType, DECIMAL_PRECISION, MAX_DECIMAL_SCALE, Path, schema, system};
pub use compare::{Comparison, Difference, Differences, Discrepancy, Obstacle, Side, compare};
pub use contest::{Age, Contestants, Key};
pub use destination::Destination;
pub use error::{Applied, LoadError, LoadErrorKind};
pub use inspect::{Counted, Each, Inspect, Part, sample};
pub use load::{Change, Outcome, TableLoad};
pub use name::{IntegrationName, MAX_NAME_BYTES, NameError, TableName, is_unseen};
pub use nested::Nesting;
pub use position::{Epoch, Position, QueueId};
pub use removal::Removal;
pub use state::{Counts, TableState};
pub use subtable::{ArrayPath, SOURCE_KEY_PREFIX, Subtable, SubtableLoad, level_id};
pub use view::{Bits, LogicalRow, LogicalView, Value, logical_view, logical_view_of};
