//! Which record of a key is loaded, beside a model that goes through them one by one.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use proptest::collection::vec;
use proptest::prelude::*;
use selvedge_core::{RowOrder, TableLoad, TableState};
use selvedge_prepare::{Deletes, Pending, Policy, Schemas, decode, ignored_activations};

use crate::load::{applied, pending, prepared, prepared_of, queue, values};
use crate::shown::moment;

/// A kind of key, and ways to write some keys of it. Texts in one list are one key; lists are in ascending order.
struct KeyKind {
    schema: &'static str,
    names: &'static [&'static str],
    keys: &'static [&'static [&'static str]],
}

const KINDS: [KeyKind; 6] = [
    KeyKind {
        schema: r#""k":{"type":"integer"}"#,
        names: &["k"],
        keys: &[
            &[r#""k":-9223372036854775808"#],
            &[r#""k":-1"#],
            &[r#""k":0"#, r#""k":-0"#],
            &[r#""k":10"#, r#""k":1e1"#],
        ],
    },
    KeyKind {
        schema: r#""k":{"type":"string"}"#,
        names: &["k"],
        keys: &[&[r#""k":"""#], &[r#""k":"A""#, r#""k":"\u0041""#], &[r#""k":"AB""#], &[r#""k":"a""#], &[r#""k":"é""#]],
    },
    KeyKind {
        schema: r#""k":{"type":"integer"},"l":{"type":"string"}"#,
        names: &["l", "k"],
        keys: &[
            &[r#""k":2,"l":"a""#, r#""l":"a","k":2.0"#],
            &[r#""k":3,"l":"a""#],
            &[r#""k":1,"l":"b""#],
            &[r#""k":2,"l":"b""#],
        ],
    },
    KeyKind {
        schema: r#""k":{"type":"number","multipleOf":0.01}"#,
        names: &["k"],
        keys: &[
            &[r#""k":-1.1"#, r#""k":-1.10"#],
            &[r#""k":0"#, r#""k":-0.00"#],
            &[r#""k":1"#, r#""k":1.00"#, r#""k":100e-2"#],
            &[r#""k":1.01"#],
        ],
    },
    KeyKind {
        schema: r#""k":{"type":"string","format":"date-time"}"#,
        names: &["k"],
        keys: &[
            &[r#""k":"1969-12-31T23:59:59Z""#],
            &[r#""k":"2026-11-23T10:00:00Z""#, r#""k":"2026-11-23T11:00:00+01:00""#],
            &[r#""k":"2026-11-23T10:00:00.000001Z""#, r#""k":"2026-11-23T10:00:00.0000019Z""#],
        ],
    },
    KeyKind {
        schema: r#""k":{"type":"number"}"#,
        names: &["k"],
        keys: &[&[r#""k":-1.5"#], &[r#""k":0"#, r#""k":-0.0"#, r#""k":-1e-400"#], &[r#""k":1e300"#]],
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Upsert,
    Delete,
    Activate,
}

#[derive(Debug, Clone)]
struct Record {
    does: Does,
    key: prop::sample::Index,
    spelling: prop::sample::Index,
    sequence: i64,
}

#[derive(Debug, Clone)]
struct Batch {
    version: Option<i64>,
    applied: prop::sample::Index,
    until: prop::sample::Index,
    records: Vec<Record>,
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let does = prop_oneof![6 => Just(Does::Upsert), 3 => Just(Does::Delete), 1 => Just(Does::Activate)];
    let record = (does, any::<prop::sample::Index>(), any::<prop::sample::Index>(), -2_i64..3)
        .prop_map(|(does, key, spelling, sequence)| Record { does, key, spelling, sequence });
    let any = any::<prop::sample::Index>;
    let batch = (version(), any(), any(), vec(record, 1..12)).prop_map(|(version, applied, until, records)| Batch {
        version,
        applied,
        until,
        records,
    });
    vec(batch, 1..5)
}

fn version() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), (-1_i64..2).prop_map(Some)]
}

impl Batch {
    /// The batch as it waits; each record holds its own number, an upsert in `p`, a delete as the moment it was made.
    fn pending(&self, number: usize, kind: &KeyKind) -> Pending {
        let message = |(index, record): (usize, &Record)| {
            let spelling = record.spelling.get(kind.keys[record.key.index(kind.keys.len())]);
            let (sequence, payload) = (record.sequence, payload(number, index));
            match self.does(record) {
                Does::Upsert => {
                    format!(r#"{{"action":"upsert","sequence":{sequence},"data":{{{spelling},"p":{payload}}}}}"#)
                }
                Does::Delete => {
                    let at = moment(payload as i64);
                    format!(
                        r#"{{"action":"delete","sequence":{sequence},"data":{{{spelling},"p":5}},"time_extracted":"{at}"}}"#
                    )
                }
                Does::Activate => format!(r#"{{"action":"activate_version","sequence":{sequence}}}"#),
            }
        };
        let messages: Vec<String> = self.records.iter().enumerate().map(message).collect();
        let version = self.version.map_or(String::new(), |version| format!(r#""table_version":{version},"#));
        let body = format!(
            r#"{{"table_name":"t","schema":{{"properties":{{{},"p":{{"type":"integer"}}}}}},{version}"key_names":{},"messages":[{}]}}"#,
            kind.schema,
            serde_json::to_string(kind.names).unwrap(),
            messages.join(",")
        );
        let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
        Pending { applied: self.applied(), until: self.until(), ..pending(number as u64 + 1, records) }
    }

    /// What a record does: without a version there is none to activate.
    fn does(&self, record: &Record) -> Does {
        if self.version.is_none() && record.does == Does::Activate { Does::Upsert } else { record.does }
    }

    /// Less than the batch has.
    fn applied(&self) -> u64 {
        self.applied.index(self.records.len()) as u64
    }

    /// More than is applied.
    fn until(&self) -> u64 {
        let left = self.records.len() - usize::try_from(self.applied()).unwrap();
        self.applied() + 1 + self.until.index(left) as u64
    }

    /// The records to load, with their indices and what they do.
    fn records(&self) -> impl Iterator<Item = (usize, &Record, Does)> {
        let [applied, until] = [self.applied(), self.until()].map(|record| usize::try_from(record).unwrap());
        let records = self.records.iter().enumerate().take(until).skip(applied);
        records.map(|(index, record)| (index, record, self.does(record)))
    }
}

/// What tells one record from all others.
fn payload(batch: usize, record: usize) -> usize {
    batch * 1_000 + record
}

/// What becomes of the records.
#[derive(Debug, Default)]
struct Model {
    /// Of each key, by its place in ascending order, the number of the winner, and whether it is a delete.
    winners: BTreeMap<usize, (usize, bool)>,
    active_version: Option<i64>,
    activations: u64,
    ignored: Vec<i64>,
    superseded: u64,
}

impl Model {
    /// Goes through the records one by one, for a table of this active version.
    fn new(batches: &[Batch], kind: &KeyKind, active_version: Option<i64>) -> Self {
        let mut model = Self { active_version, ..Self::default() };
        for batch in batches {
            for _ in batch.records().filter(|(_, _, does)| *does == Does::Activate) {
                if batch.version < model.active_version {
                    model.ignored.push(batch.version.unwrap());
                    model.superseded += 1;
                } else {
                    model.active_version = batch.version;
                    model.activations += 1;
                }
            }
        }
        let mut winners: BTreeMap<usize, (Option<i64>, i64, usize, bool)> = BTreeMap::new();
        for (number, batch) in batches.iter().enumerate() {
            for (index, record, does) in batch.records().filter(|(_, _, does)| *does != Does::Activate) {
                let candidate = (batch.version, record.sequence, payload(number, index), does == Does::Delete);
                if batch.version < model.active_version {
                    model.superseded += 1;
                    continue;
                }
                let key = record.key.index(kind.keys.len());
                let winner = winners.get(&key).map_or(candidate, |winner| candidate.max(*winner));
                model.superseded += u64::from(winners.insert(key, winner).is_some());
            }
        }
        model.winners = winners.into_iter().map(|(key, (_, _, payload, deleted))| (key, (payload, deleted))).collect();
        model
    }

    /// The numbers of the winners that are deletes, or that are none, in the order of their keys.
    fn payloads(&self, deleted: bool) -> Vec<usize> {
        self.winners.values().filter(|winner| winner.1 == deleted).map(|winner| winner.0).collect()
    }
}

/// The numbers of the deletes in a column of moments, which may be missing.
fn deleted(batch: &RecordBatch) -> Vec<usize> {
    let Some(column) = batch.column_by_name("_sdc_deleted_at") else { return Vec::new() };
    column.as_primitive::<TimestampMicrosecondType>().iter().flatten().map(|at| usize::try_from(at).unwrap()).collect()
}

fn sorted(mut payloads: Vec<usize>) -> Vec<usize> {
    payloads.sort_unstable();
    payloads
}

/// A table of this active version, as a load of nothing but an activation leaves it.
fn standing(kind: &KeyKind, version: Option<i64>) -> Option<TableState> {
    let body = format!(
        r#"{{"table_name":"t","schema":{{"properties":{{{}}}}},"table_version":{},"key_names":{},"messages":[{}]}}"#,
        kind.schema,
        version?,
        serde_json::to_string(kind.names).unwrap(),
        r#"{"action":"activate_version","sequence":0}"#
    );
    let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
    Some(applied(&prepared(None, &[pending(1, records)], RowOrder::Any).unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_record_of_each_key_wins(batches in batches(), kind in 0..KINDS.len(), version in version()) {
        let kind = &KINDS[kind];
        let state = standing(kind, version);
        let pending: Vec<Pending> = batches.iter().enumerate().map(|(number, batch)| batch.pending(number, kind)).collect();
        let model = Model::new(&batches, kind, version);
        let upserted = model.payloads(false);
        prop_assert_eq!(&ignored_activations(state.as_ref(), &pending), &model.ignored);
        for deletes in [Deletes::Soft, Deletes::Hard] {
            let load = |order| {
                let policy = Policy { deletes, ..Policy::default() };
                prepared_of(queue(), state.as_ref(), &pending, order, policy, &[]).unwrap()
            };
            let rows = |load: &TableLoad| -> Vec<usize> {
                values(load, "p").into_iter().flatten().map(|value| value.parse().unwrap()).collect()
            };
            let by_key = load(RowOrder::Key);
            prop_assert_eq!(by_key.superseded, model.superseded);
            prop_assert_eq!((by_key.active_version, by_key.activations), (model.active_version, model.activations));
            prop_assert_eq!(&by_key.keys, kind.names);
            prop_assert_eq!((by_key.to.batch, by_key.to.record), (batches.len() as u64, batches.last().unwrap().until()));
            prop_assert_eq!(rows(&by_key), upserted.clone());
            let (marked, erased) = (deleted(&by_key.rows), deleted(&by_key.deletes));
            let (expected, none) = (model.payloads(true), Vec::new());
            match deletes {
                Deletes::Soft => prop_assert_eq!((marked, erased), (expected.clone(), none)),
                Deletes::Hard => prop_assert_eq!((marked, erased), (none, expected.clone())),
            }
            let arrived = load(RowOrder::Any);
            prop_assert_eq!(sorted(rows(&arrived)), sorted(upserted.clone()));
            prop_assert_eq!(sorted([deleted(&arrived.rows), deleted(&arrived.deletes)].concat()), sorted(expected));
        }
    }
}

/// Without keys every record is a row, in the order of arrival, whatever order is asked for.
#[test]
fn keyless_records_are_all_loaded() {
    let batch = |number, records: &[&str]| crate::load::waiting(number, "{}", &[], records);
    let pending = [batch(1, &[r#"{"p":3}"#, r#"{"p":1}"#]), batch(2, &[r#"{"p":1}"#])];
    for row_order in [RowOrder::Any, RowOrder::Key] {
        let load = prepared(None, &pending, row_order).unwrap();
        assert_eq!(values(&load, "p"), ["3", "1", "1"].map(|value| Some(value.to_owned())));
        assert_eq!(load.superseded, 0);
    }
}
