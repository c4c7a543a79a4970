//! Columns that are widened, renamed and added: every stored file follows.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use selvedge_core::{Applied, Change, Column, Destination, LoadError, LoadErrorKind, Part, TableLoad, TableState};
use selvedge_parquet::Settings;
use tempfile::tempdir;

use crate::table::{Table, add_subtable, columns_of, files, look, parquet_files, read_file, text_of};

const ROOT: &str = "id:integer _sdc_sequence:integer";
/// What a subtable has before and after the columns that change.
const OWN: &str = "_sdc_source_key_id:integer _sdc_level_0_id:integer";

/// `age:double` widens, `age>years` renames, `+age:string` adds.
fn changes_of(text: &str) -> Vec<Change> {
    let change = |text: &str| match (text.strip_prefix('+'), text.split_once('>')) {
        (Some(added), _) => Change::AddColumn(columns_of(added).remove(0)),
        (None, Some((from, to))) => Change::RenameColumn { from: from.to_owned(), to: to.to_owned() },
        (None, None) => Change::WidenColumn(columns_of(text).remove(0)),
    };
    text.split_whitespace().map(change).collect()
}

/// The columns once the changes are applied: what preparation does. A column that is renamed keeps its path.
fn changed(mut columns: Vec<Column>, changes: &[Change]) -> Vec<Column> {
    for change in changes {
        match change {
            Change::AddColumn(column) => columns.push(column.clone()),
            Change::WidenColumn(wide) => {
                let column = columns.iter_mut().find(|column| column.name == wide.name);
                column.into_iter().for_each(|column| column.column_type = wide.column_type);
            }
            Change::RenameColumn { from, to } => {
                let column = columns.iter_mut().find(|column| column.name == *from);
                column.into_iter().for_each(|column| column.name.clone_from(to));
            }
            other => panic!("{other:?}"),
        }
    }
    columns
}

/// Plans rows of the table, changing its columns.
fn plan_rows(table: &mut Table, changes: &str, rows: &str) -> TableLoad {
    let stands = table.lake.state(&table.name).unwrap().unwrap();
    let changes = changes_of(changes);
    let columns = changed(stands.columns, &changes);
    let rows = crate::table::batch(&columns, rows);
    let mut load = table.plan_batch(columns, rows);
    load.changes = changes;
    load
}

/// Plans rows of the subtable `items` that belong to the row `root`, changing its columns.
fn plan_subrows(table: &mut Table, root: usize, changes: &str, rows: &str) -> TableLoad {
    let stands = table.lake.state(&table.name).unwrap().unwrap();
    let changes = changes_of(changes);
    let columns = changed(stands.subtable("items").unwrap().columns.clone(), &changes);
    let mut load = table.plan(ROOT, &if rows.is_empty() { String::new() } else { format!("{root} 9") });
    add_subtable(&mut load, "items", OWN, "");
    let subtable = load.subtables.last_mut().unwrap();
    subtable.rows = crate::table::batch(&columns, rows);
    subtable.roots = vec![0; subtable.rows.num_rows()].into();
    (subtable.subtable.columns, subtable.changes) = (columns, changes);
    load
}

/// Each file's rows, having checked that all files have the columns of the state.
fn stored(folder: &Path, columns: &[Column]) -> Vec<String> {
    let mut rows = Vec::new();
    for file in parquet_files(folder) {
        let batch = read_file(&file);
        assert_eq!(batch.schema().fields(), selvedge_core::schema(columns).fields());
        rows.extend(text_of(&batch));
    }
    rows.sort();
    rows
}

fn seen(root: &Path, table: &Table, part: Part<'_>) -> Vec<String> {
    let handed = look(root, &table.name, part).unwrap().unwrap();
    let mut rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
    rows.sort();
    rows
}

fn list(rows: &str, own: &str) -> Vec<String> {
    let rows = rows.split(';').map(str::trim).filter(|row| !row.is_empty());
    let mut rows: Vec<_> =
        rows.enumerate().map(|(at, row)| format!("{}{row}", own.replace('#', &at.to_string()))).collect();
    rows.sort();
    rows
}

/// Loads rows of these columns, then each (changes, rows) in turn, and compares what stands. The same in a table with and
/// one without keys, and in a subtable; in many files and in one.
fn check(columns: &str, rows: &str, loads: &[(&str, &str)], expected: &str) {
    for rows_per_file in [1, 1_000] {
        for keys in ["id", ""] {
            check_rows(keys, rows_per_file, columns, rows, loads, expected);
        }
        check_subrows(rows_per_file, columns, rows, loads, expected);
    }
}

