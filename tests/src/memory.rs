//! The cases that need most memory, each in a process of its own, whose peak is measured.

use std::fmt;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use clap::ValueEnum;
use selvedge::{
    Batch, Capabilities, Destination, Engine, EngineError, LoadError, LoadErrorKind, Removal, TableLoad, TableName,
    TableState, duckdb::DuckDb, parquet::Parquet, sqlite::Sqlite,
};

use crate::target::Target;

/// The budget of the engine unless it is told otherwise, in MiB.
pub const BUDGET_MIB: u64 = (selvedge::DEFAULT_BUDGET_BYTES >> 20) as u64;
/// What the process may take in all, in MiB.
pub const ALLOWED_MIB: u64 = BUDGET_MIB + 128;

/// Where a process finds what is asked of it.
const RUN: &str = "SELVEDGE_MEMORY_RUN";
/// Longer than any destination needs for what it is given.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A way to need memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Batches of 20 MB, as large as the Import API takes them: 40 of them.
    LargeBatches,
    /// A destination that is away while eight senders push 1 GB in batches of 1 MB.
    StalledDestination,
    /// A million batches of one record, by eight senders.
    TinyBatches,
    /// A table of 1,000 columns: 30,000 records.
    WideTable,
    /// A destination that is away until 10 GB wait for it.
    Backlog,
}

/// What a process is to do.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The case.
    pub case: Case,
    /// The destination.
    pub to: Target,
    /// How much of it.
    pub scale: f64,
}

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Records that were loaded.
    pub records: u64,
    /// From the first batch to the last load.
    pub seconds: f64,
    /// The most memory that was resident, in MiB.
    pub peak_mib: u64,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Case {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::LargeBatches, Self::StalledDestination, Self::TinyBatches, Self::WideTable, Self::Backlog];
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Measures a run in a process of its own: this program once more.
///
/// # Errors
/// When the process fails.
pub fn measure(run: Run) -> Result<Measured, Failure> {
    let told = tempfile::NamedTempFile::new()?;
    let Run { case, to, scale } = run;
    let status = Command::new(env::current_exe()?)
        .env(RUN, format!("{case} {} {scale} {}", to.name(), told.path().display()))
        .args(env::args_os().skip(1))
        .status()?;
    let text = fs::read_to_string(told.path())?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match numbers[..] {
        [records, seconds, peak_mib] if status.success() => {
            Ok(Measured { records: records as u64, seconds, peak_mib: peak_mib as u64 })
        }
        _ => Err(format!("the process ended with {status}, as it says above").into()),
    }
}

/// What is asked of this process, and where it tells how it went; `None` when nothing is.
pub fn asked_of_this_process() -> Option<(Run, String)> {
    let asked = env::var(RUN).ok()?;
    let mut words = asked.splitn(4, ' ');
    let case = Case::from_str(words.next()?, false).ok()?;
    let to = Target::from_str(words.next()?, false).ok()?;
    let scale = words.next()?.parse().ok()?;
    Some((Run { case, to, scale }, words.next()?.to_owned()))
}

