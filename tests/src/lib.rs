//! End-to-end tests live in `tests/`.

mod case;
mod disk;
mod failure;
mod matrix;
mod model;
mod names;
mod random;
mod shim;
mod stream;
mod target;
mod worker;

pub use case::{Case, Outcome, Run, Stage};
pub use disk::Loss;
pub use failure::Failure;
pub use matrix::{Sweep, sweep};
pub use model::Findings;
pub use shim::{Action, Class, Fault, Shim};
pub use target::Target;
pub use worker::{Task, work};