/// The rows have ids from 0.
fn check_rows(keys: &str, rows_per_file: u64, columns: &str, rows: &str, loads: &[(&str, &str)], expected: &str) {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings { rows_per_file, ..Settings::default() }, keys);
    let first = list(rows, "# ");
    let mut state = table.load(&format!("id:integer {columns}"), &first.join(";"));
    for (at, (changes, rows)) in loads.iter().enumerate() {
        let rows = list(rows, &format!("{}# ", at + 1)).join(";");
        let load = plan_rows(&mut table, changes, &rows);
        state = table.lake.load(&load).unwrap();
        assert_eq!(state.columns, load.columns);
    }
    check_found(root.path(), &table, Part::Rows, &state, expected);
}

/// The rows are elements of one row, in each load those of another.
fn check_subrows(rows_per_file: u64, columns: &str, rows: &str, loads: &[(&str, &str)], expected: &str) {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings { rows_per_file, ..Settings::default() }, "id");
    let mut load = table.plan(ROOT, "5 1");
    add_subtable(&mut load, "items", &format!("{OWN} {columns}"), &list(rows, "5 # ").join(";"));
    let mut state = table.lake.load(&load).unwrap();
    for (at, (changes, rows)) in loads.iter().enumerate() {
        let load = plan_subrows(&mut table, at, changes, &list(rows, &format!("{at} # ")).join(";"));
        state = table.lake.load(&load).unwrap();
        assert_eq!(state.subtables[0], load.subtables[0].subtable);
    }
    check_found(root.path(), &table, Part::Subtable("items"), &state, expected);
}

fn check_found(root: &Path, table: &Table, part: Part<'_>, state: &TableState, expected: &str) {
    let (folder, columns, own) = match part {
        Part::Subtable(name) => (format!("orders/current/{name}"), &state.subtable(name).unwrap().columns, 2),
        _ => ("orders/current".to_owned(), &state.columns, 1),
    };
    let stored = stored(&root.join(folder), columns);
    assert_eq!(seen(root, table, part), stored);
    let mut values: Vec<_> = stored.iter().map(|row| row.split(' ').skip(own).collect::<Vec<_>>().join(" ")).collect();
    values.sort();
    assert_eq!(values, list(expected, ""), "{part:?}");
}

#[test]
fn integers_are_widened_exactly() {
    check("n:integer", "-7; 0; -; 9007199254740992", &[("n:double", "1.5")], "-7.0; 0.0; -; 9007199254740992.0; 1.5");
    check(
        "n:integer",
        "-7; 0; -; 9223372036854775807",
        &[("n:decimal(2)", "1.25")],
        "-7.00; 0.00; -; 9223372036854775807.00; 1.25",
    );
    check("n:integer", "-7; 100; -", &[("n:decimal(0)", "99999999999999999999")], "-7; 100; -; 99999999999999999999");
    check(
        "n:integer",
        "-70; 0; -; 9223372036854775807",
        &[("n:decimal", "1.5")],
        "-70; 0; -; 9223372036854775807; 1.5",
    );
}

#[test]
fn decimals_are_widened_exactly() {
    check(
        "n:decimal(2)",
        "-1.50; 0.00; -; 12.34",
        &[("n:decimal(4)", "0.0001")],
        "-1.5000; 0.0000; -; 12.3400; 0.0001",
    );
    check(
        "n:decimal(0)",
        "9; -",
        &[("n:decimal(37)", "0.0000000000000000000000000000000000001")],
        "9.0000000000000000000000000000000000000; -; 0.0000000000000000000000000000000000001",
    );
    check(
        "n:decimal(2)",
        "-1.50; 0.00; -; 100.00; -0.01; 0.10",
        &[("n:decimal", "5")],
        "-1.5; 0; -; 100; -0.01; 0.1; 5",
    );
    let digits = "12345678901234567890123456789012345678";
    check("n:decimal(0)", &format!("{digits}; -{digits}"), &[("n:decimal", "")], &format!("{digits}; -{digits}"));
    check("n:decimal(38)", &format!("0.{digits}"), &[("n:decimal", "")], &format!("0.{digits}"));
}

#[test]
fn a_column_is_widened_more_than_once() {
    let loads = [("n:decimal(0)", "2"), ("n:decimal(3)", "0.125"), ("n:decimal", "")];
    check("n:integer", "1; -", &loads, "1; -; 2; 0.125");
    check("n:integer", "1; -", &[("n:decimal(0) n:decimal(3)", "0.125")], "1.000; -; 0.125");
}

