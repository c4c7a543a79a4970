//! The coalescing view: what it shows, and that loads go on beside it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, RecordBatch};
use selvedge_core::ColumnType::{self, Boolean, Decimal, Double, Integer, String};
use selvedge_core::{
    Change, Column, Destination, IntegrationName, LoadErrorKind, Path, TableLoad, TableName, TableState, schema,
};

use crate::database::{Database, integers, of_property, plan, table, table_of, texts};

/// A column for values of the property `age`.
fn age(name: &str, column_type: ColumnType) -> Column {
    Column::new(name, Some(Path(vec!["age".to_owned()])), column_type)
}

/// A table of two columns for `age`, each with a value in one row: expects what the view shows in the two.
#[track_caller]
fn check(columns: [(Column, ArrayRef); 2], name: &str, expected: &[&str]) {
    let mut database = Database::new();
    let [first, second] = columns;
    let rows = [of_property(integers("id", [1, 2])), first, second, integers("_sdc_sequence", [1, 1])];
    database.load(&table("people"), &["id"], &rows);
    database.destination.create_coalescing_view(&table("people"), "everybody").unwrap();
    assert_eq!(database.rows(&["id", name, "_sdc_sequence"], "everybody ORDER BY id"), expected);
    assert_eq!(database.strings("SELECT name FROM pragma_table_info('everybody')"), ["id", name, "_sdc_sequence"]);
}

fn age_integers(name: &str, values: [Option<i64>; 2]) -> (Column, ArrayRef) {
    (age(name, Integer), integers("", values).1)
}

fn age_texts(name: &str, values: [Option<&str>; 2]) -> (Column, ArrayRef) {
    (age(name, String), texts("", values).1)
}

#[test]
fn a_path_of_several_types_is_one_column_of_text() {
    check(
        [age_integers("age", [Some(7), None]), age_texts("age__st", [None, Some("old")])],
        "age",
        &["1 | '7' | 1", "2 | 'old' | 1"],
    );
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), None]));
    check(
        [(age("age", Double), doubles), age_texts("age__st", [None, Some("old")])],
        "age",
        &["1 | '0.30000000000000004' | 1", "2 | 'old' | 1"],
    );
    let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![Some(false), None]));
    check(
        [(age("age", Boolean), booleans), age_texts("age__st", [None, None])],
        "age",
        &["1 | 'false' | 1", "2 | NULL | 1"],
    );
}

#[test]
fn the_plain_name_stands_for_columns_that_all_have_suffixes() {
    check(
        [age_integers("age__bi", [Some(7), None]), age_texts("age__st", [None, Some("old")])],
        "age",
        &["1 | '7' | 1", "2 | 'old' | 1"],
    );
}

#[test]
fn numbers_stay_exact_numbers() {
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(0.1 + 0.2)]));
    check(
        [age_integers("age", [Some(i64::MAX), None]), (age("age__do", Double), doubles)],
        "age",
        &["1 | 9223372036854775807 | 1", "2 | 0.30000000000000004 | 1"],
    );
    let decimals =
        Decimal128Array::from(vec![None, Some(10_i128.pow(37) + 1)]).with_precision_and_scale(38, 2).unwrap();
    check(
        [age_integers("age", [Some(i64::MAX), None]), (age("age__de", Decimal { scale: 2 }), Arc::new(decimals))],
        "age",
        &["1 | '9223372036854775807' | 1", "2 | '100000000000000000000000000000000000.01' | 1"],
    );
}

/// A table with an `age` of 7 and the view `everybody` of it.
fn people(name: &TableName) -> (Database, TableState) {
    let mut database = Database::new();
    let age = (age("age", Integer), integers("", [7]).1);
    let state = database.load(name, &["id"], &[of_property(integers("id", [1])), age, integers("_sdc_sequence", [1])]);
    database.destination.create_coalescing_view(name, "everybody").unwrap();
    (database, state)
}

/// A load that only makes changes, after which these are the columns for `age`.
fn change(state: &TableState, name: &TableName, changes: Vec<Change>, ages: &[Column]) -> TableLoad {
    let own = |at: usize| state.columns.iter().filter(|column| !column.name.starts_with("age")).nth(at).cloned();
    let columns: Vec<Column> = own(0).into_iter().chain(ages.iter().cloned()).chain(own(1)).collect();
    TableLoad {
        changes,
        rows: RecordBatch::new_empty(schema(&columns)),
        columns,
        ..plan(Some(state.clone()), name, &["id"], &[integers("id", [0; 0])])
    }
}

