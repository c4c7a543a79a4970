//! The command `selvedge`: loads records into databases and files, exactly once.
//!
//! Where to look: `args.rs` says what can be asked for, `ending.rs` how it can end. `load.rs` says how it is loaded; `plan.rs`
//! decides what is left to do with each input and `resume.rs` what is remembered of it, `feed.rs` makes the batches,
//! `input.rs` and the files below it read, `infer.rs` finds the schema of plain records, `report.rs`, `refused.rs`,
//! `progress.rs` and `tell.rs` tell, `stop.rs` listens for signals. `verify.rs` looks at destinations, `view.rs` makes views in them, `destinations.rs` manages for which of
//! them a queue keeps records, `tables.rs` looks after tables, `rejected.rs` after rejected records, `purge.rs` erases keys.

mod args;
mod column_rules;
mod columns;
mod destination;
mod destinations;
mod ending;
mod error;
mod feed;
mod infer;
mod input;
mod load;
mod moment;
mod plan;
mod progress;
mod purge;
mod quantity;
mod refused;
mod rejected;
mod report;
mod resume;
mod since;
mod stop;
mod tables;
mod tell;
mod verify;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Load(args) => load::load(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Destination(command) => destinations::manage(&command),
        Command::Table(command) => tables::manage(&command),
        Command::Rejected(args) => rejected::list(&args),
        Command::Replay(args) => rejected::replay(&args),
        Command::Purge(args) => purge::purge(&args),
        Command::View(args) => view::view(&args),
    };
    match ended {
        Ok(ending) => ending.code(),
        Err(error) => {
            eprintln!("selvedge: {}", error.with_causes());
            error.code()
        }
    }
}
