//! Subtables: what arrays in the records hold, a row for each element.

use std::fmt;

use arrow_array::{BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use serde::{Deserialize, Serialize};

use crate::{Change, Column, LoadError, LoadErrorKind, Path, TableName, schema, system};

/// Where in the records of a table an array stands: the path from the record to the outermost array, from an element of that
/// to the next one, and so on. An array directly within another one has an empty path there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ArrayPath(pub Vec<Path>);

impl ArrayPath {
    /// How many arrays stand within each other here, this one counted.
    pub fn levels(&self) -> usize {
        self.0.len()
    }
}

/// A JSON pointer with `*` for an element: `/line_items/*/tax_lines/*`.
impl fmt::Display for ArrayPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|path| write!(f, "{path}/*"))
    }
}

/// A table of what an array in the records of another table, its root, holds.
///
/// A row is an element. Its key is made of the [source keys](Self::source_keys), the key of the root's row, and of the
/// [level ids](Self::level_ids): where the element stands in its array, from 0, for each of the arrays within each other. A
/// scalar stands in the column `value`.
///
/// The rows of a root's row, its subrows, live and die with it: whenever it is replaced, so are they.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtable {
    /// Its name, `orders__line_items`, in the integration of its root. It is one a [`TableName`] takes, and unique among the
    /// subtables of the root without regard to case.
    pub name: String,
    /// Which array it is of.
    pub source: ArrayPath,
    /// Its columns, in the table's order. The paths of those that come from records begin at the element.
    pub columns: Vec<Column>,
}

impl Subtable {
    /// What it is called in the destination.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`] when no table may be called so, which comes from a state that something else changed.
    pub fn table_name(&self, root: &TableName) -> Result<TableName, LoadError> {
        TableName::new(root.integration().cloned(), self.name.as_str()).map_err(|cause| {
            let message =
                format!("a subtable of {root} has a name that none may have; restore the destination from a backup");
            LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
        })
    }

    /// The names of the columns that hold the key of the root's row, in the order of the root's keys. In a keyless table it is
    /// the one that selvedge generated.
    pub fn source_keys(&self) -> impl Iterator<Item = &str> {
        self.own_columns().filter(|name| name.starts_with(SOURCE_KEY_PREFIX))
    }

    /// The names of the columns that hold where an element stands, from the outermost array on.
    pub fn level_ids(&self) -> impl Iterator<Item = &str> {
        self.own_columns().filter(|name| name.starts_with(LEVEL_ID_PREFIX))
    }

    /// The names of the columns that together no two rows share: source keys, then level ids.
    pub fn keys(&self) -> Vec<String> {
        self.source_keys().chain(self.level_ids()).map(str::to_owned).collect()
    }

    /// Whether one of its columns holds what the elements do: selvedge's own do not, but for that of values without a column.
    pub(crate) fn is_of_elements(column: &Column) -> bool {
        column.path.is_some() || column.name == system::EXTRA
    }

    fn own_columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.path.is_none()).map(|column| column.name.as_str())
    }
}

/// What the name of a column that holds a key of the root begins with; the name of that key's column follows.
pub const SOURCE_KEY_PREFIX: &str = "_sdc_source_key_";
const LEVEL_ID_PREFIX: &str = "_sdc_level_";

/// The name of the column that holds where an element stands in the array of this level, of which the outermost is 0.
pub fn level_id(level: usize) -> String {
    format!("{LEVEL_ID_PREFIX}{level}_id")
}

/// The part of a [`TableLoad`](crate::TableLoad) that concerns one subtable.
///
/// Every load brings one for each subtable the table has, also without rows: of each root's row that is written, the subrows
/// that stand are replaced by those of the load, if there are any.
#[derive(Debug, Clone)]
pub struct SubtableLoad {
    /// The subtable, once the changes are applied.
    pub subtable: Subtable,
    /// What has to be changed about it before the rows fit, in order.
    pub changes: Vec<Change>,
    /// The rows, with exactly the subtable's columns in their order, typed as [`ColumnType::arrow`](crate::ColumnType::arrow)
    /// says. They stand in the order of the root's rows they belong to, and within one of those in the order of their level
    /// ids: sorted by [`Subtable::keys`] if the root's rows are sorted by theirs.
    pub rows: RecordBatch,
    /// For each of them, the index of the row in [`TableLoad::rows`](crate::TableLoad::rows) it belongs to.
    pub roots: UInt32Array,
}

impl SubtableLoad {
    /// The rows whose root's row was written: all but those of stale ones.
    ///
    /// # Errors
    /// When the rows are not as long as their columns, which does not come from the engine.
    pub fn written(&self, is_written: impl Fn(usize) -> bool) -> Result<RecordBatch, ArrowError> {
        let mask: BooleanArray = self.roots.values().iter().map(|root| Some(is_written(*root as usize))).collect();
        filter_record_batch(&self.rows, &mask)
    }

    /// Checks that the rows have exactly the columns of the subtable, for destinations that would not notice by themselves.
    ///
    /// # Errors
    /// [`LoadErrorKind::Refused`], which an engine of the same version never brings about.
    pub fn check_rows(&self) -> Result<(), LoadError> {
        if self.rows.schema().fields() == schema(&self.subtable.columns).fields() {
            return Ok(());
        }
        let name = &self.subtable.name;
        Err(LoadError::new(
            LoadErrorKind::Refused,
            format!("the rows of subtable {name} do not fit its columns; report this as a defect of selvedge"),
        ))
    }
}
