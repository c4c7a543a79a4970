//! Comparing takes as little memory for a large table as for a small one.

use std::fs;
use std::ops::ControlFlow;

use selvedge_core::{
    Comparison, Counted, Difference, Differences, Discrepancy, Each, Inspect, LoadError, Part, TableName, TableState,
    Value, compare,
};

use crate::shelf::{Shelf, integers, orders, texts};

const ROWS: i64 = 200_000;
const ROWS_AT_ONCE: i64 = 1_000;
/// Together with the number of rows, 100 MB.
const TEXT_BYTES: usize = 500;

/// A large table, of which no more than some rows are ever in memory.
struct Large {
    /// The row whose text is not as it should be.
    odd: Option<i64>,
}

impl Large {
    fn rows(&self, first: i64) -> Shelf {
        let ids: Vec<i64> = (first..first + ROWS_AT_ONCE).collect();
        let text = |id: &i64| format!("{:>TEXT_BYTES$}", if self.odd == Some(*id) { -1 } else { *id });
        let values: Vec<String> = ids.iter().map(text).collect();
        Shelf::new([integers("id", "id", ids), texts("text", "text", values)])
    }
}

impl Inspect for Large {
    fn tables(&mut self) -> Result<Vec<TableName>, LoadError> {
        Ok(vec![orders()])
    }

    fn count(&mut self, table: &TableName) -> Result<Option<Counted>, LoadError> {
        let some = self.rows(0).count(table)?;
        Ok(some.map(|some| Counted { rows: ROWS as u64, ..some }))
    }

    fn read(
        &mut self,
        table: &TableName,
        part: Part<'_>,
        each: &mut Each<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        for first in (0..ROWS).step_by(ROWS_AT_ONCE as usize) {
            let mut flow = ControlFlow::Continue(());
            self.rows(first).read(table, part, &mut |state, rows| {
                flow = each(state, rows);
                flow
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(Some(self.rows(0).state))
    }
}

#[test]
fn many_rows() {
    let before = peak_bytes();
    let same = compare(&mut Large { odd: None }, &mut Large { odd: None }, &orders()).unwrap();
    assert_eq!(same, Comparison::Same { rows: ROWS as u64 });
    let odd = 123_456;
    let different = compare(&mut Large { odd: None }, &mut Large { odd: Some(odd) }, &orders()).unwrap();
    let key = vec![Value::Integer(odd)];
    let examples = vec![Difference { key, discrepancy: Discrepancy::Places(vec!["/text".to_owned()]) }];
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
