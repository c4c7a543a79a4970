//! Columns that are given another type or name.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt32Array, new_null_array,
};
use arrow::util::display::array_value_to_string;
use selvedge_core::ColumnType::{self, Decimal, DecimalText, Double, Integer};
use selvedge_core::{
    ArrayPath, Change, Column, Destination, Inspect, LoadError, LoadErrorKind, Part, Path, Subtable, SubtableLoad,
    TableLoad, TableState, sample,
};
use selvedge_sqlite::SqliteReader;

use crate::database::{Database, integers, plan, property, rows_of, table};

fn decimals(scale: u8, values: Vec<Option<i128>>) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale.cast_signed()).unwrap())
}

/// A load of one row with `changes`, after which the property's column is `column`, and its value.
fn change(planned_on: TableState, changes: Vec<Change>, columns: Vec<(Column, ArrayRef)>) -> TableLoad {
    let (columns, rows) = rows_of(columns);
    TableLoad { changes, columns, rows, ..plan(Some(planned_on), &table("t"), &["id"], &[integers("id", [0; 0])]) }
}

/// Loads `values`, widens their column and loads one null: expects each value with SQLite's own type of it, and that the reader
/// shows it so.
#[track_caller]
fn check(from: ColumnType, values: ArrayRef, to: ColumnType, stored: &[&str], shown: &[&str]) {
    let count = values.len() as i64;
    let mut database = Database::new();
    let [ids, sequences] = [integers("id", 0..count), integers("_sdc_sequence", 0..count)];
    let state = database.load(&table("t"), &["id"], &[ids, (property("c", from), values), sequences]);
    let widened = property("c", to);
    let next = vec![
        integers("id", [count]),
        (widened.clone(), new_null_array(&to.arrow(), 1)),
        integers("_sdc_sequence", [count]),
    ];
    let state = database.destination.load(&change(state, vec![Change::WidenColumn(widened.clone())], next)).unwrap();
    assert!(state.column("c").unwrap().is_like(&widened));

    let found = database.strings(&format!("SELECT typeof(c) || ' ' || quote(c) FROM t WHERE id < {count} ORDER BY id"));
    assert_eq!(found, stored);
    let mut reader = SqliteReader::open(database.file()).unwrap();
    let batches = sample(&mut reader, &table("t"), Part::Rows, count as usize).unwrap();
    let column = batches[0].column_by_name("c").unwrap();
    assert_eq!(*column.data_type(), to.arrow());
    let read: Vec<String> = (0..column.len()).map(|row| array_value_to_string(column, row).unwrap()).collect();
    assert_eq!(read, shown);
}

#[test]
fn integers_become_doubles() {
    let values = Int64Array::from(vec![Some(999_999_999_999_999), Some(-7), Some(0), None]);
    let stored = ["real 999999999999999.0", "real -7.0", "real 0.0", "null NULL"];
    check(Integer, Arc::new(values), Double, &stored, &["999999999999999.0", "-7.0", "0.0", ""]);
}

#[test]
fn integers_become_decimals() {
    let values = || Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(0), Some(100), None]));
    let with_scale = ["text '-9223372036854775808.00'", "text '0.00'", "text '100.00'", "null NULL"];
    check(Integer, values(), Decimal { scale: 2 }, &with_scale, &["-9223372036854775808.00", "0.00", "100.00", ""]);
    let without = ["text '-9223372036854775808'", "text '0'", "text '100'", "null NULL"];
    check(Integer, values(), Decimal { scale: 0 }, &without, &["-9223372036854775808", "0", "100", ""]);
    check(Integer, values(), DecimalText, &without, &["-9223372036854775808", "0", "100", ""]);
}

