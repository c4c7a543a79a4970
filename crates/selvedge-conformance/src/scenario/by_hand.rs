//! What a person does to tables by hand, as the engine's functions for it and the command line do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use selvedge_core::{Part, TableName, rejected};
use selvedge_engine::{
    EmbeddedQueue, Queue, RecordKey, check_purgeable, drop_table, is_of_queue, purge, purge_kept, requeue, requeued,
    reset_table,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{DESTINATION, Stage};
use crate::failure::{Checked, Failure, ensure_equal};
use crate::place::Thing;

/// A table is given other keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rekey {
    table: String,
    keys: Vec<String>,
}

/// Rejected records of a table are sent again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    table: String,
    /// In the place of the schema they came with.
    schema: Option<Box<RawValue>>,
    /// How many are sent: those that were before are not.
    sends: u64,
}

/// A key is erased.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Purge {
    table: String,
    key: Box<RawValue>,
    /// How many rows go.
    rows: u64,
    /// How many rejected records go.
    rejected: usize,
    /// How many records go that are kept for replay.
    kept: u64,
}

impl Stage<'_> {
    pub(super) fn pause(&mut self, table: &str) -> Checked {
        self.settle()?;
        self.engine()?.pause(&name(table)?, "the scenario wants it")?;
        self.stop();
        self.paused.insert(table.to_owned());
        Ok(())
    }

    pub(super) fn resume(&mut self, table: &str) -> Checked {
        self.send()?;
        self.engine()?.resume(&name(table)?)?;
        self.paused.remove(table);
        Ok(())
    }

    pub(super) fn rekey(&mut self, Rekey { table, keys }: &Rekey) -> Checked {
        let (queue, name) = (self.queue_at_rest()?, name(table)?);
        requeue(&queue, &mut [(DESTINATION.to_owned(), self.place.look()?)], &name, keys)?;
        reset_table(&queue, DESTINATION, &mut *self.place.open()?, &name)?;
        requeued(&queue, &name)?;
        self.paused.remove(table);
        Ok(())
    }

    pub(super) fn reset(&mut self, table: &str) -> Checked {
        let queue = self.queue_at_rest()?;
        reset_table(&queue, DESTINATION, &mut *self.place.open()?, &name(table)?)?;
        self.paused.remove(table);
        Ok(())
    }

    pub(super) fn drop_table(&mut self, table: &str) -> Checked {
        let queue = self.queue_at_rest()?;
        drop_table(&queue, &mut [(DESTINATION.to_owned(), self.place.open()?)], &name(table)?)?;
        self.paused.remove(table);
        Ok(())
    }

    pub(super) fn replay(&mut self, Replay { table, schema, sends }: &Replay) -> Checked {
        let (queue, name) = (self.queue_at_rest()?, name(table)?);
        let mut found: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        self.each_rejected(&name, |rejected| {
            if is_of_queue(&rejected, queue.id()) {
                found.entry(rejected.batch).or_default().insert(rejected.batch_record);
            }
        })?;
        drop(queue);
        let mut sent = 0;
        for (batch, records) in found {
            let receipt = self.engine()?.replay(&name, batch, &records, schema.as_deref().map(RawValue::get))?;
            sent += receipt.map_or(0, |receipt| receipt.records());
        }
        ensure_equal(&sent, sends, "the records sent again")
    }

    pub(super) fn purge(&mut self, Purge { table, key, rows, rejected, kept }: &Purge) -> Checked {
        let (queue, name, key) = (self.queue_at_rest()?, name(table)?, RecordKey::parse(key.get())?);
        check_purgeable(&queue, &name)?;
        let mut rejects = Vec::new();
        self.each_rejected(&name, |rejected| rejects.extend(key.is_of(&rejected.record).then_some(rejected.id)))?;
        ensure_equal(&rejects.len(), rejected, "the rejected records of the key")?;
        let gone = purge(DESTINATION, &mut *self.place.open()?, &name, &key, &rejects)?;
        ensure_equal(&gone, rows, "the rows that were erased")?;
        ensure_equal(&purge_kept(&queue, &name, &key)?, kept, "the kept records that were erased")
    }

    /// The queue, with everything loaded that is to be, and no engine at work.
    fn queue_at_rest(&mut self) -> Result<EmbeddedQueue, Failure> {
        Ok(EmbeddedQueue::open(self.at_rest()?.folder(Thing::Queue))?)
    }

    fn each_rejected(&self, table: &TableName, mut each: impl FnMut(rejected::Rejected)) -> Checked {
        self.place.look()?.read(table, Part::Rejects, &mut |_, batch| {
            rejected::read(&batch).for_each(&mut each);
            ControlFlow::Continue(())
        })?;
        Ok(())
    }
}

fn name(table: &str) -> Result<TableName, Failure> {
    Ok(TableName::new(None, table)?)
}
