//! A table in memory that can be looked at.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use selvedge_core::{
    Column, ColumnType, Counted, Counts, Each, Epoch, Inspect, LoadError, Part, Path, Position, QueueId, TableName,
    TableState,
};

/// Any table's name: a shelf has one table.
pub(crate) fn orders() -> TableName {
    TableName::new(None, "orders").unwrap()
}

pub(crate) struct Shelf {
    pub(crate) state: TableState,
    rows: RecordBatch,
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
        let names = columns.iter().map(|column| column.name.clone());
        let rows = RecordBatch::try_from_iter_with_nullable(names.zip(values).map(|(n, v)| (n, v, true))).unwrap();
        let keys = columns.iter().filter(|column| column.name == "id").map(|column| column.name.clone()).collect();
        let accepted = Counts { loaded: 3, ..Counts::default() };
        let state = TableState { columns, keys, subtables: Vec::new(), position: position(7), counts: accepted };
        Self { state, rows, rows_at_once: 1_000, life: Life::Still }
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

    fn read(&mut self, _: &TableName, _: Part<'_>, each: &mut Each<'_>) -> Result<Option<TableState>, LoadError> {
        if self.life == Life::Moving {
            self.state.position.batch += 1;
        }
        for from in (0..self.rows.num_rows()).step_by(self.rows_at_once) {
            let some = self.rows.slice(from, self.rows_at_once.min(self.rows.num_rows() - from));
            if each(&self.state, some) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok((self.life != Life::NeverLoaded).then(|| self.state.clone()))
    }
}

fn filled(name: &str, path: Option<&str>, column_type: ColumnType, values: ArrayRef) -> Filled {
    let path = path.map(|path| Path(path.split('/').map(ToOwned::to_owned).collect()));
    (Column::new(name, path, column_type), values)
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

/// The generated keys of a table that has no others.
pub(crate) fn generated_keys(values: impl Into<StringArray>) -> Filled {
    filled("__sdc_primary_key", None, ColumnType::String, Arc::new(values.into()))
}
