//! End-to-end tests live in `tests/`.

pub mod memory;

mod case;
mod disk;
mod failure;
mod kills;
mod matrix;
mod model;
mod names;
mod random;
mod shim;
mod stream;
mod target;
mod worker;
mod writers;

pub use case::{Case, Outcome, Run, Stage};
pub use disk::Loss;
pub use failure::Failure;
pub use kills::{KILLS_A_ROUND, Kills, Plan, kill_at_random};
pub use matrix::{Family, Sweep, some_error, sweep};
pub use model::Findings;
pub use shim::{Action, Class, Fault, Shim};
pub use target::Target;
pub use worker::{Task, work};
