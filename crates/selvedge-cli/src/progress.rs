//! The line on the terminal that tells how far the load is.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use selvedge::{Engine, Progress};

use crate::feed::Counters;

/// How often the line is drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// Does `work` and shows how far it is, if somebody sits at a terminal. `total_bytes` is what there is to read, if that is
/// known.
pub(crate) fn watch<T>(engine: &Engine, counters: &Counters, total_bytes: Option<u64>, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        let (working, at_work) = mpsc::channel::<()>();
        scope.spawn(move || {
            let bar = bar(total_bytes);
            while at_work.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(counters.read_bytes.load(Ordering::Relaxed));
                bar.set_message(message(counters.durable_records.load(Ordering::Relaxed), &engine.progress()));
            }
            bar.finish_and_clear();
        });
        let result = work();
        drop(working);
        result
    })
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:25} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}, {msg}"),
    };
    // The templates are known to be right; if one were not, the default would do.
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// How many records are durable, and how many the slowest destination has.
fn message(durable: u64, progress: &Progress) -> String {
    let mut done: BTreeMap<&str, u64> = BTreeMap::new();
    for table in &progress.tables {
        *done.entry(&table.destination).or_default() += table.tally.accepted - table.tally.waiting;
    }
    let loaded = done.values().min().copied().unwrap_or_default();
    let condition = progress.tables.iter().find_map(|table| table.condition.as_deref());
    let condition = condition.map(|condition| format!(" ({condition})")).unwrap_or_default();
    format!("records: {durable} durable, {loaded} loaded{condition}")
}
