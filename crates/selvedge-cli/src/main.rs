//! The command `selvedge`: loads records into databases and files, exactly once.
//!
//! Where to look: `args.rs` says what can be asked for, `load.rs` how it is done; `plan.rs` decides what is left to do with
//! each input and `resume.rs` what is remembered of it, `feed.rs` makes the batches, `input.rs` and the files below it read,
//! `infer.rs` finds the schema of plain records, `report.rs`, `refused.rs` and `progress.rs` tell.

mod args;
mod destination;
mod error;
mod feed;
mod infer;
mod input;
mod load;
mod plan;
mod progress;
mod refused;
mod report;
mod resume;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::load::Ending;

/// Everything was loaded but records that were refused or rejected.
const NOT_ALL_GOOD: u8 = 3;
/// The command cannot be carried out as it was written; clap ends with the same code.
const WRONG_USAGE: u8 = 2;
/// Something failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let Cli { command: Command::Load(args) } = Cli::parse();
    match load::load(&args) {
        Ok(Ending::Loaded) => ExitCode::SUCCESS,
        Ok(Ending::NotAllGood) => ExitCode::from(NOT_ALL_GOOD),
        Ok(Ending::Waiting) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("selvedge: {}", error.with_causes());
            ExitCode::from(match error.kind() {
                error::ErrorKind::Usage => WRONG_USAGE,
                error::ErrorKind::Failed => FAILED,
            })
        }
    }
}
