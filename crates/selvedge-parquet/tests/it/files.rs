//! Which files a load writes, keeps and removes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use selvedge_core::Column;
use selvedge_parquet::Settings;
use tempfile::tempdir;

use crate::table::{Table, columns_of, files, read, read_file};

const COLUMNS: &str = "id:integer _sdc_sequence:integer";

fn small_files() -> Settings {
    Settings { rows_per_file: 2, ..Settings::default() }
}

fn inodes(table: &Path) -> BTreeSet<u64> {
    files(table).iter().map(|file| fs::metadata(file).unwrap().ino()).collect()
}

/// Loads `first`, then `second`, and compares how many of the files stayed the same ones and how many there are.
fn check_kept(first: &str, second: &str, kept: usize, files: usize) {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), small_files(), "id");
    table.load(COLUMNS, first);
    let before = inodes(&path);
    table.load(COLUMNS, second);
    let after = inodes(&path);
    assert_eq!((before.intersection(&after).count(), after.len()), (kept, files), "{first} then {second}");
}

#[test]
fn only_files_that_change_are_rewritten() {
    let three_files = "10 5; 20 5; 30 5; 40 5; 50 5; 60 5";
    check_kept(three_files, "", 3, 3);
    check_kept(three_files, "30 6", 2, 3);
    check_kept(three_files, "35 6", 2, 4);
    check_kept(three_files, "25 6", 2, 4);
    check_kept(three_files, "5 6", 2, 4);
    check_kept(three_files, "10 6; 60 6", 1, 3);
    check_kept(three_files, "70 6; 80 6; 90 6", 3, 5);
    check_kept(three_files, "30 4", 3, 3);
    check_kept(three_files, "30 4; 40 4; 50 6", 2, 3);
}

#[test]
fn rows_above_all_others_fill_a_small_last_file() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings { rows_per_file: 10, ..Settings::default() }, "id");
    for id in 0..20 {
        table.load("id:integer", &id.to_string());
    }
    let files = files(&root.path().join("orders"));
    assert_eq!(files.iter().map(|file| read_file(file).num_rows()).collect::<Vec<_>>(), [5, 5, 5, 5]);
}

#[test]
fn a_new_column_is_in_every_file() {
    for keys in ["id", ""] {
        let root = tempdir().unwrap();
        let mut table = Table::open(root.path(), small_files(), keys);
        table.load("id:integer", "1; 2; 3; 4; 5");
        table.load("id:integer name:string", "5 e");
        for file in files(&root.path().join("orders")) {
            let names: Vec<_> = read_file(&file).schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, ["id", "name"]);
        }
    }
}

#[test]
fn small_files_of_a_keyless_table_are_merged_in_order() {
    let root = tempdir().unwrap();
    let path = root.path().join("orders");
    let mut table = Table::open(root.path(), Settings { rows_per_file: 100, ..Settings::default() }, "");
    for id in 0..150 {
        table.load("id:integer", &id.to_string());
        let small = files(&path).iter().filter(|file| read_file(file).num_rows() < 50).count();
        assert!(small <= 14, "{small} small files after load {id}");
    }
    assert_eq!(read(&path), (0..150).map(|id| id.to_string()).collect::<Vec<_>>());
    let first = inodes(&path);
    table.load("id:integer", "150");
    assert!(first.intersection(&inodes(&path)).count() >= 2, "full files stay");
}

#[test]
fn a_file_describes_itself() {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings::default(), "b a");
    let columns = "a:string note:json b:integer";
    table.load(columns, "x {} 1; y {} 1");
    let file = File::open(&files(&root.path().join("orders"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let json = pairs.iter().find(|pair| pair.key == "selvedge.columns").and_then(|pair| pair.value.as_deref());
    assert_eq!(serde_json::from_str::<Vec<Column>>(json.unwrap()).unwrap(), columns_of(columns));
    let sorting = metadata.row_group(0).sorting_columns().unwrap();
    let sorting: Vec<_> = sorting.iter().map(|by| (by.column_idx, by.descending, by.nulls_first)).collect();
    assert_eq!(sorting, [(2, false, true), (0, false, true)]);
    assert!(metadata.file_metadata().created_by().unwrap().starts_with("selvedge"));
}

/// Compares how the columns of a file of so many rows are compressed.
fn check_compression(rows: i64, compression: &str) {
    let root = tempdir().unwrap();
    let rows: String = (0..rows).map(|id| format!("{id} x;")).collect();
    Table::open(root.path(), Settings::default(), "id").load("id:integer name:string", &rows);
    let file = File::open(&files(&root.path().join("orders"))[0]).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    for column in reader.metadata().row_group(0).columns() {
        assert!(format!("{:?}", column.compression()).starts_with(compression), "{column:?}");
    }
}

#[test]
fn files_are_compressed_unless_they_are_small() {
    check_compression(10, "UNCOMPRESSED");
    check_compression(10_000, "ZSTD");
}

/// Loads five times and compares how many generations are left, then and after opening the folder again.
fn check_generations(keep_outdated: Duration, after_loads: usize, after_opening: usize) {
    let root = tempdir().unwrap();
    let generations = || fs::read_dir(root.path().join("orders/.generations")).unwrap().count();
    let settings = Settings { keep_outdated, ..Settings::default() };
    let mut table = Table::open(root.path(), settings.clone(), "id");
    for id in 0..5 {
        table.load("id:integer", &id.to_string());
    }
    assert_eq!(generations(), after_loads);
    drop(table);
    Table::open(root.path(), settings, "id");
    assert_eq!(generations(), after_opening);
    assert_eq!(read(&root.path().join("orders")), ["0", "1", "2", "3", "4"]);
}

#[test]
fn outdated_generations_are_swept_after_a_while() {
    check_generations(Duration::ZERO, 2, 1);
    check_generations(Duration::from_secs(3600), 5, 5);
}

/// A folder in the place of the manifest cannot be removed as a file is, so the sweep ends there.
#[test]
fn a_generation_loses_its_manifest_before_its_files() {
    let root = tempdir().unwrap();
    let outdated = root.path().join("orders/.generations/000000000001");
    let mut table = Table::open(root.path(), Settings { keep_outdated: Duration::ZERO, ..Settings::default() }, "id");
    table.load("id:integer", "1");
    table.load("id:integer", "2");
    fs::remove_file(outdated.join("manifest.json")).unwrap();
    fs::create_dir(outdated.join("manifest.json")).unwrap();
    let error = table.try_load("id:integer", "3").unwrap_err();
    assert!(error.to_string().contains("cannot remove"), "{error}");
    assert_eq!(fs::read_dir(&outdated).unwrap().count(), 2);
}
