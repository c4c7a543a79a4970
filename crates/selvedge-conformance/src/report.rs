//! What the kit found, as a table for people.

use std::fmt;
use std::time::Duration;

use selvedge_core::{Capabilities, RowOrder};

/// What holds of a destination and what does not. [`Display`](fmt::Display) makes it a table.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the destination says of itself.
    pub capabilities: Capabilities,
    /// One line for each check, in the order of [`names`](crate::names()).
    pub lines: Vec<Line>,
}

/// What a check came to.
#[derive(Debug, Clone)]
pub struct Line {
    /// The check's name.
    pub check: &'static str,
    /// What has to hold, in a sentence.
    pub says: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// How long it took to find out.
    pub took: Duration,
}

/// Whether a check holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Holds,
    /// It does not; what was expected and what was found.
    Fails(String),
    /// It was not looked at, for this reason.
    LeftOut(String),
}

impl Report {
    /// Whether nothing failed.
    pub fn holds(&self) -> bool {
        !self.lines.iter().any(|line| matches!(line.verdict, Verdict::Fails(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", sheet(&self.capabilities))?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        f.write_str(&self.sum())
    }
}

impl Report {
    /// How many checks hold.
    pub(crate) fn sum(&self) -> String {
        let count = |wanted: fn(&Verdict) -> bool| self.lines.iter().filter(|line| wanted(&line.verdict)).count();
        let held = count(|verdict| *verdict == Verdict::Holds);
        let left_out = count(|verdict| matches!(verdict, Verdict::LeftOut(_)));
        format!("  {held} of {} checks hold, {left_out} left out", self.lines.len())
    }
}

/// As wide as the longest name of a check.
const NAME_WIDTH: usize = 30;

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, says, verdict, took } = self;
        let (word, why) = match verdict {
            Verdict::Holds => ("holds", ""),
            Verdict::Fails(why) => ("FAILS", why.as_str()),
            Verdict::LeftOut(why) => ("left out", why.as_str()),
        };
        write!(f, "  {check:NAME_WIDTH$}  {word:8} {:>6} ms  {says}", took.as_millis())?;
        why.lines().try_for_each(|line| write!(f, "\n  {:NAME_WIDTH$}    {line}", ""))
    }
}

/// The capability sheet.
pub(crate) fn sheet(capabilities: &Capabilities) -> String {
    let Capabilities { kind, row_order, worthwhile_records, .. } = capabilities;
    let order = match row_order {
        RowOrder::Any => "in any order",
        RowOrder::Key => "in the order of their keys",
    };
    format!("{kind}: takes rows {order}; a load is worth its cost from {worthwhile_records} records on")
}
