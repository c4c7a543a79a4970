//! A table on its way into destinations of all kinds, by engines one after the other.

use std::collections::BTreeSet;
use std::mem;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use selvedge::{
    BadRecords, Batch, Counts, Engine, Inspect, LogicalRow, LogicalView, Nesting, Part, TableName, TableProgress,
    Tally, duckdb, logical_view, parquet, sample, sqlite,
};

use super::model::Model;
use super::records::{Kind, Sent};
use super::standing::{Loads, Since, Standing};

/// The engine at work on a folder, and what is known of all that was sent to it and to those before.
pub(crate) struct Run<'f> {
    folder: &'f Path,
    kind: Kind,
    engine: Engine,
    standings: [Standing; 5],
    since: Since,
    is_paused: bool,
    mistyped: Vec<Mistyped>,
    /// How many records were accepted in all.
    accepted: u64,
    /// How many records were repeated since the engine was started.
    repeated: u64,
    /// Whether the engine has asked the destinations how far they are. Until then it may take what it finds in the queue for
    /// waiting.
    has_asked: bool,
}

/// The rejected records of a batch that a schema can mend.
struct Mistyped {
    batch: u64,
    records: BTreeSet<u64>,
    mended: Sent,
    is_replayed: bool,
}

/// Flat and nested ones of all kinds.
const DESTINATIONS: [&str; 5] = ["sqlite", "duckdb", "parquet", "nested duckdb", "nested parquet"];

impl<'f> Run<'f> {
    pub(crate) fn start(folder: &'f Path, kind: Kind) -> Self {
        let standing = |name| Standing { name, flushed: Model::new(kind), started: Counts::default() };
        Self {
            folder,
            kind,
            engine: start(folder, kind),
            standings: DESTINATIONS.map(standing),
            since: Since { batches: Vec::new(), loads: Loads::AsTheyCome },
            is_paused: false,
            mistyped: Vec::new(),
            accepted: 0,
            repeated: 0,
            has_asked: true,
        }
    }

    pub(crate) fn push(&mut self, batch: &Sent) -> Result<(), TestCaseError> {
        let receipt = self.engine.push(Batch::from_json(batch.body())).unwrap();
        prop_assert!(!receipt.repeated());
        let records = batch.mistyped();
        if !records.is_empty() {
            let (batch, mended) = (receipt.batch(), batch.mended());
            self.mistyped.push(Mistyped { batch, records, mended, is_replayed: false });
        }
        self.accept(batch.clone());
        Ok(())
    }

    fn accept(&mut self, batch: Sent) {
        self.accepted += batch.records();
        self.since.batches.push(batch);
        if !self.is_paused {
            self.since.loads = Loads::AsTheyCome;
        }
    }

    /// A sender without an answer sends again.
    pub(crate) fn repeat(&mut self, batch: &Sent) -> Result<(), TestCaseError> {
        prop_assert!(self.engine.push(Batch::from_json(batch.body())).unwrap().repeated());
        self.repeated += batch.records();
        Ok(())
    }

    /// Somebody replays what a schema can mend, also what was replayed before. A record can be replayed once a destination has
    /// rejected it; while the table is paused, some may not have been seen by any.
    pub(crate) fn replay(&mut self) -> Result<(), TestCaseError> {
        if self.is_paused {
            return Ok(());
        }
        self.flush()?;
        let mut accepted = Vec::new();
        for Mistyped { batch, records, mended, is_replayed } in &mut self.mistyped {
            let schema = mended.schema.to_string();
            let receipt = self.engine.replay(&table(), *batch, records, Some(&schema)).unwrap();
            prop_assert_eq!(receipt.is_none(), mem::replace(is_replayed, true), "replay of batch {}", batch);
            accepted.extend(receipt.map(|_| mended.clone()));
        }
        accepted.into_iter().for_each(|batch| self.accept(batch));
        Ok(())
    }

    pub(crate) fn pause(&mut self) {
        self.engine.pause(&table(), "somebody looks into it").unwrap();
        if !mem::replace(&mut self.is_paused, true) {
            self.since.loads = if self.since.batches.is_empty() { Loads::AllAtOnce } else { Loads::AsTheyCome };
        }
    }

    pub(crate) fn resume(&mut self) {
        self.engine.resume(&table()).unwrap();
        self.is_paused = false;
    }

    /// Waits until everything is loaded; for a paused table it does not wait.
    pub(crate) fn flush(&mut self) -> Result<(), TestCaseError> {
        let left = self.engine.flush(Duration::from_secs(120)).unwrap();
        self.has_asked = true;
        if self.is_paused {
            prop_assert_eq!(left.len(), self.standings.len(), "{:?}", left);
            return Ok(());
        }
        prop_assert!(left.is_empty(), "{:?}", left);
        let reached = self.reached()?;
        for (standing, reached) in self.standings.iter_mut().zip(reached) {
            prop_assert_eq!(reached.counts.records(), self.accepted, "loaded into {}", standing.name);
            standing.flushed = reached;
        }
        self.since = Since { batches: Vec::new(), loads: Loads::AsTheyCome };
        Ok(())
    }

    /// Ends the engine, compares the tables with the model, and starts another engine.
    pub(crate) fn restart(mut self) -> Result<Self, TestCaseError> {
        drop(self.engine);
        compare_tables(self.folder, &mut self.standings, &self.since)?;
        Ok(Self { engine: start(self.folder, self.kind), repeated: 0, has_asked: false, ..self })
    }

