//! A fault at the first call, at the second, and so on, until there is none left for it to come about at.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::case::{Case, Outcome, Stage};

/// What came of playing many cases.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The cases whose faults came about.
    pub played: u64,
    /// The records that were acknowledged in all of them.
    pub acknowledged: u64,
    /// The cases in which something was wrong, each with what it was.
    pub wrong: Vec<(Case, String)>,
}

impl Sweep {
    fn take(&mut self, case: Case, outcome: &Outcome) {
        self.played += u64::from(outcome.fired);
        self.acknowledged += outcome.acknowledged;
        self.wrong.extend(outcome.wrong().map(|what| (case, what)));
    }
}

/// Plays the cases that `case` makes of 1, 2, 3 and so on, until the fault of one does not come about; several at once.
pub fn sweep(stage: &Stage, case: impl Fn(u64) -> Case + Sync) -> Sweep {
    let (sweep, next, at_the_end) = (Mutex::new(Sweep::default()), AtomicU64::new(1), AtomicBool::new(false));
    let play = || {
        while !at_the_end.load(Ordering::Relaxed) {
            let case = case(next.fetch_add(1, Ordering::Relaxed));
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
