//! Kills at random moments of real time.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::case::Stage;
use crate::failure::Failure;
use crate::model::Findings;
use crate::random::Random;
use crate::stream::Stream;
use crate::target::Target;
use crate::worker::{Load, Task, Told};
use crate::writers::{PATIENCE, Writers};

/// How many kills befall one queue and its destination before everything is looked at, and a new one begun.
pub const KILLS_A_ROUND: u64 = 10;

/// The longest that a worker lives, from before it opens anything.
const LONGEST_LIFE_MS: u64 = 300;
/// The most writers at a time.
const WRITERS_MAX: u64 = 4;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many kills there are.
    pub kills: u64,
    /// The seed of the first round; each has one more than the one before.
    pub seed: u64,
    /// The destinations, each in its turn.
    pub to: Vec<Target>,
}

/// What came of kills.
#[derive(Debug, Clone, Default)]
pub struct Kills {
    /// How many there were.
    pub kills: u64,
    /// The records that were acknowledged.
    pub acknowledged: u64,
    /// What was lost and doubled.
    pub findings: Findings,
    /// The rounds in which something was wrong: how they are played again, and what it was.
    pub wrong: Vec<String>,
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, acknowledged, findings, wrong: _ } = self;
        let Findings { lost, doubled, .. } = findings;
        write!(f, "kills {kills}, acknowledged {acknowledged}, lost {lost}, doubled {doubled}")
    }
}

/// Kills as it was planned, in several rounds at once. `each` is told how far it is after each round.
pub fn kill_at_random(stage: &Stage, plan: &Plan, each: impl Fn(&Kills) + Sync) -> Kills {
    let (all, next) = (Mutex::new(Kills::default()), AtomicU64::new(0));
    let rounds = plan.kills.div_ceil(KILLS_A_ROUND);
    let play = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(to) = plan.to.get(number as usize % plan.to.len().max(1)) else { return };
            if number >= rounds {
                return;
            }
            let kills = KILLS_A_ROUND.min(plan.kills - number * KILLS_A_ROUND);
            let round = Round { stage, to: *to, seed: plan.seed.wrapping_add(number), kills };
            let done = round.play();
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            round.add(done, &mut all);
            each(&all);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(play);
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Kills that befall one queue and its destination.
struct Round<'r> {
    stage: &'r Stage,
    to: Target,
    seed: u64,
    kills: u64,
}

impl Round<'_> {
    fn add(&self, done: Result<(u64, Findings), Failure>, all: &mut Kills) {
        all.kills += self.kills;
        let wrong = match done {
            Ok((acknowledged, findings)) => {
                all.acknowledged += acknowledged;
                let wrong = (!findings.are_none()).then(|| findings.to_string());
                all.findings += findings;
                wrong
            }
            Err(failure) => Some(failure.to_string()),
        };
        let again = |what| format!("--kills {} --seed {} --to {}: {what}", self.kills, self.seed, self.to.name());
        all.wrong.extend(wrong.map(again));
    }

    /// The records that were acknowledged, and what was found in the end.
    fn play(&self) -> Result<(u64, Findings), Failure> {
        let place = tempfile::Builder::new().prefix("selvedge-crash-").tempdir()?;
        let root = place.path().join("root");
        fs::create_dir_all(Target::folder(&root))?;
        let mut random = Random::of([self.seed]);
        let stream = Stream { seed: self.seed, shape: Load::Medium.shape() };
        let mut writers = Writers::new(stream, 1 + random.below(WRITERS_MAX) as usize);
        for kill in 0..self.kills {
            let told = self.kill(&root, &place.path().join(format!("told-{kill}")), &writers, &mut random)?;
            writers.take(&told)?;
        }
        let findings = writers.recover(self.to, &root)?;
        Ok((writers.model().accepted(), findings))
    }

    /// Starts a worker and kills it; what it had told by then.
    fn kill(&self, root: &Path, told: &Path, writers: &Writers, random: &mut Random) -> Result<Vec<Told>, Failure> {
        let task = Task {
            root: root.to_owned(),
            told: told.to_owned(),
            to: self.to,
            seed: self.seed,
            load: Load::Medium,
            from: writers.next(),
            until: u64::MAX,
            patience_ms: PATIENCE.as_millis() as u64,
        };
        let mut command = Command::new(&self.stage.program);
        let mut worker = command.args(task.arguments()).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        thread::sleep(Duration::from_millis(1 + random.below(LONGEST_LIFE_MS)));
        worker.kill()?;
        let ended = worker.wait_with_output()?;
        let told = Told::read(told);
        let trouble = told.iter().find_map(|told| if let Told::Trouble(why) = told { Some(why) } else { None });
        if let Some(why) = trouble {
            return Err(Failure::new(why.clone()));
        }
        if ended.status.signal().is_none() {
            let why = String::from_utf8_lossy(&ended.stderr).into_owned();
            return Err(Failure::new(format!("the worker ended by itself, with {}: {why}", ended.status)));
        }
        Ok(told)
    }
}
