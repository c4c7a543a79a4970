//! Random actions on a queue, against a model that holds the same in plain collections.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use selvedge_queue::{
    Append, Appended, Cursor, EmbeddedQueue, Queue, Registered, Registration, Repeats, Since, TableBounds,
};

use crate::{batch, open, table};

const TABLES: [&str; 2] = ["orders", "events"];
const DESTINATIONS: [&str; 2] = ["warehouse", "lake"];

#[derive(Debug, Clone)]
enum Action {
    Append { table: usize, body: u8, repeats: Repeats, cursor: Option<u8> },
    Register { destination: usize },
    Unregister { destination: usize },
    Acknowledge { destination: usize, table: usize, batch: u64 },
    Pause { table: usize, reason: Option<u8> },
    Keep { table: usize, batch: u64 },
    Prune { before: i64 },
    Restart { destination: usize, table: usize },
    Drop { table: usize },
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let (tables, destinations) = (0..TABLES.len(), 0..DESTINATIONS.len());
    let repeats = prop_oneof![Just(Repeats::Acknowledge), Just(Repeats::Append)];
    prop_oneof![
        6 => (tables.clone(), 0..6_u8, repeats, proptest::option::of(any::<u8>()))
            .prop_map(|(table, body, repeats, cursor)| Action::Append { table, body, repeats, cursor }),
        2 => destinations.clone().prop_map(|destination| Action::Register { destination }),
        1 => destinations.clone().prop_map(|destination| Action::Unregister { destination }),
        4 => (destinations.clone(), tables.clone(), 0..12_u64)
            .prop_map(|(destination, table, batch)| Action::Acknowledge { destination, table, batch }),
        1 => (tables.clone(), proptest::option::of(any::<u8>()))
            .prop_map(|(table, reason)| Action::Pause { table, reason }),
        2 => (tables.clone(), 0..12_u64).prop_map(|(table, batch)| Action::Keep { table, batch }),
        1 => (0..12_i64).prop_map(|before| Action::Prune { before }),
        1 => (destinations.clone(), tables.clone())
            .prop_map(|(destination, table)| Action::Restart { destination, table }),
        1 => tables.clone().prop_map(|table| Action::Drop { table }),
        1 => Just(Action::Reopen),
    ]
}

#[derive(Debug, Default)]
struct Model {
    newest: u64,
    /// In the order of their first batches.
    tables: Vec<TableModel>,
    /// In the order in which they came.
    destinations: Vec<(usize, Registration)>,
    cursor: Option<u8>,
}

#[derive(Debug, Default)]
struct TableModel {
    table: usize,
    /// Every batch since the table was dropped: its body, by number. So many records it holds, and it was received in the
    /// microsecond of its number.
    batches: BTreeMap<u64, u8>,
    acknowledged: BTreeMap<usize, u64>,
    deleted_to: u64,
    newest: u64,
    paused: Option<u8>,
    kept: BTreeSet<u64>,
}

impl Model {
    fn table(&mut self, table: usize) -> &mut TableModel {
        let known = self.tables.iter().position(|known| known.table == table);
        let index = known.unwrap_or_else(|| {
            let new = TableModel { table, ..TableModel::default() };
            self.tables.push(new);
            self.tables.len() - 1
        });
        &mut self.tables[index]
    }

    fn append(&mut self, table: usize, body: u8, repeats: Repeats) -> Appended {
        let next = self.newest + 1;
        let known = self.table(table);
        let batches = &mut known.batches;
        let first = batches.iter().find(|(_, known)| **known == body).map(|(number, _)| *number);
        match (first, repeats) {
            (Some(batch), Repeats::Acknowledge) => Appended { batch, repeated: true },
            _ => {
                batches.insert(next, body);
                known.newest = next;
                self.newest = next;
                Appended { batch: next, repeated: false }
            }
        }
    }

    /// The table, if it is known.
    fn known(&mut self, table: usize) -> Option<&mut TableModel> {
        self.tables.iter_mut().find(|known| known.table == table)
    }

    /// Whether it is allowed.
    fn restart(&mut self, destination: usize, index: usize, registered_at: i64) -> bool {
        let Some(known) = self.tables.iter_mut().find(|known| known.table == index) else { return false };
        let Some((_, registration)) = self.destinations.iter_mut().find(|(known, _)| *known == destination) else {
            return false;
        };
        known.acknowledged.remove(&destination);
        registration.since.extend(known.since(registered_at).map(|since| (table(TABLES[index]), since)));
        true
    }