    /// Checks that all that was accepted is counted, and so that loads of the batches that came can have made these counts of it.
    pub(crate) fn compare_counts(&self) -> Result<(), TestCaseError> {
        self.reached().map(drop)
    }

    /// The table as the engine's progress has it in each destination.
    fn reached(&self) -> Result<Vec<Model>, TestCaseError> {
        let progress = self.engine.progress();
        prop_assert!(progress.tables.iter().all(|told| told.table == table()), "{}", progress);
        let told = |name: &str| progress.tables.iter().find(|told| told.destination == name);
        self.standings.iter().map(|standing| self.reached_by(standing, told(standing.name))).collect()
    }

    fn reached_by(&self, standing: &Standing, told: Option<&TableProgress>) -> Result<Model, TestCaseError> {
        let tally = told.map(|told| told.tally).unwrap_or_default();
        let Tally { accepted, loaded, superseded, rejected, waiting, repeated } = tally;
        prop_assert_eq!(accepted, loaded + superseded + rejected + waiting, "{:?}", told);
        prop_assert_eq!(repeated, self.repeated, "{:?}", told);
        let counted_twice = if self.has_asked { 0 } else { standing.started.records() };
        prop_assert!(
            (self.accepted..=self.accepted + counted_twice).contains(&(standing.started.records() + accepted)),
            "{} were accepted: {:?}",
            self.accepted,
            told
        );
        let reached = standing.reached(standing.committed(tally), &self.since)?;
        if self.is_paused {
            prop_assert!(told.is_some_and(|told| told.condition.is_some()), "{:?}", told);
            let may_load = self.since.loads == Loads::AsTheyCome;
            let is_as_flushed = reached.counts.records() == standing.flushed.counts.records();
            prop_assert!(may_load || is_as_flushed, "loaded while paused: {:?}", told);
        }
        Ok(reached)
    }
}

/// Checks that what was loaded so far stands in every destination as in the model, and is counted as there. Notes the counts.
fn compare_tables(folder: &Path, standings: &mut [Standing], since: &Since) -> Result<(), TestCaseError> {
    let mut views = Vec::new();
    for (standing, mut destination) in standings.iter_mut().zip(look(folder)) {
        let name = standing.name;
        let Some(counted) = destination.count(&table()).unwrap() else {
            // Nothing was ever loaded.
            prop_assert_eq!(standing.reached(Counts::default(), since)?.counts, Counts::default());
            continue;
        };
        let reached = standing.reached(counted.state.counts, since)?;
        let rows = reached.rows();
        prop_assert_eq!(counted.state.counts, reached.counts, "counts in {}", name);
        prop_assert_eq!(counted.rows, reached.counts.live_rows, "rows counted in {}", name);
        let rejected = sample(&mut *destination, &table(), Part::Rejects, usize::MAX).unwrap();
        let rejected: usize = rejected.iter().map(|batch| batch.num_rows()).sum();
        prop_assert_eq!(rejected as u64, reached.counts.rejected, "rejected records kept in {}", name);
        let view = logical_view(&mut *destination, &table()).unwrap().unwrap();
        prop_assert_eq!(&without_generated_keys(&view), &rows, "the rows in {}", name);
        standing.started = counted.state.counts;
        views.push((name, view));
    }
    if !since.batches.is_empty() {
        return Ok(());
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

fn table() -> TableName {
    TableName::new(None, "t").unwrap()
}

/// The rows of a view, sorted. Which keys are generated depends on the cut.
fn without_generated_keys(view: &LogicalView) -> Vec<LogicalRow> {
    let mut rows: Vec<LogicalRow> = view.rows.values().cloned().collect();
    rows.iter_mut().for_each(|row| drop(row.remove("__sdc_primary_key")));
    rows.sort();
    rows
}

fn start(folder: &Path, kind: Kind) -> Engine {
    let nested_file = duckdb::Settings { nesting: Nesting::Native };
    let nested_lake = parquet::Settings { nesting: Nesting::Native, ..parquet::Settings::default() };
    let [sqlite, duckdb, parquet, nested_duckdb, nested_parquet] = DESTINATIONS;
    Engine::builder(folder.join("queue"))
        .policy(kind.policy())
        .bad_records(BadRecords::RejectEach)
        .destination(sqlite, sqlite::Sqlite::open(folder.join("t.db")).unwrap())
        .destination(duckdb, duckdb::DuckDb::open(folder.join("t.duckdb")).unwrap())
        .destination(parquet, parquet::Parquet::open(folder.join("lake")).unwrap())
        .destination(nested_duckdb, duckdb::DuckDb::open_with(folder.join("nested.duckdb"), nested_file).unwrap())
        .destination(nested_parquet, parquet::Parquet::open_with(folder.join("nested"), nested_lake).unwrap())
        .start()
        .unwrap()
}

/// Readers of the destinations, in their order.
fn look(folder: &Path) -> [Box<dyn Inspect>; 5] {
    [
        Box::new(sqlite::SqliteReader::open(folder.join("t.db")).unwrap()),
        Box::new(duckdb::DuckDbReader::open(folder.join("t.duckdb")).unwrap()),
        Box::new(parquet::ParquetReader::open(folder.join("lake")).unwrap()),
        Box::new(duckdb::DuckDbReader::open(folder.join("nested.duckdb")).unwrap()),
        Box::new(parquet::ParquetReader::open(folder.join("nested")).unwrap()),
    ]
}
