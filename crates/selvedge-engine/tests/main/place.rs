//! A queue and destinations in folders: what is left when everybody who had them open is gone.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use selvedge_conformance::Memory;
use selvedge_core::rejected::{self, Rejected};
use selvedge_core::{Inspect, LogicalRow, LogicalView, Part, TableState, logical_view};
use selvedge_engine::{BadRecords, Batch, EmbeddedQueue, Engine, EngineBuilder};
use tempfile::{TempDir, tempdir};

use crate::{flush, table};

/// Nobody has it open between two calls.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempdir().unwrap() }
    }

    /// Another one that holds the same.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self::new();
        copy_folder(self.folder(), copy.folder());
        copy
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether a text stands in any of the files.
    pub(crate) fn holds(&self, text: &str) -> bool {
        holds(self.folder(), text.as_bytes())
    }

    pub(crate) fn queue_folder(&self) -> PathBuf {
        self.folder.path().join("queue")
    }

    pub(crate) fn queue(&self) -> EmbeddedQueue {
        EmbeddedQueue::open(self.queue_folder()).unwrap()
    }

    pub(crate) fn destination(&self, name: &str) -> Memory {
        Memory::open(&self.folder.path().join(name)).unwrap()
    }

    pub(crate) fn look(&self, name: &str) -> Memory {
        Memory::read_only(&self.folder.path().join(name)).unwrap()
    }

    /// An engine to be, which rejects bad records one by one.
    pub(crate) fn builder(&self, destinations: &[&str]) -> EngineBuilder {
        let builder = Engine::builder(self.queue_folder()).bad_records(BadRecords::RejectEach);
        destinations.iter().fold(builder, |builder, name| builder.destination(*name, self.destination(name)))
    }

    /// Loads what waits, then each batch by itself.
    #[track_caller]
    pub(crate) fn load(&self, destinations: &[&str], batches: impl IntoIterator<Item = Batch>) {
        let engine = self.builder(destinations).start().unwrap();
        flush(&engine);
        for batch in batches {
            engine.push(batch).unwrap();
            flush(&engine);
        }
    }

    /// The table `t` as the logical view has it; empty if there is none.
    pub(crate) fn view(&self, destination: &str) -> LogicalView {
        logical_view(&mut self.look(destination), &table("t")).unwrap().unwrap_or_default()
    }

    /// Of each row of `t`, in the order of the keys, the values at these places, as in `1|"a"|null`.
    pub(crate) fn rows(&self, destination: &str, places: &[&str]) -> Vec<String> {
        let value = |row: &LogicalRow, place: &&str| row.get(*place).map_or("null".to_owned(), ToString::to_string);
        let row = |row: &LogicalRow| places.iter().map(|place| value(row, place)).collect::<Vec<_>>().join("|");
        self.view(destination).rows.values().map(row).collect()
    }

    /// Checks that the table holds each key once, and as many rows as it says.
    #[track_caller]
    pub(crate) fn check_counted(&self, destination: &str) {
        let rows = self.view(destination).rows.len() as u64;
        let counted = self.look(destination).count(&table("t")).unwrap();
        let counted = counted.map_or((0, 0), |counted| (counted.rows, counted.state.counts.live_rows));
        assert_eq!(counted, (rows, rows), "rows and live rows in {destination}");
    }

    /// The rejected records of `t`, in the order of their places in the queue.
    pub(crate) fn rejects(&self, destination: &str) -> Vec<Rejected> {
        let mut found = Vec::new();
        let mut each = |_: &TableState, batch| {
            found.extend(rejected::read(&batch));
            ControlFlow::Continue(())
        };
        self.look(destination).read(&table("t"), Part::Rejects, &mut each).unwrap();
        found.sort_by_key(|rejected| (rejected.batch, rejected.batch_record));
        found
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if from.is_dir() {
            copy_folder(&from, &to.join(name));
        } else {
            fs::copy(&from, to.join(name)).unwrap();
        }
    }
}

fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}
