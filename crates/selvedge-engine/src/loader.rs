//! The thread of one destination: takes the table that waits longest, prepares a load, applies it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use selvedge_core::{
    Applied, Counts, Destination, LoadError, LoadErrorKind, Position, TableLoad, TableName, TableState, rejected,
};
use selvedge_prepare::{LoadContext, Pending, ignored_activations, prepare};
use selvedge_queue::{QueueError, Registration, TableBounds};

use crate::backlog::{Backlog, Next, Worthwhile};
use crate::error::with_causes;
use crate::intake::now;
use crate::isolation::{self, Isolation};
use crate::meeting::{Meeting, OfOtherQueues};
use crate::policies::Policies;
use crate::retention::Retention;
use crate::source::{Reached, Source, Trouble};

pub(crate) struct Loader {
    /// Which of the backlog's destinations this is.
    pub(crate) follower: usize,
    pub(crate) name: String,
    pub(crate) destination: Box<dyn Destination>,
    pub(crate) source: Source,
    /// Since when batches are kept for the destination.
    pub(crate) registration: Registration,
    pub(crate) of_other_queues: OfOtherQueues,
    pub(crate) policies: Arc<Policies>,
    pub(crate) retention: Retention,
    /// What the queue held when the engine was started.
    pub(crate) bounds: Arc<[TableBounds]>,
    /// The tables met so far.
    pub(crate) standing: HashMap<TableName, Standing>,
    /// The tables of which a record stands in the way of others, or did.
    pub(crate) isolations: HashMap<TableName, Isolation>,
}

/// What a loader knows of a table in its destination.
#[derive(Clone)]
pub(crate) enum Standing {
    /// The state, as this loader left it.
    Known(Option<TableState>),
    /// A load failed and may have been applied all the same, or the destination was found at another state.
    InDoubt(Doubt),
}

/// A load that may have been applied. The state is read again before the next one.
#[derive(Clone)]
pub(crate) struct Doubt {
    planned_on: Option<TableState>,
    attempt: Attempt,
    /// What to do if it was not.
    failure: Trouble,
}

