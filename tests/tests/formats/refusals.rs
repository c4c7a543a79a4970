//! What is said of versions that are not known, and that it changes nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use selvedge::{Destination, EmbeddedQueue, Engine, Inspect, LoadError, Part, QueueErrorKind, QueueReader, sample};
use selvedge::{duckdb::DuckDb, duckdb::DuckDbReader, parquet::Parquet, parquet::ParquetReader};
use selvedge::{sqlite::Sqlite, sqlite::SqliteReader};

use super::fixtures::{content, copy};
use super::{customer, customers};

/// Changes a copy of a fixture, lets `open` try what can be done with it, and compares what it says. The copy stays as it is.
fn check(fixture: &str, change: impl Fn(&Path), open: impl Fn(&Path) -> Vec<String>, expected: &str) {
    let folder = copy(fixture);
    change(folder.path());
    let before = content(folder.path());
    for said in open(folder.path()) {
        assert_eq!(said.replace(&*folder.path().to_string_lossy(), ""), expected, "{fixture}");
    }
    assert!(content(folder.path()) == before, "{fixture} was changed by a refusal");
}

fn unchanged(_: &Path) {}

#[test]
fn other_queues_are_refused() {
    let newer = |folder: &Path| {
        rusqlite::Connection::open(folder.join("queue.db")).unwrap().pragma_update(None, "user_version", 4).unwrap();
    };
    let said = |version| {
        format!(
            "/queue.db has queue format {version}, this selvedge reads format 3: use the version of selvedge that wrote it"
        )
    };
    check("queue-3", newer, open_queue, &said(4));
    check("queue-2", unchanged, open_queue, &said(2));
    check("queue-1", unchanged, open_queue, &said(1));
}

fn open_queue(folder: &Path) -> Vec<String> {
    let errors = [
        EmbeddedQueue::open(folder).unwrap_err(),
        EmbeddedQueue::open_existing(folder).unwrap_err(),
        QueueReader::open(folder).unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == QueueErrorKind::Format));
    errors.map(|error| error.to_string()).into()
}

const NEWER_STATE: &str = "UPDATE _sdc_tables SET format = 5";

fn said_of_state(format: u32) -> String {
    format!(
        "table customers was written by another version of selvedge (format {format}, this one reads 4); use that version"
    )
}

#[test]
fn other_states_in_sqlite_are_refused() {
    let newer = |folder: &Path| {
        rusqlite::Connection::open(folder.join("warehouse.db")).unwrap().execute(NEWER_STATE, []).unwrap();
    };
    let open = |folder: &Path| {
        let file = folder.join("warehouse.db");
        open_customers(Sqlite::open(&file).unwrap(), || SqliteReader::open(&file))
    };
    check("sqlite-4", newer, open, &said_of_state(5));
    check("sqlite-3", unchanged, open, &said_of_state(3));
    check("sqlite-2", unchanged, open, &said_of_state(2));
    check("sqlite-1", unchanged, open, &said_of_state(1));
}

#[test]
fn other_states_in_duckdb_are_refused() {
    let newer = |folder: &Path| {
        duckdb::Connection::open(folder.join("warehouse.duckdb")).unwrap().execute(NEWER_STATE, []).unwrap();
    };
    let open = |folder: &Path| {
        let file = folder.join("warehouse.duckdb");
        open_customers(DuckDb::open(&file).unwrap(), || DuckDbReader::open(&file))
    };
    check("duckdb-4", newer, open, &said_of_state(5));
    check("duckdb-3", unchanged, open, &said_of_state(3));
    check("duckdb-2", unchanged, open, &said_of_state(2));
}

/// Another version may have other columns: version 1 had no epoch.
#[test]
fn states_of_version_1_in_duckdb_are_refused() {
    let older = |folder: &Path| {
        let connection = duckdb::Connection::open(folder.join("warehouse.duckdb")).unwrap();
        let change = "CREATE TEMP TABLE older AS SELECT * EXCLUDE (epoch) REPLACE (1 AS format) FROM _sdc_tables;
             DROP TABLE _sdc_tables; CREATE TABLE _sdc_tables AS FROM older";
        connection.execute_batch(change).unwrap();
    };
    let read = |folder: &Path| {
        let mut reader = DuckDbReader::open(folder.join("warehouse.duckdb")).unwrap();
        vec![reader.count(&customers()).unwrap_err().to_string()]
    };
    check("duckdb-2", older, read, &said_of_state(1));
}

#[test]
fn other_manifests_are_refused() {
    let newer = |number: &'static str, from: u32| {
        move |folder: &Path| {
            let manifest = folder.join("customers/current/manifest.json");
            let text = fs::read_to_string(&manifest).unwrap();
            let (stands, comes) = (format!("\"{number}\": {from}"), format!("\"{number}\": {}", from + 1));
            assert!(text.contains(&stands), "{text}");
            fs::write(&manifest, text.replace(&stands, &comes)).unwrap();
        }
    };
    let open = |folder: &Path| open_customers(Parquet::open(folder).unwrap(), || ParquetReader::open(folder));
    let said = |generation, version| {
        format!(
            "`/customers/.generations/00000000000{generation}/manifest.json` is of format {version}, this selvedge knows 5.4; \
             use the version of selvedge that wrote it"
        )
    };
    check("parquet-5.4", newer("format", 5), open, &said(2, "6.4"));
    check("parquet-5.4", newer("state_format", 4), open, &said(2, "5.5"));
    check("parquet-4.4", unchanged, open, &said(2, "4.4"));
    check("parquet-3.3", unchanged, open, &said(2, "3.3"));
    check("parquet-2.2", unchanged, open, &said(2, "2.2"));
    check("parquet-1.1", unchanged, open, &said(1, "1.1"));
}

/// What is said of the table `customers` by an engine that is to load into it, and then by a reader.
fn open_customers<I: Inspect>(
    destination: impl Destination + 'static,
    reader: impl FnOnce() -> Result<I, LoadError>,
) -> Vec<String> {
    let paused = paused(destination);
    let mut reader = reader().unwrap();
    let count = reader.count(&customers()).unwrap_err();
    let rows = sample(&mut reader, &customers(), Part::Rows, 1).unwrap_err();
    let rejects = sample(&mut reader, &customers(), Part::Rejects, 1).unwrap_err();
    vec![paused, count.to_string(), rows.to_string(), rejects.to_string()]
}

/// Why an engine with a new queue pauses the table `customers`.
fn paused(destination: impl Destination + 'static) -> String {
    let queue = tempfile::tempdir().unwrap();
    let engine = Engine::builder(queue.path()).destination("it", destination).start().unwrap();
    engine.push(customer(1)).unwrap();
    let left = engine.flush(Duration::from_secs(60)).unwrap();
    left[0].reason.clone().unwrap()
}
