//! The process that is killed: an engine, writers that push to it, and what it says of that.
//!
//! It tells a line at a time, each with one write, to a file outside the root: what it has told stands, whenever it is killed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use selvedge::{Batch, Engine, EngineError, EngineErrorKind, Receipt};

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
    /// The destination.
    #[arg(long)]
    pub(crate) to: Target,
    /// Decides what is sent.
    #[arg(long)]
    pub(crate) seed: u64,
    /// How much is sent.
    #[arg(long)]
    pub(crate) load: Load,
    /// The number of the batch with which each writer begins, one for each writer.
    #[arg(long, value_delimiter = ',')]
    pub(crate) from: Vec<u64>,
    /// The number of the batch before which each writer ends.
    #[arg(long)]
    pub(crate) until: u64,
    /// How long it waits for everything to be loaded, in milliseconds.
    #[arg(long)]
    pub(crate) patience_ms: u64,
}

/// How much a worker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Load {
    /// A few records a batch, each batch loaded before the next is pushed.
    Small,
    /// More of them, as fast as it goes.
    Medium,
    /// A megabyte a batch, all writers together twenty a second.
    Steady,
}

impl Load {
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Small => Shape::SMALL,
            Self::Medium => Shape::MEDIUM,
            Self::Steady => Shape::LARGE,
        }
    }

    /// After how many batches a writer waits until everything is loaded.
    fn batches_a_flush(self) -> u64 {
        match self {
            Self::Small => 1,
            Self::Medium => 8,
            Self::Steady => u64::MAX,
        }
    }

    /// How long a writer takes for a batch, at least.
    fn pace(self, writers: usize) -> Duration {
        match self {
            Self::Small | Self::Medium => Duration::ZERO,
            Self::Steady => Duration::from_millis(50) * u32::try_from(writers).unwrap_or(u32::MAX),
        }
    }
}

impl Task {
    pub(crate) fn stream(&self) -> Stream {
        Stream { seed: self.seed, shape: self.load.shape() }
    }

    /// The arguments of `crash` that mean this task.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
        let from: Vec<String> = self.from.iter().map(u64::to_string).collect();
        let options: [(&str, OsString); 8] = [
            ("--root", self.root.clone().into()),
            ("--told", self.told.clone().into()),
            ("--to", name(self.to.to_possible_value()).unwrap_or_default().into()),
            ("--seed", self.seed.to_string().into()),
            ("--load", name(self.load.to_possible_value()).unwrap_or_default().into()),
            ("--from", from.join(",").into()),
            ("--until", self.until.to_string().into()),
            ("--patience-ms", self.patience_ms.to_string().into()),
        ];
        let options = options.into_iter().flat_map(|(option, value)| [option.into(), value]);
        [OsString::from("worker")].into_iter().chain(options).collect()
    }
}

/// What a worker tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// A batch of a writer has its receipt.
    Acknowledged { writer: usize, number: u64 },
    /// Something that must never be.
    Wrong(String),
    /// Something could not be done, and it says why.
    Trouble(String),
}

impl Told {
    fn line(&self) -> String {
        match self {
            Self::Acknowledged { writer, number } => format!("acknowledged {writer} {number}\n"),
            Self::Wrong(what) => format!("wrong {}\n", what.replace('\n', " ")),
            Self::Trouble(why) => format!("trouble {}\n", why.replace('\n', " ")),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            "acknowledged" => {
                let (writer, number) = rest.split_once(' ')?;
                Self::Acknowledged { writer: writer.parse().ok()?, number: number.parse().ok()? }
            }
            "wrong" => Self::Wrong(rest.to_owned()),
            "trouble" => Self::Trouble(rest.to_owned()),
            _ => return None,
        })
    }

    /// What has been told to a file.
    pub(crate) fn read(file: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.split_inclusive('\n').filter_map(|line| Self::parse(line.strip_suffix('\n')?)).collect()
    }
}

/// A worker at work.
struct Worker<'w> {
    task: &'w Task,
    engine: Engine,
    told: Mutex<File>,
}

/// Does what it is to do.
///
/// # Errors
/// When it cannot even tell.
pub fn work(task: &Task) -> Result<(), Failure> {
    let told = Mutex::new(OpenOptions::new().create(true).append(true).open(&task.told)?);
    match task.to.start(&task.root) {
        Ok(engine) => Worker { task, engine, told }.run(),
        Err(failure) => tell(&told, &Told::Trouble(failure.to_string())),
    }
    Ok(())
}

fn tell(told: &Mutex<File>, what: &Told) {
    let mut file = told.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever started this process reads what is there, and misses what is not.
    let _ = file.write_all(what.line().as_bytes());
}

impl Worker<'_> {
    fn run(&self) {
        thread::scope(|scope| {
            for (writer, from) in self.task.from.iter().enumerate() {
                scope.spawn(move || self.write(writer, *from));
            }
        });
        self.flush();
    }

    /// One writer, until it is done or something goes wrong.
    fn write(&self, writer: usize, from: u64) {
        let load = self.task.load;
        for number in from..self.task.until {
            let began = Instant::now();
            let is_pushed = self.push(writer, number).is_ok();
            if !is_pushed || ((number + 1).is_multiple_of(load.batches_a_flush()) && !self.flush()) {
                return;
            }
            thread::sleep(load.pace(self.task.from.len()).saturating_sub(began.elapsed()));
        }
    }

    /// Pushes a batch; now and then twice, as a sender does that had no answer.
    fn push(&self, writer: usize, number: u64) -> Result<(), EngineError> {
        let batch = self.task.stream().batch(writer as u64, number).batch();
        let repeats = Random::of([self.task.seed, writer as u64, number, 1]).once_in(4);
        let first = self.try_push(&batch)?;
        tell(&self.told, &Told::Acknowledged { writer, number });
        if repeats {
            let again = self.try_push(&batch)?;
            if !again.repeated() || again.batch() != first.batch() {
                tell(&self.told, &Told::Wrong(format!("batch {number} of writer {writer} was accepted twice")));
            }
        }
        Ok(())
    }

    /// Tells if a batch was not taken. A queue that stopped has to stay so.
    fn try_push(&self, batch: &Batch) -> Result<Receipt, EngineError> {
        self.engine.push(batch.clone()).inspect_err(|error| {
            tell(&self.told, &Told::Trouble(with_causes(error)));
            if error.kind() == EngineErrorKind::Stopped && self.engine.push(batch.clone()).is_ok() {
                tell(&self.told, &Told::Wrong("a queue that had stopped took a batch".to_owned()));
            }
        })
    }

    /// Waits until everything is loaded, and tells whether it is.
    fn flush(&self) -> bool {
        let left = match self.engine.flush(Duration::from_millis(self.task.patience_ms)) {
            Ok(left) => left.iter().map(ToString::to_string).collect(),
            Err(error) => vec![with_causes(&error)],
        };
        left.iter().for_each(|why| tell(&self.told, &Told::Trouble(why.clone())));
        left.is_empty()
    }
}