    /// Whether it is allowed.
    fn drop_table(&mut self, index: usize, dropped_at: i64) -> bool {
        let Some(known) = self.tables.iter_mut().find(|known| known.table == index) else { return false };
        *known = TableModel { table: index, newest: known.newest, deleted_to: known.newest, ..TableModel::default() };
        let since = Since { batch: known.newest, records: 0, received_at: dropped_at };
        for (_, registration) in &mut self.destinations {
            registration.since.insert(table(TABLES[index]), since);
        }
        true
    }

    fn register(&mut self, destination: usize, registered_at: i64) -> Registration {
        if let Some((_, known)) = self.destinations.iter().find(|(known, _)| *known == destination) {
            return known.clone();
        }
        let since =
            self.tables.iter().filter_map(|known| Some((table(TABLES[known.table]), known.since(registered_at)?)));
        let registration = Registration { since: since.collect() };
        self.destinations.push((destination, registration.clone()));
        registration
    }

    /// Whether it was registered.
    fn unregister(&mut self, destination: usize) -> bool {
        let before = self.destinations.len();
        self.destinations.retain(|(known, _)| *known != destination);
        for table in &mut self.tables {
            table.acknowledged.remove(&destination);
            table.delete(&self.destinations);
        }
        self.destinations.len() < before
    }

    /// Whether it is allowed.
    fn acknowledge(&mut self, destination: usize, table: usize, batch: u64) -> bool {
        let known = self.tables.iter().any(|known| known.table == table);
        if !known || !self.destinations.iter().any(|(known, _)| *known == destination) {
            return false;
        }
        let destinations = self.destinations.clone();
        let table = self.table(table);
        if table.newest < batch {
            return false;
        }
        let acknowledged = table.acknowledged.entry(destination).or_default();
        *acknowledged = batch.max(*acknowledged);
        table.delete(&destinations);
        true
    }
}

impl TableModel {
    fn acknowledged(&self, destination: usize) -> u64 {
        self.acknowledged.get(&destination).copied().unwrap_or(0)
    }

    fn delete(&mut self, destinations: &[(usize, Registration)]) {
        let by_all = destinations.iter().map(|(each, _)| self.acknowledged(*each)).min().unwrap_or(0);
        let deleted = self.batches.range(..=by_all).next_back().map_or(0, |(number, _)| *number);
        self.deleted_to = deleted.max(self.deleted_to);
    }

    /// How many records the batches of these numbers hold.
    fn records(&self, numbers: impl std::ops::RangeBounds<u64>) -> u64 {
        self.batches.range(numbers).map(|(_, body)| u64::from(*body)).sum()
    }

    /// Since when a destination registered now is complete, unless from the beginning.
    fn since(&self, registered_at: i64) -> Option<Since> {
        let oldest = self.batches.range(self.deleted_to + 1..).next();
        let since = Since {
            batch: self.deleted_to,
            records: self.records(..=self.deleted_to),
            received_at: oldest.map_or(registered_at, |(number, _)| number.cast_signed()),
        };
        (self.deleted_to > 0).then_some(since)
    }
}