#[test]
fn decimals_take_more_digits_after_the_point() {
    let values = decimals(1, vec![Some(15), Some(-5), Some(0), None, Some(10_i128.pow(35) - 1)]);
    let nines = "9999999999999999999999999999999999.9";
    let shown = ["1.5000", "-0.5000", "0.0000", "", &format!("{nines}000")];
    let stored = shown.map(|text| if text.is_empty() { "null NULL".to_owned() } else { format!("text '{text}'") });
    check(Decimal { scale: 1 }, values, Decimal { scale: 4 }, &stored.each_ref().map(String::as_str), &shown);
    let whole = decimals(0, vec![Some(15), Some(-10), Some(0)]);
    let stored = ["text '15.00'", "text '-10.00'", "text '0.00'"];
    check(Decimal { scale: 0 }, whole, Decimal { scale: 2 }, &stored, &["15.00", "-10.00", "0.00"]);
}

#[test]
fn decimals_become_text_without_superfluous_zeros() {
    let values = decimals(2, vec![Some(1_050), Some(-50), Some(0), Some(10_000), None, Some(123)]);
    let stored = ["text '10.5'", "text '-0.5'", "text '0'", "text '100'", "null NULL", "text '1.23'"];
    check(Decimal { scale: 2 }, values, DecimalText, &stored, &["10.5", "-0.5", "0", "100", "", "1.23"]);
    let whole = decimals(0, vec![Some(100), Some(0)]);
    check(Decimal { scale: 0 }, whole, DecimalText, &["text '100'", "text '0'"], &["100", "0"]);
}

/// A table `t` with a row of the integer 7 in column `c`, and `theirs` done to it.
fn seven(theirs: &str) -> (Database, TableState) {
    let mut database = Database::new();
    let values = (property("c", Integer), Arc::new(Int64Array::from(vec![7])) as ArrayRef);
    let state = database.load(&table("t"), &["id"], &[integers("id", [1]), values, integers("_sdc_sequence", [1])]);
    database.connection().execute_batch(theirs).unwrap();
    (database, state)
}

/// A load that only makes changes, after which `c` is this column.
fn only(state: &TableState, changes: Vec<Change>, c: &[Column]) -> TableLoad {
    let id = state.columns[0].clone();
    let sequence = state.columns[2].clone();
    let columns = [&[id], c, &[sequence]].concat();
    let empty = |column: &Column| (column.clone(), new_null_array(&column.column_type.arrow(), 0));
    change(state.clone(), changes, columns.iter().map(empty).collect())
}

fn widen(database: &mut Database, state: &TableState, to: ColumnType) -> Result<TableState, LoadError> {
    let column = property("c", to);
    database.destination.load(&only(state, vec![Change::WidenColumn(column.clone())], &[column]))
}

#[test]
fn what_others_made_of_the_column_stands_afterwards() {
    let (mut database, state) = seven(
        "CREATE TABLE log (what);
         CREATE INDEX theirs ON T (c) WHERE c > 0;
         CREATE VIEW seen AS SELECT c AS seen FROM t;
         CREATE VIEW broken AS SELECT * FROM gone;
         CREATE TRIGGER noted AFTER UPDATE OF c ON t BEGIN INSERT INTO log VALUES (new.c); END;
         CREATE TRIGGER through INSTEAD OF INSERT ON seen BEGIN INSERT INTO log VALUES ('through'); END;",
    );
    let objects = |database: &Database| {
        let query = "SELECT type || ' ' || name || ' ' || sql FROM sqlite_schema
                     WHERE name IN ('theirs', 'seen', 'broken', 'noted', 'through') ORDER BY name";
        database.strings(query)
    };
    let before = objects(&database);
    assert_eq!(before.len(), 5);
    widen(&mut database, &state, Double).unwrap();
    assert_eq!(objects(&database), before);
    assert_eq!(database.rows(&["seen"], "seen"), ["7.0"]);
    assert_eq!(database.rows(&["c"], "t INDEXED BY theirs WHERE c > 0"), ["7.0"]);
    assert_eq!(database.rows(&["what"], "log"), [""; 0]);
    database.connection().execute_batch("UPDATE t SET c = 8; INSERT INTO seen VALUES (1)").unwrap();
    assert_eq!(database.rows(&["what"], "log"), ["8.0", "'through'"]);
}

