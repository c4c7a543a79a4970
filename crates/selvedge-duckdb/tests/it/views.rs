//! The coalescing view: what it shows, and that loads go on beside it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray};
use selvedge_core::{Change, Column, ColumnType, Destination, LoadErrorKind, Path, TableName, TableState, system};

use crate::fixture::{Warehouse, column, integration_table, plan_changes, table};

/// A column for values of the property `age`.
fn age(name: &str, column_type: ColumnType) -> Column {
    Column::new(name, Some(Path(vec!["age".to_owned()])), column_type)
}

fn numbers(name: &str, values: &[i64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Integer), Arc::new(Int64Array::from(values.to_vec())))
}

/// A table of two columns for `age`, each with a value in one of two rows, and what the view shows: the column's type,
/// then the values.
fn check(first: (ColumnType, ArrayRef), second: (&str, ColumnType, ArrayRef), expected: &str) {
    let mut warehouse = Warehouse::new();
    let columns = vec![
        numbers("id", &[1, 2]),
        (age("age", first.0), first.1),
        (age(second.0, second.1), second.2),
        numbers(system::SEQUENCE, &[1, 1]),
    ];
    warehouse.load(&table("people"), &["id"], columns).unwrap();
    warehouse.destination.create_coalescing_view(&table("people"), "everybody").unwrap();
    let columns = warehouse.query("SELECT column_name FROM (DESCRIBE everybody)");
    assert_eq!(columns, "id\nage\n_sdc_sequence");
    let declared = warehouse.query("SELECT column_type FROM (DESCRIBE everybody) WHERE column_name = 'age'");
    let values = warehouse.query("SELECT age FROM everybody ORDER BY id");
    assert_eq!(format!("{declared}\n{values}"), expected);
}

fn integers(values: [Option<i64>; 2]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: [Option<&str>; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn a_path_of_several_types_is_one_column_of_text() {
    let old = || ("age__st", ColumnType::String, texts([None, Some("old")]));
    check((ColumnType::Integer, integers([Some(7), None])), old(), "VARCHAR\n7\nold");
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), None]));
    check((ColumnType::Double, doubles), old(), "VARCHAR\n0.30000000000000004\nold");
    let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![Some(false), None]));
    check((ColumnType::Boolean, booleans), old(), "VARCHAR\nfalse\nold");
}

#[test]
fn integers_and_decimals_are_decimals() {
    let decimals = Decimal128Array::from(vec![None, Some(10_i128.pow(37) + 1)]).with_precision_and_scale(38, 2);
    check(
        (ColumnType::Integer, integers([Some(i64::MAX), None])),
        ("age__de", ColumnType::Decimal { scale: 2 }, Arc::new(decimals.unwrap())),
        "DECIMAL(38,2)\n9223372036854775807.00\n100000000000000000000000000000000000.01",
    );
}

/// A table with an `age` of 7 and the view `everybody` of it.
fn people(name: &TableName) -> (Warehouse, TableState) {
    let mut warehouse = Warehouse::new();
    let columns = vec![numbers("id", &[1]), numbers("age", &[7])];
    let state = warehouse.load(name, &["id"], columns).unwrap();
    warehouse.destination.create_coalescing_view(name, "everybody").unwrap();
    (warehouse, state)
}

fn change(warehouse: &mut Warehouse, name: &TableName, state: TableState, change: Change) -> TableState {
    let load = plan_changes(name, Some(state), &["id"], vec![change], vec![numbers("id", &[])]);
    warehouse.destination.load(&load).unwrap()
}

#[test]
fn loads_that_change_the_table_go_on_and_the_view_follows() {
    for name in [table("people"), integration_table("Shop", "people")] {
        let (mut warehouse, state) = people(&name);
        let view = if name.integration().is_some() { "shop.everybody" } else { "everybody" };
        let shown = |warehouse: &Warehouse| warehouse.query(&format!("SELECT typeof(age), age FROM {view}"));
        assert_eq!(shown(&warehouse), "BIGINT 7");
        let widen = Change::WidenColumn(age("age", ColumnType::Decimal { scale: 2 }));
        let state = change(&mut warehouse, &name, state, widen);
        assert_eq!(shown(&warehouse), "DECIMAL(38,2) 7.00");
        let add = Change::AddColumn(age("age__st", ColumnType::String));
        let state = change(&mut warehouse, &name, state, add);
        assert_eq!(shown(&warehouse), "VARCHAR 7.00");
        let rename = Change::RenameColumn { from: "age".to_owned(), to: "age__de".to_owned() };
        change(&mut warehouse, &name, state, rename);
        assert_eq!(shown(&warehouse), "VARCHAR 7.00");
    }
}

/// It is theirs then, and stays as they wrote it; loads go on all the same.
#[test]
fn a_view_that_somebody_wrote_anew_is_left_alone() {
    let name = table("people");
    let (mut warehouse, state) = people(&name);
    warehouse.execute("CREATE OR REPLACE VIEW everybody AS SELECT age + 1 AS age FROM people");
    change(&mut warehouse, &name, state, Change::AddColumn(age("age__st", ColumnType::String)));
    assert_eq!(warehouse.query("SELECT * FROM everybody"), "8");
}

#[test]
fn a_view_of_its_name_is_replaced() {
    let (mut warehouse, _) = people(&table("people"));
    warehouse.execute("CREATE VIEW Theirs AS SELECT 1 AS one");
    for view in ["everybody", "theirs"] {
        warehouse.destination.create_coalescing_view(&table("people"), view).unwrap();
        assert_eq!(warehouse.query(&format!("SELECT age FROM {view}")), "7");
    }
}

fn check_refused(name: &TableName, view: &str, expected: &str) {
    let (mut warehouse, _) = people(&table("people"));
    let error = warehouse.destination.create_coalescing_view(name, view).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(warehouse.query("SELECT view_name FROM duckdb_views() WHERE NOT internal"), "everybody");
}

#[test]
fn names_that_are_taken_or_none_are_refused() {
    check_refused(&table("people"), "People", "a table People stands there; choose another name");
    check_refused(&table("people"), "_sdc_tables", "the view cannot have this name");
    check_refused(&table("people"), "a\"b", "the view cannot have this name");
    check_refused(&integration_table("shop", "people"), "some", "nothing was loaded into table shop.people yet");
}