#[test]
fn renamed_columns_keep_their_values() {
    check("a:integer b:string", "1 x; 2 -", &[("a>c", "3 y")], "1 x; 2 -; 3 y");
    check("a:integer b:string", "1 x; 2 -", &[("a>c b>d", ""), ("c>e", "3 y")], "1 x; 2 -; 3 y");
    check("a:integer b:integer", "1 10; 2 20", &[("a>c b>a c>b", "3 30")], "1 10; 2 20; 3 30");
}

#[test]
fn a_name_that_was_another_columns_begins_empty() {
    check("a:integer", "1; 2", &[("a>a__bi +a:string", "3 x")], "1 -; 2 -; 3 x");
    check("a:integer", "1; 2", &[("a>a__bi +a:integer", "")], "1 -; 2 -");
    check("a:integer", "1", &[("a>a__bi +a:string", "- x"), ("a>a__st +a:double", "- - 1.5")], "1 - -; - x -; - - 1.5");
}

#[test]
fn a_column_is_renamed_and_widened_at_once() {
    check("a:integer", "1; -", &[("a>b b:double", "0.5")], "1.0; -; 0.5");
    check("a:integer", "1; -", &[("a:decimal(1) a>b b:decimal(2) +a:integer", "0.25 7")], "1.00 -; - -; 0.25 7");
}

fn refusal(changes: &str, rows: &str, value: &str) -> LoadError {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    table.load("id:integer n:integer d:decimal(2) s:string", &format!("0 {value} {value}.25 {value}"));
    let state = table.lake.state(&table.name).unwrap();
    let load = plan_rows(&mut table, changes, rows);
    let error = table.lake.load(&load).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Refused, Applied::No), "{error}");
    assert_eq!(fs::read_dir(root.path().join("orders/.generations")).unwrap().count(), 1);
    assert_eq!(table.lake.state(&table.name).unwrap(), state);
    error
}

#[test]
fn what_no_file_can_follow_is_refused() {
    for changes in [
        "n:string",
        "n:json",
        "n:boolean",
        "d:integer",
        "d:double",
        "d:decimal(1)",
        "s:integer",
        "s:decimal",
        "x>y",
        "x:double",
    ] {
        let error = refusal(changes, "", "1");
        assert!(error.to_string().contains("a way Parquet files do not support"), "{changes}: {error}");
    }
}

#[test]
fn a_value_that_would_change_is_refused_and_not_told() {
    for (changes, value) in [
        ("n:double", "9007199254740993"),
        ("n:decimal(37)", "77347734"),
        ("d:decimal(36)", "77347734"),
        ("d:decimal(38)", "77347734"),
    ] {
        let error = format!("{:?}", refusal(changes, "", value));
        assert!(!error.contains(value), "{error}");
        assert!(error.contains("cannot be held exactly"), "{error}");
    }
}

#[test]
fn what_was_loaded_into_a_column_changes_no_file() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let items = format!("{OWN} n:integer");
    let mut first = table.plan("id:integer n:integer", "1 1");
    add_subtable(&mut first, "items", &items, "1 0 1");
    let bytes = |path: &Path| fs::read(path).unwrap();
    table.lake.load(&first).unwrap();
    let all = || {
        let current = root.path().join("orders/current");
        [files(&root.path().join("orders")), parquet_files(&current.join("items"))].concat()
    };
    let inodes = || all().iter().map(|file| fs::metadata(file).unwrap().ino()).collect::<Vec<_>>();
    let (before, content) = (inodes(), bytes(&all()[0]));
    let mut second = table.plan("id:integer n:integer", "");
    second.columns[1].digits = 12;
    add_subtable(&mut second, "items", &items, "");
    second.subtables[0].subtable.columns[2].digits = 7;
    let state = table.lake.load(&second).unwrap();
    assert_eq!((state.columns[1].digits, state.subtables[0].columns[2].digits), (12, 7));
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
    assert_eq!((inodes(), bytes(&all()[0])), (before, content));
    let mut third = table.plan("id:integer n:integer", "1 2");
    third.columns[1].digits = 13;
    add_subtable(&mut third, "items", &items, "");
    third.subtables[0].subtable.columns[2].digits = 7;
    table.lake.load(&third).unwrap();
    let text = String::from_utf8_lossy(&bytes(&all()[0])).into_owned();
    assert!(text.contains("selvedge.columns") && !text.contains("digits"));
}
