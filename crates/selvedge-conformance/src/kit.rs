//! Running the checks.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::Instant;

use selvedge_core::{Capabilities, Destination, Inspect, LoadError};

use crate::check::{self, Check};
use crate::child;
use crate::failure::Failure;
use crate::place::Place;
use crate::report::{self, Line, Report, Verdict};

/// How a destination is opened to be loaded.
type Open = dyn Fn(&Path) -> Result<Box<dyn Destination>, LoadError>;
/// How it is opened to be looked at.
type Look = dyn Fn(&Path) -> Result<Box<dyn Inspect>, LoadError>;

/// The checks, to be run on one kind of destination.
///
/// Some checks load in a process of their own, so that it can be killed or measured: they start the running test once more,
/// by its name. So let a test call the kit once, and do nothing before.
pub struct Kit {
    open: Box<Open>,
    look: Box<Look>,
    left_out: BTreeMap<&'static str, String>,
}

impl Kit {
    /// The checks for the destinations that `open` opens to be loaded and `look` to be looked at.
    ///
    /// Both are given a folder, empty at first: what stands there, or belongs to it elsewhere, is one destination. It is
    /// opened several times, also while it is open. A destination that implements [`Inspect`] itself is given twice. If your
    /// tables stand in a server, give each folder a database of its own there; checks that copy or remove the folder of a
    /// destination (`destination_restored`, `destination_lost`) are then to be left out.
    pub fn new<D, I>(
        open: impl Fn(&Path) -> Result<D, LoadError> + 'static,
        look: impl Fn(&Path) -> Result<I, LoadError> + 'static,
    ) -> Self
    where
        D: Destination + 'static,
        I: Inspect + 'static,
    {
        Self {
            open: Box::new(move |folder| Ok(Box::new(open(folder)?))),
            look: Box::new(move |folder| Ok(Box::new(look(folder)?))),
            left_out: BTreeMap::new(),
        }
    }

    /// Leaves out a check that is not meant for this destination; the reason stands in the report.
    ///
    /// # Panics
    /// When there is no check of this name.
    #[must_use]
    pub fn leave_out(mut self, check: &str, reason: &str) -> Self {
        let known = check::names().into_iter().find(|name| *name == check);
        #[expect(clippy::panic, reason = "a test that names no check has to fail")]
        let name = known.unwrap_or_else(|| panic!("there is no check `{check}`; {:?} are the checks", check::names()));
        self.left_out.insert(name, reason.to_owned());
        self
    }

    /// Runs all checks and prints of each, once it is done, whether it holds, also where a test's output is captured.
    ///
    /// # Panics
    /// When a check does not hold, with the report.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub fn check(&self) {
        // The macros that print are captured by the test harness; what cannot be printed is told by the panic.
        let print = |text: String| drop(writeln!(io::stdout(), "{text}"));
        child::serve(self);
        print(format!("\n{}", report::sheet(&self.capabilities())));
        let report = self.run_telling(|line| print(line.to_string()));
        print(report.sum());
        if !report.holds() {
            panic!("the destination does not conform:\n{report}");
        }
    }

    /// Runs all checks.
    pub fn run(&self) -> Report {
        child::serve(self);
        self.run_telling(|_| ())
    }

    fn run_telling(&self, tell: impl Fn(&Line)) -> Report {
        let line = |check: &Check| {
            let line = self.line(check);
            tell(&line);
            line
        };
        Report { capabilities: self.capabilities(), lines: check::all().iter().map(line).collect() }
    }

    /// Runs one check; `None` when there is none of this name.
    pub fn run_one(&self, name: &str) -> Option<Line> {
        child::serve(self);
        check::all().iter().find(|check| check.name == name).map(|check| self.line(check))
    }

    fn line(&self, check: &Check) -> Line {
        let begun = Instant::now();
        let verdict = match self.left_out.get(check.name) {
            Some(reason) => Verdict::LeftOut(reason.clone()),
            None => self.verdict(check),
        };
        Line { check: check.name, says: check.says.clone(), verdict, took: begun.elapsed() }
    }

    fn verdict(&self, check: &Check) -> Verdict {
        let run = || Place::new(self).and_then(|place| check.run(&place));
        // A destination that panics fails the check, and the others are still run.
        match panic::catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(())) => Verdict::Holds,
            Ok(Err(failure)) => Verdict::Fails(failure.to_string()),
            Err(_) => Verdict::Fails("it panicked, as is told above".to_owned()),
        }
    }

    #[expect(clippy::panic, reason = "without a destination there is nothing to check, and the test has to fail")]
    fn capabilities(&self) -> Capabilities {
        let capabilities = || {
            let place = Place::new(self)?;
            Ok(place.open()?.capabilities().clone())
        };
        capabilities().unwrap_or_else(|failure: Failure| panic!("the destination cannot be opened: {failure}"))
    }

    pub(crate) fn open(&self, folder: &Path) -> Result<Box<dyn Destination>, LoadError> {
        (self.open)(folder)
    }

    pub(crate) fn look(&self, folder: &Path) -> Result<Box<dyn Inspect>, LoadError> {
        (self.look)(folder)
    }
}