#[test]
fn a_column_is_widened_more_than_once() {
    let (mut database, state) = seven("");
    let state = widen(&mut database, &state, Decimal { scale: 1 }).unwrap();
    let state = widen(&mut database, &state, Decimal { scale: 3 }).unwrap();
    assert_eq!(database.rows(&["c"], "t"), ["'7.000'"]);
    widen(&mut database, &state, DecimalText).unwrap();
    assert_eq!(database.rows(&["c"], "t"), ["'7'"]);
    assert_eq!(
        database.strings("SELECT name || ' ' || type FROM pragma_table_info('t') WHERE name = 'c'"),
        ["c DECIMAL_TEXT"]
    );
}

#[test]
fn a_type_that_nothing_is_widened_to_is_refused() {
    let (mut database, state) = seven("");
    let error = widen(&mut database, &state, ColumnType::Boolean).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("report this as a defect"), "{error}");
    assert_eq!(database.state(&table("t")), Some(state));
}

#[test]
fn a_load_that_fails_after_it_leaves_the_column_as_it_was() {
    let (mut database, state) =
        seven("CREATE INDEX theirs ON t (c); CREATE VIEW seen AS SELECT c FROM t; ALTER TABLE t ADD COLUMN d");
    let (c, d) = (property("c", Double), property("d", Integer));
    let changes = vec![Change::WidenColumn(c.clone()), Change::AddColumn(d.clone())];
    let error = database.destination.load(&only(&state, changes, &[c, d])).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(database.rows(&["c"], "seen"), ["7"]);
    assert_eq!(database.strings("SELECT type FROM pragma_table_info('t') WHERE name = 'c'"), ["INTEGER"]);
    assert_eq!(database.rows(&["count(*)"], "sqlite_schema WHERE name = 'theirs'"), ["1"]);
    assert_eq!(database.state(&table("t")), Some(state));
}

