//! Loads into a DuckDB file.
//!
//! [`DuckDb`] is the [`Destination`](selvedge_core::Destination). It has the file only during a call, so that
//! other programs can read in between; while one of them has it, a load is
//! [unavailable](selvedge_core::LoadErrorKind::Unavailable) and tried again. [`DuckDbReader`] reads what was loaded.
//!
//! A load is one transaction (`load.rs`): the state (`state.rs`), the changes of the table (`changes.rs`), the rows
//! (`rows.rs`), the same for each of its subtables (`subrows.rs`), the state again. Tables have neither primary key nor
//! index: one join finds the stored rows of the incoming keys, one delete removes those that are replaced, and one append
//! writes the rest. What others keep in columns of their own is put back afterwards (`others.rs`). Integrations are schemas,
//! and a table without one stands in `main`. Rejected records stand in `_sdc_rejected`, one for each schema, made when the
//! first comes.
//!
//! Deletes take rows away and leave tombstones in `_sdc_tombstones`, one for each schema, made with the first of them
//! (`tombstones.rs`). They contend as rows do (`contest.rs`); a table that has none is asked for them once a load, and no more.
//! What columns of others held goes with a row that is deleted. A version that is activated removes what stands below it
//! (`activation.rs`).
//!
//! What is removed by hand (`removal.rs`) is gone from the file's bytes too, if it was keys or rejected records: DuckDB leaves
//! deleted values in their blocks, so the file is copied without them, and the copy takes its place (`rewriting.rs`). This
//! takes as much room again as the file has, for as long as it takes, and keeps all that others have in it. Backups, and
//! blocks that the file system has freed, are not reached. When a whole table is removed, the file stays as it is: its blocks
//! are free, and keep the old bytes until they are used again.
//!
//! Where [`Nesting::Native`] is set, objects and arrays are structs and lists: a table has no subtables then (`nested.rs`),
//! and another shape is given to all of its rows (`reshape.rs`). The state is the same, and so is what a reader finds.
//!
//! [`DuckDb::create_coalescing_view`] makes a view in which a path whose values are of several types is one column.

mod activation;
mod catalog;
mod changes;
mod coalescing;
mod contest;
mod destination;
mod dialect;
mod error;
mod held;
mod instance;
mod keys;
mod load;
mod nested;
mod nesting;
mod others;
mod reader;
mod rejects;
mod removal;
mod reshape;
mod rewriting;
mod rows;
mod session;
mod state;
mod stillborn;
mod subrows;
mod target;
mod tombstones;

pub use destination::{DuckDb, Settings};
pub use reader::DuckDbReader;
pub use selvedge_core::Nesting;
