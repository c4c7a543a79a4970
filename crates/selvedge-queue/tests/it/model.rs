//! Random actions on a queue, against a model that holds the same in plain collections.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use selvedge_queue::{Append, Appended, Cursor, EmbeddedQueue, Queue, Repeats, TableBounds};

use crate::{batch, open, table};

const TABLES: [&str; 2] = ["orders", "events"];
const DESTINATIONS: [&str; 2] = ["warehouse", "lake"];

#[derive(Debug, Clone)]
enum Action {
    Append { table: usize, body: u8, repeats: Repeats, cursor: Option<u8> },
    Register { destination: usize },
    Acknowledge { destination: usize, table: usize, batch: u64 },
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let (tables, destinations) = (0..TABLES.len(), 0..DESTINATIONS.len());
    let repeats = prop_oneof![Just(Repeats::Acknowledge), Just(Repeats::Append)];
    prop_oneof![
        6 => (tables.clone(), 0..6_u8, repeats, proptest::option::of(any::<u8>()))
            .prop_map(|(table, body, repeats, cursor)| Action::Append { table, body, repeats, cursor }),
        2 => destinations.clone().prop_map(|destination| Action::Register { destination }),
        4 => (destinations, tables, 0..12_u64)
            .prop_map(|(destination, table, batch)| Action::Acknowledge { destination, table, batch }),
        1 => Just(Action::Reopen),
    ]
}

#[derive(Debug, Default)]
struct Model {
    newest: u64,
    /// In the order of their first batches.
    tables: Vec<TableModel>,
    /// Since when, by name.
    destinations: BTreeMap<usize, Vec<u64>>,
    cursor: Option<u8>,
}

#[derive(Debug)]
struct TableModel {
    table: usize,
    /// Every batch ever: its body, by number.
    batches: BTreeMap<u64, u8>,
    acknowledged: BTreeMap<usize, u64>,
    deleted_to: u64,
}

impl Model {
    fn table(&mut self, table: usize) -> &mut TableModel {
        let known = self.tables.iter().position(|known| known.table == table);
        let index = known.unwrap_or_else(|| {
            let new = TableModel { table, batches: BTreeMap::new(), acknowledged: BTreeMap::new(), deleted_to: 0 };
            self.tables.push(new);
            self.tables.len() - 1
        });
        &mut self.tables[index]
    }

    fn append(&mut self, table: usize, body: u8, repeats: Repeats) -> Appended {
        let next = self.newest + 1;
        let batches = &mut self.table(table).batches;
        let first = batches.iter().find(|(_, known)| **known == body).map(|(number, _)| *number);
        match (first, repeats) {
            (Some(batch), Repeats::Acknowledge) => Appended { batch, repeated: true },
            _ => {
                batches.insert(next, body);
                self.newest = next;
                Appended { batch: next, repeated: false }
            }
        }
    }

    /// Since when, by table.
    fn register(&mut self, destination: usize) -> Vec<u64> {
        let since =
            |index: usize| self.tables.iter().find(|table| table.table == index).map_or(0, |table| table.deleted_to);
        let since: Vec<u64> = (0..TABLES.len()).map(since).collect();
        self.destinations.entry(destination).or_insert(since).clone()
    }

    /// Whether it is allowed.
    fn acknowledge(&mut self, destination: usize, table: usize, batch: u64) -> bool {
        let known = self.tables.iter().any(|known| known.table == table);
        if !known || !self.destinations.contains_key(&destination) {
            return false;
        }
        let destinations: Vec<usize> = self.destinations.keys().copied().collect();
        let table = self.table(table);
        if table.batches.last_key_value().is_none_or(|(newest, _)| *newest < batch) {
            return false;
        }
        let acknowledged = table.acknowledged.entry(destination).or_default();
        *acknowledged = batch.max(*acknowledged);
        let by_all =
            destinations.iter().map(|each| table.acknowledged.get(each).copied().unwrap_or(0)).min().unwrap_or(0);
        let deleted = table.batches.range(..=by_all).next_back().map_or(0, |(number, _)| *number);
        table.deleted_to = deleted.max(table.deleted_to);
        true
    }
}

fn act(queue: EmbeddedQueue, folder: &Path, model: &mut Model, action: &Action) -> EmbeddedQueue {
    match *action {
        Action::Append { table, body, repeats, cursor } => {
            let append = Append {
                repeats,
                cursor: cursor.map(|state| Cursor { source: "source".into(), state: state.to_string() }),
                ..batch(TABLES[table], &[body])
            };
            assert_eq!(queue.append(vec![append]).unwrap(), [model.append(table, body, repeats)]);
            model.cursor = cursor.or(model.cursor);
        }
        Action::Register { destination } => {
            let registration = queue.register(DESTINATIONS[destination]).unwrap();
            let since: Vec<u64> = TABLES.iter().map(|name| registration.since(&table(name))).collect();
            assert_eq!(since, model.register(destination));
        }
        Action::Acknowledge { destination, table: index, batch } => {
            let acknowledged = queue.acknowledge(DESTINATIONS[destination], &table(TABLES[index]), batch);
            assert_eq!(acknowledged.is_ok(), model.acknowledge(destination, index, batch));
            // A registration known already changes nothing, but it is committed after the acknowledgement.
            if acknowledged.is_ok() {
                queue.register(DESTINATIONS[destination]).unwrap();
            }
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
    for known in &model.tables {
        let stored = queue.read(&table(TABLES[known.table]), 0, 100).unwrap();
        let stored: Vec<_> = stored.iter().map(|stored| (stored.batch, queue.body(stored.batch).unwrap())).collect();
        let kept = known.batches.range(known.deleted_to + 1..);
        assert_eq!(stored, kept.map(|(number, body)| (*number, vec![*body])).collect::<Vec<_>>());
    }
}

fn expected_bounds(model: &TableModel) -> TableBounds {
    TableBounds {
        table: table(TABLES[model.table]),
        accepted: model.batches.len() as u64,
        kept_records: model.batches.range(model.deleted_to + 1..).count() as u64,
        newest: model.batches.last_key_value().map_or(0, |(number, _)| *number),
        deleted_to: model.deleted_to,
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
