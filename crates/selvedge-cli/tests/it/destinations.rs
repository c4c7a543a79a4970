//! Inputs of every form into every destination of this build.

use std::fs::{self, File};
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{Place, batch};

/// The values of an integer column and a string column of a Parquet table, ordered.
fn parquet_rows(table: &Path, integers: &str, strings: &str) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(table.join("current")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "parquet") {
            continue;
        }
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let integers = batch.column_by_name(integers).unwrap().as_primitive::<Int64Type>().clone();
            let strings = batch.column_by_name(strings).unwrap().as_string::<i32>().clone();
            rows.extend((0..batch.num_rows()).map(|row| (integers.value(row), strings.value(row).to_owned())));
        }
    }
    rows.sort();
    rows
}

#[test]
fn several_files_into_two_destinations() {
    let place = Place::new();
    let pretty: serde_json::Value = serde_json::from_str(&batch(1, r#"{"id":1,"v":"a"};{"id":2,"v":"a"}"#)).unwrap();
    place.write("pretty.json", serde_json::to_string_pretty(&pretty).unwrap());
    let lines = [batch(2, r#"{"id":2,"v":"b"}"#), String::new(), batch(1, r#"{"id":2,"v":"late"};{"id":3,"v":"c"}"#)];
    place.write("lines.jsonl", lines.join("\n"));
    let run = place.run("load pretty.json lines.jsonl --to sqlite:demo.db --to parquet:lake/ --report json");
    let run = run.expect_code(0);
    for destination in ["sqlite:demo.db", "parquet:lake/"] {
        assert_eq!(run.counts(destination, "t"), [5, 3, 2, 0], "{destination}: {}", run.stdout);
    }
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b", "3|c"]);
    let expected = [(1, "a"), (2, "b"), (3, "c")].map(|(id, v)| (id, v.to_owned()));
    assert_eq!(parquet_rows(&place.path("lake/t"), "id", "v"), expected);
}

#[test]
fn an_integration_keeps_its_tables_apart() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    let run = place.run("load a.json --integration shop --to sqlite:demo.db --report json").expect_code(0);
    assert_eq!(run.counts("sqlite:demo.db", "shop.t"), [1, 1, 0, 0], "{}", run.stdout);
    // The same file for another integration is another load.
    let run = place.run("load a.json --integration crm --to sqlite:demo.db --report json").expect_code(0);
    assert_eq!(run.counts("sqlite:demo.db", "crm.t"), [1, 1, 0, 0], "{}", run.stdout);
    assert_eq!(place.rows("shop__t", "id, v"), ["1|a"]);
    assert_eq!(place.rows("crm__t", "id, v"), ["1|a"]);
}

#[test]
fn batches_from_standard_input() {
    let place = Place::new();
    let input = [batch(1, r#"{"id":1,"v":"a"}"#), batch(2, r#"{"id":1,"v":"b"}"#)].join("\n");
    for _ in 0..2 {
        let run = place.run_with_input("load - --to sqlite:demo.db --report json", &input).expect_code(0);
        assert_eq!(run.counts("sqlite:demo.db", "t")[0], 2, "a stream is not remembered: {}", run.stdout);
    }
    assert_eq!(place.rows("t", "id, v"), ["1|b"]);
}

#[test]
fn the_queue_stands_where_it_is_told_to() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load a.json --to sqlite:demo.db --data elsewhere").expect_code(0);
    assert!(place.path("elsewhere").is_dir());
    assert!(!place.path("demo.db.queue").exists());
}

#[test]
fn an_empty_file_loads_nothing() {
    let place = Place::new();
    place.write("empty.json", "\n \n");
    let run = place.run("load empty.json --to sqlite:demo.db --report json").expect_code(0);
    assert_eq!(run.report()["destinations"].to_string(), r#"{"sqlite:demo.db":{"tables":{}}}"#);
}
