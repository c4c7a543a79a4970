//! Versions of a table: which records they leave in it.

use selvedge_core::{Change, Counts, Outcome, RowOrder, TableLoad, TableState};
use selvedge_prepare::{Pending, Policy, ignored_activations};

use crate::load::{applied, lines, of_messages, prepared, prepared_of, queue};

const ACTIVATE: &str = r#"{"action":"activate_version","sequence":9}"#;
const ONE: &str = r#"{"action":"upsert","sequence":1,"data":{"id":1,"a":"x"}}"#;
const TWO: &str = r#"{"action":"upsert","sequence":2,"data":{"id":2,"a":"y"}}"#;

fn load(state: Option<&TableState>, pending: &[Pending]) -> TableLoad {
    prepared(state, pending, RowOrder::Key).unwrap()
}

/// A table in which this version is active, if any is.
fn standing(version: Option<i64>) -> TableState {
    let first = match version {
        Some(_) => of_messages(1, version, &["id"], &[ONE, ACTIVATE]),
        None => of_messages(1, None, &["id"], &[ONE]),
    };
    applied(&load(None, &[first]))
}

/// What a load brings to a table of this active version: its rows as `id version`, `active/activations/superseded`, and the
/// versions whose activation is ignored.
#[track_caller]
fn check(active: Option<i64>, batches: &[(Option<i64>, &[&str])], rows: &[&str], accounts: &str, ignored: &[i64]) {
    let state = standing(active);
    let batches = batches.iter().enumerate();
    let pending: Vec<Pending> = batches
        .map(|(index, (version, messages))| of_messages(index as u64 + 2, *version, &["id"], messages))
        .collect();
    let load = load(Some(&state), &pending);
    assert_eq!(lines(&load.rows, &["id", "_sdc_table_version"]), rows);
    let TableLoad { active_version, activations, superseded, .. } = load;
    let found = format!("{}/{activations}/{superseded}", active_version.map_or("-".to_owned(), |v| v.to_string()));
    assert_eq!(found, accounts);
    assert_eq!(ignored_activations(Some(&state), &pending), ignored);
    assert_eq!(load.activates(), active_version != active);
    let records: u64 = pending.iter().map(|pending| pending.records.len() as u64).sum();
    assert_eq!(load.rows.num_rows() as u64 + activations + superseded, records);
}

#[test]
fn records_before_and_after_the_message() {
    check(None, &[(Some(5), &[ONE, ACTIVATE, TWO])], &["1 5", "2 5"], "5/1/0", &[]);
    check(None, &[(Some(5), &[ONE]), (Some(5), &[ACTIVATE]), (Some(5), &[TWO])], &["1 5", "2 5"], "5/1/0", &[]);
    check(None, &[(Some(5), &[ONE, TWO])], &["1 5", "2 5"], "-/0/0", &[]);
}

#[test]
fn records_below_the_active_version() {
    check(Some(5), &[(Some(4), &[ONE, TWO])], &[], "5/0/2", &[]);
    check(Some(5), &[(None, &[ONE]), (Some(5), &[TWO])], &["2 5"], "5/0/1", &[]);
    check(Some(5), &[(Some(6), &[ONE]), (Some(5), &[TWO])], &["1 6", "2 5"], "5/0/0", &[]);
    // Wherever they stand beside the message.
    check(None, &[(None, &[ONE]), (Some(5), &[TWO, ACTIVATE]), (Some(4), &[ONE])], &["2 5"], "5/1/2", &[]);
    check(Some(-1), &[(Some(-2), &[ONE]), (Some(-1), &[TWO])], &["2 -1"], "-1/0/1", &[]);
}