fn act(queue: EmbeddedQueue, folder: &Path, model: &mut Model, action: &Action) -> EmbeddedQueue {
    match *action {
        Action::Append { table, body, repeats, cursor } => {
            let append = Append {
                repeats,
                records: u64::from(body),
                received_at: (model.newest + 1).cast_signed(),
                cursor: cursor.map(|state| Cursor { source: "source".into(), state: state.to_string() }),
                ..batch(TABLES[table], &[body])
            };
            assert_eq!(queue.append(vec![append]).unwrap(), [model.append(table, body, repeats)]);
            model.cursor = cursor.or(model.cursor);
        }
        Action::Register { destination } => {
            let now = 1_000 + model.newest.cast_signed();
            let registration = queue.register(DESTINATIONS[destination], now).unwrap();
            assert_eq!(registration, model.register(destination, now));
        }
        Action::Unregister { destination } => {
            let removed = queue.unregister(DESTINATIONS[destination]);
            assert_eq!(removed.is_ok(), model.unregister(destination));
            // Each commit deletes from one table.
            for _ in TABLES {
                queue.set_cursor(Cursor { source: "another".into(), state: String::new() }).unwrap();
            }
        }
        Action::Acknowledge { destination, table: index, batch } => {
            let acknowledged = queue.acknowledge(DESTINATIONS[destination], &table(TABLES[index]), batch);
            assert_eq!(acknowledged.is_ok(), model.acknowledge(destination, index, batch));
            // A registration known already changes nothing, but it is committed after the acknowledgement.
            if acknowledged.is_ok() {
                queue.register(DESTINATIONS[destination], 0).unwrap();
            }
        }
        Action::Pause { table: index, reason } => {
            let paused = queue.set_paused(&table(TABLES[index]), reason.map(|reason| reason.to_string()).as_deref());
            let known = model.known(index);
            assert_eq!(paused.is_ok(), known.is_some());
            known.into_iter().for_each(|known| known.paused = reason);
        }
        Action::Keep { table: index, batch } => {
            let kept = queue.keep_for_replay(&table(TABLES[index]), &[batch]);
            let known = model.known(index);
            assert_eq!(kept.is_ok(), known.is_some());
            let waits = |known: &&mut TableModel| known.deleted_to < batch && known.batches.contains_key(&batch);
            if let Some(known) = known.filter(waits) {
                known.kept.insert(batch);
            }
        }
        Action::Prune { before } => {
            queue.prune_kept(before).unwrap();
            model.tables.iter_mut().for_each(|known| known.kept.retain(|batch| batch.cast_signed() >= before));
        }
        Action::Restart { destination, table: index } => {
            let now = 1_000 + model.newest.cast_signed();
            let restarted = queue.restart_table(DESTINATIONS[destination], &table(TABLES[index]), now);
            assert_eq!(restarted.is_ok(), model.restart(destination, index, now));
        }
        Action::Drop { table: index } => {
            let now = 1_000 + model.newest.cast_signed();
            assert_eq!(queue.drop_table(&table(TABLES[index]), now).is_ok(), model.drop_table(index, now));
        }
        Action::Reopen => {
            drop(queue);
            return open(folder);
        }
    }
    queue
}

fn check(queue: &EmbeddedQueue, model: &Model) {
    let expected: Vec<TableBounds> = model.tables.iter().map(expected_bounds).collect();
    assert_eq!(queue.tables().unwrap(), expected);
    assert_eq!(queue.cursor("source").unwrap(), model.cursor.map(|state| state.to_string()));
    assert_eq!(queue.destinations().unwrap(), expected_destinations(model));
    for known in &model.tables {
        let stored = queue.read(&table(TABLES[known.table]), 0, 100).unwrap();
        let stored: Vec<_> = stored.iter().map(|stored| (stored.batch, queue.body(stored.batch).unwrap())).collect();
        let kept = known.batches.range(known.deleted_to + 1..);
        assert_eq!(stored, kept.map(|(number, body)| (*number, vec![*body])).collect::<Vec<_>>());
        let replayable = queue.kept_for_replay(Some(&table(TABLES[known.table]))).unwrap();
        let replayable: Vec<_> = replayable.iter().map(|kept| (kept.batch, queue.body(kept.batch).unwrap())).collect();
        assert_eq!(replayable, known.kept.iter().map(|batch| (*batch, vec![known.batches[batch]])).collect::<Vec<_>>());
        let gone = known.batches.range(..=known.deleted_to).filter(|(batch, _)| !known.kept.contains(batch));
        gone.for_each(|(batch, _)| assert!(queue.body(*batch).is_err()));
    }
}

fn expected_destinations(model: &Model) -> Vec<Registered> {
    let waiting = |destination: usize| {
        let of_table = |known: &TableModel| {
            let after = known.acknowledged(destination).max(known.deleted_to);
            (table(TABLES[known.table]), known.records(after + 1..))
        };
        model.tables.iter().map(of_table).filter(|(_, records)| *records > 0).collect()
    };
    let registered = |(destination, registration): &(usize, Registration)| Registered {
        name: DESTINATIONS[*destination].to_owned(),
        registration: registration.clone(),
        waiting: waiting(*destination),
    };
    model.destinations.iter().map(registered).collect()
}

fn expected_bounds(model: &TableModel) -> TableBounds {
    TableBounds {
        table: table(TABLES[model.table]),
        accepted: model.records(..),
        kept_records: model.records(model.deleted_to + 1..),
        newest: model.newest,
        deleted_to: model.deleted_to,
        kept_bytes: model.batches.range(model.deleted_to + 1..).count() as u64,
        paused: model.paused.map(|reason| reason.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_is_what_its_model_is(actions in proptest::collection::vec(action(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = open(folder.path());
        let mut model = Model::default();
        for action in &actions {
            queue = act(queue, folder.path(), &mut model, action);
            check(&queue, &model);
        }
    }
}
