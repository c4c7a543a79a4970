//! `selvedge load`: from the inputs through the queue into the destinations.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use selvedge::{Engine, EngineBuilder, Policy, TableName, Waiting};

use crate::args::{LoadArgs, ReportFormat, SettingsArgs};
use crate::column_rules;
use crate::destination::Address;
use crate::destinations::registered_in;
use crate::ending::Ending;
use crate::error::Error;
use crate::feed::{Counters, Feed};
use crate::input::snapshot::Snapshot;
use crate::input::{Input, Material, count};
use crate::plan::{self, Course, Job};
use crate::progress;
use crate::refused::Refused;
use crate::report::Report;
use crate::resume::{Stage, State};
use crate::since::since;
use crate::stop::Stop;

/// From so many lines of standard input the schema of plain records is inferred.
pub(crate) const SAMPLE_LINES: usize = 10_000;
/// How long a destination that cannot be reached may keep the command waiting.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether somebody stopped the command.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Carries the command out and tells about it on the standard streams.
///
/// # Errors
/// When it cannot be carried out to its end. What was accepted before is in the queue and is loaded by the next run.
pub(crate) fn load(args: &LoadArgs) -> Result<Ending, Error> {
    let begun = Instant::now();
    check_usage(args)?;
    let inputs = look_at(args)?;
    let stop = Stop::listen()?;
    let engine = begin(column_rules::set(args, builder(&args.settings))?, &args.settings)?;
    let jobs = plan::plan(args, inputs, &engine)?;
    announce(&jobs);
    let repeated = count_repeated(args, &jobs)?;
    let sources: Vec<String> = jobs.iter().filter_map(|job| job.source.clone()).collect();

    let counters = Counters::default();
    let (refused, waiting) = progress::watch(&engine, &counters, bytes_to_read(&jobs), || {
        let refused = push(args, jobs, &engine, &counters, &stop)?;
        Ok::<_, Error>((refused, flush(&engine, &stop)?))
    })?;
    if waiting.is_empty() && stop.signal().is_none() {
        note_loaded(&engine, &sources)?;
    }

    let destinations: Vec<String> = args.settings.to.iter().map(ToString::to_string).collect();
    let report = Report::new(&destinations, &engine.progress(), &repeated, begun.elapsed());
    tell(args, &report, refused.as_ref(), &waiting)?;
    warn_of_tables(&engine);
    if let Some(signal) = stop.signal() {
        eprintln!("selvedge: stopped; what was accepted is in the queue, and the same command goes on from there");
        return Ok(Ending::Stopped(signal));
    }
    Ok(if !waiting.is_empty() {
        Ending::Waiting
    } else if refused.is_some() || report.has_rejected() {
        Ending::NotAllGood
    } else {
        Ending::Good
    })
}

fn check_usage(args: &LoadArgs) -> Result<(), Error> {
    if args.inputs.iter().filter(|input| **input == Input::Standard).count() > 1 {
        return Err(Error::usage("standard input can be read only once; write `-` once"));
    }
    let mut seen = HashSet::new();
    match args.settings.to.iter().find(|address| !seen.insert(address.as_str())) {
        Some(address) => Err(Error::usage(format!("{address} stands in the command twice; write it once"))),
        None => Ok(()),
    }
}

/// Looks at the inputs before anything is made, so that a wrong name has no effect.
fn look_at(args: &LoadArgs) -> Result<Vec<(Input, Material)>, Error> {
    let sample_lines = if args.table.is_some() { SAMPLE_LINES } else { 0 };
    args.inputs.iter().map(|input| Ok((input.clone(), input.material(sample_lines)?))).collect()
}

/// Starts an engine for a command that reads no inputs.
pub(crate) fn start(settings: &SettingsArgs) -> Result<Engine, Error> {
    begin(builder(settings), settings)
}

fn builder(settings: &SettingsArgs) -> EngineBuilder {
    let SettingsArgs { new_columns, changed_types, deletes, loading, .. } = *settings;
    let policy = Policy { new_columns, changed_types, deletes, loading, ..Policy::default() };
    let builder = Engine::builder(settings.queue_folder())
        .policy(policy)
        .bad_records(settings.bad_records)
        .rejected_kept(settings.rejected_kept)
        .paused_limit_bytes(settings.paused_limit);
    if settings.adopt { builder.adopt() } else { builder }
}

/// Opens the destinations, which makes them, and starts the engine.
fn begin(mut builder: EngineBuilder, settings: &SettingsArgs) -> Result<Engine, Error> {
    for address in &settings.to {
        builder = builder.destination(address.as_str(), address.open(settings.nesting)?);
    }
    let folder = settings.queue_folder();
    let known = registered_in(&folder);
    let shown = folder.display();
    let engine = builder
        .start()
        .map_err(|cause| Error::failed(format!("the queue in {shown} cannot be used for this load")).because(cause))?;
    for new in settings.to.iter().filter(|address| !known.contains(&address.to_string())) {
        warn(&engine, new);
    }
    Ok(engine)
}

