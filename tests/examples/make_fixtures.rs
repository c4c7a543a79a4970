//! Makes the fixtures of the formats that selvedge writes today, for a version that has none yet:
//! ```text
//! cargo build --release --workspace --all-features --example make_fixtures
//! "${CARGO_TARGET_DIR:-target}"/release/examples/make_fixtures
//! ```
//! A fixture of a released version is never made again: only the code of that time wrote it as it was. `tests/formats.rs`
//! says what they hold. The files of the databases are compressed; the Parquet folder is kept as it is.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use selvedge::parquet::{Parquet, Settings};
use selvedge::{Batch, Cursor, EmbeddedQueue, Engine, IntegrationName, Queue, duckdb::DuckDb, sqlite::Sqlite};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// The folders, with the versions in their names.
const QUEUE: &str = "queue-3";
const SQLITE: &str = "sqlite-4";
const DUCKDB: &str = "duckdb-4";
const PARQUET: &str = "parquet-5.4";

fn main() -> Result<(), Failure> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for folder in [QUEUE, SQLITE, DUCKDB, PARQUET] {
        // Fails when it stands: see above.
        fs::create_dir(fixtures.join(folder))?;
    }
    let work = tempfile::tempdir()?;
    load(work.path(), &fixtures.join(PARQUET))?;
    // Nothing but the current generation of each table stays.
    Parquet::open_with(fixtures.join(PARQUET), unkept())?;
    File::create(fixtures.join(QUEUE).join("queue.lock"))?;
    compress(&work.path().join("queue/queue.db"), &fixtures.join(QUEUE))?;
    compress(&work.path().join("warehouse.db"), &fixtures.join(SQLITE))?;
    compress(&work.path().join("warehouse.duckdb"), &fixtures.join(DUCKDB))
}

/// Loads two batches of each table. The first ones are deleted from the queue; the second ones are kept for a destination
/// that has come since and never loaded.
fn load(work: &Path, lake: &Path) -> Result<(), Failure> {
    let queue = work.join("queue");
    let shop = IntegrationName::new("shop")?;
    push(work, lake, [batch(&customers()), batch(&events()).integration(shop.clone())])?;
    register_one_more(&queue)?;
    let cursor = Cursor { source: "pages".to_owned(), state: r#"{"next": 3}"#.to_owned() };
    push(work, lake, [batch(&more_customers()).cursor(cursor), batch(&more_events()).integration(shop)])
}

fn push(work: &Path, lake: &Path, batches: [Batch; 2]) -> Result<(), Failure> {
    let engine = Engine::builder(work.join("queue"))
        .destination("sqlite", Sqlite::open(work.join("warehouse.db"))?)
        .destination("duckdb", DuckDb::open(work.join("warehouse.duckdb"))?)
        .destination("parquet", Parquet::open_with(lake, unkept())?)
        .start()?;
    for batch in batches {
        engine.push(batch)?;
    }
    match engine.flush(Duration::from_secs(60))?.first() {
        Some(waiting) => Err(waiting.to_string().into()),
        None => Ok(()),
    }
}

/// Registers the destination `late` once what the others have is deleted, so that the queue notes what it lost before.
fn register_one_more(queue: &Path) -> Result<(), Failure> {
    let queue = EmbeddedQueue::open(queue)?;
    while queue.tables()?.iter().any(|table| table.deleted_to < table.newest) {
        thread::sleep(Duration::from_millis(10));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    queue.register("late", i64::try_from(now)?)?;
    Ok(())
}

fn unkept() -> Settings {
    Settings { keep_outdated: Duration::ZERO, ..Settings::default() }
}

fn compress(file: &Path, folder: &Path) -> Result<(), Failure> {
    let name = file.file_name().ok_or("a file has a name")?.to_string_lossy();
    fs::write(folder.join(format!("{name}.zst")), zstd::encode_all(File::open(file)?, 19)?)?;
    Ok(())
}

fn batch(body: &Value) -> Batch {
    Batch::from_json(body.to_string())
}

/// A property of every type, one of two types, one within another, and arrays; a record that is rejected, for its name.
fn customers() -> Value {
    json!({
        "table_name": "customers",
        "key_names": ["id"],
        "table_version": 7,
        "schema": {"properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "active": {"type": "boolean"},
            "balance": {"type": "number", "multipleOf": 0.01},
            "precise": {"type": "string", "format": "singer.decimal"},
            "score": {"type": "number"},
            "signed_up": {"type": "string", "format": "date-time"},
            "born": {"type": "string", "format": "date"},
            "wakes": {"type": "string", "format": "time"},
            "tags": {"type": "array"},
            "code": {"type": ["integer", "string"]},
            "address": {"properties": {"city": {"type": "string"}}}
        }},
        "messages": [
            {"action": "upsert", "sequence": 1, "time_extracted": "2026-11-23T12:00:00Z", "data": {
                "id": 1,
                "name": "Finn",
                "active": true,
                "balance": -12.5,
                "precise": "3.14159265358979323846264338327950288419716939937510",
                "score": 0.1,
                "signed_up": "2026-11-23T23:59:59.000001Z",
                "born": "2010-02-28",
                "wakes": "07:30:00.5",
                "tags": ["hero", {"of": ["Ooo", null]}],
                "code": 7,
                "address": {"city": "Ooo"}
            }},
            {"action": "upsert", "sequence": 2, "data": {"id": 2, "name": "Jake ü🧵", "code": "seven", "tags": ["dog", "brother"]}},
            {"action": "upsert", "sequence": 3, "data": {"id": 3, "name__st": "Lemongrab"}}
        ]
    })
}

/// An update, a record that comes late, and a property that is new.
fn more_customers() -> Value {
    json!({
        "table_name": "customers",
        "key_names": ["id"],
        "table_version": 7,
        "schema": {"properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "email": {"type": "string"}
        }},
        "messages": [
            {"action": "upsert", "sequence": 4, "data": {"id": 2, "name": "Jake", "tags": ["brother"]}},
            {"action": "upsert", "sequence": 0, "data": {"id": 1, "name": "Pen"}},
            {"action": "upsert", "sequence": 5, "data": {"id": 4, "name": "Marceline", "email": "m@ooo.example"}}
        ]
    })
}

/// Records without a key.
fn events() -> Value {
    json!({
        "table_name": "events",
        "schema": {"properties": {"kind": {"type": "string"}, "amount": {"type": "number", "multipleOf": 0.01}}},
        "messages": [
            {"action": "upsert", "sequence": 1, "data": {"kind": "visit"}},
            {"action": "upsert", "sequence": 2, "data": {"kind": "order", "amount": 9.99, "items": [{"sku": "A-1"}]}},
            {"action": "upsert", "sequence": 3, "data": {"kind__st": "noise"}}
        ]
    })
}

fn more_events() -> Value {
    json!({
        "table_name": "events",
        "schema": {"properties": {"kind": {"type": "string"}, "amount": {"type": "number", "multipleOf": 0.01}}},
        "messages": [{"action": "upsert", "sequence": 4, "data": {"kind": "visit"}}]
    })
}