#[test]
fn a_column_is_renamed_with_what_others_made_of_it() {
    let (mut database, state) = seven("CREATE INDEX theirs ON t (c); CREATE VIEW seen AS SELECT c FROM t");
    let renamed = Column { name: "c__bi".to_owned(), ..property("c", Integer) };
    let text = Column { name: "c__st".to_owned(), ..property("c", ColumnType::String) };
    let changes =
        vec![Change::RenameColumn { from: "c".to_owned(), to: "c__bi".to_owned() }, Change::AddColumn(text.clone())];
    let state = database.destination.load(&only(&state, changes, &[renamed, text])).unwrap();
    assert_eq!(database.rows(&["c__bi", "c__st"], "t"), ["7 | NULL"]);
    assert_eq!(database.rows(&["c__bi"], "seen"), ["7"]);
    assert_eq!(database.rows(&["count(*)"], "t INDEXED BY theirs WHERE c__bi = 7"), ["1"]);
    let mut reader = SqliteReader::open(database.file()).unwrap();
    assert_eq!(
        reader.read(&table("t"), Part::Rows, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap(),
        Some(state)
    );
}

#[test]
fn a_renamed_column_is_widened_in_the_same_load() {
    let (mut database, state) = seven("");
    let widened = Column { name: "c__bi".to_owned(), ..property("c", Double) };
    let rename = Change::RenameColumn { from: "c".to_owned(), to: "c__bi".to_owned() };
    let changes = vec![rename, Change::WidenColumn(widened.clone())];
    database.destination.load(&only(&state, changes, &[widened])).unwrap();
    assert_eq!(database.rows(&["c__bi"], "t"), ["7.0"]);
}

#[test]
fn a_name_that_only_changes_its_case_is_taken() {
    let (mut database, state) = seven("");
    let renamed = Column { name: "C".to_owned(), ..property("c", Integer) };
    let changes = vec![Change::RenameColumn { from: "c".to_owned(), to: "C".to_owned() }];
    database.destination.load(&only(&state, changes, &[renamed])).unwrap();
    assert_eq!(database.strings("SELECT name FROM pragma_table_info('t')"), ["id", "C", "_sdc_sequence"]);
}

/// A subtable of one element, whose `value` is of this type.
fn subtable(column_type: ColumnType, value: ArrayRef, changes: impl Fn(&[Column]) -> Vec<Change>) -> SubtableLoad {
    let element = Column::new("value", Some(Path(Vec::new())), column_type);
    let roots = UInt32Array::from(vec![0; value.len()]);
    let (columns, rows) = rows_of(vec![
        (element, Arc::clone(&value)),
        integers("_sdc_source_key_id", vec![1; value.len()]),
        integers("_sdc_level_0_id", vec![0; value.len()]),
    ]);
    let source = ArrayPath(vec![Path(vec!["prices".to_owned()])]);
    SubtableLoad {
        changes: changes(&columns),
        subtable: Subtable { name: "t__prices".to_owned(), source, columns },
        rows,
        roots,
    }
}

#[test]
fn columns_of_subtables_are_widened_and_renamed() {
    let mut database = Database::new();
    let root = [integers("id", [1]), integers("_sdc_sequence", [1])];
    let first =
        subtable(Integer, Arc::new(Int64Array::from(vec![12])), |columns| vec![Change::CreateTable(columns.to_vec())]);
    let load = TableLoad { subtables: vec![first], ..plan(None, &table("t"), &["id"], &root) };
    let state = database.destination.load(&load).unwrap();

    let nothing = [integers("id", [0; 0]), integers("_sdc_sequence", [0; 0])];
    let second = subtable(Decimal { scale: 2 }, decimals(2, Vec::new()), |columns| {
        vec![Change::WidenColumn(columns[0].clone())]
    });
    let load = TableLoad { subtables: vec![second], ..plan(Some(state), &table("t"), &["id"], &nothing) };
    let state = database.destination.load(&load).unwrap();
    assert_eq!(database.rows(&["value"], "t__prices"), ["'12.00'"]);

    let mut third = subtable(Decimal { scale: 2 }, decimals(2, Vec::new()), |_| {
        vec![Change::RenameColumn { from: "value".to_owned(), to: "value__de".to_owned() }]
    });
    third.subtable.columns[0].name = "value__de".to_owned();
    third.rows = RecordBatch::new_empty(selvedge_core::schema(&third.subtable.columns));
    let load = TableLoad { subtables: vec![third], ..plan(Some(state), &table("t"), &["id"], &nothing) };
    database.destination.load(&load).unwrap();
    assert_eq!(database.rows(&["value__de"], "t__prices"), ["'12.00'"]);
}

/// Names are quoted, whatever they hold.
#[test]
fn hostile_names_are_only_names() {
    let name = r#"x"; DROP TABLE t; --'"#;
    let mut database = Database::new();
    let values = (property(name, Integer), Arc::new(Int64Array::from(vec![7])) as ArrayRef);
    let state = database.load(&table("t"), &["id"], &[integers("id", [1]), values, integers("_sdc_sequence", [1])]);
    let widened = property(name, Decimal { scale: 1 });
    let state =
        database.destination.load(&only(&state, vec![Change::WidenColumn(widened.clone())], &[widened])).unwrap();
    let rename = Change::RenameColumn { from: name.to_owned(), to: format!("{name}2") };
    let renamed = property(&format!("{name}2"), Decimal { scale: 1 });
    database.destination.load(&only(&state, vec![rename], &[renamed])).unwrap();
    assert_eq!(database.rows(&[r#""x""; DROP TABLE t; --'2""#], "t"), ["'7.0'"]);
}

/// A row that is replaced in the load that widens.
#[test]
fn rows_of_the_load_have_the_new_type() {
    let (mut database, state) = seven("");
    let widened = property("c", DecimalText);
    let text: ArrayRef = Arc::new(StringArray::from(vec!["0.125"]));
    let next = vec![integers("id", [2]), (widened.clone(), text), integers("_sdc_sequence", [1])];
    database.destination.load(&change(state, vec![Change::WidenColumn(widened)], next)).unwrap();
    assert_eq!(database.rows(&["id", "c"], "t ORDER BY id"), ["1 | '7'", "2 | '0.125'"]);
}
