//! What stands on disk: a fixture of each format, opened by the code of today. `docs/formats.md` draws them.
//!
//! `examples/make_fixtures.rs` made those of today's versions. Those of older versions were made by the code that
//! wrote them.

mod fixtures;
mod refusals;

use std::fs;
use std::path::Path;
use std::time::Duration;

use selvedge::{
    Batch, Counts, EmbeddedQueue, Engine, EngineBuilder, Inspect, IntegrationName, LogicalRow, Part, Queue, TableName,
    Value, logical_view, rejected, sample, system,
};
use selvedge::{duckdb::DuckDb, duckdb::DuckDbReader, parquet::Parquet, parquet::ParquetReader};
use selvedge::{sqlite::Sqlite, sqlite::SqliteReader};
use serde_json::json;

use fixtures::{copies, names};

/// The fixtures of what is written today.
const TODAY: [&str; 4] = ["queue-3", "sqlite-4", "duckdb-4", "parquet-5.4"];

fn customers() -> TableName {
    TableName::new(None, "customers").unwrap()
}

fn shop() -> IntegrationName {
    IntegrationName::new("shop").unwrap()
}

fn events() -> TableName {
    TableName::new(Some(shop()), "events").unwrap()
}

fn customer(id: i64) -> Batch {
    let schema = json!({"properties": {"id": {"type": "integer"}}});
    Batch::new("customers", &["id"], &schema).upsert(6, &json!({"id": id}))
}

fn event(kind: &str) -> Batch {
    let schema = json!({"properties": {"kind": {"type": "string"}}});
    Batch::new("events", &[], &schema).upsert(6, &json!({"kind": kind})).integration(shop())
}

/// An engine to be, with queue and destinations where [`copies`] puts them.
fn engine(folder: &Path) -> EngineBuilder {
    Engine::builder(folder.join("queue"))
        .destination("sqlite", Sqlite::open(folder.join("warehouse.db")).unwrap())
        .destination("duckdb", DuckDb::open(folder.join("warehouse.duckdb")).unwrap())
        .destination("parquet", Parquet::open(folder.join("lake")).unwrap())
}

fn readers(folder: &Path) -> [(&'static str, Box<dyn Inspect>); 3] {
    [
        ("sqlite", Box::new(SqliteReader::open(folder.join("warehouse.db")).unwrap())),
        ("duckdb", Box::new(DuckDbReader::open(folder.join("warehouse.duckdb")).unwrap())),
        ("parquet", Box::new(ParquetReader::open(folder.join("lake")).unwrap())),
    ]
}

fn flush(engine: &Engine) {
    let left = engine.flush(Duration::from_secs(60)).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_written_today_has_fixtures_and_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).start().unwrap();
    engine.push(customer(1)).unwrap();
    flush(&engine);
    drop(engine);
    assert_eq!(names(folder.path()), TODAY, "a new version needs a fixture: see examples/make_fixtures.rs");
    assert_eq!(names(copies(TODAY).path()), TODAY);

    let drawn = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/formats.md")).unwrap();
    for name in TODAY {
        assert!(drawn.contains(name), "docs/formats.md does not draw {name}");
    }
}

/// What is expected of a table.
struct Expected {
    columns: &'static str,
    /// Places and values, without generated keys.
    rows: &'static [&'static str],
    rejects: &'static [&'static str],
    counts: Counts,
}

/// Reads a table of a destination.
fn check(destination: &str, reader: &mut dyn Inspect, table: &TableName, expected: &Expected) {
    let counted = reader.count(table).unwrap().unwrap();
    let columns: Vec<String> =
        counted.state.columns.iter().map(|column| format!("{} {}", column.name, column.column_type)).collect();
    assert_eq!(columns.join(", "), expected.columns, "{table} in {destination}");
    assert_eq!(counted.state.counts, expected.counts, "{table} in {destination}");
    assert_eq!(counted.rows, expected.counts.live_rows, "{table} in {destination}");
    assert_eq!(rows(reader, table), expected.rows, "{table} in {destination}");
    assert_eq!(rejects(reader, table), expected.rejects, "{table} in {destination}");
}

fn rows(reader: &mut dyn Inspect, table: &TableName) -> Vec<String> {
    let shown = |row: LogicalRow| {
        let values = row.iter().filter(|(place, _)| *place != system::PRIMARY_KEY);
        values.map(|(place, value)| format!("{place} {value}")).collect::<Vec<_>>().join(", ")
    };
    let mut rows: Vec<String> = logical_view(reader, table).unwrap().unwrap().rows.into_values().map(shown).collect();
    rows.sort();
    rows
}

fn rejects(reader: &mut dyn Inspect, table: &TableName) -> Vec<String> {
    let mut rejects = Vec::new();
    for batch in sample(reader, table, Part::Rejects, usize::MAX).unwrap() {
        for row in 0..batch.num_rows() {
            let values = rejected::columns().into_iter().zip(batch.columns());
            let values =
                values.filter(|(column, _)| ![system::PRIMARY_KEY, rejected::REJECTED_AT].contains(&&*column.name));
            let values = values.map(|(column, values)| Value::of(column.column_type, values, row).unwrap().to_string());
            rejects.push(values.collect::<Vec<_>>().join(", "));
        }
    }
    rejects
}

