//! Which column the values of a path and type go to.

use selvedge_core::{Change, Column, RowOrder, TableLoad, TableState};
use selvedge_prepare::{ChangedTypes, Deletes, FirstType, Loading, Policy};

use crate::load::{applied, prepared_of, queue, values, waiting};

const SPLIT: Policy = Policy {
    new_columns: selvedge_prepare::NewColumns::Evolve,
    changed_types: ChangedTypes::Split,
    first_type: FirstType::KeepsName,
    declared_columns: selvedge_prepare::DeclaredColumns::AtOnce,
    deletes: Deletes::Soft,
    loading: Loading::Upsert,
};
const WIDEN: Policy = Policy { changed_types: ChangedTypes::Widen, ..SPLIT };
const RENAMED: Policy = Policy { first_type: FirstType::IsRenamed, ..SPLIT };

/// A schema that declares the property `a` so.
fn declared(a: &str) -> String {
    format!(r#"{{"properties":{{"a":{a}}}}}"#)
}

const INTEGER: &str = r#"{"type":"integer"}"#;
const DOUBLE: &str = r#"{"type":"number"}"#;
const TEXT: &str = r#"{"type":"string"}"#;
const TENTHS: &str = r#"{"type":"number","multipleOf":0.1}"#;
const CENTS: &str = r#"{"type":["null","number"],"multipleOf":0.01}"#;
const EXACT: &str = r#"{"type":"string","format":"singer.decimal"}"#;
const ANY: &str = "{}";

/// Loads one batch after the other, each `(what a is declared as, values of a, expected)`: what changes in the table, then
/// what the columns of properties hold of the batch.
#[track_caller]
fn check(policy: Policy, batches: &[(&str, &[&str], &str)]) {
    let mut state: Option<TableState> = None;
    for (a, held, expected) in batches {
        let records: Vec<String> = held.iter().map(|value| format!(r#"{{"a":{value}}}"#)).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let pending = [waiting(1, &declared(a), &[], &records)];
        let load = prepared_of(queue(), state.as_ref(), &pending, RowOrder::Any, policy, &[]).unwrap();
        assert_eq!(shown(&load), *expected, "{a} {held:?}");
        state = Some(applied(&load));
    }
}

fn shown(load: &TableLoad) -> String {
    let change = |change: &Change| match change {
        Change::CreateTable(_) => "made".to_owned(),
        Change::AddColumn(column) => format!("+{}", column.name),
        Change::WidenColumn(column) => format!("{}>{}", column.name, column.column_type),
        Change::RenameColumn { from, to } => format!("{from}>{to}"),
        _ => "?".to_owned(),
    };
    let column = |column: &Column| {
        let values: Vec<String> =
            values(load, &column.name).into_iter().map(|value| value.unwrap_or_else(|| "-".to_owned())).collect();
        let digits = if column.digits == 0 { String::new() } else { format!(".{}", column.digits) };
        format!("{} {}{digits} {}", column.name, column.column_type, values.join(" "))
    };
    let changes: Vec<String> = load.changes.iter().map(change).collect();
    let columns: Vec<String> = load.columns.iter().filter(|column| column.path.is_some()).map(column).collect();
    format!("{}: {}", changes.join(" "), columns.join(", ")).trim_start_matches(": ").to_owned()
}

#[test]
fn another_type_gets_a_column_of_its_own() {
    check(
        SPLIT,
        &[
            (INTEGER, &["1"], "made: a integer.1 1"),
            (TEXT, &["\"x\""], "+a__st: a integer.1 -, a__st string x"),
            (DOUBLE, &["1.5"], "+a__do: a integer.1 -, a__st string -, a__do double 1.5"),
            (INTEGER, &["12"], "a integer.2 12, a__st string -, a__do double -"),
        ],
    );
}

#[test]
fn values_that_no_schema_types() {
    check(
        SPLIT,
        &[
            (ANY, &["null"], "made: "),
            (ANY, &["true", "null", "\"x\""], "+a +a__st: a boolean true - -, a__st string - - x"),
            (ANY, &["\"y\"", "2"], "+a__bi: a boolean - -, a__st string y -, a__bi integer.1 - 2"),
            (ANY, &["0.5", "3"], "+a__do: a boolean - -, a__st string - -, a__bi integer.1 - 3, a__do double 0.5 -"),
        ],
    );
}

#[test]
fn untyped_numbers_share_a_column_of_doubles_while_it_holds_them_exactly() {
    check(
        SPLIT,
        &[
            (ANY, &["-7"], "made: a integer.1 -7"),
            (ANY, &["null"], "a integer.1 -"),
            (ANY, &["999999999999999", "0.5"], "a>double: a double 999999999999999.0 0.5"),
            (ANY, &["-999999999999999"], "a double -999999999999999.0"),
            (ANY, &["1000000000000000", "1"], "+a__bi: a double - -, a__bi integer.16 1000000000000000 1"),
            (ANY, &["2", "2.5"], "a double - 2.5, a__bi integer.16 2 -"),
        ],
    );
    // In whichever order they come, in one batch or several.
    check(SPLIT, &[(ANY, &["1", "0.5", "2"], "made: a double 1.0 0.5 2.0")]);
    check(SPLIT, &[(ANY, &["0.5", "1", "2"], "made: a double 0.5 1.0 2.0")]);
    check(SPLIT, &[(ANY, &["0.5"], "made: a double 0.5"), (ANY, &["1"], "a double 1.0")]);
    // Integers of 16 digits are not all doubles.
    check(
        SPLIT,
        &[
            (ANY, &["-9223372036854775808"], "made: a integer.19 -9223372036854775808"),
            (ANY, &["0.5", "1"], "+a__do: a integer.19 - 1, a__do double 0.5 -"),
        ],
    );
}

/// A declared integer stays one: whoever declares both types wants both.
#[test]
fn declared_numbers_split() {
    check(
        SPLIT,
        &[(DOUBLE, &["0.5"], "made: a double 0.5"), (INTEGER, &["1"], "+a__bi: a double -, a__bi integer.1 1")],
    );
    // What comes without a type may be a double also where an integer was declared once.
    check(SPLIT, &[(INTEGER, &["1"], "made: a integer.1 1"), (ANY, &["0.5"], "a>double: a double 0.5")]);
}

#[test]
fn decimals_of_all_scales_share_a_column_while_they_fit() {
    check(
        SPLIT,
        &[
            (TENTHS, &["1.5"], "made: a decimal(1).1 1.5"),
            (CENTS, &["null"], "a decimal(1).1 -"),
            (CENTS, &["-120.25", "3"], "a>decimal(2): a decimal(2).3 -120.25 3.00"),
            (TENTHS, &["0.1"], "a decimal(2).3 0.10"),
        ],
    );
    // 36 digits before the point and two after it are the most.
    let (large, larger) = (format!("1{}", "0".repeat(35)), format!("1{}", "0".repeat(36)));
    check(
        SPLIT,
        &[
            (TENTHS, &[large.as_str()], &format!("made: a decimal(1).36 {large}.0")),
            (CENTS, &["0.25"], "a>decimal(2): a decimal(2).36 0.25"),
            (TENTHS, &[larger.as_str()], &format!("+a__de: a decimal(2).36 -, a__de decimal(1).37 {larger}.0")),
            (CENTS, &["0.5"], "a decimal(2).36 0.50, a__de decimal(1).37 -"),
            (TENTHS, &["0.5"], "a decimal(2).36 -, a__de decimal(1).37 0.5"),
        ],
    );
}

#[test]
fn exact_decimals_stay_apart_from_those_with_a_scale() {
    check(
        SPLIT,
        &[
            (CENTS, &["1.5"], "made: a decimal(2).1 1.50"),
            (EXACT, &["\"1.50\""], "+a__de: a decimal(2).1 -, a__de decimal 1.5"),
        ],
    );
}

#[test]
fn widening_keeps_numbers_in_one_column() {
    check(
        WIDEN,
        &[
            (INTEGER, &["12"], "made: a integer.2 12"),
            (CENTS, &["null"], "a integer.2 -"),
            (CENTS, &["-0.25"], "a>decimal(2): a decimal(2).2 -0.25"),
            (INTEGER, &["123"], "a decimal(2).3 123.00"),
            (EXACT, &["\"1e-3\""], "a>decimal: a decimal 0.001"),
            (CENTS, &["-7.50"], "a decimal -7.5"),
            (INTEGER, &["-10"], "a decimal -10"),
            (TEXT, &["\"x\""], "+a__st: a decimal -, a__st string x"),
        ],
    );
    check(
        WIDEN,
        &[
            (INTEGER, &["999999999999999"], "made: a integer.15 999999999999999"),
            (DOUBLE, &["0.5"], "a>double: a double 0.5"),
            (INTEGER, &["1"], "a double 1.0"),
            (INTEGER, &["1000000000000000"], "+a__bi: a double -, a__bi integer.16 1000000000000000"),
            (CENTS, &["0.5"], "+a__de: a double -, a__bi integer.16 -, a__de decimal(2) 0.50"),
        ],
    );
    // The first load widens as well.
    check(WIDEN, &[(r#"{"type":["integer","number"]}"#, &["1", "0.5"], "made: a double 1.0 0.5")]);
    // Decimals that no scale holds together become text.
    let (whole, step) = (format!("1{}", "0".repeat(35)), r#"{"type":"number","multipleOf":0.00001}"#);
    check(
        WIDEN,
        &[
            (TENTHS, &[whole.as_str()], &format!("made: a decimal(1).36 {whole}.0")),
            (step, &["0.00002"], "a>decimal: a decimal 0.00002"),
        ],
    );
}

/// A column named by its type is not made one of another.
#[test]
fn split_columns_stay_true_to_their_names() {
    check(
        WIDEN,
        &[
            (TEXT, &["\"x\""], "made: a string x"),
            (INTEGER, &["1"], "+a__bi: a string -, a__bi integer.1 1"),
            (DOUBLE, &["0.5"], "+a__do: a string -, a__bi integer.1 -, a__do double 0.5"),
            (TENTHS, &["0.5"], "+a__de: a string -, a__bi integer.1 -, a__do double -, a__de decimal(1) 0.5"),
            (
                CENTS,
                &["0.25"],
                "a__de>decimal(2): a string -, a__bi integer.1 -, a__do double -, a__de decimal(2) 0.25",
            ),
        ],
    );
}

#[test]
fn the_first_type_is_renamed_if_that_is_the_policy() {
    check(
        RENAMED,
        &[
            (INTEGER, &["1"], "made: a integer.1 1"),
            (INTEGER, &["2"], "a integer.1 2"),
            (TEXT, &["\"x\""], "a>a__bi +a__st: a__bi integer.1 -, a__st string x"),
            (DOUBLE, &["0.5"], "+a__do: a__bi integer.1 -, a__st string -, a__do double 0.5"),
            (INTEGER, &["3"], "a__bi integer.1 3, a__st string -, a__do double -"),
        ],
    );
    check(RENAMED, &[(ANY, &["1", "\"x\""], "made: a__bi integer.1 1 -, a__st string - x")]);
}

/// Keys stay what they are whatever the policy: no column of theirs is renamed or widened.
#[test]
fn keys_are_left_alone() {
    let id = |a: &str| format!(r#"{{"properties":{{"a":{a}}}}}"#);
    let keyed = |a: &str, record: &str| waiting(1, &id(a), &["a"], &[record]);
    let policy = Policy { changed_types: ChangedTypes::Widen, ..RENAMED };
    let first = prepared_of(queue(), None, &[keyed(TENTHS, r#"{"a":1}"#)], RowOrder::Any, policy, &[]).unwrap();
    let state = applied(&first);
    for other in [CENTS, INTEGER, EXACT] {
        let record = if other == EXACT { r#"{"a":"1"}"# } else { r#"{"a":1}"# };
        let blocked = prepared_of(queue(), Some(&state), &[keyed(other, record)], RowOrder::Any, policy, &[]);
        assert!(blocked.unwrap_err().to_string().starts_with("the table's keys are (a)"), "{other}");
    }
}

/// Only what is loaded decides: records that lose to a newer one do not.
#[test]
fn losers_have_no_columns() {
    let schema = r#"{"properties":{"id":{"type":"integer"}}}"#;
    let records =
        [r#"{"id":1,"a":1234567890123456,"b":1,"d":[1]}"#, r#"{"id":1,"a":1}"#, r#"{"id":2,"a":0.5,"c":null}"#];
    let load = prepared_of(queue(), None, &[waiting(1, schema, &["id"], &records)], RowOrder::Any, SPLIT, &[]).unwrap();
    assert_eq!(shown(&load), "made: id integer.1 1 2, a double 1.0 0.5");
    assert!(load.subtables.is_empty());
}
