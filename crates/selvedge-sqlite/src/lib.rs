//! Loads into SQLite.
//!
//! A load is one transaction: it begins by taking the database's write lock, so that nobody else writes between reading
//! the table's state and committing the next one. The state of every table stands in `_sdc_tables`. A keyed table has a
//! real primary key; a named integration's tables are called `integration__table`. Rejected records stand in
//! `_sdc_rejected`, one for each integration, made when the first comes.

mod cells;
mod changes;
mod destination;
mod dialect;
mod error;
mod rejects;
mod rows;
mod settings;
mod state;

pub use destination::Sqlite;
