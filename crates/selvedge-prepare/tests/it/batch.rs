//! Batches to decode, written as their senders would.

use std::fmt::Write;

use selvedge_prepare::{Records, Refusal, Schemas, decode};

use crate::shown;

/// The body of a batch with these records, whose sequences count from 1.
pub(crate) fn body(schema: &str, keys: &[&str], records: &[&str]) -> String {
    let mut messages = String::new();
    for (index, record) in records.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let sequence = index + 1;
        write!(messages, r#"{comma}{{"action":"upsert","sequence":{sequence},"data":{record}}}"#).unwrap();
    }
    let keys = serde_json::to_string(keys).unwrap();
    format!(r#"{{"table_name":"t","schema":{schema},"key_names":{keys},"messages":[{messages}]}}"#)
}

/// That batch, decoded.
pub(crate) fn decoded(schema: &str, keys: &[&str], records: &[&str]) -> Result<Records, Refusal> {
    decode(body(schema, keys, records).as_bytes(), &Schemas::new())
}

/// What becomes of a keyless batch of one record: its values, or where and why it is refused or rejected.
pub(crate) fn outcome(schema: &str, record: &str) -> String {
    match decoded(schema, &[], &[record]) {
        Ok(records) => match records.rejected.as_slice() {
            [] => shown::row(&records, 0),
            [rejection, ..] => format!("{} rejected: {}", rejection.pointer, rejection.reason),
        },
        Err(refusal) => {
            assert_eq!(refusal.record(), Some(0), "{refusal}");
            format!("{}: {}", refusal.pointer(), refusal.reason())
        }
    }
}
