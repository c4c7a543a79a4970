//! A fault at the first call, at the second, and so on, until there is none left for it to come about at.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::case::{Case, Outcome, Run, Stage};
use crate::disk::Loss;
use crate::random::Random;
use crate::shim::{Action, Class, Fault};
use crate::target::Target;

/// Cases that differ in the number of the call at which the fault comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// What befalls the first run, at each call in turn.
    first: Run,
    /// What befalls the second, which recovers, at a call that the seed decides.
    second: Option<Run>,
}

/// About as many calls as a run makes at most.
const CALLS: u64 = 250;

const ERRORS: [Action; 4] = [Action::Eio, Action::EioOn, Action::Enospc, Action::EnospcOn];
const CLASSES: [Class; 8] =
    [Class::Write, Class::Fsync, Class::Open, Class::Rename, Class::Resize, Class::Link, Class::Unlink, Class::Mkdir];

impl Family {
    /// A fault, and nothing besides.
    pub const fn of(action: Action, class: Class) -> Self {
        Self { first: Run { fault: Fault { action, class, number: 0 }, loss: None }, second: None }
    }

    /// The same, and then the power fails.
    pub const fn and(self, loss: Loss) -> Self {
        Self { first: Run { loss: Some(loss), ..self.first }, ..self }
    }

    /// The same, and then another befalls the run that recovers.
    pub const fn then(self, second: Self) -> Self {
        Self { second: Some(second.first), ..self }
    }

    /// All there are.
    pub fn all() -> Vec<Self> {
        let kill = Self::of(Action::Kill, Class::Any);
        let losses = [Loss::Dropped, Loss::Torn, Loss::Reordered];
        let mut all = vec![kill, Self::of(Action::Cut, Class::Write), Self::of(Action::Short, Class::Write)];
        all.extend(losses.map(|loss| kill.and(loss)));
        all.extend(ERRORS.iter().flat_map(|action| CLASSES.map(|class| Self::of(*action, class))));
        // What an fsync could not make durable is gone, even if the next one succeeds.
        all.extend(losses.map(|loss| Self::of(Action::Eio, Class::Fsync).and(loss)));
        all.extend([
            kill.then(kill),
            kill.then(kill.and(Loss::Dropped)),
            kill.then(kill.and(Loss::Torn)),
            kill.and(Loss::Torn).then(kill.and(Loss::Reordered)),
            Self::of(Action::Enospc, Class::Write).then(kill.and(Loss::Dropped)),
        ]);
        all
    }

    /// The case at the call of this number.
    pub fn case(&self, to: Target, seed: u64, number: u64) -> Case {
        let at = |run: Run, number| Run { fault: Fault { number, ..run.fault }, ..run };
        let second = self.second.map(|run| at(run, 1 + Random::of([seed, number]).below(CALLS)));
        Case { to, seed, runs: [at(self.first, number)].into_iter().chain(second).collect() }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |run: &Run| run.to_string().replace(" 0", "");
        f.write_str(&name(&self.first))?;
        self.second.map_or(Ok(()), |second| write!(f, ", then {}", name(&second)))
    }
}

/// One of the errors a call may end with, as the seed decides.
pub fn some_error(seed: u64, number: u64) -> Action {
    let [first, ..] = ERRORS;
    let at = Random::of([seed, number, 2]).below(ERRORS.len() as u64) as usize;
    ERRORS.get(at).copied().unwrap_or(first)
}

/// What came of playing many cases.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The cases whose faults came about.
    pub played: u64,
    /// The records that were acknowledged in all of them.
    pub acknowledged: u64,
    /// The cases in which DuckDB did what it is known to do (`is_known`).
    pub known: u64,
    /// The cases in which something else was wrong, each with what it was.
    pub wrong: Vec<(Case, String)>,
}

impl Sweep {
    fn take(&mut self, case: Case, outcome: &Outcome) {
        self.played += u64::from(outcome.fired);
        self.acknowledged += outcome.acknowledged;
        match outcome.wrong() {
            None => {}
            Some(what) if is_known(&case, &what) => self.known += 1,
            Some(what) => self.wrong.push((case, what)),
        }
    }
}

/// DuckDB writes metadata into a block that the last checkpoint refers to, and the block has one checksum. If a power failure
/// leaves some of its pages and not the others, the file cannot be read any more, and says so. Nothing here can help that.
fn is_known(case: &Case, what: &str) -> bool {
    let may_tear = |run: &Run| run.fault.action == Action::Cut || matches!(run.loss, Some(Loss::Torn));
    case.to == Target::DuckDb && case.runs.iter().any(may_tear) && what.contains("Data Corruption Error")
}

/// Plays the cases at every `step`-th call, from the first on, until a fault does not come about; several at once.
pub fn sweep(stage: &Stage, step: u64, case: impl Fn(u64) -> Case + Sync) -> Sweep {
    let (sweep, next, at_the_end) = (Mutex::new(Sweep::default()), AtomicU64::new(1), AtomicBool::new(false));
    let play = || {
        while !at_the_end.load(Ordering::Relaxed) {
            let case = case(next.fetch_add(step, Ordering::Relaxed));
            let outcome = stage.play(&case);
            if !outcome.fired {
                at_the_end.store(true, Ordering::Relaxed);
            }
            sweep.lock().unwrap_or_else(PoisonError::into_inner).take(case, &outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(play);
        }
    });
    sweep.into_inner().unwrap_or_else(PoisonError::into_inner)
}
