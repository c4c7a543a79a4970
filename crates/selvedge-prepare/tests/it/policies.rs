//! What a table takes that has no column for it yet.

use selvedge_core::{RowOrder, TableLoad, TableState};
use selvedge_prepare::{Blocked, ChangedTypes, DeclaredColumns, Deletes, Loading, NewColumns, Policy};

use crate::batch::body;
use crate::load::{applied, pending, prepared_of, queue, values};

const ID: &str = r#"{"properties":{"id":{"type":"integer"}}}"#;

fn new_columns(new_columns: NewColumns) -> Policy {
    Policy { new_columns, ..Policy::default() }
}

fn changed_types(changed_types: ChangedTypes) -> Policy {
    Policy { changed_types, ..Policy::default() }
}

/// Loads these records, whose schema says nothing but of `id`, into a table that stands so.
fn load(state: Option<&TableState>, policy: Policy, schema: &str, records: &[&str]) -> Result<TableLoad, Blocked> {
    let body = body(schema, &["id"], records);
    let records = selvedge_prepare::decode(body.as_bytes(), &selvedge_prepare::Schemas::new()).unwrap();
    prepared_of(queue(), state, &[pending(1, records)], RowOrder::Any, policy, &[body])
}

/// A table of the keys 1 and 2, made under the policy, with the columns `a` of integers and `s` of texts, and a subtable of
/// the elements of `l`.
fn table(policy: Policy) -> TableState {
    let records = [r#"{"id":1,"a":1,"s":"x"}"#, r#"{"id":2,"l":[{"n":1}]}"#];
    applied(&load(None, policy, ID, &records).unwrap())
}

/// Loads records into that table: the values of `id`, of the subtables the root row and `n`, and what is rejected.
#[track_caller]
fn check(policy: Policy, records: &[&str], ids: &str, rejects: &[&str]) {
    let load = load(Some(&table(policy)), policy, ID, records).unwrap();
    assert!(load.changes.is_empty(), "{:?}", load.changes);
    assert!(load.subtables.iter().all(|load| load.changes.is_empty()));
    let found: Vec<String> = values(&load, "id").into_iter().flatten().collect();
    assert_eq!(found.join(" "), ids);
    assert_eq!(crate::rejects::shown(&load), rejects);
}

/// The table is not loaded, because of this.
#[track_caller]
fn check_frozen(records: &[&str], what: &str) {
    let policy = new_columns(NewColumns::Freeze);
    let blocked = load(Some(&table(policy)), policy, ID, records).unwrap_err();
    let expected = format!(
        "the records need the new {what}, but the table takes none: its policy for new columns is `freeze`. Its batches \
         wait; to load them, start again with `evolve`, or with `discard_column` or `discard_record` to do without"
    );
    assert_eq!(blocked.to_string(), expected);
}

#[test]
fn a_frozen_table_waits_for_somebody() {
    check_frozen(&[r#"{"id":3,"b":{"c":1}}"#], "column `b__c` of t");
    check_frozen(&[r#"{"id":3,"m":[1]}"#], "subtable t__m");
    check_frozen(&[r#"{"id":3,"l":[{"o":1}]}"#], "column `o` of t__l");
    check_frozen(&[r#"{"id":3,"l":[[1]]}"#], "subtable t__l__value");
    let policy = new_columns(NewColumns::Freeze);
    check(policy, &[r#"{"id":3,"a":4,"b":null,"m":[],"l":[{"n":2}]}"#], "3", &[]);
    // Records that are not loaded need nothing.
    check(policy, &[r#"{"id":3,"b":4}"#, r#"{"id":3}"#], "3", &[]);
}

#[test]
fn values_without_a_column_are_not_stored() {
    let policy = new_columns(NewColumns::DiscardColumn);
    check(policy, &[r#"{"id":3,"b":4}"#, r#"{"id":4,"m":[1,[2]],"l":[{"o":1,"n":2},[3]]}"#], "3 4", &[]);
}

#[test]
fn records_with_values_without_a_column_are_rejected() {
    let column = |name: &str| format!("column {name} is new, and the policy for new columns is discard_record");
    let subtable = |name: &str| format!("subtable {name} is new, and the policy for new columns is discard_record");
    check(
        new_columns(NewColumns::DiscardRecord),
        &[
            r#"{"id":3,"b":{"c":1}}"#,
            r#"{"id":4,"b":{"c":null},"m":[]}"#,
            r#"{"id":5,"l":[{"n":1},{"n":2,"o":1}]}"#,
            r#"{"id":6,"m":[null,1]}"#,
            r#"{"id":7,"l":[{"n":1,"p":[1]}]}"#,
            r#"{"id":8,"l":[{"n":1}],"a":5}"#,
        ],
        "4 8",
        &[
            &format!("0 /b/c {}", column("b__c")),
            &format!("2 /l/1/o {}", column("o")),
            &format!("3 /m/0 {}", subtable("t__m")),
            &format!("4 /l/0/p/0 {}", subtable("t__l__p")),
        ],
    );
}

#[test]
fn records_with_values_of_another_type_are_rejected() {
    let reason = |column: &str, held: &str, found: &str| {
        format!(
            "column {column} is of type {held}, its value of type {found}, and the policy for changed types is reject"
        )
    };
    check(
        changed_types(ChangedTypes::Reject),
        &[
            r#"{"id":3,"a":"x"}"#,
            r#"{"id":4,"a":7}"#,
            r#"{"id":5,"s":1,"l":[{"n":1}]}"#,
            r#"{"id":6,"l":[{"n":1},{"n":"x"},{"n":true}]}"#,
        ],
        "4",
        &[
            &format!("0 /a {}", reason("a", "integer", "string")),
            &format!("2 /s {}", reason("s", "string", "integer")),
            &format!("3 /l/1/n {}", reason("n", "integer", "string")),
        ],
    );
}

/// Which numbers fit a column decides value by value, and not their order.
#[test]
fn numbers_that_a_column_can_hold_are_of_no_other_type() {
    let policy = changed_types(ChangedTypes::Reject);
    let table = |a: &str| applied(&load(None, policy, ID, &[&format!(r#"{{"id":1,"a":{a}}}"#)]).unwrap());
    let (small, large) = (r#"{"id":2,"a":3}"#, r#"{"id":3,"a":1234567890123456}"#);
    let double = r#"{"id":4,"a":0.5}"#;
    let outcome = |a: &str, records: &[&str]| {
        let load = load(Some(&table(a)), policy, ID, records).unwrap();
        let mut ids: Vec<String> = values(&load, "id").into_iter().flatten().collect();
        ids.sort();
        ids.join(" ")
    };
    for records in [[small, large, double], [double, large, small]] {
        // Doubles hold the small integer, but not the large one.
        assert_eq!(outcome("1.5", &records), "2 4");
        // Integers of the column's own type come first, and then it cannot become one of doubles.
        assert_eq!(outcome("1", &records), "2 3");
    }
    assert_eq!(outcome("1", &[double, small]), "2 4");
    // A column of a subtable is no key, whatever its name.
    let table = load(None, policy, ID, &[r#"{"id":1,"l":[{"id":1}]}"#]).unwrap();
    let load = load(Some(&applied(&table)), policy, ID, &[r#"{"id":2,"l":[{"id":0.5}]}"#]).unwrap();
    assert_eq!((load.rows.num_rows(), load.subtables[0].changes.len()), (1, 1));
}

/// The load that brings a path may bring several types of it.
#[test]
fn types_of_a_new_path() {
    let policy = changed_types(ChangedTypes::Reject);
    let records = [r#"{"id":3,"b":"x"}"#, r#"{"id":4,"b":true}"#];
    let load = load(Some(&table(policy)), policy, ID, &records).unwrap();
    assert_eq!((load.rows.num_rows(), load.changes.len()), (2, 2));
}

/// Whatever the policy, the first load makes the table its records need.
#[test]
fn the_first_load_defines_the_table() {
    for policy in [
        new_columns(NewColumns::Freeze),
        new_columns(NewColumns::DiscardColumn),
        new_columns(NewColumns::DiscardRecord),
        changed_types(ChangedTypes::Reject),
    ] {
        let load = load(None, policy, ID, &[r#"{"id":1,"a":1,"l":[1,"x"]}"#, r#"{"id":2,"a":"x"}"#]).unwrap();
        let names: Vec<&str> = load.columns.iter().take(3).map(|column| column.name.as_str()).collect();
        assert_eq!((names.join(" ").as_str(), load.rejects.num_rows()), ("id a a__st", 0), "{policy:?}");
        assert_eq!(load.subtables[0].subtable.columns[1].name, "value__st");
    }
}

#[test]
fn declared_columns_can_wait_for_their_first_value() {
    let schema = r#"{"properties":{"id":{"type":"integer"},"a":{"type":["null","integer"]},
        "l":{"type":["null","array"],"items":{"type":"integer"}}}}"#;
    let names = |policy, record| {
        let load = load(None, policy, schema, &[record]).unwrap();
        let subtables = load.subtables.iter().map(|load| load.subtable.name.clone());
        let columns = load.columns.iter().filter(|column| column.path.is_some()).map(|column| column.name.clone());
        columns.chain(subtables).collect::<Vec<_>>().join(" ")
    };
    let waiting = Policy { declared_columns: DeclaredColumns::WithFirstValue, ..Policy::default() };
    assert_eq!(names(waiting, r#"{"id":1,"a":null}"#), "id");
    assert_eq!(names(waiting, r#"{"id":1,"a":1,"l":[1]}"#), "id a t__l");
    assert_eq!(names(Policy::default(), r#"{"id":1}"#), "id a t__l");
}

/// A declared property alone is no reason to pause a table, nor does it get a column there.
#[test]
fn what_is_declared_without_values_leaves_a_frozen_table_alone() {
    let schema = r#"{"properties":{"id":{"type":"integer"},"b":{"type":"integer"}}}"#;
    for new in [NewColumns::Freeze, NewColumns::DiscardColumn, NewColumns::DiscardRecord] {
        let policy = new_columns(new);
        let load = load(Some(&table(policy)), policy, schema, &[r#"{"id":3}"#]).unwrap();
        assert!(load.changes.is_empty() && load.rejects.num_rows() == 0, "{new:?}");
    }
}

#[test]
fn settings_are_read_as_they_are_spelled() {
    assert_eq!("discard_record".parse(), Ok(NewColumns::DiscardRecord));
    assert_eq!("reject".parse(), Ok(ChangedTypes::Reject));
    assert_eq!("with_first_value".parse(), Ok(DeclaredColumns::WithFirstValue));
    assert_eq!("is_renamed".parse(), Ok(selvedge_prepare::FirstType::IsRenamed));
    assert_eq!("hard".parse(), Ok(Deletes::Hard));
    assert_eq!("append".parse(), Ok(Loading::Append));
    let unknown = "upserts".parse::<Loading>().unwrap_err();
    assert_eq!(unknown, "unknown variant `upserts`, expected `upsert` or `append`");
    let unknown = "split_".parse::<ChangedTypes>().unwrap_err();
    assert_eq!(unknown, "unknown variant `split_`, expected one of `split`, `widen`, `reject`");
    let policy: Policy = serde_json::from_str(r#"{"new_columns":"freeze"}"#).unwrap();
    assert_eq!(policy, new_columns(NewColumns::Freeze));
}
