//! However records are cut into batches and loads, the tables hold the same.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use proptest::collection::vec;
use proptest::prelude::*;
use selvedge_core::{Column, Outcome, RowOrder, TableLoad, TableState, Value};
use selvedge_prepare::{ChangedTypes, DeclaredColumns, FirstType, Policy, Schemas, decode};
use serde_json::{Map, Value as Json, json};

use crate::load::{pending, prepared_of, queue};

/// The values of a row by where they stand in the record, numbers by what they are worth.
type Row = BTreeMap<String, String>;

/// The rows by key, each with its sequence.
type Rows = BTreeMap<i64, (i64, Row)>;

#[derive(Debug, Clone)]
struct Record {
    id: i64,
    sequence: i64,
    members: Map<String, Json>,
}

/// Records that are sent together, under one of the schemas.
#[derive(Debug, Clone)]
struct Batch {
    records: Vec<Record>,
    declares: bool,
    /// A multiple of which the decimals are, `0.1` or finer.
    step: f64,
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        3 => (-9_i64..10).prop_map(Json::from),
        1 => Just(json!(999_999_999_999_999_i64)),
        1 => Just(json!(1_000_000_000_000_001_i64)),
        1 => Just(json!(i64::MIN)),
        2 => Just(json!(0.5)),
        1 => Just(json!(1e300)),
        2 => Just(json!("x")),
        1 => any::<bool>().prop_map(Json::from),
        1 => Just(Json::Null),
    ]
}

fn element() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            (inner.clone(), inner).prop_map(|(x, y)| json!({"x": x, "y": y})),
        ]
    })
}

fn record() -> impl Strategy<Value = Record> {
    let members = (
        prop::option::of(scalar()),
        prop::option::weighted(0.1, scalar()),
        prop::option::of((-40_i64..40).prop_map(|tenths| json!(tenths as f64 / 10.0))),
        prop::option::of(element()),
        prop::option::of(vec(element(), 0..4).prop_map(Json::from)),
    );
    (0_i64..4, -2_i64..3, members).prop_map(|(id, sequence, (a, upper, d, o, l))| {
        let named = [("a", a), ("A", upper), ("d", d), ("o", o), ("l", l)];
        let members = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Record { id, sequence, members: members.collect() }
    })
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let step = prop::sample::select(vec![0.1, 0.01, 0.001]);
    let batch = (vec(record(), 1..5), any::<bool>(), step).prop_map(|(records, declares, step)| Batch {
        records,
        declares,
        step,
    });
    vec(batch, 1..6)
}

fn policy() -> impl Strategy<Value = Policy> {
    let changed = prop::sample::select(vec![ChangedTypes::Split, ChangedTypes::Widen]);
    let first = prop::sample::select(vec![FirstType::KeepsName, FirstType::IsRenamed]);
    let declared = prop::sample::select(vec![DeclaredColumns::AtOnce, DeclaredColumns::WithFirstValue]);
    (changed, first, declared).prop_map(|(changed_types, first_type, declared_columns)| Policy {
        changed_types,
        first_type,
        declared_columns,
        ..Policy::default()
    })
}

impl Batch {
    fn body(&self) -> String {
        let mut properties = json!({"id": {"type": "integer"}, "d": {"type": "number", "multipleOf": self.step}});
        if self.declares {
            properties["a"] = json!({"type": ["integer", "number", "string", "boolean", "null"]});
        }
        let message = |record: &Record| {
            let mut data = record.members.clone();
            data.insert("id".to_owned(), record.id.into());
            json!({"action": "upsert", "sequence": record.sequence, "data": data})
        };
        let messages: Vec<Json> = self.records.iter().map(message).collect();
        json!({"table_name": "t", "schema": {"properties": properties}, "key_names": ["id"], "messages": messages})
            .to_string()
    }
}

/// What the records make of a table, one after the other; and how many are rejected.
fn model(batches: &[Batch]) -> (Rows, u64) {
    let (mut rows, mut rejected) = (Rows::new(), 0);
    for record in batches.iter().flat_map(|batch| &batch.records) {
        let holds = |name: &str| record.members.get(name).is_some_and(|value| !value.is_null());
        if holds("a") && holds("A") {
            rejected += 1;
            continue;
        }
        let mut row = Row::new();
        place("", &Json::Object(record.members.clone()), &mut row);
        row.insert("/id".to_owned(), record.id.to_string());
        put(&mut rows, record.id, record.sequence, row);
    }
    (rows, rejected)
}

fn put(rows: &mut Rows, id: i64, sequence: i64, row: Row) -> bool {
    let is_stale = rows.get(&id).is_some_and(|(stored, _)| *stored > sequence);
    if !is_stale {
        rows.insert(id, (sequence, row));
    }
    !is_stale
}

