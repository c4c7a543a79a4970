//! The batches as they are written: their number, their size and every line's shape.

use std::num::NonZeroU64;

use selvedge_benches::orders::{Summary, messages, write_batches};
use serde_json::{Value, json};

fn written(count: u64, per_batch: u64) -> (Summary, Vec<u8>) {
    let mut out = Vec::new();
    let summary = write_batches(&mut out, count, NonZeroU64::new(per_batch).unwrap(), |_| {}).unwrap();
    (summary, out)
}

#[track_caller]
fn check(count: u64, per_batch: u64, expected: &[usize]) {
    let (summary, out) = written(count, per_batch);
    let lines: Vec<Value> =
        std::str::from_utf8(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sizes: Vec<usize> = lines.iter().map(|line| line["messages"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, expected);
    assert_eq!((summary.messages(), summary.batches), (count, expected.len() as u64));
    assert_eq!(summary.bytes, out.len() as u64);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), lines.len());
}

#[test]
fn a_line_holds_as_many_messages_as_asked() {
    check(0, 10, &[]);
    check(7, 10, &[7]);
    check(20, 10, &[10, 10]);
    check(1_001, 500, &[500, 500, 1]);
}

#[test]
fn a_line_begins_as_a_real_client_sends_it() {
    let (_, out) = written(1, 1);
    let line = String::from_utf8(out).unwrap();
    let places = ["{\"table_name\":\"orders\",", "\"schema\":{", "\"key_names\":[\"o_orderkey\"],", "\"messages\":["]
        .map(|part| line.find(part).unwrap());
    assert_eq!(places[0], 0);
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_message_has_the_documented_shape() {
    let (_, out) = written(2_000, 500);
    let mut model = messages(2_000);
    for line in std::str::from_utf8(&out).unwrap().lines() {
        let batch: Value = serde_json::from_str(line).unwrap();
        assert_eq!(batch.as_object().unwrap().len(), 4);
        let properties = batch["schema"]["properties"].as_object().unwrap();
        assert_eq!(properties.len(), 12);
        for message in batch["messages"].as_array().unwrap() {
            let expected = model.next().unwrap();
            assert_eq!(message.as_object().unwrap().len(), 3);
            assert_eq!(message["action"], "upsert");
            assert_eq!(message["sequence"], expected.sequence);
            let data = message["data"].as_object().unwrap();
            assert!(data.keys().eq(properties.keys()), "{data:?}");
            for (name, value) in data {
                assert!(fits(value, &properties[name]), "{name}: {value}");
            }
            assert_eq!(data["o_orderkey"], expected.data.o_orderkey);
            assert_eq!(cents(&data["o_totalprice"]), expected.data.o_totalprice_cents);
        }
    }
    assert_eq!(model.next(), None);
}

fn fits(value: &Value, schema: &Value) -> bool {
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), _) => value.is_i64(),
        (Some("number"), _) => value.is_f64(),
        (Some("string"), None) => value.is_string(),
        (Some("string"), Some("date")) => value.as_str().is_some_and(|text| is_like(text, "0000-00-00")),
        (Some("string"), Some("date-time")) => value.as_str().is_some_and(|text| is_like(text, "0000-00-00T00:00:00Z")),
        _ => schema["type"] == json!(["null", "boolean"]) && (value.is_null() || value.is_boolean()),
    }
}

/// A digit for every `0` of the pattern, and the same byte for every other.
fn is_like(text: &str, pattern: &str) -> bool {
    let same = |(byte, like): (u8, u8)| if like == b'0' { byte.is_ascii_digit() } else { byte == like };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

/// The price in cents from its text, without going through a floating point number.
fn cents(price: &Value) -> i64 {
    let text = price.to_string();
    let (whole, fraction) = text.split_once('.').unwrap();
    assert!(fraction.len() <= 2, "{text} is no multiple of 0.01");
    format!("{whole}{fraction:0<2}").parse().unwrap()
}

#[test]
fn every_run_writes_the_same() {
    // The hash of this workload as first released: published figures stay comparable only while it holds.
    const RELEASED: u64 = 0x3457_6ff5_07b1_067a;
    let (_, out) = written(1_000, 300);
    assert_eq!(written(1_000, 300).1, out);
    assert_eq!(xxhash_rust::xxh3::xxh3_64(&out), RELEASED);
}

#[test]
fn a_million_messages_are_about_370_megabytes() {
    let (summary, _) = written(20_000, 10_000);
    let bytes_each = summary.bytes / summary.messages();
    assert!((366..=379).contains(&bytes_each), "{bytes_each}");
}
