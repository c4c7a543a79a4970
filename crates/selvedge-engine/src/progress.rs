//! What the engine tells of its work.

use std::fmt;

use selvedge_core::TableName;

/// How far every table is in every destination, since the engine was started. [`Display`](fmt::Display) makes it a table
/// for people.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// One entry per destination and table that had something to load.
    pub tables: Vec<TableProgress>,
}

/// How far a table is in a destination.
#[derive(Debug, Clone)]
pub struct TableProgress {
    /// The destination's name.
    pub destination: String,
    /// The table.
    pub table: TableName,
    /// Its records, since the engine was started.
    pub tally: Tally,
    /// Why loading is put off or paused at the moment, if it is.
    pub condition: Option<String>,
    /// That the table is paused and nearly as much waits as may; beyond that, no more is taken for it.
    pub alarm: Option<String>,
    /// What was done otherwise than a sender may have meant, newest last: a few of them.
    pub warnings: Vec<String>,
}

/// What became of records: at every moment `accepted = loaded + superseded + rejected + waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Records to be loaded: pushed since the engine was started, or left in the queue by the one before.
    pub accepted: u64,
    /// Records whose effect was committed, even if replaced since.
    pub loaded: u64,
    /// Records that a newer version of their key had beaten.
    pub superseded: u64,
    /// Records kept aside with a reason.
    pub rejected: u64,
    /// Records still in the queue.
    pub waiting: u64,
    /// Records pushed once more, without a second effect. They are not among the accepted.
    pub repeated: u64,
}

/// Records of a table that a destination does not have yet, or a table that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The destination's name.
    pub destination: String,
    /// The table.
    pub table: TableName,
    /// How many records; 0 when nothing waits, but `reason` keeps more from being loaded.
    pub records: u64,
    /// Why, if something is in the way; `None` when there was only not enough time.
    pub reason: Option<String>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for TableProgress { destination, table, tally, condition, alarm, warnings } in &self.tables {
            let Tally { accepted, loaded, superseded, rejected, waiting, repeated } = tally;
            write!(
                f,
                "{destination} {table}: {accepted} accepted, {loaded} loaded, {superseded} superseded, \
                 {rejected} rejected, {waiting} waiting, {repeated} repeated"
            )?;
            for note in condition.iter().chain(alarm).chain(warnings) {
                write!(f, " ({note})")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, table, records, reason } = self;
        let reason = reason.as_deref().unwrap_or("there was not enough time");
        match records {
            0 => write!(f, "{table} in {destination}: {reason}"),
            1 => write!(f, "1 record of {table} waits for {destination}: {reason}"),
            _ => write!(f, "{records} records of {table} wait for {destination}: {reason}"),
        }
    }
}
