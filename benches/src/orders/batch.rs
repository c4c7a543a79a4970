//! Messages as bodies of the Import API's batch request.

use std::io::{self, Write};
use std::num::NonZeroU64;

use super::{Arrival, Message, messages};

/// The schema every batch carries, on one line because a batch is one line.
const SCHEMA: &str = concat!(
    r#"{"type":"object","properties":{"#,
    r#""o_orderkey":{"type":"integer"},"#,
    r#""o_custkey":{"type":"integer"},"#,
    r#""o_orderstatus":{"type":"string"},"#,
    r#""o_totalprice":{"type":"number","multipleOf":0.01},"#,
    r#""o_orderdate":{"type":"string","format":"date"},"#,
    r#""o_orderpriority":{"type":"string"},"#,
    r#""o_clerk":{"type":"string"},"#,
    r#""o_shippriority":{"type":"integer"},"#,
    r#""o_comment":{"type":"string"},"#,
    r#""o_updated_at":{"type":"string","format":"date-time"},"#,
    r#""o_discount":{"type":"number"},"#,
    r#""o_is_gift":{"type":["null","boolean"]}"#,
    r#"},"required":["o_orderkey"]}"#,
);

/// What has been written so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Batches, one a line.
    pub batches: u64,
    /// Bytes, line feeds included.
    pub bytes: u64,
    /// Messages that brought a new key.
    pub keys: u64,
    /// Messages that replaced an earlier one.
    pub updates: u64,
    /// Messages that came too late to replace an earlier one.
    pub late: u64,
}

impl Summary {
    /// All messages.
    pub fn messages(&self) -> u64 {
        self.keys + self.updates + self.late
    }

    fn count(&mut self, message: &Message) {
        match message.arrival {
            Arrival::First => self.keys += 1,
            Arrival::Update => self.updates += 1,
            Arrival::Late => self.late += 1,
        }
    }
}

/// Writes the first `count` messages of the workload, `per_batch` of them a line, and tells `written` after each line how
/// much there is. Holds one batch in memory.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_batches(
    out: &mut impl Write,
    count: u64,
    per_batch: NonZeroU64,
    mut written: impl FnMut(&Summary),
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut messages = messages(count).peekable();
    let mut line = Vec::new();
    while messages.peek().is_some() {
        line.clear();
        let batch = messages.by_ref().take(usize::try_from(per_batch.get()).unwrap_or(usize::MAX));
        write_batch(&mut line, batch.inspect(|message| summary.count(message)))?;
        line.push(b'\n');
        out.write_all(&line)?;
        summary.batches += 1;
        summary.bytes += line.len() as u64;
        written(&summary);
    }
    out.flush()?;
    Ok(summary)
}

/// Writes one request body with these messages, its fields in the order real clients send them.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_batch(out: &mut impl Write, messages: impl IntoIterator<Item = Message>) -> io::Result<()> {
    write!(out, r#"{{"table_name":"orders","schema":{SCHEMA},"key_names":["o_orderkey"],"messages":["#)?;
    for (place, message) in messages.into_iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, &message)?;
    }
    out.write_all(b"]}")
}
