//! Loads into SQLite.
//!
//! A load is one transaction: it begins by taking the database's write lock, so that nobody else writes between reading
//! the table's state and committing the next one. The state of every table stands in `_sdc_tables`. A keyed table has a
//! real primary key, and so has every subtable; a named integration's tables are called `integration__table`. Rejected
//! records stand in `_sdc_rejected`, one for each integration, made when the first comes.
//!
//! A deleted key leaves a tombstone in `_sdc_tombstones`, one for each integration too, whose primary key is the table's
//! name and the text of the key. It goes when a row takes its place, or when a newer version of the table is activated.
//!
//! What is erased by hand is erased from the files as well: the whole database is written anew (`VACUUM`), which takes as
//! long as copying it, and meanwhile as much room again, both beside it and where SQLite puts temporary files. A dropped
//! table, and rejected records that were kept long enough, leave their room to later loads.
//!
//! What others make of the tables, columns, indexes, triggers and views, is left as it is, also where a column is given
//! another type or name. [`Sqlite::create_coalescing_view`] makes a view in which a path whose values are of several types
//! is one column.
//!
//! [`SqliteReader`] reads all of that back, also while somebody loads. One value comes back as another: SQLite stores
//! doubles without a fraction as integers, so that the negative zero becomes zero.

mod batches;
mod catalog;
mod cells;
mod changes;
mod coalescing;
mod deletes;
mod destination;
mod dialect;
mod error;
mod keys;
mod reader;
mod rejects;
mod removal;
mod rows;
mod settings;
mod state;
mod subrows;
mod tombstones;
mod versions;
mod widening;

pub use destination::Sqlite;
pub use reader::SqliteReader;
