//! What is taken out of a table though no record came for it: because somebody asked for it, or it was kept long enough.

use arrow_array::{RecordBatch, StringArray};

/// What [`Destination::remove`](crate::Destination::remove) removes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Removal<'r> {
    /// Everything: rows, subtables, tombstones, rejected records, and the state. The table is then as if it had never been loaded.
    Table,
    /// All that stands under these keys, a row each: rows with their subrows, and tombstones. The columns are the table's keys, in
    /// their order. Keys that the table does not have are no error. Nothing of them may be found in the destination's files
    /// afterwards, as far as it can see to that.
    Keys(&'r RecordBatch),
    /// The rejected records with these [generated keys](crate::system::PRIMARY_KEY), removed as thoroughly.
    Rejects(&'r StringArray),
    /// The rejected records of the table that were [rejected](crate::rejected::REJECTED_AT) before this moment, in
    /// microseconds since 1970 (UTC): they were kept long enough. They need not be gone from the files at once. Where there
    /// are none, nothing is written.
    RejectsBefore(i64),
}
