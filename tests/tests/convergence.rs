//! The same records give the same tables: random records of random schemas, upserts, deletes and activated versions, with and without
//! keys, cut into batches and loads in random ways, stand in every destination as a simple model has them.

mod model;
mod records;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use selvedge::{
    BadRecords, Batch, Counted, Engine, Inspect, LogicalRow, LogicalView, Nesting, TableName, duckdb, logical_view,
    parquet, sqlite,
};

use self::model::Model;
use self::records::{Cut, Kind, Stream};

/// Pushes the batches of a stream as `cut` says, and compares every destination with the model, now and then and at the end.
fn check(stream: &Stream, cut: &Cut) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let batches = stream.batches(cut);
    let mut model = Model::new(stream.kind);
    let mut pushed = 0;
    for engine_of in batches.chunks(batches.len().div_ceil(cut.engines)) {
        let mut engine = start(folder.path(), stream.kind);
        for batch in engine_of {
            let receipt = engine.push(Batch::from_json(batch.body())).unwrap();
            prop_assert!(!receipt.repeated());
            model.take(batch);
            pushed += 1;
            if cut.repeats_after(pushed) {
                // A sender without an answer sends again.
                prop_assert!(engine.push(Batch::from_json(batch.body())).unwrap().repeated());
            }
            if cut.loads_after(pushed) {
                flush(&engine)?;
            }
            if cut.looks_after(pushed) {
                flush(&engine)?;
                drop(engine);
                compare(folder.path(), &model)?;
                engine = start(folder.path(), stream.kind);
            }
        }
    }
    flush(&start(folder.path(), stream.kind))?;
    compare(folder.path(), &model)
}

/// Checks that what was loaded so far stands in every destination as in the model, and is counted as there.
fn compare(folder: &Path, model: &Model) -> Result<(), TestCaseError> {
    let table = TableName::new(None, "t").unwrap();
    let rows = model.rows();
    let mut views = Vec::new();
    for (name, mut destination) in look(folder) {
        let Counted { state, rows: counted } = destination.count(&table).unwrap().unwrap();
        let counts = state.counts;
        prop_assert_eq!(counts.records(), model.accepted, "accepted in {}", name);
        prop_assert_eq!(counts.rejected, model.rejected, "rejected in {}", name);
        prop_assert_eq!(counts.live_rows, rows.len() as u64, "live rows in {}", name);
        prop_assert_eq!(counted, rows.len() as u64, "rows counted in {}", name);
        let view = logical_view(&mut *destination, &table).unwrap().unwrap();
        prop_assert_eq!(&without_generated_keys(&view), &rows, "the rows in {}", name);
        views.push((name, view));
    }
    for (name, view) in &views {
        prop_assert_eq!(
            view.rows.keys().collect::<Vec<_>>(),
            views[0].1.rows.keys().collect::<Vec<_>>(),
            "keys in {}",
            name
        );
    }
    Ok(())
}

/// The rows of a view, sorted. Which keys are generated depends on the cut.
fn without_generated_keys(view: &LogicalView) -> Vec<LogicalRow> {
    let mut rows: Vec<LogicalRow> = view.rows.values().cloned().collect();
    rows.iter_mut().for_each(|row| drop(row.remove("__sdc_primary_key")));
    rows.sort();
    rows
}

/// Flat and nested destinations of all kinds.
fn start(folder: &Path, kind: Kind) -> Engine {
    let nested_file = duckdb::Settings { nesting: Nesting::Native };
    let nested_lake = parquet::Settings { nesting: Nesting::Native, ..parquet::Settings::default() };
    Engine::builder(folder.join("queue"))
        .policy(kind.policy())
        .bad_records(BadRecords::RejectEach)
        .destination("sqlite", sqlite::Sqlite::open(folder.join("t.db")).unwrap())
        .destination("duckdb", duckdb::DuckDb::open(folder.join("t.duckdb")).unwrap())
        .destination("parquet", parquet::Parquet::open(folder.join("lake")).unwrap())
        .destination("nested duckdb", duckdb::DuckDb::open_with(folder.join("nested.duckdb"), nested_file).unwrap())
        .destination("nested parquet", parquet::Parquet::open_with(folder.join("nested"), nested_lake).unwrap())
        .start()
        .unwrap()
}

/// Waits until everything is loaded; the engine knows what became of every record.
fn flush(engine: &Engine) -> Result<(), TestCaseError> {
    let left = engine.flush(Duration::from_secs(120)).unwrap();
    prop_assert!(left.is_empty(), "{:?}", left);
    for table in engine.progress().tables {
        let tally = table.tally;
        prop_assert_eq!(tally.loaded + tally.superseded + tally.rejected, tally.accepted, "{:?}", table);
    }
    Ok(())
}

fn look(folder: &Path) -> [(&'static str, Box<dyn Inspect>); 5] {
    [
        ("sqlite", Box::new(sqlite::SqliteReader::open(folder.join("t.db")).unwrap())),
        ("duckdb", Box::new(duckdb::DuckDbReader::open(folder.join("t.duckdb")).unwrap())),
        ("parquet", Box::new(parquet::ParquetReader::open(folder.join("lake")).unwrap())),
        ("nested duckdb", Box::new(duckdb::DuckDbReader::open(folder.join("nested.duckdb")).unwrap())),
        ("nested parquet", Box::new(parquet::ParquetReader::open(folder.join("nested")).unwrap())),
    ]
}

/// How many streams are tried; more by the environment variable PROPTEST_CASES.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cut_of_a_stream_gives_the_same_tables(stream in records::stream(), cuts in proptest::collection::vec(records::cut(), 2)) {
        for cut in &cuts {
            check(&stream, cut)?;
        }
    }
}
