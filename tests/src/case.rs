//! One case: a worker meets a fault, perhaps another one while it recovers; then everything has to be there, once.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;

use tempfile::TempDir;

use crate::disk::{Disk, Loss};
use crate::failure::Failure;
use crate::model::Findings;
use crate::random::Random;
use crate::shim::{Action, Fault, Record, Shim};
use crate::stream::Stream;
use crate::target::Target;
use crate::worker::{Load, Task, Told};
use crate::writers::Writers;

/// How many batches its writer sends in the first run, and how many more in each further one.
const BATCHES: u64 = 3;
/// How long a worker waits whose loads may fail: long enough for one that is tried again.
const SPOILT_PATIENCE_MS: u64 = 300;

/// What is played. Its text is the options of `crash case`.
#[derive(Debug, Clone)]
pub struct Case {
    /// The destination.
    pub to: Target,
    /// Decides what is sent, and what a power failure leaves.
    pub seed: u64,
    /// What befalls one run of the worker after the other. The last is followed by one without a fault.
    pub runs: Vec<Run>,
}

/// What befalls a run of the worker: `kill any 17`, or `kill any 17 + torn` with a power failure after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// What happens to its calls.
    pub fault: Fault,
    /// What a power failure takes when it has ended, if there is one.
    pub loss: Option<Loss>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--to {} --seed {}", self.to.name(), self.seed)?;
        self.runs.iter().try_for_each(|run| write!(f, " --run \"{run}\""))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        self.loss.map_or(Ok(()), |loss| write!(f, " + {loss}"))
    }
}

impl FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (fault, loss) = text.split_once('+').map_or((text, None), |(fault, loss)| (fault, Some(loss)));
        Ok(Self { fault: fault.parse()?, loss: loss.map(|loss| loss.trim().parse()).transpose()? })
    }
}

/// What a case came to.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the fault of the first run came about: if not, it made fewer calls than that.
    pub fired: bool,
    /// The records that were acknowledged.
    pub acknowledged: u64,
    /// What the workers said could not be done.
    pub troubles: Vec<String>,
    /// What is wrong, or why the case could not be played to its end, as when a store does not open any more.
    pub verdict: Result<Findings, Failure>,
}

impl Outcome {
    /// What is wrong, if anything is.
    pub fn wrong(&self) -> Option<String> {
        match &self.verdict {
            Ok(findings) if findings.are_none() => None,
            Ok(findings) => Some(findings.to_string()),
            Err(failure) => Some(failure.to_string()),
        }
    }
}

/// What cases are played with.
#[derive(Debug)]
pub struct Stage {
    shim: Shim,
    /// The program `crash`, which is started as a worker.
    pub(crate) program: PathBuf,
}

impl Stage {
    /// A stage on which `program`, which is `crash`, works.
    ///
    /// # Errors
    /// When the shim cannot be compiled.
    pub fn new(program: impl Into<PathBuf>) -> Result<Self, Failure> {
        Ok(Self { shim: Shim::build()?, program: program.into() })
    }

    /// Plays a case.
    pub fn play(&self, case: &Case) -> Outcome {
        let stream = Stream { seed: case.seed, shape: Load::Small.shape() };
        let mut play =
            Play { stage: self, case, writers: Writers::new(stream, 1), fired: Vec::new(), troubles: Vec::new() };
        let verdict = play.play_out();
        let Play { writers, fired, troubles, .. } = play;
        let fired = fired.first().is_some_and(|fired| *fired);
        Outcome { fired, acknowledged: writers.model().accepted(), troubles, verdict }
    }
}

/// A case that is being played.
struct Play<'p> {
    stage: &'p Stage,
    case: &'p Case,
    writers: Writers,
    /// Of each run so far, whether its fault came about.
    fired: Vec<bool>,
    troubles: Vec<String>,
}

impl Play<'_> {
    fn play_out(&mut self) -> Result<Findings, Failure> {
        let place = Place::new()?;
        // What is durable is only of interest if the power fails.
        let may_fail = self.case.runs.iter().any(|run| run.loss.is_some());
        let mut disk = may_fail.then(|| Disk::of(&place.root())).transpose()?;
        for (number, run) in (1..).zip(&self.case.runs) {
            self.run(&place, number, &run.fault)?;
            if let Some(disk) = &mut disk {
                disk.replay(&place.record(number))?;
                if let Some(difference) = disk.difference(&place.root())? {
                    return Err(Failure::new(format!("the shim does not know a call: {difference}")));
                }
                if let Some(loss) = run.loss {
                    *disk = disk.fail(loss, &mut self.random(number, run), &place.root())?;
                }
            }
        }
        self.writers.recover(self.case.to, &place.root())
    }

    /// Lets a worker work until it meets the fault, or has sent what it is to send.
    fn run(&mut self, place: &Place, number: u64, fault: &Fault) -> Result<(), Failure> {
        let record = place.record(number);
        let task = Task {
            root: place.root(),
            told: record.told.clone(),
            to: self.case.to,
            seed: self.case.seed,
            load: Load::Small,
            from: self.writers.next(),
            until: number * BATCHES,
            patience_ms: SPOILT_PATIENCE_MS,
        };
        let mut command = Command::new(&self.stage.program);
        command.args(task.arguments()).stdin(Stdio::null());
        let seed = Random::of([self.case.seed, number, fault.number]).next();
        self.stage.shim.spoil(&mut command, &place.root(), fault, seed, &record);
        let ended = command.output()?;
        let fired =
            fault.action != Action::None && fs::read_to_string(&record.log)?.lines().any(|line| line.starts_with('!'));
        check_ended(ended.status, fired)
            .map_err(|failure| failure.during(String::from_utf8_lossy(&ended.stderr).into_owned()))?;
        self.fired.push(fired);
        let told = Told::read(&record.told);
        self.troubles.extend(
            told.iter().filter_map(|told| if let Told::Trouble(why) = told { Some(why.clone()) } else { None }),
        );
        self.writers.take(&told)
    }

    fn random(&self, number: u64, run: &Run) -> Random {
        Random::of([self.case.seed, number, run.fault.number])
    }
}

/// A worker ends by itself, or is killed by the fault.
fn check_ended(status: ExitStatus, fired: bool) -> Result<(), Failure> {
    const SIGKILL: i32 = 9;
    if status.success() || (fired && status.signal() == Some(SIGKILL)) {
        return Ok(());
    }
    Err(Failure::new(format!("the worker ended with {status}")))
}

/// The folder of a case. It is in memory if the system has such a place: the machine runs on, so a disk would only be slower.
struct Place(TempDir);

impl Place {
    fn new() -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let place = Self(tempfile::Builder::new().prefix("selvedge-crash-").tempdir_in(folder)?);
        fs::create_dir_all(Target::folder(&place.root()))?;
        Ok(place)
    }

    /// Where queue and destination stand.
    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn record(&self, run: u64) -> Record {
        let file = |name: &str| self.0.path().join(format!("{name}-{run}"));
        Record { log: file("log"), data: file("data"), told: file("told") }
    }
}
