//! Tables that are given other keys.

use std::collections::BTreeMap;

use selvedge_core::{Inspect, LogicalRow};
use selvedge_engine::{
    Batch, EngineError, EngineErrorKind, Queue, TableBounds, drop_table, requeue, requeued, reset_table,
};
use serde_json::{Value, json};

use crate::cut::{Cut, Step, at_every_step};
use crate::place::Place;
use crate::{LONG, check_error, check_paused, flush, keyless, schema, table};

/// What the command does.
fn rekey(place: &Place, cut: &Cut, destinations: &[&str], keys: &[&str]) -> Result<u64, EngineError> {
    let queue = cut.queue(place.queue());
    let rows = begin(place, &queue, destinations, keys)?;
    for name in destinations {
        reset_table(&queue, name, cut.destination(place.destination(name)).as_mut(), &table("t"))?;
    }
    requeued(&queue, &table("t"))?;
    Ok(rows)
}

/// Its first part.
fn begin(place: &Place, queue: &dyn Queue, destinations: &[&str], keys: &[&str]) -> Result<u64, EngineError> {
    let look = |name: &&str| ((*name).to_owned(), Box::new(place.look(name)) as Box<dyn Inspect>);
    let mut sources: Vec<_> = destinations.iter().map(look).collect();
    requeue(queue, &mut sources, &table("t"), &keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
}

/// A batch of records (id, sequence, name) under these keys.
fn keyed(keys: &[&str], records: &[(i64, i64, &str)]) -> Batch {
    let add = |batch: Batch, (id, sequence, name): &(i64, i64, &str)| {
        batch.upsert(*sequence, &json!({"id": id, "name": name}))
    };
    records.iter().fold(Batch::new("t", keys, &schema()), add)
}

const PLACES: [&str; 3] = ["/name", "/id", "_sdc_sequence"];

fn bounds(place: &Place) -> TableBounds {
    place.queue().tables().unwrap().remove(0)
}

/// Pushes a batch that waits: because it is of other keys, or because the table is paused.
fn push_waiting(place: &Place, destinations: &[&str], batch: Batch) {
    let engine = place.builder(destinations).start().unwrap();
    engine.push(batch).unwrap();
    assert_eq!(engine.flush(LONG).unwrap().len(), destinations.len());
}

/// What happens between a crash and the moment the command is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// An engine runs, gets a batch of the new keys, and loads what it can.
    Engine,
}

/// Three rows in `a`, and in `b`, which came later, only one of them, newer; a batch of the new keys waits for both.
fn waiting() -> Place {
    let place = Place::new();
    place.load(&["a"], [keyed(&["id"], &[(1, 1, "a"), (2, 1, "b"), (3, 1, "c")])]);
    place.load(&["a", "b"], [keyed(&["id"], &[(2, 2, "B")])]);
    push_waiting(&place, &["a", "b"], keyed(&["name", "id"], &[(1, 3, "x"), (3, 0, "c"), (2, 2, "B")]));
    place
}

