//! The thread of one destination: takes the table that waits longest, prepares a load, applies it.

use std::collections::HashMap;
use std::sync::Arc;

use selvedge_core::{Applied, Destination, LoadError, LoadErrorKind, TableLoad, TableName, TableState};
use selvedge_prepare::prepare;
use selvedge_queue::TableBounds;

use crate::backlog::{Backlog, Next};
use crate::error::with_causes;
use crate::intake::now;
use crate::meeting::Meeting;
use crate::source::{Reached, Source, Trouble};

pub(crate) struct Loader {
    /// Which of the backlog's destinations this is.
    pub(crate) follower: usize,
    pub(crate) name: String,
    pub(crate) destination: Box<dyn Destination>,
    pub(crate) source: Source,
    /// Batches after this number are kept for the destination.
    pub(crate) since: u64,
    /// What the queue held when the engine was started.
    pub(crate) bounds: Arc<[TableBounds]>,
    /// The state of each table as this loader left it.
    pub(crate) known: HashMap<TableName, Option<TableState>>,
}

/// Tells if the loader dies of a defect, so that nobody waits for ever.
struct Guard {
    backlog: Arc<Backlog>,
    follower: usize,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.backlog.bury(self.follower);
        }
    }
}

impl Loader {
    pub(crate) fn run(mut self) {
        let _guard = Guard { backlog: Arc::clone(&self.source.backlog), follower: self.follower };
        let worthwhile_records = self.destination.capabilities().worthwhile_records as u64;
        while let Next::Load(table) = self.source.backlog.next(self.follower, worthwhile_records) {
            match self.load(&table) {
                Ok(()) => {}
                Err(Trouble::PutOff(reason)) => self.source.backlog.put_off(self.follower, &table, reason),
                Err(Trouble::Pause(reason)) => self.source.backlog.pause(self.follower, &table, reason),
            }
        }
    }

    /// Loads what waits of a table, or as much of it as one load takes.
    fn load(&mut self, table: &TableName) -> Result<(), Trouble> {
        if !self.known.contains_key(table) {
            self.meet(table)?;
        }
        let planned_on = self.known.get(table).cloned().flatten();
        let pending = self.source.gather(table, self.reached(planned_on.as_ref()))?;
        if pending.is_empty() {
            return Err(Trouble::PutOff("the queue does not show what waits; it is looked at again".to_owned()));
        }
        let capabilities = self.destination.capabilities();
        let load = prepare(table, planned_on.as_ref(), self.source.queue.id(), &pending, capabilities, now())
            .map_err(|blocked| Trouble::Pause(with_causes(&blocked)))?;
        drop(pending);
        let state = match self.destination.load(&load) {
            Ok(state) => state,
            Err(error) => self.look_after(&load, error)?,
        };
        self.settle(table, planned_on, state)
    }

    /// Reads a table's state for the first time, checks that it and the queue belong together, and finds out how much of
    /// what the queue holds is loaded already.
    fn meet(&mut self, table: &TableName) -> Result<(), Trouble> {
        let state = self.destination.state(table).map_err(|error| trouble(&error))?;
        let bounds = self.bounds.iter().find(|bounds| bounds.table == *table);
        let (deleted_to, newest) = bounds.map_or((0, 0), |bounds| (bounds.deleted_to, bounds.newest));
        let meeting = Meeting { destination: &self.name, table, queue: self.source.queue.id(), deleted_to, newest };
        meeting.check(state.as_ref(), self.since).map_err(Trouble::Pause)?;
        let (applied, loaded_to) = self.source.applied(table, deleted_to, self.reached(state.as_ref()))?;
        self.source.backlog.forget(self.follower, table, applied, loaded_to);
        self.known.insert(table.clone(), state);
        // A crash may have come between a load and its acknowledgement.
        if loaded_to > deleted_to {
            self.acknowledge(table, loaded_to)?;
        }
        Ok(())
    }

    /// The batch the destination is at, and how many of its records it has.
    fn reached(&self, state: Option<&TableState>) -> Reached {
        let of_state = |state: &TableState| Reached { batch: state.position.batch, record: state.position.record };
        state.map_or(Reached { batch: self.since, record: u64::MAX }, of_state)
    }

    /// Finds out what became of a failed load: gives the state if it was applied after all.
    fn look_after(&mut self, load: &TableLoad, error: LoadError) -> Result<TableState, Trouble> {
        if error.kind() != LoadErrorKind::Stale && error.applied() == Applied::No {
            return Err(trouble(&error));
        }
        let found = self.destination.state(&load.table).map_err(|error| trouble(&error))?;
        match found {
            Some(state) if state.position == load.to => Ok(state),
            found if found == load.planned_on => Err(Trouble::PutOff(with_causes(&error))),
            _ => Err(Trouble::Pause(format!(
                "{}; another program writes to this table of {}: stop one of the two, then start this one again",
                with_causes(&error),
                self.name
            ))),
        }
    }

    /// Notes a committed load.
    fn settle(&mut self, table: &TableName, before: Option<TableState>, after: TableState) -> Result<(), Trouble> {
        let loaded_to = after.position.batch;
        let counts_before = before.map(|state| state.counts).unwrap_or_default();
        self.source.backlog.commit(self.follower, table, counts_before, after.counts, loaded_to);
        self.known.insert(table.clone(), Some(after));
        self.acknowledge(table, loaded_to)
    }

    fn acknowledge(&self, table: &TableName, loaded_to: u64) -> Result<(), Trouble> {
        let acknowledged = self.source.queue.acknowledge(&self.name, table, loaded_to);
        acknowledged.map_err(|error| Trouble::PutOff(with_causes(&error)))
    }
}

fn trouble(error: &LoadError) -> Trouble {
    match error.kind() {
        LoadErrorKind::Unavailable | LoadErrorKind::Full | LoadErrorKind::Stale => Trouble::PutOff(with_causes(error)),
        _ => Trouble::Pause(with_causes(error)),
    }
}