const CUSTOMERS: Expected = Expected {
    columns: "id integer, name string, active boolean, balance decimal(2), precise decimal, score double, \
              signed_up timestamp, born date, wakes time, code integer, code__st string, address__city string, \
              _sdc_extracted_at timestamp, _sdc_received_at timestamp, _sdc_batched_at timestamp, _sdc_sequence integer, \
              _sdc_table_version integer, email string",
    rows: &[
        "/active true, /address/city \"Ooo\", /balance -12.5, /born date 14668, /code 7, /id 1, /name \"Finn\", \
         /precise 3.1415926535897932384626433832795028841971693993751, /score 0.1, /signed_up timestamp 1795478399000001, \
         /tags/0 \"hero\", /tags/1/of/0 \"Ooo\", /wakes time 27000500000, \
         _sdc_extracted_at timestamp 1795435200000000, _sdc_sequence 1, _sdc_table_version 7",
        "/email \"m@ooo.example\", /id 4, /name \"Marceline\", _sdc_sequence 5, _sdc_table_version 7",
        "/id 2, /name \"Jake\", /tags/0 \"brother\", _sdc_sequence 4, _sdc_table_version 7",
    ],
    rejects: &[
        "\"customers\", \"column names from client should not include reserved datatype suffix on name__st\", \"/name__st\", \
         \"{\\\"id\\\":3,\\\"name__st\\\":\\\"Lemongrab\\\"}\", 1, 2",
    ],
    counts: Counts { loaded: 4, superseded: 1, rejected: 1, live_rows: 3 },
};

const EVENTS: Expected = Expected {
    columns: "kind string, amount decimal(2), __sdc_primary_key string, _sdc_received_at timestamp, \
              _sdc_batched_at timestamp, _sdc_sequence integer",
    rows: &[
        "/amount 9.99, /items/0/sku \"A-1\", /kind \"order\", _sdc_sequence 2",
        "/kind \"visit\", _sdc_sequence 1",
        "/kind \"visit\", _sdc_sequence 4",
    ],
    rejects: &[
        "\"events\", \"column names from client should not include reserved datatype suffix on kind__st\", \"/kind__st\", \
         \"{\\\"kind__st\\\":\\\"noise\\\"}\", 2, 2",
    ],
    counts: Counts { loaded: 3, superseded: 0, rejected: 1, live_rows: 3 },
};

#[test]
fn destinations_are_read() {
    let folder = copies(TODAY);
    for (name, mut reader) in readers(folder.path()) {
        assert_eq!(reader.tables().unwrap(), [customers(), events()], "{name}");
        check(name, &mut *reader, &customers(), &CUSTOMERS);
        check(name, &mut *reader, &events(), &EVENTS);
    }
}

#[test]
fn generated_keys_are_the_same_everywhere() {
    let folder = copies(TODAY);
    let views = readers(folder.path()).map(|(_, mut reader)| logical_view(&mut reader, &events()).unwrap());
    assert_eq!(views[0], views[1]);
    assert_eq!(views[1], views[2]);
}

#[test]
fn a_queue_is_read() {
    let folder = copies(TODAY);
    let queue = EmbeddedQueue::open_existing(folder.path().join("queue")).unwrap();
    let tables = queue.tables().unwrap().into_iter();
    let tables = tables.map(|t| (t.table, t.accepted, t.kept_records, t.newest, t.deleted_to)).collect::<Vec<_>>();
    assert_eq!(tables, [(customers(), 6, 3, 3, 1), (events(), 4, 1, 4, 2)]);

    let destinations = queue.destinations().unwrap();
    let names = destinations.iter().map(|registered| registered.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["sqlite", "duckdb", "parquet", "late"]);
    for (destination, waiting) in destinations.iter().zip([0, 0, 0, 4]) {
        assert_eq!(destination.waiting.values().sum::<u64>(), waiting, "{}", destination.name);
    }
    let since =
        destinations[3].registration.since.iter().map(|(table, since)| (table.clone(), since.batch, since.records));
    assert_eq!(since.collect::<Vec<_>>(), [(customers(), 1, 3), (events(), 2, 3)]);
}

#[test]
fn a_queue_and_its_destinations_go_on() {
    let folder = copies(TODAY);
    let late = folder.path().join("late.db");
    let engine = engine(folder.path()).destination("late", Sqlite::open(&late).unwrap()).start().unwrap();
    assert_eq!(engine.cursor("pages").unwrap().as_deref(), Some(r#"{"next": 3}"#));
    engine.push(customer(5)).unwrap();
    engine.push(event("farewell")).unwrap();
    flush(&engine);
    drop(engine);

    let mut late = SqliteReader::open(&late).unwrap();
    let late_events = logical_view(&mut late, &events()).unwrap().unwrap();
    let live = |reader: &mut dyn Inspect, table| reader.count(&table).unwrap().unwrap().rows;
    assert_eq!((live(&mut late, customers()), live(&mut late, events())), (4, 2));
    for (name, mut reader) in readers(folder.path()) {
        assert_eq!((live(&mut *reader, customers()), live(&mut *reader, events())), (4, 4), "{name}");
        // One of the keys was generated when the fixture was made, the same one is now.
        let view = logical_view(&mut *reader, &events()).unwrap().unwrap();
        assert!(late_events.rows.iter().all(|(key, row)| view.rows.get(key) == Some(row)), "{name}");
        assert!(rows(&mut *reader, &customers()).contains(&"/id 5, _sdc_sequence 6".to_owned()), "{name}");
        assert!(rows(&mut *reader, &events()).contains(&"/kind \"farewell\", _sdc_sequence 6".to_owned()), "{name}");
    }
}