#[test]
fn loads_that_change_the_table_go_on_and_the_view_follows() {
    let name = table("people");
    let (mut database, state) = people(&name);
    assert_eq!(database.rows(&["typeof(age)", "age"], "everybody"), ["'integer' | 7"]);

    let split = [age("age", Integer), age("age__st", String)];
    let added = change(&state, &name, vec![Change::AddColumn(split[1].clone())], &split);
    let state = database.destination.load(&added).unwrap();
    assert_eq!(database.rows(&["typeof(age)", "age"], "everybody"), ["'text' | '7'"]);

    let split = [age("age__bi", Integer), age("age__st", String)];
    let rename = Change::RenameColumn { from: "age".to_owned(), to: "age__bi".to_owned() };
    let state = database.destination.load(&change(&state, &name, vec![rename], &split)).unwrap();
    assert_eq!(database.rows(&["age"], "everybody"), ["'7'"]);

    let split = [age("age__bi", Decimal { scale: 2 }), age("age__st", String)];
    let widen = change(&state, &name, vec![Change::WidenColumn(split[0].clone())], &split);
    database.destination.load(&widen).unwrap();
    assert_eq!(database.rows(&["age"], "everybody"), ["'7.00'"]);
}

#[test]
fn a_load_that_fails_leaves_the_view() {
    let name = table("people");
    let (mut database, state) = people(&name);
    database.connection().execute_batch("ALTER TABLE people ADD COLUMN age__st").unwrap();
    let split = [age("age", Integer), age("age__st", String)];
    let load = change(&state, &name, vec![Change::AddColumn(split[1].clone())], &split);
    assert_eq!(database.destination.load(&load).unwrap_err().kind(), LoadErrorKind::Refused);
    assert_eq!(database.rows(&["age"], "everybody"), ["7"]);
}

/// It is theirs then, and stays as they wrote it; loads go on all the same.
#[test]
fn a_view_that_somebody_wrote_anew_is_left_alone() {
    let name = table("people");
    let (mut database, state) = people(&name);
    let theirs = r#"DROP VIEW everybody; CREATE VIEW "everybody" AS SELECT t."age" + 1 AS age FROM "people" AS t"#;
    database.connection().execute_batch(theirs).unwrap();
    let split = [age("age", Double), age("age__st", String)];
    let changes = vec![Change::WidenColumn(split[0].clone()), Change::AddColumn(split[1].clone())];
    database.destination.load(&change(&state, &name, changes, &split)).unwrap();
    assert_eq!(database.rows(&["age"], "everybody"), ["8.0"]);
}

#[test]
fn it_stands_beside_the_table_in_its_integration() {
    let name = TableName::new(Some(IntegrationName::new("shop").unwrap()), "people").unwrap();
    let (mut database, state) = people(&name);
    assert_eq!(database.rows(&["age"], "shop__everybody"), ["7"]);
    let split = [age("age", Double)];
    let widen = change(&state, &name, vec![Change::WidenColumn(split[0].clone())], &split);
    database.destination.load(&widen).unwrap();
    assert_eq!(database.rows(&["age"], "shop__everybody"), ["7.0"]);
}

#[test]
fn a_view_of_its_name_is_replaced() {
    let (mut database, _) = people(&table("people"));
    database.connection().execute_batch("CREATE VIEW Theirs AS SELECT 1 AS one").unwrap();
    for view in ["everybody", "theirs"] {
        database.destination.create_coalescing_view(&table("people"), view).unwrap();
        assert_eq!(database.rows(&["age"], view), ["7"]);
    }
}

#[track_caller]
fn check_refused(name: &TableName, view: &str, expected: &str) {
    let (mut database, _) = people(&table("people"));
    let before = database.strings("SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL");
    let error = database.destination.create_coalescing_view(name, view).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(database.strings("SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL"), before);
}

#[test]
fn names_that_are_taken_or_none_are_refused() {
    check_refused(&table("people"), "People", r#"a table "People" stands there: choose another name"#);
    check_refused(&table("people"), "_sdc_tables", "the view cannot have this name");
    check_refused(&table("people"), "a\"b", "the view cannot have this name");
    check_refused(&table_of("shop", "people"), "some", "nothing was loaded into it yet");
}

/// A view whose name a table takes later is no table of selvedge's.
#[test]
fn a_table_of_the_views_name_is_not_loaded_into_it() {
    let (mut database, _) = people(&table("people"));
    let rows = [of_property(integers("id", [1])), integers("_sdc_sequence", [1])];
    let error = database.try_load(&table("everybody"), &["id"], &rows).unwrap_err();
    assert!(error.to_string().contains(r#"a table "everybody" that is not selvedge's"#), "{error}");
}
