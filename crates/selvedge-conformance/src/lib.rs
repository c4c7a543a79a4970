//! What a destination has to do, as checks that its author runs.
//!
//! A backend's test is one call:
//!
//! ```no_run
//! # use selvedge_conformance::Memory as MyDestination;
//! # use std::path::Path;
//! # fn test() {
//! use selvedge_conformance::Kit;
//!
//! let open = |folder: &Path| MyDestination::open(folder);
//! let look = |folder: &Path| MyDestination::read_only(folder);
//! Kit::new(open, look).check();
//! # }
//! ```
//!
//! [`Kit::check`] prints a table of what holds and fails if anything does not. Most checks are scenarios, files under
//! `scenarios/` that read as documentation and that a program in another language could run: batches of the Import API go
//! in, through a real engine with a real queue, and tables come out. The others, under `checks/`, make loads by hand where
//! the engine would never make such: late, torn, enormous, by two at once.
//!
//! [`Memory`] is a destination to learn from. [`twins`] are destinations with one defect each: every check is known to find
//! one of them.
//!
//! Where to look: `kit.rs` runs the checks, `check.rs` lists them, `scenario.rs` reads and plays a scenario, `place.rs` is
//! what a check has to itself, `loads.rs` makes loads by hand, `child.rs` runs a part of a check in a process that can be
//! killed, `report.rs` prints.

mod check;
mod checks;
mod child;
mod expected;
mod failure;
mod kit;
mod loads;
mod memory;
mod place;
mod report;
mod scenario;
mod twins;

pub use check::names;
pub use kit::Kit;
pub use memory::Memory;
pub use report::{Line, Report, Verdict};
pub use twins::{Twin, twins};
