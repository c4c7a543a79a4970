//! Which record of a key is loaded, beside a model that goes through them one by one.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use selvedge_core::RowOrder;
use selvedge_prepare::{Pending, Schemas, decode};

use crate::load::{pending, prepared, values};

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

#[derive(Debug, Clone)]
struct Record {
    key: prop::sample::Index,
    spelling: prop::sample::Index,
    sequence: i64,
}

#[derive(Debug, Clone)]
struct Batch {
    version: Option<i64>,
    applied: prop::sample::Index,
    records: Vec<Record>,
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let record = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), -2_i64..3)
        .prop_map(|(key, spelling, sequence)| Record { key, spelling, sequence });
    let batch = (prop_oneof![Just(None), (-1_i64..2).prop_map(Some)], any::<prop::sample::Index>(), vec(record, 1..12))
        .prop_map(|(version, applied, records)| Batch { version, applied, records });
    vec(batch, 1..5)
}

impl Batch {
    /// The batch as it waits; each record holds its own number in `p`.
    fn pending(&self, number: usize, kind: &KeyKind) -> Pending {
        let messages: Vec<String> = (0..)
            .zip(&self.records)
            .map(|(index, record)| {
                let spelling = record.spelling.get(kind.keys[record.key.index(kind.keys.len())]);
                let sequence = record.sequence;
                format!(
                    r#"{{"action":"upsert","sequence":{sequence},"data":{{{spelling},"p":{}}}}}"#,
                    payload(number, index)
                )
            })
            .collect();
        let version = self.version.map_or(String::new(), |version| format!(r#""table_version":{version},"#));
        let body = format!(
            r#"{{"table_name":"t","schema":{{"properties":{{{},"p":{{"type":"integer"}}}}}},{version}"key_names":{},"messages":[{}]}}"#,
            kind.schema,
            serde_json::to_string(kind.names).unwrap(),
            messages.join(",")
        );
        let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
        Pending { applied: self.applied(), ..pending(number as u64 + 1, records) }
    }

    /// Less than the batch has.
    fn applied(&self) -> u64 {
        self.applied.index(self.records.len()) as u64
    }
}

/// What tells one record from all others.
fn payload(batch: usize, record: usize) -> usize {
    batch * 1_000 + record
}

/// Goes through the records: the winner of each key, by the key's place in ascending order; and how many lost.
fn model(batches: &[Batch], kind: &KeyKind) -> (BTreeMap<usize, usize>, u64) {
    let mut winners: BTreeMap<usize, (Option<i64>, i64, usize)> = BTreeMap::new();
    let mut superseded = 0;
    for (number, batch) in batches.iter().enumerate() {
        for (index, record) in batch.records.iter().enumerate().skip(usize::try_from(batch.applied()).unwrap()) {
            let candidate = (batch.version, record.sequence, payload(number, index));
            let winner = winners.entry(record.key.index(kind.keys.len()));
            superseded += u64::from(matches!(winner, std::collections::btree_map::Entry::Occupied(_)));
            winner.and_modify(|winner| *winner = candidate.max(*winner)).or_insert(candidate);
        }
    }
    (winners.into_iter().map(|(key, (_, _, payload))| (key, payload)).collect(), superseded)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_record_of_each_key_wins(batches in batches(), kind in 0..KINDS.len()) {
        let kind = &KINDS[kind];
        let pending: Vec<Pending> = batches.iter().enumerate().map(|(number, batch)| batch.pending(number, kind)).collect();
        let (winners, superseded) = model(&batches, kind);
        let payloads = |row_order| {
            let load = prepared(None, &pending, row_order).unwrap();
            prop_assert_eq!(load.superseded, superseded);
            prop_assert_eq!(&load.keys, kind.names);
            prop_assert_eq!((load.to.batch, load.to.record), (batches.len() as u64, batches.last().unwrap().records.len() as u64));
            Ok(values(&load, "p").into_iter().map(|value| value.unwrap().parse().unwrap()).collect::<Vec<usize>>())
        };
        let by_key: Vec<usize> = winners.values().copied().collect();
        prop_assert_eq!(&payloads(RowOrder::Key)?, &by_key);
        let mut arrived = payloads(RowOrder::Any)?;
        arrived.sort_unstable();
        let mut expected = by_key;
        expected.sort_unstable();
        prop_assert_eq!(arrived, expected);
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
