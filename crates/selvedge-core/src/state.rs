//! What a destination keeps about a table, in the same transaction as its rows.

use serde::{Deserialize, Serialize};

use crate::{Column, Position, Subtable};

/// A table as it stands in a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    /// The columns, in the table's order.
    pub columns: Vec<Column>,
    /// The names of the key columns, in the sender's order; empty in a keyless table.
    pub keys: Vec<String>,
    /// The tables of what arrays in its records hold.
    pub subtables: Vec<Subtable>,
    /// The version of the table that is active: records of lower ones, and those without any, are superseded when they come. `None`
    /// as long as none was activated.
    pub active_version: Option<i64>,
    /// How far the queue is applied.
    pub position: Position,
    /// What became of the records up to that position, and how many rows there are.
    pub counts: Counts,
}

impl TableState {
    /// The version of this structure as destinations store it. A destination that finds another refuses to go on.
    pub const FORMAT: u32 = 4;

    /// The subtable of this name, spelled exactly.
    pub fn subtable(&self, name: &str) -> Option<&Subtable> {
        self.subtables.iter().find(|subtable| subtable.name == name)
    }

    /// The column of this name, spelled exactly.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// What became of a table's records, since its first load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records whose effect was committed, even if replaced since.
    pub loaded: u64,
    /// Records that a newer version of their key had beaten.
    pub superseded: u64,
    /// Records kept aside with a reason.
    pub rejected: u64,
    /// Rows in the table, marked as deleted or not.
    pub live_rows: u64,
}

impl Counts {
    /// All records that came to the table: what was accepted, but for what waits in the queue.
    pub fn records(&self) -> u64 {
        self.loaded + self.superseded + self.rejected
    }
}