fn place(pointer: &str, value: &Json, row: &mut Row) {
    match value {
        Json::Null => {}
        Json::Object(members) => {
            members.iter().for_each(|(name, value)| place(&format!("{pointer}/{name}"), value, row));
        }
        Json::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| place(&format!("{pointer}/{index}"), value, row));
        }
        Json::Number(number) => {
            let text = number.as_i64().map_or_else(|| double(number.as_f64().unwrap()), |whole| whole.to_string());
            row.insert(pointer.to_owned(), text);
        }
        other => drop(row.insert(pointer.to_owned(), other.to_string())),
    }
}

/// A double by what it is worth: a whole one that is exact is the integer.
fn double(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).to_string() } else { format!("{value:?}") }
}

/// Applies a load as a destination does.
fn apply(load: &TableLoad, rows: &mut Rows) -> Outcome {
    let mut outcome = Outcome::default();
    let number = |batch: &RecordBatch, name: &str, row| {
        let column = batch.column_by_name(name).unwrap();
        let Some(Value::Integer(number)) = Value::of(selvedge_core::ColumnType::Integer, column, row) else { panic!() };
        number
    };
    let mut made: Vec<Row> = (0..load.rows.num_rows()).map(|row| held("", &load.columns, &load.rows, row)).collect();
    for subtable in &load.subtables {
        for (row, root) in subtable.roots.values().iter().enumerate() {
            let mut pointer = String::new();
            for (path, level) in subtable.subtable.source.0.iter().zip(subtable.subtable.level_ids()) {
                pointer += &format!("{path}/{}", number(&subtable.rows, level, row));
            }
            let held = held(&pointer, &subtable.subtable.columns, &subtable.rows, row);
            made[*root as usize].extend(held);
        }
    }
    for (row, made) in made.into_iter().enumerate() {
        let (id, sequence) = (number(&load.rows, "id", row), number(&load.rows, "_sdc_sequence", row));
        let is_new = !rows.contains_key(&id);
        if put(rows, id, sequence, made) {
            outcome.new_rows += u64::from(is_new);
        } else {
            outcome.stale_rows += 1;
        }
    }
    outcome
}

fn held(pointer: &str, columns: &[Column], rows: &RecordBatch, row: usize) -> Row {
    let cell = |column: &Column| {
        let value = Value::of(column.column_type, rows.column_by_name(&column.name)?, row)?;
        let text = match value {
            Value::Double(bits) => double(bits.into()),
            Value::String(text) => Json::from(text).to_string(),
            other => other.to_string(),
        };
        Some((format!("{pointer}{}", column.path.as_ref()?), text))
    };
    columns.iter().filter_map(cell).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_records_gives_the_same(
        batches in batches(),
        cuts in vec(any::<bool>(), 6),
        parts in vec(any::<prop::sample::Index>(), 6),
        policy in policy(),
        by_key in any::<bool>(),
    ) {
        let order = if by_key { RowOrder::Key } else { RowOrder::Any };
        let bodies: Vec<String> = batches.iter().map(Batch::body).collect();
        let waiting: Vec<_> = (1..).zip(&bodies).map(|(number, body)| {
            pending(number, decode(body.as_bytes(), &Schemas::new()).unwrap())
        }).collect();
        let mut state: Option<TableState> = None;
        let mut rows = Rows::new();
        let mut first = 0;
        for last in 0..waiting.len() {
            // A load ends here, or goes on; sometimes it begins within a batch.
            if !cuts[last] && last + 1 < waiting.len() {
                continue;
            }
            let mut together = waiting[first..=last].to_vec();
            let length = together[0].records.len();
            if parts[last].index(3) == 0 && length > 1 {
                // The first records of the batch were loaded alone.
                let alone = 1 + parts[last].index(length - 1);
                let begun = prepared_of(
                    queue(), state.as_ref(), &[cut(&batches[first], first, alone)], order, policy, &bodies,
                ).unwrap();
                let outcome = apply(&begun, &mut rows);
                state = Some(begun.committed(outcome));
                together[0].applied = alone as u64;
            }
            let load = prepared_of(queue(), state.as_ref(), &together, order, policy, &bodies).unwrap();
            let outcome = apply(&load, &mut rows);
            state = Some(load.committed(outcome));
            first = last + 1;
        }
        let (expected, rejected) = model(&batches);
        prop_assert_eq!(&rows, &expected);
        let counts = state.unwrap().counts;
        let records: usize = batches.iter().map(|batch| batch.records.len()).sum();
        prop_assert_eq!((counts.rejected, counts.records()), (rejected, records as u64));
        prop_assert_eq!(counts.live_rows, expected.len() as u64);
    }
}

/// The first records of a batch.
fn cut(batch: &Batch, index: usize, length: usize) -> selvedge_prepare::Pending {
    let batch = Batch { records: batch.records[..length].to_vec(), ..batch.clone() };
    pending(index as u64 + 1, decode(batch.body().as_bytes(), &Schemas::new()).unwrap())
}
