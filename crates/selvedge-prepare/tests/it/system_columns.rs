//! The columns selvedge adds.

use selvedge_core::RowOrder;
use selvedge_prepare::{Pending, Schemas, decode};

use crate::load::{BATCHED_AT, applied, pending, prepared, values, waiting};
use crate::shown::moment;

const KEYED: &str = r#""schema":{"properties":{"id":{"type":"integer"}}},"key_names":["id"]"#;

fn names(load: &selvedge_core::TableLoad) -> Vec<&str> {
    load.columns.iter().map(|column| column.name.as_str()).collect()
}

/// A batch with these members besides table, schema and keys.
fn batch(number: u64, members: &str) -> Pending {
    let body = format!(r#"{{"table_name":"t",{KEYED},{members}}}"#);
    pending(number, decode(body.as_bytes(), &Schemas::new()).unwrap())
}

#[test]
fn those_every_table_has() {
    let load = prepared(None, &[waiting(1, "{}", &[], &["{}"])], RowOrder::Any).unwrap();
    assert_eq!(names(&load), ["__sdc_primary_key", "_sdc_received_at", "_sdc_batched_at", "_sdc_sequence"]);
    let keyed = batch(1, r#""messages":[{"action":"upsert","sequence":5,"data":{"id":1}}]"#);
    let load = prepared(None, &[keyed], RowOrder::Any).unwrap();
    assert_eq!(names(&load), ["id", "_sdc_received_at", "_sdc_batched_at", "_sdc_sequence"]);
}

#[test]
fn their_values() {
    let plain = r#""messages":[{"action":"upsert","sequence":5,"data":{"id":1}}]"#;
    let extracted = r#""table_version":9,"messages":[
        {"action":"upsert","sequence":-6,"data":{"id":2},"time_extracted":"2026-11-23T10:00:00Z"},
        {"action":"upsert","sequence":7,"data":{"id":3}}]"#;
    let load = prepared(None, &[batch(1, plain), batch(2, extracted)], RowOrder::Any).unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(values(&load, "id"), [text("1"), text("2"), text("3")]);
    assert_eq!(values(&load, "_sdc_sequence"), [text("5"), text("-6"), text("7")]);
    assert_eq!(values(&load, "_sdc_extracted_at"), [None, text("2026-11-23T10:00:00.000000Z"), None]);
    assert_eq!(values(&load, "_sdc_table_version"), [None, text("9"), text("9")]);
    let (first, second) = (moment(BATCHED_AT - 99_000_000), moment(BATCHED_AT - 98_000_000));
    assert_eq!(values(&load, "_sdc_received_at"), [text(&first), text(&second), text(&second)]);
    assert_eq!(values(&load, "_sdc_batched_at"), vec![text(&moment(BATCHED_AT)); 3]);
    assert_eq!((load.to.batch, load.to.record), (2, 2));
}

/// Columns a later batch has no values for stay, and hold null.
#[test]
fn they_stay() {
    let versioned = r#""table_version":9,"messages":[
        {"action":"upsert","sequence":6,"data":{"id":2},"time_extracted":"2026-11-23T10:00:00Z"}]"#;
    let plain = r#""messages":[{"action":"upsert","sequence":5,"data":{"id":1}}]"#;
    let first = prepared(None, &[batch(1, versioned)], RowOrder::Any).unwrap();
    let second = prepared(Some(&applied(&first)), &[batch(2, plain)], RowOrder::Any).unwrap();
    assert_eq!(names(&second), names(&first));
    assert!(second.changes.is_empty());
    assert_eq!(values(&second, "_sdc_extracted_at"), [None]);
    assert_eq!(values(&second, "_sdc_table_version"), [None]);
}

/// Columns that come later are added to those the table has.
#[test]
fn they_are_added() {
    let plain = r#""messages":[{"action":"upsert","sequence":5,"data":{"id":1}}]"#;
    let versioned = r#""table_version":9,"messages":[{"action":"upsert","sequence":6,"data":{"id":2}}]"#;
    let first = prepared(None, &[batch(1, plain)], RowOrder::Any).unwrap();
    let second = prepared(Some(&applied(&first)), &[batch(2, versioned)], RowOrder::Any).unwrap();
    assert_eq!(names(&second), [names(&first), vec!["_sdc_table_version"]].concat());
    assert_eq!(second.changes.len(), 1);
}
