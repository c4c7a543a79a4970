//! Random loads of rows, deletes and activated versions, and removals, against a map from key to what is newest.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_core::{Counts, Destination, Part, Removal};
use selvedge_parquet::{Nesting, Settings};
use tempfile::tempdir;

use crate::table::{Table, activate, add_subtable, batch, columns_of, delete, look, text_of, tombstones};

const COLUMNS: &str = "id:integer load:integer _sdc_sequence:integer _sdc_table_version:integer";
const ITEMS: &str = "load:integer _sdc_source_key_id:integer _sdc_level_0_id:integer _sdc_table_version:integer";

type Age = (Option<i64>, i64);

/// Of a key: its age, and its elements, of which a delete has none.
type Change = (Age, Option<i64>);

#[derive(Debug, Clone)]
enum Step {
    /// The changes, and by how much the active version rises.
    Load(BTreeMap<i64, Change>, i64),
    Remove(Vec<i64>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let age = || (prop_oneof![1 => Just(None), 4 => (0..4_i64).prop_map(Some)], 0..6_i64);
    let change = move || (age(), prop_oneof![1 => Just(None), 2 => (0..4_i64).prop_map(Some)]);
    let rise = || prop_oneof![4 => Just(0), 1 => 1..3_i64];
    let scattered =
        (btree_map(0..60_i64, change(), 0..20), rise()).prop_map(|(changes, rise)| Step::Load(changes, rise));
    let near = (0..55_i64).prop_flat_map(move |from| (btree_map(from..from + 5, change(), 0..5), rise()));
    let near = near.prop_map(|(changes, rise)| Step::Load(changes, rise));
    let remove = vec(0..60_i64, 0..8).prop_map(Step::Remove);
    vec(prop_oneof![4 => scattered, 3 => near, 1 => remove], 1..14)
}

/// What is newest of each key, with the number of the load it came with.
#[derive(Debug, Default)]
struct Model {
    newest: BTreeMap<i64, (Change, usize)>,
    active: Option<i64>,
    counts: Counts,
}

impl Model {
    fn load(&mut self, number: usize, changes: &BTreeMap<i64, Change>) {
        self.newest.retain(|_, (((version, _), _), _)| *version >= self.active);
        for (&id, &change) in changes {
            if self.newest.get(&id).is_some_and(|((age, _), _)| *age > change.0) {
                self.counts.superseded += 1;
            } else {
                self.counts.loaded += 1;
                self.newest.insert(id, (change, number));
            }
        }
        self.count();
    }

    fn remove(&mut self, ids: &[i64]) {
        self.newest.retain(|id, _| !ids.contains(id));
        self.count();
    }

    fn count(&mut self) {
        self.counts.live_rows = self.newest.values().filter(|((_, elements), _)| elements.is_some()).count() as u64;
    }

    /// Rows, subrows and tombstones as text.
    fn stored(&self) -> [Vec<String>; 3] {
        let (mut rows, mut subrows, mut tombstones) = (Vec::new(), Vec::new(), Vec::new());
        for (id, (((version, sequence), elements), number)) in &self.newest {
            let version = version.map_or("-".to_owned(), |version| version.to_string());
            match elements {
                None => tombstones.push(format!("{id} {sequence} {version} {number}")),
                Some(elements) => {
                    rows.push(format!("{id} {number} {sequence} {version}"));
                    subrows.extend((0..*elements).map(|at| format!("{number} {id} {at} {version}")));
                }
            }
        }
        [rows, subrows, tombstones].map(|mut part| {
            part.sort();
            part
        })
    }
}

fn check(steps: &[Step], nesting: Nesting) {
    let root = tempdir().unwrap();
    let mut table = Table::open(root.path(), Settings { rows_per_file: 4, nesting, ..Settings::default() }, "id");
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        let found = table.lake.state(&table.name).unwrap();
        let state = match (step, found) {
            (Step::Remove(_), None) => continue,
            (Step::Remove(ids), Some(found)) => {
                let text: String = ids.iter().map(|id| format!("{id};")).collect();
                let keys = batch(&columns_of("id:integer"), &text);
                model.remove(ids);
                table.lake.remove(&table.name, &found, Removal::Keys(&keys)).unwrap().unwrap()
            }
            (Step::Load(changes, rise), _) => {
                model.active = if *rise > 0 { Some(model.active.unwrap_or_default() + rise) } else { model.active };
                // Preparation leaves out what is below the active version.
                let changes = changes.iter().filter(|(_, ((version, _), _))| *version >= model.active);
                let changes: BTreeMap<_, _> = changes.map(|(id, change)| (*id, *change)).collect();
                let load = plan(&mut table, number, &changes, model.active);
                model.counts.loaded += load.activations;
                model.load(number, &changes);
                table.lake.load(&load).unwrap()
            }
        };
        assert_eq!(state.counts, model.counts, "after step {number}");
        let part = |part| {
            let handed = look(root.path(), &table.name, part).unwrap().unwrap();
            let mut rows: Vec<_> = handed.iter().flat_map(|(_, batch)| text_of(batch)).collect();
            rows.sort();
            rows
        };
        let stored = [part(Part::Rows), part(Part::Subtable("items")), tombstones(&root.path().join("orders"))];
        assert_eq!(stored, model.stored(), "after step {number}");
    }
}

fn plan(
    table: &mut Table,
    number: usize,
    changes: &BTreeMap<i64, Change>,
    active: Option<i64>,
) -> selvedge_core::TableLoad {
    let (mut rows, mut subrows, mut deletes) = (String::new(), String::new(), String::new());
    for (id, ((version, sequence), elements)) in changes {
        let version = version.map_or("-".to_owned(), |version| version.to_string());
        match elements {
            None => deletes += &format!("{id} {sequence} {version} {number};"),
            Some(elements) => {
                rows += &format!("{id} {number} {sequence} {version};");
                subrows += &(0..*elements).map(|at| format!("{number} {id} {at} {version};")).collect::<String>();
            }
        }
    }
    let mut load = table.plan(COLUMNS, &rows);
    delete(&mut load, &deletes);
    add_subtable(&mut load, "items", ITEMS, &subrows);
    active.filter(|_| load.active_version != active).into_iter().for_each(|version| activate(&mut load, version));
    load
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_loads_leave_what_is_newest_of_each_key(steps in steps()) {
        check(&steps, Nesting::Flat);
        check(&steps, Nesting::Native);
    }
}