/// Says what a destination that is new to the queue will never get from it.
fn warn(engine: &Engine, new: &Address) {
    for (table, from) in engine.registration(new.as_str()).into_iter().flat_map(|registration| &registration.since) {
        eprintln!("{new} is new to this queue and gets {table} {}", since(Some(from)));
    }
}

impl SettingsArgs {
    /// The folder of the queue: beside the first destination unless it is said.
    pub(crate) fn queue_folder(&self) -> PathBuf {
        let beside_first = || self.to.first().map(|address| address.queue_folder()).unwrap_or_default();
        self.data.clone().unwrap_or_else(beside_first)
    }
}

/// Says what is left out, and why.
fn announce(jobs: &[Job]) {
    for Job { input, course, .. } in jobs {
        match course {
            Course::Skip(_) => eprintln!("{input} was loaded before: nothing to do (--again loads it again)"),
            Course::Finish => {
                eprintln!("{input} was accepted by an earlier run; what is left of it in the queue is loaded")
            }
            Course::Read(_, state) if state.next.byte > 0 => {
                eprintln!("{input}: going on at line {}, where an earlier run was stopped", state.next.line);
            }
            Course::Read(..) => {}
        }
    }
}

fn count_repeated(args: &LoadArgs, jobs: &[Job]) -> Result<BTreeMap<TableName, u64>, Error> {
    let mut repeated = BTreeMap::new();
    for Job { input, course, .. } in jobs {
        let Course::Skip(snapshot) = course else { continue };
        let counted = count_records(args, snapshot).map_err(|cause| input.unreadable(cause))?;
        for (table, records) in counted {
            // A name that is none was never loaded.
            if let Ok(table) = TableName::new(args.integration.clone(), table) {
                *repeated.entry(table).or_default() += records;
            }
        }
    }
    Ok(repeated)
}

fn count_records(args: &LoadArgs, snapshot: &Snapshot) -> io::Result<count::Counts> {
    match &args.table {
        Some(table) => count::records(snapshot, table),
        None => count::batches(snapshot),
    }
}

/// How many bytes are to be read; unknown with standard input.
fn bytes_to_read(jobs: &[Job]) -> Option<u64> {
    let bytes = |job: &Job| match &job.course {
        Course::Read(Material::File(snapshot), from) => Some(snapshot.bytes.saturating_sub(from.next.byte)),
        Course::Read(Material::Stream(_), _) => None,
        Course::Finish | Course::Skip(_) => Some(0),
    };
    jobs.iter().map(bytes).sum()
}

/// Brings the inputs into the queue.
fn push(
    args: &LoadArgs,
    jobs: Vec<Job>,
    engine: &Engine,
    counters: &Counters,
    stop: &Stop,
) -> Result<Option<Refused>, Error> {
    let mut feed = Feed::new(jobs, args.integration.clone(), nanoseconds_since_1970(), counters, stop);
    let pushed = engine.push_many(&mut feed, |receipt| counters.confirm(receipt));
    feed.end(pushed)
}

fn nanoseconds_since_1970() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX)
}

/// Waits until everything is loaded, something is in the way of what is left, or somebody stops it.
pub(crate) fn flush(engine: &Engine, stop: &Stop) -> Result<Vec<Waiting>, Error> {
    let begun = Instant::now();
    loop {
        let looked = Instant::now();
        let left = engine.flush(LOOK_EVERY)?;
        let only_paused = looked.elapsed() < LOOK_EVERY;
        let impatient = begun.elapsed() >= PATIENCE && left.iter().any(|waiting| waiting.reason.is_some());
        if only_paused || impatient || stop.signal().is_some() {
            return Ok(left);
        }
    }
}

/// Has the queue remember that the inputs it has all of are in the destinations.
fn note_loaded(engine: &Engine, sources: &[String]) -> Result<(), Error> {
    for source in sources {
        if let Some(state) = State::recall(engine, source)?
            && state.stage == Stage::Accepted
        {
            engine.set_cursor(State { stage: Stage::Loaded, ..state }.cursor(source)?)?;
        }
    }
    Ok(())
}

/// Says what a sender may not have meant, and what is about to be in the way.
fn warn_of_tables(engine: &Engine) {
    for table in engine.progress().tables {
        for warning in table.warnings.iter().chain(&table.alarm) {
            eprintln!("selvedge: {}: {warning}", table.destination);
        }
    }
}

fn tell(args: &LoadArgs, report: &Report, refused: Option<&Refused>, waiting: &[Waiting]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = match args.report {
        Some(ReportFormat::Json) => writeln!(out, "{}", report.to_json(refused)),
        None => writeln!(out, "{report}"),
    };
    written.map_err(|cause| Error::failed("the report cannot be written; everything else is done").because(cause))?;
    if let Some(refused) = refused {
        eprintln!("selvedge: {refused}");
    }
    for waiting in waiting {
        eprintln!("selvedge: {waiting}");
    }
    if !waiting.is_empty() {
        eprintln!(
            "What waits is kept in the queue {} (--data, or beside the first --to). Put right what is in the way and run the \
             same command again.",
            args.settings.queue_folder().display()
        );
    }
    Ok(())
}
