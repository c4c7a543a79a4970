//! One case: a worker meets a fault, perhaps another one while it recovers; then everything has to be there, once.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use std::str::FromStr;

use tempfile::TempDir;

use crate::disk::{Disk, Loss};
use crate::failure::Failure;
use crate::model::{Findings, Model, compare};
use crate::random::Random;
use crate::shim::{Action, Fault, Record, Shim};
use crate::stream::Stream;
use crate::target::Target;
use crate::worker::{Load, Told};

/// How long everything may take to be loaded where nothing is in the way.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a worker waits whose loads may fail.
const SPOILT_PATIENCE_MS: u64 = 300;
/// How many batches its writer sends, and how many more in each further run.
const BATCHES: u64 = 3;

/// What is played. Its text is the options of `crash case`.
#[derive(Debug, Clone)]
pub struct Case {
    /// The destination.
    pub to: Target,
    /// Decides what is sent.
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
    /// Whether the fault of every run came about.
    pub fired: bool,
    /// The records that were acknowledged.
    pub acknowledged: u64,
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
    pub(crate) shim: Shim,
    /// The program `crash`, which is started as a worker.
    pub(crate) program: PathBuf,
    /// Where folders are made.
    pub(crate) folder: PathBuf,
}

impl Stage {
    /// A stage on which `program`, which is `crash`, works. Folders are made in memory if the system has such a place: the
    /// machine is never stopped, so a disk would only be slower.
    ///
    /// # Errors
    /// When the shim cannot be compiled.
    pub fn new(program: impl Into<PathBuf>) -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Ok(Self { shim: Shim::build()?, program: program.into(), folder })
    }

    /// Plays a case.
    pub fn play(&self, case: &Case) -> Outcome {
        let mut progress = Progress::new(case, 1);
        let mut fired = true;
        let verdict = self.play_to_the_end(case, &mut progress, &mut fired);
        Outcome { fired, acknowledged: progress.model().accepted(), verdict }
    }

    fn play_to_the_end(&self, case: &Case, progress: &mut Progress, fired: &mut bool) -> Result<Findings, Failure> {
        let place = Place::new(&self.folder)?;
        // What is durable is only of interest if the power fails.
        let may_fail = case.runs.iter().any(|run| run.loss.is_some());
        let mut disk = may_fail.then(|| Disk::of(&place.root())).transpose()?;
        for (number, run) in (1..).zip(&case.runs) {
            let ended = self.run(case, &place, progress, number, &run.fault)?;
            *fired &= ended.fired;
            progress.take(&ended.told)?;
            if let Some(disk) = &mut disk {
                disk.replay(&place.record(number))?;
                if let Some(difference) = disk.difference(&place.root())? {
                    return Err(Failure::new(format!("the shim missed a call: {difference}")));
                }
                if let Some(loss) = run.loss {
                    let mut random = Random::of([case.seed, number, run.fault.number]);
                    *disk = disk.fail(loss, &mut random, &place.root())?;
                }
            }
        }
        recover(case.to, &place.root(), progress)
    }

    /// Lets a worker work until it meets the fault, or has sent what it is to send.
    fn run(&self, case: &Case, place: &Place, progress: &Progress, run: u64, fault: &Fault) -> Result<Ended, Failure> {
        let record = place.record(run);
        let mut command = Command::new(&self.program);
        command.args(["worker", "--to", case.to.name(), "--load", "small", "--seed", &case.seed.to_string()]);
        command.args([Path::new("--root"), &place.root(), Path::new("--told"), &record.told]);
        command.args(["--from", &progress.from(), "--until", &(run * BATCHES).to_string()]);
        command.args(["--patience-ms", &SPOILT_PATIENCE_MS.to_string()]);
        let seed = Random::of([case.seed, run, fault.number]).next();
        self.shim.spoil(&mut command, &place.root(), fault, seed, &record);
        let output = command.stdin(Stdio::null()).output()?;
        let fired =
            fault.action == Action::None || fs::read_to_string(&record.log)?.lines().any(|line| line.starts_with('!'));
        check_ended(output.status, fired).map_err(|failure| {
            failure.during(format!("the worker said: {}", String::from_utf8_lossy(&output.stderr)))
        })?;
        Ok(Ended { fired, told: Told::read(&record.told) })
    }
}

/// How a run ended.
struct Ended {
    fired: bool,
    told: Vec<Told>,
}

/// A worker ends by itself, or is killed by the fault.
fn check_ended(status: ExitStatus, fired: bool) -> Result<(), Failure> {
    const SIGKILL: i32 = 9;
    if status.success() || (fired && status.signal() == Some(SIGKILL)) {
        return Ok(());
    }
    Err(Failure::new(format!("the worker ended with {status}")))
}

/// The folder of a case.
struct Place(TempDir);

impl Place {
    fn new(folder: &Path) -> Result<Self, Failure> {
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

/// How far the writers are.
#[derive(Debug)]
pub(crate) struct Progress {
    stream: Stream,
    /// Of each writer how many of its batches were acknowledged: the next is the one it sends again.
    acknowledged: Vec<u64>,
}

impl Progress {
    fn new(case: &Case, writers: usize) -> Self {
        let stream = Stream { seed: case.seed, shape: Load::Small.shape() };
        Self { stream, acknowledged: vec![0; writers] }
    }

    fn from(&self) -> String {
        let from: Vec<String> = self.acknowledged.iter().map(u64::to_string).collect();
        from.join(",")
    }

    fn take(&mut self, told: &[Told]) -> Result<(), Failure> {
        for told in told {
            match told {
                Told::Acknowledged { writer, number } => {
                    if let Some(acknowledged) = self.acknowledged.get_mut(*writer as usize) {
                        *acknowledged = number + 1;
                    }
                }
                Told::Wrong(what) => return Err(Failure::new(what.clone())),
                Told::Trouble(_) | Told::Ended => {}
            }
        }
        Ok(())
    }

    /// What has to stand.
    fn model(&self) -> Model {
        let mut model = Model::default();
        for (writer, acknowledged) in (0..).zip(&self.acknowledged) {
            (0..*acknowledged).for_each(|number| model.take(&self.stream.batch(writer, number)));
        }
        model
    }
}

/// Starts an engine without faults, sends again what was not acknowledged, as a client would, and something that was; loads
/// everything, and compares.
fn recover(to: Target, root: &Path, progress: &mut Progress) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let engine = to.start(root).map_err(|failure| failure.during("recovery"))?;
    for (writer, next) in (0..).zip(&mut progress.acknowledged) {
        engine.push(progress.stream.batch(writer, *next).batch())?;
        *next += 1;
        for again in next.saturating_sub(2)..*next {
            let receipt = engine.push(progress.stream.batch(writer, again).batch())?;
            findings.double(u64::from(!receipt.repeated()), || {
                format!("batch {again} of writer {writer} was accepted twice")
            });
        }
    }
    let left = engine.flush(PATIENCE)?;
    if let Some(waiting) = left.first() {
        return Err(Failure::new(format!("recovery: {waiting}")));
    }
    for table in engine.progress().tables {
        let tally = table.tally;
        if tally.accepted != tally.loaded + tally.superseded + tally.rejected + tally.waiting || tally.waiting > 0 {
            return Err(Failure::new(format!("the counts do not add up: {:?}", table)));
        }
    }
    drop(engine);
    findings += compare(&progress.model(), to, root)?;
    Ok(findings)
}
