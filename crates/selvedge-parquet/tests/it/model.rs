//! Random loads against a map from key to row.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_core::{Counts, Destination};
use selvedge_parquet::{Parquet, Settings};
use tempfile::tempdir;

use crate::table::{Table, files, read, read_file};

const COLUMNS: &str = "id:integer _sdc_sequence:integer load:integer";
const ROWS_PER_FILE: u64 = 8;

type Rows = BTreeMap<i64, i64>;

fn loads() -> impl Strategy<Value = Vec<Rows>> {
    let scattered = btree_map(0..200_i64, 0..9_i64, 0..30);
    let near = (0..190_i64).prop_flat_map(|from| btree_map(from..from + 10, 0..9_i64, 0..10));
    vec(prop_oneof![scattered, near], 1..12)
}

/// The keys of each file ascend, and the files' ranges do not overlap.
fn check_order(table: &Path) {
    let keys = |file| read_file(file).column(0).as_primitive::<Int64Type>().values().to_vec();
    let mut files: Vec<Vec<i64>> = files(table).iter().map(|file| keys(file)).filter(|keys| !keys.is_empty()).collect();
    files.sort();
    let keys = files.concat();
    assert!(keys.is_sorted_by(|key, next| key < next), "{files:?}");
    assert!(files.iter().all(|keys| keys.len() as u64 <= ROWS_PER_FILE), "{files:?}");
}

/// A name stands for one content: the same inode, which nobody writes to again.
fn check_names(table: &Path, seen: &mut HashMap<String, u64>) {
    for file in files(table) {
        let inode = fs::metadata(&file).unwrap().ino();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(*seen.entry(name).or_insert(inode), inode);
    }
}

fn check(loads: &[Rows]) {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let settings = Settings { rows_per_file: ROWS_PER_FILE, ..Settings::default() };
    let mut table = Table::open(root.path(), settings, "id");
    let (mut model, mut names, mut counts) = (BTreeMap::new(), HashMap::new(), Counts::default());
    for (number, rows) in loads.iter().enumerate() {
        let text: String = rows.iter().map(|(id, sequence)| format!("{id} {sequence} {number};")).collect();
        let state = table.load(COLUMNS, &text);
        for (&id, &sequence) in rows {
            if model.get(&id).is_some_and(|(stored, _)| *stored > sequence) {
                counts.superseded += 1;
            } else {
                counts.loaded += 1;
                model.insert(id, (sequence, number));
            }
        }
        counts.live_rows = model.len() as u64;
        assert_eq!(state.counts, counts);
        check_order(&path);
        check_names(&path, &mut names);
    }
    let mut stored = read(&path);
    stored.sort();
    let mut expected: Vec<_> = model.iter().map(|(id, (sequence, load))| format!("{id} {sequence} {load}")).collect();
    expected.sort();
    assert_eq!(stored, expected);
    let state = table.lake.state(&table.name).unwrap();
    drop(table.lake);
    assert_eq!(Parquet::open(root.path()).unwrap().state(&table.name).unwrap(), state);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_loads_give_the_rows_of_a_map(loads in loads()) {
        check(&loads);
    }
}
