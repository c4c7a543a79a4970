//! Whatever comes over the wire is refused or decoded; what is decoded holds together, and makes a load in which every record
//! has its place.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use selvedge_core::{Capabilities, Epoch, QueueId, RowOrder, TableLoad, TableName, schema};
use selvedge_prepare::{
    Blocked, Deletes, LoadContext, Pending, Policy, RecordColumn, Records, Schemas, decode, decode_rejecting, prepare,
};

fuzz_target!(|body: &[u8]| {
    let strict = decode(body, &Schemas::new());
    match decode_rejecting(body, &Schemas::new()) {
        Ok(records) => {
            check(&records);
            check_load(&records, &load(body, &records));
            match strict {
                Ok(strict) => assert_eq!(strict.rejected, records.rejected),
                Err(_) => assert!(!records.rejected.is_empty()),
            }
        }
        Err(refusal) => {
            assert!(!refusal.reason().is_empty());
            assert!(strict.is_err());
        }
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

/// The first load of a table.
fn load(body: &[u8], records: &Records) -> TableLoad {
    let table = TableName::new(None, "t").unwrap();
    let context = LoadContext {
        table: &table,
        planned_on: None,
        policy: Policy { deletes: Deletes::Hard, ..Policy::default() },
        capabilities: &Capabilities { kind: "fuzz", row_order: RowOrder::Key, worthwhile_records: 1, memory_bytes: 0 },
        queue: QueueId::from_bytes([1; 16]),
        batched_at: 0,
    };
    let epoch = Epoch::from_bytes([2; 16]);
    let pending = Pending { batch: 1, epoch, received_at: 0, applied: 0, until: records.len() as u64, records: Arc::new(records.clone()) };
    prepare::<Blocked>(&context, &[pending], |_| Ok(body.to_vec())).expect("a new table takes any batch")
}

fn check_load(records: &Records, load: &TableLoad) {
    let written = load.rows.num_rows() + load.deletes.num_rows() + load.activations as usize;
    assert_eq!(written + load.rejects.num_rows() + load.superseded as usize, records.len());
    load.check_rows().unwrap();
    assert!(load.columns.len() <= 1_000);
    for part in &load.subtables {
        assert_eq!(part.rows.schema(), schema(&part.subtable.columns));
        assert!(part.roots.values().is_sorted());
        assert!(part.roots.values().iter().all(|root| (*root as usize) < load.rows.num_rows()));
        part.subtable.table_name(&load.table).unwrap();
    }
}
