//! A table in memory that can be looked at.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use selvedge_core::{
    ArrayPath, Column, ColumnType, Counted, Counts, Each, Epoch, Inspect, LoadError, Part, Path, Position, QueueId,
    Subtable, TableName, TableState, level_id, schema,
};

/// Any table's name: a shelf has one table.
pub(crate) fn orders() -> TableName {
    TableName::new(None, "orders").unwrap()
}

pub(crate) struct Shelf {
    pub(crate) state: TableState,
    rows: RecordBatch,
    /// Of each subtable.
    subrows: Vec<RecordBatch>,
    rows_at_once: usize,
    life: Life,
}

/// What happens to a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Still,
    /// Somebody loads into it between any two looks.
    Moving,
    NeverLoaded,
}

/// A column and its values.
pub(crate) type Filled = (Column, ArrayRef);

impl Shelf {
    /// A table with the key `id`, or without one if there is no such column.
    pub(crate) fn new(filled: impl IntoIterator<Item = Filled>) -> Self {
        let (columns, values): (Vec<Column>, Vec<ArrayRef>) = filled.into_iter().unzip();
        let rows = RecordBatch::try_new(schema(&columns), values).unwrap();
        let keys = columns.iter().filter(|column| column.name == "id").map(|column| column.name.clone()).collect();
        let accepted = Counts { loaded: 3, ..Counts::default() };
        let state = TableState {
            columns,
            keys,
            subtables: Vec::new(),
            active_version: None,
            position: position(7),
            counts: accepted,
        };
        Self { state, rows, subrows: Vec::new(), rows_at_once: 1_000, life: Life::Still }
    }

    /// The same table with a subtable of the array at `source`, which is spelled `line_items/*/tax_lines/*`.
    pub(crate) fn with(mut self, source: &str, filled: impl IntoIterator<Item = Filled>) -> Self {
        let (subtable, rows) = subtable(source, filled);
        self.state.subtables.push(subtable);
        self.subrows.push(rows);
        self
    }

    /// The same table with another life.
    pub(crate) fn living(self, life: Life) -> Self {
        Self { life, ..self }
    }

    /// The same table, handed out so many rows at a time.
    pub(crate) fn cut(self, rows_at_once: usize) -> Self {
        Self { rows_at_once, ..self }
    }
}

/// The end of a batch of a queue that is always the same.
pub(crate) fn position(batch: u64) -> Position {
    Position { queue: QueueId::from_bytes([1; 16]), epoch: Epoch::from_bytes([2; 16]), batch, record: 1 }
}

impl Inspect for Shelf {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        Ok(vec![orders()])
    }

    fn count(&mut self, _: &TableName) -> Result<Option<Counted>, LoadError> {
        let counted = Counted { state: self.state.clone(), rows: self.rows.num_rows() as u64 };
        Ok((self.life != Life::NeverLoaded).then_some(counted))
    }

    fn read(&mut self, _: &TableName, part: Part<'_>, each: &mut Each<'_>) -> Result<Option<TableState>, LoadError> {
        if self.life == Life::Moving {
            self.state.position.batch += 1;
        }
        let rows = match part {
            Part::Rows => &self.rows,
            Part::Subtable(name) => {
                let is_meant = |(subtable, _): &(&Subtable, _)| subtable.name == name;
                self.state.subtables.iter().zip(&self.subrows).find(is_meant).unwrap().1
            }
            Part::Rejects => unimplemented!("nothing is rejected here"),
        };
        for from in (0..rows.num_rows()).step_by(self.rows_at_once) {
            let some = rows.slice(from, self.rows_at_once.min(rows.num_rows() - from));
            if each(&self.state, some) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok((self.life != Life::NeverLoaded).then(|| self.state.clone()))
    }
}

/// A subtable and its rows.
pub(crate) fn subtable(source: &str, filled: impl IntoIterator<Item = Filled>) -> (Subtable, RecordBatch) {
    let (columns, values): (Vec<Column>, Vec<ArrayRef>) = filled.into_iter().unzip();
    let rows = RecordBatch::try_new(schema(&columns), values).unwrap();
    let levels: Vec<&str> = source.strip_suffix('*').unwrap().split_terminator('*').collect();
    let source = ArrayPath(levels.into_iter().map(|level| path(level.trim_matches('/'))).collect());
    let name = source.to_string().replace('*', "element").replace('/', "__");
    (Subtable { name: format!("orders{name}"), source, columns }, rows)
}

/// An empty one is that of the record or element itself.
fn path(path: &str) -> Path {
    Path(path.split_terminator('/').map(ToOwned::to_owned).collect())
}

fn filled(name: &str, source: Option<&str>, column_type: ColumnType, values: ArrayRef) -> Filled {
    (Column::new(name, source.map(path), column_type), values)
}

/// The column of a subtable that holds the root's keys, if they are integers.
pub(crate) fn source_keys(values: impl Into<Int64Array>) -> Filled {
    filled("_sdc_source_key_id", None, ColumnType::Integer, Arc::new(values.into()))
}

/// The column of a subtable that holds the indices in the arrays of a level.
pub(crate) fn level_ids(level: usize, values: impl Into<Int64Array>) -> Filled {
    filled(&level_id(level), None, ColumnType::Integer, Arc::new(values.into()))
}

/// The sequences of records.
pub(crate) fn sequences(values: impl Into<Int64Array>) -> Filled {
    filled("_sdc_sequence", None, ColumnType::Integer, Arc::new(values.into()))
}

/// Values without a column, as JSON.
pub(crate) fn extras(values: impl Into<StringArray>) -> Filled {
    filled("_sdc_extra", None, ColumnType::Json, Arc::new(values.into()))
}

pub(crate) fn doubles(name: &str, path: &str, values: impl Into<Float64Array>) -> Filled {
    filled(name, Some(path), ColumnType::Double, Arc::new(values.into()))
}

pub(crate) fn integers(name: &str, path: &str, values: impl Into<Int64Array>) -> Filled {
    filled(name, Some(path), ColumnType::Integer, Arc::new(values.into()))
}

pub(crate) fn texts(name: &str, path: &str, values: impl Into<StringArray>) -> Filled {
    filled(name, Some(path), ColumnType::String, Arc::new(values.into()))
}

pub(crate) fn decimal_texts(name: &str, path: &str, values: impl Into<StringArray>) -> Filled {
    filled(name, Some(path), ColumnType::DecimalText, Arc::new(values.into()))
}

pub(crate) fn decimals(name: &str, path: &str, scale: u8, values: impl Into<Decimal128Array>) -> Filled {
    let values = values.into().with_precision_and_scale(38, scale.cast_signed()).unwrap();
    filled(name, Some(path), ColumnType::Decimal { scale }, Arc::new(values))
}

/// A column of selvedge's own with moments.
pub(crate) fn moments(name: &str, values: impl Into<TimestampMicrosecondArray>) -> Filled {
    filled(name, None, ColumnType::Timestamp, Arc::new(values.into().with_timezone("UTC")))
}

/// The column of a subtable that holds the generated keys of the root.
pub(crate) fn generated_source_keys(values: impl Into<StringArray>) -> Filled {
    filled("_sdc_source_key___sdc_primary_key", None, ColumnType::String, Arc::new(values.into()))
}

/// The generated keys of a table that has no others.
pub(crate) fn generated_keys(values: impl Into<StringArray>) -> Filled {
    filled("__sdc_primary_key", None, ColumnType::String, Arc::new(values.into()))
}
