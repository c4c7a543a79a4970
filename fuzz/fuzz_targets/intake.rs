//! Whatever comes over the wire is refused or decoded, and what is decoded holds together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_prepare::{RecordColumn, Records, Schemas, decode};

fuzz_target!(|body: &[u8]| {
    let schemas = Schemas::new();
    match decode(body, &schemas) {
        Ok(records) => check(&records),
        Err(refusal) => assert!(!refusal.reason().is_empty()),
    }
});

fn check(records: &Records) {
    check_columns(&records.columns, records.len());
    for (index, array) in records.arrays.iter().enumerate() {
        let rows = array.parents.len();
        let around = array.within.map_or(records.len(), |within| records.arrays[within].parents.len());
        assert!(array.within.is_none_or(|within| within < index));
        assert!(array.parents.values().is_sorted());
        assert!(array.parents.values().iter().all(|parent| (*parent as usize) < around));
        assert_eq!(array.positions.len(), rows);
        check_columns(&array.columns, rows);
    }
    assert!(records.rejected.is_sorted_by(|left, right| left.record < right.record));
    assert!(records.rejected.iter().all(|rejection| (rejection.record as usize) < records.len()));
}

fn check_columns(columns: &[RecordColumn], rows: usize) {
    assert!(columns.len() <= 1_000);
    assert!(columns.iter().all(|column| column.values.len() == rows));
}
