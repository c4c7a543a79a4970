//! `selvedge rejected` and `selvedge replay`: the records that were kept aside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;

use selvedge::rejected::Rejected;
use selvedge::{Part, QueueReader, TableName};
use serde_json::json;

use crate::args::{RejectedArgs, RejectedFilter, ReplayArgs, ReportFormat};
use crate::columns::plural;
use crate::destination::Address;
use crate::destinations::unusable;
use crate::ending::Ending;
use crate::error::Error;
use crate::load;
use crate::moment::moment;

/// Lists rejected records on standard output.
///
/// # Errors
/// When the destination cannot be read.
pub(crate) fn list(RejectedArgs { destination, filter, report, limit }: &RejectedArgs) -> Result<Ending, Error> {
    let mut out = io::stdout().lock();
    let mut shown = 0;
    let mut unwritten = None;
    each(destination, filter, &mut |table, rejected| {
        let written = match report {
            Some(ReportFormat::Json) => writeln!(out, "{}", for_programs(table, &rejected)),
            None => writeln!(out, "{}", for_people(table, &rejected)),
        };
        shown += 1;
        unwritten = written.err();
        if unwritten.is_some() || limit.is_some_and(|limit| shown >= limit) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    if let Some(cause) = unwritten {
        return Err(Error::failed("the list cannot be written").because(cause));
    }
    if shown == 0 && report.is_none() {
        eprintln!("no rejected record in {destination} is like that");
    }
    Ok(Ending::Good)
}

fn for_people(table: &TableName, rejected: &Rejected) -> String {
    let Rejected { rejected_at, reason, pointer, record, batch, batch_record, .. } = rejected;
    let place = if pointer.is_empty() { String::new() } else { format!(" at {pointer}") };
    format!("{table}, batch {batch}, record {batch_record}, {}{place}: {reason}\n  {record}", moment(*rejected_at))
}

fn for_programs(table: &TableName, rejected: &Rejected) -> serde_json::Value {
    let Rejected { id, rejected_at, reason, pointer, record, batch, batch_record } = rejected;
    json!({
        "id": id, "table": table.to_string(), "rejected_at": moment(*rejected_at), "reason": reason, "pointer": pointer,
        "record": record, "batch": batch, "batch_record": batch_record,
    })
}

/// Hands out the rejected records of a destination that are like the filter says.
fn each(
    destination: &Address,
    filter: &RejectedFilter,
    each: &mut dyn FnMut(&TableName, Rejected) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut reader = destination.read()?;
    let tables = reader.tables().map_err(|cause| destination.unreadable(cause))?;
    for table in tables.iter().filter(|table| filter.takes_table(table)) {
        let mut ended = ControlFlow::Continue(());
        reader
            .read(table, Part::Rejects, &mut |_, batch| {
                let taken = selvedge::rejected::read(&batch).filter(|rejected| filter.takes(rejected));
                for rejected in taken {
                    ended = each(table, rejected);
                    if ended.is_break() {
                        break;
                    }
                }
                ended
            })
            .map_err(|cause| destination.unreadable(cause))?;
        if ended.is_break() {
            break;
        }
    }
    Ok(())
}

/// Sends rejected records again, and loads them.
///
/// # Errors
/// When a destination cannot be read, or a record is still not acceptable.
pub(crate) fn replay(args: &ReplayArgs) -> Result<Ending, Error> {
    let schema =
        match &args.schema {
            Some(file) => Some(fs::read_to_string(file).map_err(|cause| {
                Error::failed(format!("the schema {} cannot be read", file.display())).because(cause)
            })?),
            None => None,
        };
    // By their batches, each by its index and its generated key.
    let mut found: BTreeMap<(TableName, u64), BTreeSet<(u64, String)>> = BTreeMap::new();
    for destination in &args.settings.to {
        each(destination, &args.filter, &mut |table, Rejected { id, batch, batch_record, .. }| {
            found.entry((table.clone(), batch)).or_default().insert((batch_record, id));
            ControlFlow::Continue(())
        })?;
    }
    let folder = args.settings.queue_folder();
    let kept = QueueReader::open(&folder).and_then(|queue| queue.kept_for_replay(None));
    let kept = kept.map_err(|cause| unusable(&folder, cause))?;
    let kept: BTreeSet<u64> = kept.into_iter().map(|kept| kept.batch).collect();
    let engine = load::start(&args.settings)?;
    let (mut sent, mut before, mut gone) = (0, 0, 0);
    for ((table, batch), records) in &found {
        // What came through another queue has a number of this one all the same.
        let is_own =
            |(record, id): &&(u64, String)| kept.contains(batch) && *id == engine.rejected_key(*batch, *record);
        let own: BTreeSet<u64> = records.iter().filter(is_own).map(|(record, _)| *record).collect();
        gone += (records.len() - own.len()) as u64;
        if own.is_empty() {
            continue;
        }
        let receipt = engine.replay(table, *batch, &own, schema.as_deref()).map_err(|cause| {
            let message = format!(
                "records of batch {batch} of {table} are still not acceptable; mend the schema (--schema), take the good ones \
                 alone (--bad-records reject), or choose fewer; what stands before is sent"
            );
            Error::failed(message).because(cause)
        })?;
        let now = receipt.map_or(0, |receipt| receipt.records());
        sent += now;
        before += own.len() as u64 - now;
    }
    let waiting = load::flush(&engine)?;
    let mut lines = vec![format!("{} sent again", plural(sent, "record"))];
    if before > 0 {
        lines.push(format!("{} left out: sent again before, or erased", plural(before, "record")));
    }
    if gone > 0 {
        lines.push(format!(
            "{} left out: their batches are no longer kept, or came through another queue",
            plural(gone, "record")
        ));
    }
    let mut out = io::stdout().lock();
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
        .and_then(|()| write!(out, "{}", engine.progress()))
        .map_err(|cause| Error::failed("what was done cannot be written; everything is done").because(cause))?;
    let rejected: u64 = engine.progress().tables.iter().map(|table| table.tally.rejected).sum();
    for waiting in &waiting {
        eprintln!("selvedge: {waiting}");
    }
    Ok(if !waiting.is_empty() {
        Ending::Waiting
    } else if rejected > 0 {
        Ending::NotAllGood
    } else {
        Ending::Good
    })
}
