//! Tables that keep every version of a key.

use selvedge_core::{RowOrder, TableLoad, TableState};
use selvedge_prepare::{Blocked, Loading, Pending, Policy};

use crate::load::{applied, lines, prepared_of, queue, waiting};

const SCHEMA: &str = r#"{"properties":{"id":{"type":"integer"},"b":{"type":"integer"}}}"#;
const APPEND: Policy = Policy {
    loading: Loading::Append,
    new_columns: selvedge_prepare::NewColumns::Evolve,
    changed_types: selvedge_prepare::ChangedTypes::Split,
    first_type: selvedge_prepare::FirstType::KeepsName,
    declared_columns: selvedge_prepare::DeclaredColumns::AtOnce,
    deletes: selvedge_prepare::Deletes::Soft,
};

fn load(state: Option<&TableState>, policy: Policy, pending: &[Pending]) -> Result<TableLoad, Blocked> {
    prepared_of(queue(), state, pending, RowOrder::Key, policy, &[])
}

fn keyed(number: u64, records: &[&str]) -> Pending {
    waiting(number, SCHEMA, &["id"], records)
}

#[test]
fn every_record_is_a_row() {
    let first = load(None, APPEND, &[keyed(1, &[r#"{"id":1,"l":[1]}"#, r#"{"id":1,"l":[2]}"#])]).unwrap();
    assert_eq!(lines(&first.rows, &["id", "_sdc_sequence"]), ["1 1", "1 2"]);
    assert_eq!((first.keys.len(), first.superseded), (0, 0));
    assert_eq!(first.subtables[0].rows.num_rows(), 2);
    let names: Vec<&str> = first.columns.iter().map(|column| column.name.as_str()).collect();
    let own = ["__sdc_primary_key", "_sdc_received_at", "_sdc_batched_at", "_sdc_sequence"];
    assert_eq!(names, [&["id", "b"][..], &own].concat());
    let second = load(Some(&applied(&first)), APPEND, &[keyed(2, &[r#"{"id":1}"#])]).unwrap();
    assert_eq!((second.rows.num_rows(), second.changes.len()), (1, 0));
    // The rows have the keys that those of a batch without keys have.
    let keyless = waiting(1, SCHEMA, &[], &[r#"{"id":1,"l":[1]}"#, r#"{"id":1,"l":[2]}"#]);
    let keyless = load(None, Policy::default(), &[keyless]).unwrap();
    let keys = |load: &TableLoad| lines(&load.rows, &["__sdc_primary_key"]);
    assert_eq!(keys(&first), keys(&keyless));
}

/// Batches of other keys, of keys of another type, and of none, are rows like any others.
#[test]
fn keys_are_ordinary_properties() {
    let text = r#"{"properties":{"id":{"type":"string"},"b":{"type":"integer"}}}"#;
    let batches = [
        keyed(1, &[r#"{"id":1}"#]),
        waiting(2, text, &["id"], &[r#"{"id":"x"}"#]),
        waiting(3, SCHEMA, &["b"], &[r#"{"id":2,"b":3}"#]),
        waiting(4, SCHEMA, &[], &["{}"]),
    ];
    let load = load(None, APPEND, &batches).unwrap();
    assert_eq!(lines(&load.rows, &["id", "id__st", "b"]), ["1 - -", "- x -", "2 - 3", "- - -"]);
}

#[test]
fn a_standing_table_is_not_switched() {
    let state = |policy| applied(&load(None, policy, &[keyed(1, &[r#"{"id":1}"#])]).unwrap());
    let blocked = |state, policy| load(Some(&state), policy, &[keyed(2, &[r#"{"id":2}"#])]).unwrap_err().to_string();
    assert_eq!(
        blocked(state(Policy::default()), APPEND),
        "the table was made with the keys (id), and is to be loaded by appending now, which needs a table without keys. Its \
         batches wait. Make it anew with `selvedge table reset`, or have it loaded by upserting again"
    );
    let back = blocked(state(APPEND), Policy::default());
    assert!(back.starts_with("the table's keys are (), but the batch's are (id)"), "{back}");
    assert!(back.contains("`selvedge table reset`"), "{back}");
}
