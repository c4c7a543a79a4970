//! Comparing takes as little memory for a large table as for a small one.
//!
//! In a process of its own, whose peak of memory is told. It is read as Linux tells it.

#![cfg(test)]
#![cfg(target_os = "linux")]

use std::fs;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use selvedge_core::{
    ArrayPath, Column, ColumnType, Comparison, Counted, Counts, Difference, Differences, Discrepancy, Each, Epoch,
    Inspect, LoadError, Part, Path, Position, QueueId, SOURCE_KEY_PREFIX, Subtable, TableName, TableState, Value,
    compare, level_id, schema,
};

const ROWS: i64 = 50_000;
const ROWS_AT_ONCE: i64 = 1_000;
const ELEMENTS: i64 = 2;
/// Together with the numbers of rows and elements, 75 MB.
const TEXT_BYTES: usize = 500;

/// A large table, of which no more than some rows are ever in memory.
struct Large {
    /// The row whose last element has no text.
    odd: Option<i64>,
}

impl Large {
    fn state() -> TableState {
        let path = |name: &str| Path(vec![name.to_owned()]);
        let column = |name: &str, column_type| Column::new(name, Some(path(name)), column_type);
        let text = || column("text", ColumnType::String);
        let own = |name: String| Column::new(name, None, ColumnType::Integer);
        let lines = Subtable {
            name: "orders__lines".to_owned(),
            source: ArrayPath(vec![path("lines")]),
            columns: vec![own(format!("{SOURCE_KEY_PREFIX}id")), own(level_id(0)), text()],
        };
        let (queue, epoch) = (QueueId::from_bytes([1; 16]), Epoch::from_bytes([2; 16]));
        TableState {
            columns: vec![column("id", ColumnType::Integer), text()],
            keys: vec!["id".to_owned()],
            subtables: vec![lines],
            active_version: None,
            position: Position { queue, epoch, batch: 7, record: 1 },
            counts: Counts { loaded: ROWS as u64, live_rows: ROWS as u64, ..Counts::default() },
        }
    }

    fn rows(ids: Range<i64>) -> RecordBatch {
        let texts = StringArray::from_iter_values(ids.clone().map(text));
        let values: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(ids)), Arc::new(texts)];
        RecordBatch::try_new(schema(&Self::state().columns), values).unwrap()
    }

    fn subrows(&self, ids: Range<i64>) -> RecordBatch {
        let places = || ids.clone().flat_map(|id| (0..ELEMENTS).map(move |at| (id, at)));
        let is_odd = |(id, at)| self.odd == Some(id) && at == ELEMENTS - 1;
        let texts = places().map(|place| (!is_odd(place)).then(|| text(place.0 + place.1)));
        let values: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(places().map(|(id, _)| id))),
            Arc::new(Int64Array::from_iter_values(places().map(|(_, at)| at))),
            Arc::new(StringArray::from_iter(texts)),
        ];
        RecordBatch::try_new(schema(&Self::state().subtables[0].columns), values).unwrap()
    }
}

fn text(number: i64) -> String {
    format!("{number:>TEXT_BYTES$}")
}

impl Inspect for Large {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        unimplemented!("nobody asks for it")
    }

    fn count(&mut self, _: &TableName) -> Result<Option<Counted>, LoadError> {
        Ok(Some(Counted { state: Self::state(), rows: ROWS as u64 }))
    }

    fn read(&mut self, _: &TableName, part: Part<'_>, each: &mut Each<'_>) -> Result<Option<TableState>, LoadError> {
        let state = Self::state();
        for first in (0..ROWS).step_by(ROWS_AT_ONCE as usize) {
            let ids = first..first + ROWS_AT_ONCE;
            let some = if part == Part::Rows { Self::rows(ids) } else { self.subrows(ids) };
            if each(&state, some) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(Some(state))
    }
}

#[test]
fn many_rows_and_subrows() {
    let orders = TableName::new(None, "orders").unwrap();
    let before = peak_bytes();
    let same = compare(&mut Large { odd: None }, &mut Large { odd: None }, &orders).unwrap();
    assert_eq!(same, Comparison::Same { rows: ROWS as u64 });
    let odd = 34_567;
    let different = compare(&mut Large { odd: None }, &mut Large { odd: Some(odd) }, &orders).unwrap();
    let discrepancy = Discrepancy::Places(vec!["/lines/1/text".to_owned()]);
    let examples = vec![Difference { key: vec![Value::Integer(odd)], discrepancy }];
    assert_eq!(different, Comparison::Different(Differences { keys_min: 1, examples }));
    // The system adds up what each thread took only now and then, so the peak may seem to fall a little.
    let grown = peak_bytes().saturating_sub(before);
    assert!(grown < 32 << 20, "comparing took {grown} bytes of memory");
}

/// The most memory this process ever had.
fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
