//! What holds when something goes wrong: stale plans, refused rows, other users of the file.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use duckdb::Connection;
use selvedge_core::{Applied, Column, ColumnType, Destination, LoadError, LoadErrorKind};
use selvedge_duckdb::DuckDb;

use crate::fixture::{Warehouse, column, plan, table};

/// Tells a test started as another program which file to hold.
const FILE_TO_HOLD: &str = "SELVEDGE_FILE_TO_HOLD";

fn ids(values: impl IntoIterator<Item = i64>) -> Vec<(Column, ArrayRef)> {
    vec![(column("id", ColumnType::Integer), Arc::new(Int64Array::from_iter_values(values)))]
}

#[test]
fn a_load_applied_twice_is_stale_the_second_time() {
    let mut warehouse = Warehouse::new();
    for keys in [&["id"][..], &[]] {
        let name = table(if keys.is_empty() { "keyless" } else { "keyed" });
        let load = plan(&name, None, keys, ids([1]));
        let state = warehouse.destination.load(&load).unwrap();
        let error = warehouse.destination.load(&load).unwrap_err();
        assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Stale, Applied::No));
        assert_eq!(warehouse.destination.state(&name).unwrap(), Some(state));
        assert_eq!(warehouse.query(&format!("SELECT id FROM {}", name.table())), "1");
    }
}

#[test]
fn a_stale_plan_leaves_no_new_column_behind() {
    let mut warehouse = Warehouse::new();
    let first = warehouse.load(&table("t"), &["id"], ids([1])).unwrap();
    warehouse.load(&table("t"), &["id"], ids([2])).unwrap();
    let mut columns = ids([3]);
    columns.push((column("late", ColumnType::Integer), Arc::new(Int64Array::from(vec![3]))));
    let error = warehouse.destination.load(&plan(&table("t"), Some(first), &["id"], columns)).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Stale);
    assert_eq!(warehouse.query("SELECT * FROM t ORDER BY id"), "1\n2");
}

#[test]
fn a_file_opened_again_has_the_same_state() {
    let mut warehouse = Warehouse::new();
    let state = warehouse.load(&table("t"), &["id"], ids(0..3_000)).unwrap();
    let mut again = DuckDb::open(warehouse.path()).unwrap();
    assert_eq!(again.state(&table("t")).unwrap(), Some(state));
    assert_eq!(again.state(&table("other")).unwrap(), None);
}

/// A refused load has no effect, says nothing of what the record held, and the next one succeeds.
#[test]
fn refused_rows_leave_no_trace() {
    let mut warehouse = Warehouse::new();
    let json = |text: &str| -> Vec<(Column, ArrayRef)> {
        let mut columns = ids([1]);
        columns.push((column("json", ColumnType::Json), Arc::new(StringArray::from(vec![text]))));
        columns
    };
    let before = warehouse.load(&table("t"), &["id"], json("{}")).unwrap();
    let error = warehouse.load(&table("t"), &["id"], json("{secret")).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Refused, Applied::No));
    assert!(!in_full(&error).contains("secret"), "{}", in_full(&error));
    assert_eq!(warehouse.destination.state(&table("t")).unwrap(), Some(before));
    assert_eq!(warehouse.query("SELECT * FROM t"), "1 {}");
    warehouse.load(&table("t"), &["id"], json("[]")).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t"), "1 []");
}

/// A load that does not fit in memory has no effect and names the setting; with more memory it succeeds.
#[test]
fn too_little_memory_is_told() {
    let warehouse = Warehouse::new();
    let load = plan(&table("t"), None, &["id"], ids(0..300_000));
    let mut small = DuckDb::open(warehouse.path()).unwrap().memory_limit(1 << 20);
    let error = small.load(&load).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("raise the memory limit"), "{}", in_full(&error));
    assert_eq!(small.memory_limit(64 << 20).load(&load).unwrap().counts.live_rows, 300_000);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database".repeat(1_000)).unwrap();
    for path in [text, folder.path().to_owned(), folder.path().join("missing/warehouse.duckdb")] {
        let error = DuckDb::open(&path).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Refused, "{}", in_full(&error));
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_file_open_in_another_program_is_waited_for() {
    let mut warehouse = Warehouse::new();
    let load = plan(&table("t"), None, &["id"], ids([1]));
    let mut other = hold_in_another_program(&warehouse);
    for error in [warehouse.destination.load(&load).unwrap_err(), warehouse.destination.state(&table("t")).unwrap_err()]
    {
        assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Unavailable, Applied::No), "{}", in_full(&error));
    }
    DuckDb::open(warehouse.path()).unwrap();
    drop(other.stdin.take());
    other.wait().unwrap();
    warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT id FROM t"), "1");
}

