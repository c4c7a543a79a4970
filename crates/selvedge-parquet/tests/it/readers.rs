//! Readers beside a writer.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use selvedge_core::{Inspect, LoadError, LoadErrorKind, Part};
use selvedge_parquet::{ParquetReader, Settings};
use tempfile::tempdir;

use crate::table::{Handed, Table, look, read_file, table_name};

const ROWS: usize = 20;
const LOADS: u64 = 40;

/// Looks over and over while whole tables are loaded after each other, each with one rejected record. Returns what was seen.
fn seen_while_loading<T: Send>(root: &Path, keep_outdated: Duration, look: impl Fn() -> T + Sync) -> Vec<T> {
    let mut table = Table::open(root, Settings { keep_outdated, rows_per_file: 6, ..Settings::default() }, "id");
    let mut load = |load: u64| {
        let rows: String = (0..ROWS).map(|id| format!("{id} {load};")).collect();
        table.load_rejecting("id:integer load:integer", &rows, load..load + 1);
    };
    load(1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = vec![look()];
            while !done.load(Ordering::Acquire) {
                seen.push(look());
            }
            seen
        });
        (2..=LOADS).for_each(load);
        done.store(true, Ordering::Release);
        let mut seen = reader.join().unwrap();
        seen.push(look());
        seen
    })
}

/// The load whose rows these are, having checked that they are all of them and no others.
fn load_of(rows: &[RecordBatch]) -> u64 {
    let loads: Vec<i64> =
        rows.iter().flat_map(|rows| rows.column(1).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(loads.len(), ROWS);
    assert!(loads.iter().all(|load| *load == loads[0]), "{loads:?}");
    loads[0].cast_unsigned()
}

/// The load that a reader of the folder sees.
fn globbed(table: &Path) -> u64 {
    let generation = fs::canonicalize(table.join("current")).unwrap();
    let files = fs::read_dir(generation).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "parquet"));
    load_of(&files.map(|file| read_file(&file)).collect::<Vec<_>>())
}

/// The loads that [`ParquetReader`] sees in three looks, having checked that rows, counts and state belong together.
fn inspected(root: &Path) -> Result<[u64; 3], LoadError> {
    let table = table_name("orders");
    let rows = look(root, &table, Part::Rows)?.unwrap();
    let load = load_of(&rows.iter().map(|(_, rows)| rows.clone()).collect::<Vec<_>>());
    let counted = ParquetReader::open(root)?.count(&table)?.unwrap();
    assert_eq!(counted.rows, ROWS as u64);
    let rejects = look(root, &table, Part::Rejects)?.unwrap();
    let rejected: usize = rejects.iter().map(|(_, rejects)| rejects.num_rows()).sum();
    let loads_of = |handed: &[Handed]| handed.iter().map(|(state, _)| state.position.batch).collect::<Vec<_>>();
    assert_eq!(loads_of(&rows), vec![load; rows.len()]);
    assert_eq!(loads_of(&rejects), vec![rejected as u64; rejects.len()]);
    Ok([load, counted.state.position.batch, rejected as u64])
}

#[test]
fn a_reader_of_the_folder_sees_whole_states_in_their_order() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let loads = seen_while_loading(root.path(), Duration::from_secs(300), || globbed(&path));
    assert!(loads.is_sorted(), "{loads:?}");
    assert_eq!(loads.last(), Some(&LOADS));
}

#[test]
fn an_inspector_sees_whole_states_in_their_order() {
    let root = tempdir().unwrap();
    let looks = seen_while_loading(root.path(), Duration::from_secs(300), || inspected(root.path()).unwrap());
    let loads = looks.concat();
    assert!(loads.is_sorted(), "{loads:?}");
    assert_eq!(loads.last(), Some(&LOADS));
}

#[test]
fn an_inspector_overtaken_by_the_sweep_sees_whole_states_or_says_so() {
    let root = tempdir().unwrap();
    let looks = seen_while_loading(root.path(), Duration::ZERO, || inspected(root.path()));
    let (loads, errors): (Vec<_>, Vec<_>) = looks.into_iter().partition(Result::is_ok);
    assert!(errors.iter().all(|error| error.as_ref().unwrap_err().kind() == LoadErrorKind::Unavailable), "{errors:?}");
    let loads: Vec<_> = loads.into_iter().flat_map(Result::unwrap).collect();
    assert!(loads.is_sorted(), "{loads:?}");
    assert_eq!(loads.last(), Some(&LOADS));
}

/// A text that repeats is small in a file, and as long as ever in memory.
#[test]
fn batches_stay_small_where_long_texts_repeat() {
    const TEXT_BYTES: usize = 100_000;
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let rows: String = (0..1_000).map(|id| format!("{id} {};", "x".repeat(TEXT_BYTES))).collect();
    table.load("id:integer text:string", &rows);
    let mut seen = 0;
    for (_, rows) in look(root.path(), &table.name, Part::Rows).unwrap().unwrap() {
        seen += rows.num_rows();
        assert!(rows.num_rows() * TEXT_BYTES <= 32 << 20, "{} rows at once", rows.num_rows());
    }
    assert_eq!(seen, 1_000);
}