#[test]
fn older_versions_are_not_activated() {
    check(Some(5), &[(Some(4), &[ACTIVATE, ONE])], &[], "5/0/2", &[4]);
    check(Some(5), &[(Some(5), &[ACTIVATE])], &[], "5/1/0", &[]);
    check(None, &[(Some(7), &[ACTIVATE]), (Some(6), &[ACTIVATE, ACTIVATE])], &[], "7/1/2", &[6, 6]);
    // What was greater when it came counts, though a greater one comes after it.
    check(None, &[(Some(6), &[ACTIVATE, ONE]), (Some(7), &[ACTIVATE, TWO])], &["2 7"], "7/2/1", &[]);
}

/// A table is made by its first load also if that brings no row.
#[test]
fn a_first_load_of_an_activation() {
    let load = load(None, &[of_messages(1, Some(3), &["id"], &[ACTIVATE])]);
    let [Change::CreateTable(columns)] = load.changes.as_slice() else { panic!("the table is made") };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let own = ["_sdc_received_at", "_sdc_batched_at", "_sdc_sequence", "_sdc_table_version"];
    assert_eq!(names, [&["id", "a"][..], &own].concat());
    assert_eq!((load.rows.num_rows(), load.keys.as_slice()), (0, &["id".to_owned()][..]));
    assert_eq!((load.active_version, load.activations, load.to.record), (Some(3), 1, 1));
    let counts = load.committed(Outcome::default()).counts;
    assert_eq!(counts, Counts { loaded: 1, ..Counts::default() });
}

/// The column that tells versions apart is there at the latest when one is activated.
#[test]
fn a_table_without_versions_gets_their_column() {
    let state = standing(None);
    assert!(state.column("_sdc_table_version").is_none());
    let load = load(Some(&state), &[of_messages(2, Some(0), &["id"], &[ACTIVATE])]);
    assert!(load.activates());
    let [Change::AddColumn(column)] = load.changes.as_slice() else { panic!("a column is added") };
    assert_eq!(column.name, "_sdc_table_version");
}

#[test]
fn tables_without_keys() {
    let batches = [
        of_messages(1, None, &[], &[ONE]),
        of_messages(2, Some(1), &[], &[ONE, ACTIVATE, ONE]),
        of_messages(3, Some(0), &[], &[TWO, ACTIVATE]),
    ];
    let load = load(None, &batches);
    assert_eq!(lines(&load.rows, &["id", "_sdc_table_version"]), ["1 1", "1 1"]);
    assert_eq!((load.active_version, load.activations, load.superseded), (Some(1), 1, 3));
    // The generated keys go by the places of all messages.
    let key = |load: &TableLoad| lines(&load.rows, &["__sdc_primary_key"]);
    let plain = of_messages(2, Some(1), &[], &[ONE, TWO, ONE]);
    let plain = key(&self::load(None, &[plain]));
    assert_eq!(key(&load), [plain[0].clone(), plain[2].clone()]);
}

/// What an earlier load has applied is neither activated again nor counted.
#[test]
fn a_load_that_begins_within_a_batch() {
    let whole = of_messages(1, Some(2), &["id"], &[ACTIVATE, ONE, ACTIVATE, TWO]);
    for (applied, activations, rows) in [(0, 2, 2), (1, 1, 2), (2, 1, 1), (3, 0, 1)] {
        let load = load(None, &[Pending { applied, ..whole.clone() }]);
        assert_eq!((load.activations, load.rows.num_rows()), (activations, rows));
        assert_eq!(load.active_version, (activations > 0).then_some(2));
    }
}

/// What is rejected stays so, though it is below the active version.
#[test]
fn rejected_records_below_the_active_version() {
    let bad = r#"{"action":"upsert","sequence":1,"data":{"id":1,"b__st":"x"}}"#;
    let batch = of_messages(2, Some(4), &["id"], &[bad, ONE]);
    let body = format!(r#"{{"messages":[{bad},{ONE}]}}"#);
    let bodies = [String::new(), body];
    let state = standing(Some(5));
    let load = prepared_of(queue(), Some(&state), &[batch], RowOrder::Any, Policy::default(), &bodies).unwrap();
    assert_eq!((load.rows.num_rows(), load.rejects.num_rows(), load.superseded), (0, 1, 1));
}
