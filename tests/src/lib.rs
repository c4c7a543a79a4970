//! End-to-end tests live in `tests/`.

mod case;
mod failure;
mod matrix;
mod model;
mod random;
mod shim;
mod stream;
mod target;
mod worker;

pub use case::{Case, Outcome, Stage};
pub use failure::Failure;
pub use matrix::{Sweep, sweep};
pub use model::Findings;
pub use shim::{Action, Class, Fault, Shim};
pub use target::Target;
pub use worker::{Task, work};