/// A load, as far as it matters once it is applied or not.
#[derive(Clone, Copy)]
struct Attempt {
    /// What its counts went on from.
    before: Counts,
    to: Position,
    /// A batch number: once it is applied, all of every batch up to it is in the destination.
    loaded_to: u64,
    /// How many records it took from the queue.
    records: u64,
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
        let worthwhile = Worthwhile {
            records: self.destination.capabilities().worthwhile_records as u64,
            body_bytes: self.source.load_bytes as u64,
        };
        loop {
            match self.source.backlog.next(self.follower, worthwhile, self.retention.due()) {
                Next::Load(table) => self.advance(&table),
                Next::Prune => self.prune(),
                Next::Stop => return,
            }
        }
    }

    /// Does the next thing about a table: meets it, finds out about a load in doubt, or loads what waits.
    fn advance(&mut self, table: &TableName) {
        let done = match self.standing.get(table).cloned() {
            None => self.meet(table),
            Some(Standing::Known(state)) => self.load(table, state),
            Some(Standing::InDoubt(doubt)) => self.resolve(table, doubt),
        };
        match done {
            Ok(()) => {}
            Err(Trouble::PutOff(reason)) => self.source.backlog.put_off(self.follower, table, reason),
            Err(Trouble::Pause(reason) | Trouble::BadRow(reason)) => {
                self.source.backlog.pause(self.follower, table, reason);
            }
        }
    }

    /// Reads a table's state for the first time, checks that it and the queue belong together, and finds out how much of
    /// what the queue holds is loaded already.
    fn meet(&mut self, table: &TableName) -> Result<(), Trouble> {
        let state = self.destination.state(table).map_err(|error| trouble(&error))?;
        let inherited = bounds_of(table, &self.bounds);
        let (deleted_to, newest, kept) =
            inherited.map_or((0, 0, 0), |bounds| (bounds.deleted_to, bounds.newest, bounds.kept_records));
        self.check_whole(table, state.as_ref(), deleted_to)?;
        let left = self.source.left(table, self.reached(table, state.as_ref()), newest)?;
        let is_own = state.as_ref().is_some_and(|state| state.position.queue == self.source.queue.id());
        self.standing.insert(table.clone(), Standing::Known(state));
        // Before the table counts as met, so that whoever waits for all to be loaded finds no old ones.
        self.prune_table(table, self.retention.begins());
        self.source.backlog.forget(self.follower, table, kept.saturating_sub(left.records), left.loaded_to);
        // A crash may have come between a load and its acknowledgement. What was not loaded from here is not acknowledged:
        // that is how a table this queue has loaded is known later.
        if is_own && left.loaded_to > deleted_to {
            self.acknowledge(table, left.loaded_to)?;
        }
        Ok(())
    }

    /// Loads what waits of a table, or as much of it as one load takes.
    fn load(&mut self, table: &TableName, planned_on: Option<TableState>) -> Result<(), Trouble> {
        let records_max = self.isolation(table).limit();
        let gathered = self.source.gather(table, self.reached(table, planned_on.as_ref()), records_max);
        self.check_still_whole(table, planned_on.as_ref())?;
        let pending = self.isolation(table).part_of(gathered?);
        let Some(last) = pending.last() else {
            return Err(Trouble::PutOff("the queue does not show what waits; it is looked at again".to_owned()));
        };
        self.source.backlog.take(self.follower, table, last.batch);
        let context = LoadContext {
            table,
            planned_on: planned_on.as_ref(),
            policy: self.policies.of(table),
            capabilities: self.destination.capabilities(),
            queue: self.source.queue.id(),
            batched_at: now(),
        };
        let load = prepare(&context, &pending, |batch| self.source.body(batch))?;
        let attempt = Attempt {
            before: load.counts,
            to: load.to,
            loaded_to: if last.until < last.records.len() as u64 { last.batch - 1 } else { last.batch },
            records: isolation::records(&pending),
        };
        self.keep_for_replay(&load)?;
        self.warn_of_ignored(&load, &pending);
        drop(pending);
        match self.destination.load(&load) {
            Ok(state) => self.settle(table, attempt, state),
            Err(error) if error.kind() != LoadErrorKind::Stale && error.applied() == Applied::No => {
                self.give_up(table, attempt, trouble(&error))
            }
            Err(error) => {
                let doubt = Doubt { planned_on, attempt, failure: trouble(&error) };
                self.standing.insert(table.clone(), Standing::InDoubt(doubt.clone()));
                self.resolve(table, doubt)
            }
        }
    }

    /// Keeps the bodies that rejected records stand in. That is durable before the load is, so no batch is deleted without it.
    fn keep_for_replay(&self, load: &TableLoad) -> Result<(), Trouble> {
        let rejected = rejected_batches(load);
        if rejected.is_empty() {
            return Ok(());
        }
        self.source.queue.keep_for_replay(&load.table, &rejected).map_err(put_off)
    }

    fn warn_of_ignored(&self, load: &TableLoad, pending: &[Pending]) {
        let active = load.active_version.unwrap_or_default();
        for version in ignored_activations(load.planned_on.as_ref(), pending) {
            let warning = format!(
                "version {version} of {} was not activated, because version {active} is active, which is newer",
                load.table
            );
            self.source.backlog.warn(self.follower, &load.table, warning);
        }
    }

    /// Checks that the queue holds everything after `state`, if it has deleted the batches up to `deleted_to`.
    fn check_whole(&self, table: &TableName, state: Option<&TableState>, deleted_to: u64) -> Result<(), Trouble> {
        let epoch = match state {
            Some(state) => self.source.queue.epoch(state.position.batch).map_err(put_off)?,
            None => None,
        };
        let acknowledged = self.source.queue.acknowledged(&self.name, table).map_err(put_off)?;
        let meeting = Meeting {
            destination: &self.name,
            table,
            queue: self.source.queue.id(),
            of_other_queues: self.of_other_queues,
            since: self.since(table),
            deleted_to,
            acknowledged,
            newest: self.bounds.iter().map(|bounds| bounds.newest).max().unwrap_or(0),
            epoch,
        };
        meeting.check(state).map_err(Trouble::Pause)
    }

    /// Checks, after batches were gathered, that none before them had been deleted by then. What was acknowledged to an
    /// earlier engine is deleted some time after, even if the destination is no longer the one that acknowledged it.
    fn check_still_whole(&self, table: &TableName, state: Option<&TableState>) -> Result<(), Trouble> {
        let newest = bounds_of(table, &self.bounds).map_or(0, |bounds| bounds.newest);
        if self.reached(table, state).batch >= newest {
            return Ok(());
        }
        let bounds = self.source.queue.tables().map_err(put_off)?;
        self.check_whole(table, state, bounds_of(table, &bounds).map_or(0, |bounds| bounds.deleted_to))
    }

    /// The newest batch of a table that was deleted before the destination came, 0 if none was.
    fn since(&self, table: &TableName) -> u64 {
        self.registration.since.get(table).map_or(0, |since| since.batch)
    }

    /// The batch of this queue the destination is at, and how many of its records it has. A table that is new or was loaded
    /// from another queue is at the beginning of what is kept for the destination.
    fn reached(&self, table: &TableName, state: Option<&TableState>) -> Reached {
        match state.map(|state| state.position) {
            Some(Position { queue, batch, record, .. }) if queue == self.source.queue.id() => Reached { batch, record },
            _ => Reached { batch: self.since(table), record: u64::MAX },
        }
    }

    /// Finds out what became of a load that may have been applied.
    fn resolve(&mut self, table: &TableName, doubt: Doubt) -> Result<(), Trouble> {
        let Doubt { planned_on, attempt, failure } = doubt;
        match self.destination.state(table).map_err(|error| trouble(&error))? {
            Some(state) if state.position == attempt.to => self.settle(table, attempt, state),
            // Nothing was loaded since; if it is another all the same, something was taken out of it by hand.
            found if position(found.as_ref()) == position(planned_on.as_ref()) => {
                self.standing.insert(table.clone(), Standing::Known(found));
                self.give_up(table, attempt, failure)
            }
            _ => Err(Trouble::Pause(format!(
                "{}; another program writes to this table of {}: stop one of the two, then start this one again",
                failure.reason(),
                self.name
            ))),
        }
    }

    /// Notes a committed load.
    fn settle(&mut self, table: &TableName, attempt: Attempt, after: TableState) -> Result<(), Trouble> {
        let Attempt { before, loaded_to, records, .. } = attempt;
        self.isolation(table).passed(records);
        self.source.backlog.commit(self.follower, table, before, after.counts, loaded_to);
        self.standing.insert(table.clone(), Standing::Known(Some(after)));
        self.acknowledge(table, loaded_to)
    }

    /// Says what to do after a load that had no effect. If a row was in its way, a smaller one is tried at once.
    fn give_up(&mut self, table: &TableName, attempt: Attempt, failure: Trouble) -> Result<(), Trouble> {
        match failure {
            Trouble::BadRow(reason) => self.isolation(table).refused(attempt.records, reason),
            _ => Err(failure),
        }
    }

    fn isolation(&mut self, table: &TableName) -> &mut Isolation {
        self.isolations.entry(table.clone()).or_default()
    }

    fn acknowledge(&self, table: &TableName, loaded_to: u64) -> Result<(), Trouble> {
        self.source.queue.acknowledge(&self.name, table, loaded_to).map_err(put_off)
    }
}

/// The numbers of the batches with rejected records.
fn rejected_batches(load: &TableLoad) -> Vec<u64> {
    let batches =
        load.rejects.column_by_name(rejected::BATCH).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let batches: BTreeSet<u64> = batches.into_iter().flatten().flatten().map(i64::cast_unsigned).collect();
    batches.into_iter().collect()
}

fn position(state: Option<&TableState>) -> Option<Position> {
    state.map(|state| state.position)
}

fn bounds_of<'b>(table: &TableName, bounds: &'b [TableBounds]) -> Option<&'b TableBounds> {
    bounds.iter().find(|bounds| bounds.table == *table)
}

fn put_off(error: QueueError) -> Trouble {
    Trouble::PutOff(with_causes(&error))
}

fn trouble(error: &LoadError) -> Trouble {
    match error.kind() {
        LoadErrorKind::Unavailable | LoadErrorKind::Full | LoadErrorKind::Stale => Trouble::PutOff(with_causes(error)),
        LoadErrorKind::BadRow => Trouble::BadRow(with_causes(error)),
        _ => Trouble::Pause(with_causes(error)),
    }
}
