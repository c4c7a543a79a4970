//! Rejected records: where they are kept, and which of their files a load writes.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use selvedge_core::{Applied, Column, Destination, LoadErrorKind, rejected};
use selvedge_parquet::Settings;
use tempfile::tempdir;

use crate::table::{Table, read, read_file, reject_files, rejects};

fn stored(table: &Path) -> RecordBatch {
    let files: Vec<_> = reject_files(table).iter().map(|file| read_file(file)).collect();
    concat_batches(&rejected::none().schema(), &files).unwrap()
}

/// Loads each (rows, rejected records) in turn. Each time, those rejected so far are kept, in a folder that is there once
/// there are any, and a reader of the rows does not see them.
fn check_kept(keys: &str, loads: &[(&str, Range<u64>)]) {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings::default(), keys);
    let mut expected = 0;
    for (rows, rejected) in loads {
        let state = table.load_rejecting("id:integer", rows, rejected.clone());
        expected = rejected.end.max(expected);
        assert_eq!(state.counts.rejected, expected, "{rows}, {rejected:?}");
        assert_eq!(read(&path).len() as u64, state.counts.live_rows, "{rows}, {rejected:?}");
        assert_eq!(path.join("current/_sdc_rejected").exists(), expected > 0, "{rows}, {rejected:?}");
        if expected > 0 {
            assert_eq!(stored(&path), rejects(0..expected), "{rows}, {rejected:?}");
        }
    }
}

#[test]
fn rejects_are_kept_beside_the_rows() {
    for keys in ["id", ""] {
        check_kept(keys, &[("1; 2", 0..2), ("3", 2..3), ("4", 0..0), ("", 0..0), ("", 3..4)]);
        check_kept(keys, &[("1", 0..0), ("", 0..0), ("", 0..1), ("1", 1..9)]);
        check_kept(keys, &[("", 0..1), ("", 1..2), ("1", 0..0)]);
    }
}

#[test]
fn small_files_of_rejects_are_merged_in_order() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 100, ..Settings::default() }, "id");
    for number in 0..70 {
        table.load_rejecting("id:integer", "1", number..number + 1);
        let small = reject_files(&path).iter().filter(|file| read_file(file).num_rows() < 50).count();
        assert!(small <= 14, "{small} small files after load {number}");
    }
    assert_eq!(stored(&path), rejects(0..70));
}

#[test]
fn stored_rejects_are_not_written_again() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let inodes = || reject_files(&path).iter().map(|file| fs::metadata(file).unwrap().ino()).collect::<Vec<_>>();
    let mut table = Table::open(root.path(), Settings { rows_per_file: 4, ..Settings::default() }, "id");
    table.load_rejecting("id:integer", "1", 0..9);
    let first = inodes();
    assert_eq!(first.len(), 3);
    table.load("id:integer name:string", "1 a");
    assert_eq!(inodes(), first);
    table.load_rejecting("id:integer name:string", "", 9..10);
    assert_eq!((&inodes()[..3], inodes().len()), (&first[..], 4));
}

#[test]
fn a_file_of_rejects_describes_itself() {
    let root = tempdir().unwrap();
    Table::open(root.path(), Settings::default(), "id").load_rejecting("id:integer", "", 0..1);
    let file = File::open(&reject_files(&root.path().join("orders"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields(), rejected::none().schema().fields());
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let json = pairs.iter().find(|pair| pair.key == "selvedge.columns").and_then(|pair| pair.value.as_deref());
    assert_eq!(serde_json::from_str::<Vec<Column>>(json.unwrap()).unwrap(), rejected::columns());
}

#[test]
fn rejects_are_kept_to_the_last_byte() {
    let long = format!("{{\"text\":\"{}\"}}", "\u{10ffff}\u{0}".repeat(200_000));
    let texts = || -> ArrayRef { Arc::new(StringArray::from(vec![Some(""), Some(&long), None])) };
    let numbers = || -> ArrayRef { Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])) };
    let times =
        TimestampMicrosecondArray::from(vec![Some(-62_135_596_800_000_000), Some(253_402_300_799_999_999), None]);
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    let columns = vec![texts(), times, texts(), texts(), texts(), texts(), numbers(), numbers()];
    let rejects = RecordBatch::try_new(rejected::none().schema(), columns).unwrap();
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let mut load = table.plan("id:integer", "1");
    load.rejects = rejects.clone();
    table.lake.load(&load).unwrap();
    assert_eq!(stored(&root.path().join("orders")), rejects);
}

#[test]
fn rejects_of_other_columns_are_refused_with_the_rows() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let state = table.load("id:integer", "1");
    let mut load = table.plan("id:integer", "2");
    load.rejects = load.rows.clone();
    let error = table.lake.load(&load).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert!(error.to_string().contains("do not fit their columns"), "{error}");
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
    assert_eq!(read(&root.path().join("orders")), ["1"]);
}

#[test]
fn without_the_rejects_the_rows_are_not_loaded_either() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings::default(), "id");
    let state = table.load_rejecting("id:integer", "1", 0..1);
    fs::remove_file(&reject_files(&path)[0]).unwrap();
    let error = table.try_load("id:integer", "2").unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Refused, Applied::No), "{error}");
    assert_eq!(fs::read_dir(path.join(".generations")).unwrap().count(), 1);
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
    assert_eq!(read(&path), ["1"]);
}