/// DuckDB's lock keeps other programs out, not a second destination of this one.
#[test]
fn two_destinations_of_one_program_take_turns() {
    let warehouse = Warehouse::new();
    std::thread::scope(|scope| {
        for name in ["a", "b"] {
            let mut destination = DuckDb::open(warehouse.path()).unwrap();
            scope.spawn(move || (0..20).for_each(|id| load_at_last(&mut destination, name, id)));
        }
    });
    assert_eq!(warehouse.query("SELECT count(a.id), count(b.id) FROM a JOIN b ON a.id = b.id"), "20 20");
}

fn load_at_last(destination: &mut DuckDb, name: &str, id: i64) {
    loop {
        let loaded = destination
            .state(&table(name))
            .and_then(|found| destination.load(&plan(&table(name), found, &["id"], ids([id]))));
        match loaded {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), LoadErrorKind::Unavailable, "{}", in_full(&error)),
        }
    }
}

/// Starts this test program again, as one that holds the file until its standard input ends.
pub(crate) fn hold_in_another_program(warehouse: &Warehouse) -> Child {
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["safety::hold_the_file", "--exact", "--ignored"])
        .env(FILE_TO_HOLD, warehouse.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said =
        BufReader::new(other.stdout.take().unwrap()).lines().map(Result::unwrap).find(|line| line.contains("held"));
    assert!(said.is_some(), "the other program did not get the file");
    other
}

#[test]
#[ignore = "the other program of `a_file_open_in_another_program_is_waited_for`"]
fn hold_the_file() {
    let Some(file) = std::env::var_os(FILE_TO_HOLD) else { return };
    let _connection = Connection::open(file).unwrap();
    writeln!(std::io::stdout(), "\nheld").unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// The message with those of its causes.
pub(crate) fn in_full(error: &LoadError) -> String {
    let causes = std::iter::successors(Some(error as &dyn Error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A process that is killed while DuckDB makes a new file leaves one that DuckDB never opens again, and so does a power failure:
/// then what was not synced may be zeros.
#[test]
fn a_file_whose_making_was_cut_off_is_made_anew() {
    const HEADER: usize = 4_096;
    let mut whole = Warehouse::new();
    whole.load(&table("t"), &["id"], ids([1])).unwrap();
    let bytes = &std::fs::read(whole.path()).unwrap()[..3 * HEADER];
    let without = |header: usize| {
        let mut bytes = bytes.to_vec();
        bytes[header * HEADER..][..HEADER].fill(0);
        bytes
    };
    let cut_off = [0, HEADER, 2 * HEADER].map(|length| bytes[..length].to_vec());
    let lost = [without(0), without(0)[..2 * HEADER].to_vec(), without(1), vec![0; 3 * HEADER]];
    for (number, left) in cut_off.into_iter().chain(lost).enumerate() {
        let warehouse = Warehouse::new();
        let path = warehouse.path();
        drop(warehouse.destination);
        std::fs::write(&path, left).unwrap();
        let mut again = DuckDb::open(&path).unwrap();
        assert_eq!(again.state(&table("t")).unwrap(), None, "file {number}");
        again.load(&plan(&table("t"), None, &["id"], ids([1]))).unwrap();
    }
}

#[test]
fn a_short_file_that_is_somebody_elses_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "not a database").unwrap();
    assert_eq!(DuckDb::open(&notes).unwrap_err().kind(), LoadErrorKind::Refused);
    assert_eq!(std::fs::read(&notes).unwrap(), b"not a database");
}