/// Does what is asked of this process.
pub fn carry_out((run, told): &(Run, String)) -> ExitCode {
    let done = || -> Result<(), Failure> {
        let begun = Instant::now();
        let records = load(*run)?;
        let mut file = fs::File::create(told)?;
        Ok(write!(file, "{records} {} {}", begun.elapsed().as_secs_f64(), peak_mib()?)?)
    };
    match done() {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}

/// Pushes the batches of a case and waits until they are loaded. Returns how many records they were.
fn load(run: Run) -> Result<u64, Failure> {
    let folder = tempfile::tempdir()?;
    let away = Arc::new(AtomicBool::new(matches!(run.case, Case::StalledDestination | Case::Backlog)));
    let destination = MayBeAway { destination: open(run.to, folder.path())?, away: Arc::clone(&away) };
    let engine = Engine::builder(folder.path().join("queue")).destination("destination", destination).start()?;
    let scaled = |count: u64| ((count as f64 * run.scale) as u64).max(1);
    let records = match run.case {
        Case::LargeBatches => push_in_order(&engine, scaled(40), large)?,
        Case::StalledDestination => push_at_once(&engine, scaled(1_000), |number| text_records(number, 1_000, 900))?,
        Case::TinyBatches => push_at_once(&engine, scaled(1_000_000), |number| text_records(number, 1, 100))?,
        Case::WideTable => push_in_order(&engine, scaled(30), wide)?,
        Case::Backlog => push_in_order(&engine, scaled(500), large)?,
    };
    away.store(false, Ordering::SeqCst);
    let left = engine.flush(PATIENCE)?;
    if let Some(waiting) = left.first() {
        return Err(waiting.to_string().into());
    }
    Ok(records)
}

fn open(to: Target, folder: &std::path::Path) -> Result<Box<dyn Destination>, LoadError> {
    Ok(match to {
        Target::Sqlite => Box::new(Sqlite::open(folder.join("w.db"))?),
        Target::DuckDb => Box::new(DuckDb::open(folder.join("w.duckdb"))?),
        Target::Parquet => Box::new(Parquet::open(folder.join("lake"))?),
    })
}

/// A batch: its body, and how many records it holds.
type Body = (String, u64);

fn push_in_order(engine: &Engine, batches: u64, body: impl Fn(u64) -> Body) -> Result<u64, EngineError> {
    let mut records = 0;
    let batches = (0..batches).map(|number| Batch::from_json(body(number).0));
    engine.push_many(batches, |receipt| records += receipt.records())?;
    Ok(records)
}

fn push_at_once(engine: &Engine, batches: u64, body: impl Fn(u64) -> Body + Sync) -> Result<u64, EngineError> {
    let (next, records) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let sender = || -> Result<(), EngineError> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= batches {
                    return Ok(());
                }
                let (body, count) = body(number);
                engine.push(Batch::from_json(body))?;
                records.fetch_add(count, Ordering::Relaxed);
            }
        };
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(sender)).collect();
        senders.into_iter().try_for_each(|sender| match sender.join() {
            Ok(pushed) => pushed,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(records.into_inner())
}

/// 20,000 records of about 1,000 bytes.
fn large(number: u64) -> Body {
    text_records(number, 20_000, 900)
}

/// Records of a key and a text of so many bytes. One key in ten was there before.
fn text_records(number: u64, records: u64, text_bytes: usize) -> Body {
    let schema = r#"{"properties":{"id":{"type":"integer"},"text":{"type":"string"}}}"#;
    let message = |at: u64| {
        let place = number * records + at;
        let id = if place % 10 == 9 { place / 2 } else { place };
        format!(r#"{{"action":"upsert","sequence":{place},"data":{{"id":{id},"text":"{}"}}}}"#, text(place, text_bytes))
    };
    batch(schema, (0..records).map(message), records)
}

/// 1,000 records of 1,000 columns.
fn wide(number: u64) -> Body {
    const RECORDS: u64 = 1_000;
    const COLUMNS: u64 = 990;
    let columns: Vec<String> = (0..COLUMNS).map(|column| format!(r#""c{column}":{{"type":"integer"}}"#)).collect();
    let schema = format!(r#"{{"properties":{{"id":{{"type":"integer"}},{}}}}}"#, columns.join(","));
    let message = |at: u64| {
        let id = number * RECORDS + at;
        let values: Vec<String> = (0..COLUMNS).map(|column| format!(r#""c{column}":{}"#, id * column)).collect();
        format!(r#"{{"action":"upsert","sequence":{id},"data":{{"id":{id},{}}}}}"#, values.join(","))
    };
    batch(&schema, (0..RECORDS).map(message), RECORDS)
}

fn batch(schema: &str, messages: impl Iterator<Item = String>, records: u64) -> Body {
    let messages: Vec<String> = messages.collect();
    let messages = messages.join(",");
    (format!(r#"{{"table_name":"t","schema":{schema},"key_names":["id"],"messages":[{messages}]}}"#), records)
}

/// A text that does not compress to nothing.
fn text(seed: u64, bytes: usize) -> String {
    let mut word = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        text.push_str(&format!("{word:016x}"));
    }
    text
}

/// The most memory of this process that was ever resident, in MiB.
fn peak_mib() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak: u64 = peak.ok_or("this system does not tell the peak of memory")?.trim().parse()?;
    Ok(peak / 1_024)
}

/// A destination that is away for a time.
struct MayBeAway {
    destination: Box<dyn Destination>,
    away: Arc<AtomicBool>,
}

impl Destination for MayBeAway {
    fn capabilities(&self) -> &Capabilities {
        self.destination.capabilities()
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        self.destination.state(table)
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(LoadError::new(LoadErrorKind::Unavailable, "the destination is away; it comes back by itself"));
        }
        self.destination.load(load)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        self.destination.remove(table, found, removal)
    }
}
