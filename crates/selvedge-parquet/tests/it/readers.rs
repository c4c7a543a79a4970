//! A reader beside a writer.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use selvedge_core::Destination;
use selvedge_parquet::Settings;
use tempfile::tempdir;

use crate::table::{Table, read_file};

const ROWS: usize = 20;
const LOADS: i64 = 40;

/// The load whose rows a reader sees, having checked that it sees all of them and no others.
fn seen(table: &Path) -> i64 {
    let generation = fs::canonicalize(table.join("current")).unwrap();
    let files = fs::read_dir(generation).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "parquet"));
    let loads: Vec<i64> =
        files.flat_map(|file| read_file(&file).column(1).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(loads.len(), ROWS);
    assert!(loads.iter().all(|load| *load == loads[0]), "{loads:?}");
    loads[0]
}

#[test]
fn a_reader_sees_whole_states_in_their_order() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 6, ..Settings::default() }, "id");
    let rows = |load: i64| (0..ROWS).map(|id| format!("{id} {load};")).collect::<String>();
    table.load("id:integer load:integer", &rows(0));
    let done = AtomicBool::new(false);
    let states = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut states = vec![seen(&path)];
            while !done.load(Ordering::Acquire) {
                states.push(seen(&path));
            }
            states
        });
        for load in 1..=LOADS {
            let load = table.plan("id:integer load:integer", &rows(load));
            table.lake.load(&load).unwrap();
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    assert!(states.is_sorted(), "{states:?}");
    assert_eq!(seen(&path), LOADS);
}