/// Cut at any of its steps and done again, the command has moved every row once, whatever happened in between, and of rows
/// of one new key the newest stands: of those from the table, of those that waited, of those that came meanwhile, and of
/// those that came after.
#[test]
fn rows_are_moved_whatever_is_cut() {
    let waiting = waiting();
    let uncut = waiting.copied();
    assert_eq!(rekey(&uncut, &Cut::never(), &["a", "b"], &["name", "id"]).unwrap(), 3);
    let accepted = bounds(&uncut).accepted;
    for meanwhile in [Meanwhile::Nothing, Meanwhile::Engine] {
        at_every_step(|cut| {
            let place = waiting.copied();
            let done = rekey(&place, cut, &["a", "b"], &["name", "id"]);
            assert_eq!(done.is_err(), cut.fell());
            if meanwhile == Meanwhile::Engine {
                let engine = place.builder(&["a", "b"]).start().unwrap();
                engine.push(keyed(&["name", "id"], &[(3, 2, "c"), (2, 1, "B"), (4, 1, "n")])).unwrap();
                engine.flush(LONG).unwrap();
            }
            if done.is_err() {
                rekey(&place, &Cut::never(), &["a", "b"], &["name", "id"]).unwrap();
            }
            if meanwhile == Meanwhile::Nothing {
                assert_eq!(bounds(&place).accepted, accepted, "nothing is in the queue twice");
            }
            place.load(&["a", "b"], [keyed(&["name", "id"], &[(1, 2, "a"), (2, 1, "B"), (5, 1, "o")])]);
            let (third, fourth) = match meanwhile {
                Meanwhile::Engine => (r#""c"|3|2"#, Some(r#""n"|4|1"#)),
                Meanwhile::Nothing => (r#""c"|3|1"#, None),
            };
            let expected: Vec<&str> = [r#""B"|2|2"#, r#""a"|1|2"#, third]
                .into_iter()
                .chain(fourth)
                .chain([r#""o"|5|1"#, r#""x"|1|3"#])
                .collect();
            for name in ["a", "b"] {
                assert_eq!(place.rows(name, &PLACES), expected, "{name}, {cut:?}, {meanwhile:?}");
                place.check_counted(name);
            }
        });
    }
}

/// Without reserve: a destination that has rows of its own keeps them, whichever comes first, and both end alike.
#[test]
fn rows_of_every_destination_are_moved() {
    for order in [["a", "b"], ["b", "a"]] {
        let place = waiting();
        rekey(&place, &Cut::never(), &order, &["name", "id"]).unwrap();
        place.load(&["a", "b"], []);
        for name in ["a", "b"] {
            let expected = [r#""B"|2|2"#, r#""a"|1|1"#, r#""c"|3|1"#, r#""x"|1|3"#];
            assert_eq!(place.rows(name, &PLACES), expected, "{name} of {order:?}");
        }
    }
}

/// Rows that get one key compete like records; so do rows of a table without keys.
#[test]
fn the_newest_of_a_new_key_stands() {
    let records = [(1, 3, "a"), (1, 7, "b"), (1, 5, "c"), (2, 1, "a"), (2, 2, "b")];
    for keys in [&["id", "name"][..], &[]] {
        let place = Place::new();
        place.load(&["a"], records.map(|record| keyed(keys, &[record])));
        assert_eq!(rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap(), 5);
        place.load(&["a"], [keyed(&["id"], &[(1, 6, "late"), (2, 3, "new")])]);
        assert_eq!(place.rows("a", &["/id", "/name", "_sdc_sequence"]), [r#"1|"b"|7"#, r#"2|"new"|3"#]);
        place.check_counted("a");
    }
}

/// A record with something at every kind of place.
fn records() -> Value {
    json!([
        {"id": 1, "text": "", "unicode": "\u{e9}\u{1f980}\"\\\n\t", "whole": i64::MIN, "flag": false, "decimal": 12.50,
         "double": 1e-300, "moment": "2024-02-29T23:59:59.123456Z", "day": "1969-12-31", "time": "23:59:59.5",
         "any": {"free": [1, "x", null]},
         "exact": "123456789012345678901234567890.5", "object": {"a": {"b": 1}, "c/d~e": true}, "0": {"1": "digits"},
         "my_sdc_extra": "text", "your_sdc_extra": {"a": 1, "b": ["x"]}},
        {"id": 2, "tags": ["x", "", null, "y"], "matrix": [[1, 2], [], [3]], "deep": [[[1], [2]], [[3]]],
         "mixed": [1, "one", 1.5, true],
         "items": [{"sku": "a", "price": 1.10, "parts": [{"n": 1}, {"n": 2}]}, {}, {"sku": "c", "0": [7]}],
         "object": {"list": [{"v": 1}]}},
        {"id": 3, "text": 5, "whole": "x", "flag": {"is": "object"}, "decimal": null, "tags": "none",
         "object": [{"a": 1}], "double": 2.0},
        {"id": 4},
        {"id": 5, "text": {"a": "b"}, "unicode": ["x"], "tags": [[1], {"x": [2]}, 3]},
    ])
}

fn of_every_kind() -> Value {
    let number = |unit: Value| json!({"type": ["null", "number"], "multipleOf": unit});
    json!({"properties": {
        "id": {"type": "integer"},
        "decimal": number(json!(0.01)),
        "double": {"type": ["null", "number"]},
        "moment": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "time": {"type": "string", "format": "time"},
        "exact": {"type": "string", "format": "singer.decimal"},
    }})
}

/// The rows but for what tells when they came, in an order that does not depend on the keys.
fn content(place: &Place, destination: &str) -> Vec<LogicalRow> {
    let mut rows: Vec<LogicalRow> = place.view(destination).rows.into_values().collect();
    rows.sort();
    rows
}

/// Whatever a record holds, and wherever, is there again, and of the same type.
#[test]
fn values_stay_what_they_are() {
    let place = Place::new();
    let records = records();
    let batches = records.as_array().unwrap().iter().map(|record| {
        let body = json!({"table_name": "t", "schema": of_every_kind(), "key_names": ["id"], "messages": [{
            "action": "upsert", "sequence": 7, "time_extracted": "2024-01-01T00:00:00.000001Z", "data": record,
        }]});
        Batch::from_json(body.to_string())
    });
    place.load(&["a"], batches);
    let before = content(&place, "a");
    assert_eq!((before.len(), place.rejects("a").len()), (5, 0));
    // The same keys: nothing else is in the way of comparing.
    for _ in 0..2 {
        rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
        place.load(&["a"], []);
        assert_eq!(place.rejects("a"), []);
        assert_eq!(content(&place, "a"), before);
    }
}

/// A row with what had no columns as if it had.
fn unfolded(row: &LogicalRow) -> LogicalRow {
    let mut unfolded = LogicalRow::new();
    for (place, value) in row {
        match (place.strip_suffix("_sdc_extra"), value) {
            (Some(begin), selvedge_core::Value::Json(members)) => {
                let members: BTreeMap<String, Value> = serde_json::from_str(members).unwrap();
                let begin = begin.strip_suffix('/').unwrap_or(begin);
                let value = |value: Value| match value.as_i64() {
                    Some(number) => selvedge_core::Value::Integer(number),
                    None => selvedge_core::Value::String(value.as_str().unwrap().to_owned()),
                };
                unfolded.extend(members.into_iter().map(|(name, found)| (format!("{begin}/{name}"), value(found))));
            }
            _ => drop(unfolded.insert(place.clone(), value.clone())),
        }
    }
    unfolded
}

/// What found no room among the columns, in the records and in elements of them.
#[test]
fn values_without_a_column_stay() {
    let place = Place::new();
    let wide = |first: usize, id: u64| {
        let mut members: serde_json::Map<String, Value> =
            (first..first + 1_100).map(|n| (format!("p{n}"), json!(n))).collect();
        let elements = Value::Object(members.clone());
        members.insert("id".to_owned(), json!(id));
        members.insert("nested".to_owned(), json!({"a": "x", "b~/c": [1]}));
        members.insert("list".to_owned(), json!([{"few": 1}, elements]));
        Value::Object(members)
    };
    let schema = json!({"properties": {"id": {"type": "integer"}}});
    place.load(&["a"], [Batch::new("t", &["id"], &schema).upsert(1, &wide(0, 1)).upsert(1, &wide(500, 2))]);
    let before = content(&place, "a");
    assert_eq!(before.iter().flat_map(LogicalRow::keys).filter(|place| place.ends_with("_sdc_extra")).count(), 4);
    rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
    place.load(&["a"], []);
    // Which of them have columns is another matter: it depends on which came first.
    let after = content(&place, "a");
    assert_eq!(after.iter().map(unfolded).collect::<Vec<_>>(), before.iter().map(unfolded).collect::<Vec<_>>());
}

/// The version that was active is so again: what comes late of an older one is superseded, as before.
#[test]
fn versions_stay_what_they_are() {
    let of = |version: i64, records: &[(i64, i64, &str)]| {
        let batch = Batch::new("t", &["id"], &schema()).table_version(version);
        records
            .iter()
            .fold(batch, |batch, (id, sequence, name)| batch.upsert(*sequence, &json!({"id": id, "name": name})))
    };
    let place = Place::new();
    place.load(
        &["a"],
        [
            of(1, &[(1, 9, "of 1")]),
            of(2, &[(2, 1, "of 2")]).activate_version(1),
            of(3, &[(3, 1, "of 3"), (2, 0, "of 3")]),
        ],
    );
    for _ in 0..2 {
        rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
        place.load(&["a"], [of(1, &[(4, 9, "late")]), of(2, &[(2, 5, "of 2"), (5, 1, "of 2")])]);
        let places = ["/id", "/name", "_sdc_table_version", "_sdc_sequence"];
        assert_eq!(place.rows("a", &places), [r#"2|"of 3"|3|0"#, r#"3|"of 3"|3|1"#, r#"5|"of 2"|2|1"#]);
        place.check_counted("a");
    }
}

/// A row that is marked as deleted stays so, as of the moment it was deleted, and against records that are older.
#[test]
fn deleted_rows_stay_deleted() {
    let place = Place::new();
    let batch = keyed(&["id", "name"], &[(1, 1, "a"), (2, 1, "b")]).delete(5, &json!({"id": 1, "name": "a"}));
    place.load(
        &["a"],
        [batch, keyed(&["id", "name"], &[(3, 7, "x"), (3, 8, "y")]).delete(9, &json!({"id": 3, "name": "x"}))],
    );
    let places = ["/id", "/name", "_sdc_sequence", "_sdc_deleted_at"];
    let before = place.rows("a", &places);
    assert!(before[0].starts_with(r#"1|"a"|5|timestamp "#) && before[1] == r#"2|"b"|1|null"#, "{before:?}");
    rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
    place.load(&["a"], [keyed(&["id"], &[(1, 4, "late"), (2, 0, "late")])]);
    let after = place.rows("a", &places);
    let moment = |row: &str| row.rsplit('|').next().unwrap().to_owned();
    // Of the two rows of 3 the delete is the newest.
    assert_eq!(after[..2], [format!("1|null|5|{}", moment(&before[0])), r#"2|"b"|1|null"#.to_owned()]);
    assert_eq!(after[2], format!("3|null|9|{}", moment(&before[2])));
    place.load(&["a"], [keyed(&["id"], &[(1, 6, "back")])]);
    assert_eq!(place.rows("a", &places)[0], r#"1|"back"|6|null"#);
}

/// Rows without a value for a new key are rejected records afterwards, and nothing else is.
#[test]
fn rows_without_the_new_key_are_rejected() {
    let place = Place::new();
    let batch =
        Batch::new("t", &["id"], &schema()).upsert(1, &json!({"id": 1, "name": "a"})).upsert(1, &json!({"id": 2}));
    place.load(&["a"], [batch]);
    rekey(&place, &Cut::never(), &["a"], &["name"]).unwrap();
    place.load(&["a"], []);
    assert_eq!(place.rows("a", &PLACES), [r#""a"|1|1"#]);
    let [rejected] = place.rejects("a").try_into().unwrap();
    assert_eq!((rejected.record.as_str(), rejected.pointer.as_str()), (r#"{"id":2}"#, "/name"));
}

/// A body that came before is not taken for one of the rows': here the sender wrote it as rows are written.
#[test]
fn rows_are_told_from_batches_that_came() {
    let schema = json!({"properties": {"id": {"type": ["null", "integer"]}, "name": {"type": ["null", "string"]}}});
    let batch = || Batch::new("t", &["id"], &schema).upsert(1, &json!({"id": 1, "name": "a"}));
    let place = Place::new();
    place.load(&["a"], [batch()]);
    rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
    let queue = place.queue();
    let stored = queue.read(&table("t"), 0, 9).unwrap();
    let [rows] = stored.iter().map(|stored| queue.body(stored.batch).unwrap()).collect::<Vec<_>>().try_into().unwrap();
    drop(queue);
    place.load(&["a"], []);
    assert_eq!(place.rows("a", &PLACES), [r#""a"|1|1"#]);
    let other = Place::new();
    other.load(&["a"], [Batch::from_json(rows)]);
    rekey(&other, &Cut::never(), &["a"], &["id"]).unwrap();
    other.load(&["a"], []);
    assert_eq!(other.rows("a", &PLACES), [r#""a"|1|1"#]);
}

/// It is refused, and nothing is changed, while anything would stand in the way of the rows.
#[test]
fn what_cannot_be_done_is_refused() {
    let check = |place: &Place, keys: &[&str], words: &[&str]| {
        let before = (bounds(place), content(place, "a"));
        check_error(rekey(place, &Cut::never(), &["a"], keys), EngineErrorKind::Refused, words);
        assert_eq!((bounds(place), content(place, "a")), before);
    };
    let place = Place::new();
    place.load(&["a"], [keyed(&["id"], &[(1, 1, "a")])]);
    check(&place, &["id", "missing"], &["t has no column of a property missing, so it cannot be a key"]);
    let (loaded, of_present_keys) = (place.copied(), place.copied());
    push_waiting(&place, &["a"], keyed(&["name"], &[(2, 1, "b")]));
    let words =
        ["batch 2 of t waits for a", "get the keys (name, id)", "its keys are (name)", "give the table its keys"];
    check(&place, &["name", "id"], &words);
    rekey(&place, &Cut::never(), &["a"], &["name"]).unwrap();
    place.load(&["a"], []);
    assert_eq!(place.rows("a", &PLACES), [r#""a"|1|1"#, r#""b"|2|1"#]);

    pause(&of_present_keys, "by hand");
    push_waiting(&of_present_keys, &["a"], keyed(&["id"], &[(1, 2, "newer")]).delete(3, &json!({"id": 1})));
    check(&of_present_keys, &["name"], &["batch 2 of t waits for a", "its keys are (id)", "have it loaded first"]);

    let texts = json!({"properties": {"id": {"type": "integer"}, "name": {"type": "integer"}}});
    push_waiting(&loaded, &["a"], Batch::new("t", &["name"], &texts).upsert(1, &json!({"id": 1, "name": 1})));
    check(&loaded, &["name"], &["its keys are (name), or of other types"]);

    let unknown = begin(&place, &Place::new().queue(), &["a"], &["id"]);
    check_error(unknown, EngineErrorKind::Unusable, &["the queue never had t"]);
}

fn pause(place: &Place, reason: &str) {
    place.queue().set_paused(&table("t"), Some(reason)).unwrap();
}

/// While it is under way the table is paused, and afterwards as it was before.
#[test]
fn the_table_is_paused_meanwhile() {
    for before in [None, Some("by hand")] {
        let place = Place::new();
        place.load(&["a"], [keyed(&["id"], &[(1, 1, "a")])]);
        before.into_iter().for_each(|reason| pause(&place, reason));
        assert_eq!(begin(&place, &place.queue(), &["a"], &["name"]).unwrap(), 1);
        let engine = place.builder(&["a"]).start().unwrap();
        let words = ["was being given other keys", "`selvedge table rekey`"];
        engine.push(keyed(&["name"], &[(2, 1, "b")])).unwrap();
        check_paused(&engine, "a", "t", &words);
        drop(engine);
        let others = begin(&place, &place.queue(), &["a"], &["id"]);
        check_error(others, EngineErrorKind::Refused, &["t is being given the keys (name)", "do that again"]);
        rekey(&place, &Cut::never(), &["a"], &["name"]).unwrap();
        assert_eq!(bounds(&place).paused.as_deref(), before);
        place.queue().set_paused(&table("t"), None).unwrap();
        place.load(&["a"], []);
        assert_eq!(place.rows("a", &PLACES), [r#""a"|1|1"#, r#""b"|2|1"#]);
    }
}

/// What was begun and given up, by resuming, dropping or resetting the table, is begun anew the next time: nothing is taken
/// for done.
#[test]
fn what_was_given_up_is_begun_anew() {
    let begun = Place::new();
    begun.load(&["a"], [keyed(&["id"], &[(1, 1, "a"), (2, 1, "b")])]);
    assert_eq!(begin(&begun, &begun.queue(), &["a"], &["name", "id"]).unwrap(), 2);

    let resumed = begun.copied();
    resumed.queue().set_paused(&table("t"), None).unwrap();
    let engine = resumed.builder(&["a"]).start().unwrap();
    check_paused(&engine, "a", "t", &["the table's keys are (id), but the batch's are (name, id)"]);
    drop(engine);
    rekey(&resumed, &Cut::never(), &["a"], &["name", "id"]).unwrap();
    resumed.load(&["a"], []);
    assert_eq!(resumed.rows("a", &PLACES), [r#""a"|1|1"#, r#""b"|2|1"#]);

    // What was put into the queue under the keys the table has was loaded, and is gone from there.
    let loaded = begun.copied();
    rekey(&loaded, &Cut::never(), &["a"], &["name", "id"]).unwrap();
    loaded.load(&["a"], []);
    begin(&loaded, &loaded.queue(), &["a"], &["name", "id"]).unwrap();
    loaded.queue().set_paused(&table("t"), None).unwrap();
    loaded.load(&["a"], []);
    rekey(&loaded, &Cut::never(), &["a"], &["name", "id"]).unwrap();
    loaded.load(&["a"], []);
    assert_eq!(loaded.rows("a", &PLACES), [r#""a"|1|1"#, r#""b"|2|1"#]);

    let dropped = begun.copied();
    let destination: Box<dyn selvedge_core::Destination> = Box::new(dropped.destination("a"));
    drop_table(&dropped.queue(), &mut [("a".to_owned(), destination)], &table("t")).unwrap();
    dropped.load(&["a"], [keyed(&["id"], &[(3, 1, "c")])]);
    rekey(&dropped, &Cut::never(), &["a"], &["name", "id"]).unwrap();
    dropped.load(&["a"], []);
    assert_eq!(dropped.rows("a", &PLACES), [r#""c"|3|1"#]);

    let reset = begun.copied();
    reset_table(&reset.queue(), "a", &mut reset.destination("a"), &table("t")).unwrap();
    reset.queue().set_paused(&table("t"), None).unwrap();
    reset.load(&["a"], [keyed(&["name", "id"], &[(3, 1, "c")])]);
    rekey(&reset, &Cut::never(), &["a"], &["id"]).unwrap();
    reset.load(&["a"], []);
    assert_eq!(reset.rows("a", &["/id", "/name"]), [r#"1|"a""#, r#"2|"b""#, r#"3|"c""#]);
}

/// More rows than are held in memory at once: a part of them is in the queue when the command is cut.
#[test]
fn many_rows_are_moved_in_portions() {
    let place = Place::new();
    let engine = place.builder(&["a"]).start().unwrap();
    engine.push_many((0..6).map(|part| keyless("t", part * 20_000..100_001.min((part + 1) * 20_000))), |_| ()).unwrap();
    flush(&engine);
    drop(engine);
    // The table is paused by then, and its first portion queued.
    rekey(&place, &Cut::new(5, Step::NotDone), &["a"], &["id"]).unwrap_err();
    let queued = bounds(&place).kept_records;
    assert!((1..100_001).contains(&queued), "{queued}");
    rekey(&place, &Cut::never(), &["a"], &["id"]).unwrap();
    assert_eq!(bounds(&place).kept_records, 100_001);
    place.load(&["a"], []);
    place.check_counted("a");
    assert_eq!(place.view("a").rows.len(), 100_001);
}
