//! Loads, prepared from decoded batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use selvedge_core::{
    Capabilities, Column, Epoch, Outcome, QueueId, RowOrder, TableLoad, TableName, TableState, rejected, schema,
};
use selvedge_prepare::{Blocked, LoadContext, Pending, Policy, Records, Schemas, decode, prepare};

use crate::batch::decoded;
use crate::shown;

/// 2026-11-23T00:00:00Z, when all batches here are prepared.
pub(crate) const BATCHED_AT: i64 = 1_795_392_000_000_000;

/// The queue of all loads here but those that say otherwise.
pub(crate) fn queue() -> QueueId {
    QueueId::from_bytes(*b"the tests' queue")
}

/// A batch that waits, of which nothing is applied.
pub(crate) fn pending(batch: u64, records: Records) -> Pending {
    let received_at = BATCHED_AT - 1_000_000 * i64::try_from(100 - batch).unwrap();
    let until = records.len() as u64;
    Pending { batch, epoch: Epoch::from_bytes([9; 16]), received_at, applied: 0, until, records: Arc::new(records) }
}

/// A batch that waits, of records whose sequences count from 1.
pub(crate) fn waiting(batch: u64, schema: &str, keys: &[&str], records: &[&str]) -> Pending {
    pending(batch, decoded(schema, keys, records).unwrap())
}

pub(crate) fn prepared(
    state: Option<&TableState>,
    pending: &[Pending],
    row_order: RowOrder,
) -> Result<TableLoad, Blocked> {
    let load = prepared_of(queue(), state, pending, row_order, Policy::default(), &[])?;
    Ok(load)
}

/// A load as everything that decides it has it. `bodies` are those of the batches, from number 1 on, for what is rejected.
pub(crate) fn prepared_of(
    queue: QueueId,
    planned_on: Option<&TableState>,
    pending: &[Pending],
    row_order: RowOrder,
    policy: Policy,
    bodies: &[String],
) -> Result<TableLoad, Blocked> {
    let table = TableName::new(None, "t").unwrap();
    let capabilities = Capabilities { kind: "test", row_order, worthwhile_records: 1, memory_bytes: 0 };
    let context =
        LoadContext { table: &table, planned_on, policy, capabilities: &capabilities, queue, batched_at: BATCHED_AT };
    let body_of = |batch: u64| Ok::<_, Blocked>(bodies[usize::try_from(batch).unwrap() - 1].clone().into_bytes());
    let load = prepare(&context, pending, body_of)?;
    check_layout(&load);
    Ok(load)
}

/// What a destination holds once a load is applied to an empty table.
pub(crate) fn applied(load: &TableLoad) -> TableState {
    load.committed(Outcome { stale_rows: 0, new_rows: load.rows.num_rows() as u64, removed_rows: 0 })
}

/// The values of a column; panics if there is none of this name.
pub(crate) fn values(load: &TableLoad, name: &str) -> Vec<Option<String>> {
    let column = load.rows.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    (0..column.len()).map(|row| shown::value(column, row)).collect()
}

/// The rows are laid out as the load says, whatever it holds.
fn check_layout(load: &TableLoad) {
    load.check_rows().unwrap();
    check_columns(&load.columns);
    assert_eq!(load.deletes.schema(), schema(&load.tombstone_columns()));
    assert_eq!(load.rejects.schema(), schema(&rejected::columns()));
    for subtable in &load.subtables {
        subtable.check_rows().unwrap();
        check_columns(&subtable.subtable.columns);
        assert_eq!(subtable.roots.len(), subtable.rows.num_rows());
        assert!(subtable.roots.iter().flatten().all(|root| (root as usize) < load.rows.num_rows()));
        assert!(subtable.subtable.table_name(&load.table).is_ok());
    }
    let mut names: Vec<String> = load.subtables.iter().map(|load| load.subtable.name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), load.subtables.len(), "names are unique without regard to case");
}

fn check_columns(columns: &[Column]) {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), columns.len(), "names are unique without regard to case");
    assert!(columns.iter().all(|column| column.name.len() < 128 && !column.name.contains(char::is_control)));
    assert!(columns.len() <= 1_000);
}

/// A batch that waits, of any messages, keyed by `id` if it is to have keys.
pub(crate) fn of_messages(batch: u64, version: Option<i64>, keys: &[&str], messages: &[&str]) -> Pending {
    let version = version.map_or(String::new(), |version| format!(r#""table_version":{version},"#));
    let body = format!(
        r#"{{"table_name":"t","schema":{{"properties":{{"id":{{"type":"integer"}},"a":{{"type":"string"}}}}}},{version}"key_names":{},"messages":[{}]}}"#,
        serde_json::to_string(keys).unwrap(),
        messages.join(",")
    );
    pending(batch, decode(body.as_bytes(), &Schemas::new()).unwrap())
}

/// The values of these columns, a row a line, with `-` for null. Columns that the batch lacks are left out.
pub(crate) fn lines(batch: &RecordBatch, names: &[&str]) -> Vec<String> {
    let columns: Vec<&ArrayRef> = names.iter().filter_map(|name| batch.column_by_name(name)).collect();
    let value = |column: &&ArrayRef, row| shown::value(column, row).unwrap_or("-".to_owned());
    let line = |row| columns.iter().map(|column| value(column, row)).collect::<Vec<_>>().join(" ");
    (0..batch.num_rows()).map(line).collect()
}
