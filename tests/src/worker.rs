//! The process that is killed: an engine, writers that push to it, and what it says of that.
//!
//! It tells a line at a time, each with one write, to a file outside the root: what it has told stands, whenever it is killed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use clap::Args;
use selvedge::{Engine, EngineError, EngineErrorKind};

use crate::failure::{Failure, with_causes};
use crate::random::Random;
use crate::stream::{Shape, Stream};
use crate::target::Target;

/// What a worker is to do.
#[derive(Debug, Clone, Args)]
pub struct Task {
    /// The folder in which queue and destination stand.
    #[arg(long)]
    pub(crate) root: PathBuf,
    /// The file it tells to.
    #[arg(long)]
    pub(crate) told: PathBuf,
    #[arg(long)]
    pub(crate) to: Target,
    #[arg(long)]
    pub(crate) seed: u64,
    /// How much it sends.
    #[arg(long)]
    pub(crate) load: Load,
    /// The number of the batch with which each writer begins, one for each writer.
    #[arg(long, value_delimiter = ',')]
    pub(crate) from: Vec<u64>,
    /// The number of the batch before which each writer ends.
    #[arg(long, default_value_t = u64::MAX)]
    pub(crate) until: u64,
    /// How long it waits for everything to be loaded, in milliseconds.
    #[arg(long)]
    pub(crate) patience_ms: u64,
}

/// How much a worker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Load {
    /// A few records a batch, each batch loaded before the next is pushed.
    Small,
    /// Some more, loaded now and then.
    Medium,
}

impl Load {
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Small => Shape::SMALL,
            Self::Medium => Shape::MEDIUM,
        }
    }

    /// After how many batches of a writer it waits until everything is loaded.
    fn batches_a_flush(self) -> u64 {
        match self {
            Self::Small => 1,
            Self::Medium => 8,
        }
    }
}

impl Task {
    pub(crate) fn stream(&self) -> Stream {
        Stream { seed: self.seed, shape: self.load.shape() }
    }
}

/// What a worker tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A batch of a writer has its receipt.
    Acknowledged { writer: u64, number: u64 },
    /// Something that must never be.
    Wrong(String),
    /// Something could not be done, and it says why.
    Trouble(String),
    /// It came to its end: everything is loaded, unless there was trouble.
    Ended,
}

/// Where a worker tells.
struct Teller(Mutex<File>);

impl Teller {
    fn tell(&self, told: &Told) {
        let line = match told {
            Told::Acknowledged { writer, number } => format!("acknowledged {writer} {number}"),
            Told::Wrong(what) => format!("wrong {}", what.replace('\n', " ")),
            Told::Trouble(why) => format!("trouble {}", why.replace('\n', " ")),
            Told::Ended => "ended".to_owned(),
        };
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Whoever started this process reads what is there, and misses what is not.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

impl Told {
    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "acknowledged" => {
                let (writer, number) = rest.split_once(' ')?;
                Self::Acknowledged { writer: writer.parse().ok()?, number: number.parse().ok()? }
            }
            "wrong" => Self::Wrong(rest.to_owned()),
            "trouble" => Self::Trouble(rest.to_owned()),
            "ended" => Self::Ended,
            _ => return None,
        })
    }

    /// What has been told to a file.
    pub(crate) fn read(file: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.split_inclusive('\n').filter_map(|line| Self::parse(line.strip_suffix('\n')?)).collect()
    }
}

/// Does what it is to do.
///
/// # Errors
/// When it cannot even tell.
pub fn work(task: &Task) -> Result<(), Failure> {
    let teller = Teller(Mutex::new(OpenOptions::new().create(true).append(true).open(&task.told)?));
    let engine = match task.to.start(&task.root) {
        Ok(engine) => engine,
        Err(failure) => {
            teller.tell(&Told::Trouble(format!("not started: {failure}")));
            return Ok(());
        }
    };
    let writer = |writer: u64, from: u64| {
        for number in from..task.until {
            if push(&engine, task, writer, number, &teller).is_err() {
                return;
            }
            if (number + 1) % task.load.batches_a_flush() == 0 && !flush(&engine, task, &teller) {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for (number, from) in (0..).zip(&task.from) {
            scope.spawn(move || writer(number, *from));
        }
    });
    flush(&engine, task, &teller);
    drop(engine);
    teller.tell(&Told::Ended);
    Ok(())
}

/// Pushes a batch, once or twice.
fn push(engine: &Engine, task: &Task, writer: u64, number: u64, teller: &Teller) -> Result<(), EngineError> {
    let sent = task.stream().batch(writer, number);
    let repeats = Random::of([task.seed, writer, number, 1]).once_in(4);
    let first = engine.push(sent.batch()).inspect_err(|error| refused(engine, error, &sent.batch(), teller))?;
    teller.tell(&Told::Acknowledged { writer, number });
    if repeats {
        let again = engine.push(sent.batch()).inspect_err(|error| refused(engine, error, &sent.batch(), teller))?;
        if !again.repeated() || again.batch() != first.batch() {
            teller.tell(&Told::Wrong(format!("batch {number} of writer {writer} was accepted twice")));
        }
    }
    Ok(())
}

/// Tells that a batch was not taken. A queue that stopped has to stay so.
fn refused(engine: &Engine, error: &EngineError, batch: &selvedge::Batch, teller: &Teller) {
    teller.tell(&Told::Trouble(with_causes(error)));
    if error.kind() == EngineErrorKind::Stopped && engine.push(batch.clone()).is_ok() {
        teller.tell(&Told::Wrong("a queue that had stopped took a batch".to_owned()));
    }
}

/// Waits until everything is loaded, and tells whether it is.
fn flush(engine: &Engine, task: &Task, teller: &Teller) -> bool {
    let left = match engine.flush(Duration::from_millis(task.patience_ms)) {
        Ok(left) => left.iter().map(ToString::to_string).collect(),
        Err(error) => vec![with_causes(&error)],
    };
    left.iter().for_each(|why| teller.tell(&Told::Trouble(why.clone())));
    left.is_empty()
}
