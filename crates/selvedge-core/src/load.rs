//! One load: what a destination applies in one transaction.

use arrow_array::RecordBatch;

#[cfg(doc)]
use crate::system;
use crate::tombstone::tombstone_columns;
use crate::{Column, Counts, LoadError, LoadErrorKind, Position, SubtableLoad, TableName, TableState, schema};

/// Everything one transaction of a destination applies to one table.
#[derive(Debug, Clone)]
pub struct TableLoad {
    /// The table.
    pub table: TableName,
    /// The state the load was planned on; `None` when the table did not exist.
    pub planned_on: Option<TableState>,
    /// What has to be changed about the table before the rows fit, in order.
    pub changes: Vec<Change>,
    /// All columns of the table once the changes are applied: those it had, in their order, then the new ones. What was loaded
    /// into them so far may differ from the state planned on, without a change that says so.
    pub columns: Vec<Column>,
    /// The names of the key columns, in the sender's order; empty in a keyless table, whose rows are appended.
    pub keys: Vec<String>,
    /// The rows, one per key, with exactly [`columns`](Self::columns) in their order, typed as
    /// [`ColumnType::arrow`](crate::ColumnType::arrow) says. May be empty.
    pub rows: RecordBatch,
    /// What the arrays in the records hold: those the table has subtables of, in their order, then new ones.
    pub subtables: Vec<SubtableLoad>,
    /// The keys to delete, with exactly [`tombstone_columns`](Self::tombstone_columns); none of them is in [`rows`](Self::rows), and
    /// none twice. Nearly always empty, and always in a keyless table: deletes that leave a marked row behind are rows.
    pub deletes: RecordBatch,
    /// The version of the table that is active once the load is applied: the one it was planned on, or a greater one. None of the
    /// rows and deletes is of a lower one. `None` as long as none was ever activated.
    pub active_version: Option<i64>,
    /// Messages that activated a version and are applied with this load. They are records as far as counts go.
    pub activations: u64,
    /// Records that lost to another record of this same load, or were of a version below the active one.
    pub superseded: u64,
    /// The records kept aside, with exactly [`rejected::columns`](crate::rejected::columns). Nearly always empty.
    pub rejects: RecordBatch,
    /// What the counts go on from: those of [`planned_on`](Self::planned_on), or, when the table is taken over from another
    /// queue, only the rows it has, because the rest tells what became of that queue's records.
    pub counts: Counts,
    /// How far the queue is applied once this load is.
    pub to: Position,
}

/// A change to a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Make the table, with these columns.
    CreateTable(Vec<Column>),
    /// Add a column; rows that stand already hold null in it.
    AddColumn(Column),
    /// Give the column of this name this type, which holds all the values that stand in it exactly: from integers to decimals or
    /// doubles, from decimals to decimals of more digits after the point or of any size. Never a key.
    WidenColumn(Column),
    /// Call the column of the first name by the second. Never a key.
    RenameColumn {
        /// The name it had.
        from: String,
        /// Its name from now on.
        to: String,
    },
}

/// What a destination found while it wrote the rows of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Rows and deletes without effect because the stored row or tombstone of their key was newer.
    pub stale_rows: u64,
    /// Rows whose key the table did not have.
    pub new_rows: u64,
    /// Rows that stood and were taken away: by deletes, and because a version was activated.
    pub removed_rows: u64,
}

impl TableLoad {
    /// Checks that the state found in the destination is the one this load was planned on.
    ///
    /// # Errors
    /// [`LoadErrorKind::Stale`], naming both positions.
    pub fn check_planned_on(&self, found: Option<&TableState>) -> Result<(), LoadError> {
        if self.planned_on.as_ref() == found {
            return Ok(());
        }
        let show = |state: Option<&TableState>| state.map_or_else(|| "none".to_owned(), |s| s.position.to_string());
        Err(LoadError::new(
            LoadErrorKind::Stale,
            format!(
                "table {} was changed by somebody else: the load was planned on position {}, found is {}",
                self.table,
                show(self.planned_on.as_ref()),
                show(found),
            ),
        ))
    }

    /// Checks that the rows have exactly the columns of the load, for destinations that would not notice by themselves.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`], which an engine of the same version never brings about.
    pub fn check_rows(&self) -> Result<(), LoadError> {
        if self.rows.schema().fields() == schema(&self.columns).fields() {
            return Ok(());
        }
        Err(LoadError::new(
            LoadErrorKind::Refused,
            format!("the rows of table {} do not fit its columns; report this as a defect of selvedge", self.table),
        ))
    }

    /// Whether the load activates a version: rows and tombstones below [`active_version`](Self::active_version), those without a
    /// version among them, have to go.
    pub fn activates(&self) -> bool {
        let found = self.planned_on.as_ref().and_then(|state| state.active_version);
        self.active_version != found
    }

    /// The columns of [`deletes`](Self::deletes): the keys, then [`_sdc_sequence`](system::SEQUENCE),
    /// [`_sdc_table_version`](system::TABLE_VERSION) and [`_sdc_deleted_at`](system::DELETED_AT).
    pub fn tombstone_columns(&self) -> Vec<Column> {
        tombstone_columns(&self.columns, &self.keys)
    }

    /// The state to write with the rows: the accounting is the same in every destination.
    ///
    /// Rows that somebody inserted by hand were never counted, and may go all the same.
    pub fn committed(&self, outcome: Outcome) -> TableState {
        let before = self.counts;
        let records = self.rows.num_rows() as u64 + self.deletes.num_rows() as u64;
        TableState {
            columns: self.columns.clone(),
            keys: self.keys.clone(),
            subtables: self.subtables.iter().map(|load| load.subtable.clone()).collect(),
            active_version: self.active_version,
            position: self.to,
            counts: Counts {
                loaded: before.loaded + self.activations + (records - outcome.stale_rows),
                superseded: before.superseded + self.superseded + outcome.stale_rows,
                rejected: before.rejected + self.rejects.num_rows() as u64,
                live_rows: (before.live_rows + outcome.new_rows).saturating_sub(outcome.removed_rows),
            },
        }
    }
}
