//! How much memory the engine takes: the cases that need most of it, each in a process of its own.
//!
//! ```text
//! cargo run --release -p selvedge-tests --bin memory
//! cargo run --release -p selvedge-tests --bin memory -- --case backlog --to duckdb --scale 0.1
//! ```

#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::process::ExitCode;

use clap::Parser;
use selvedge_tests::Target;
use selvedge_tests::memory::{self, Case, Measured, Run};

/// Measures the peak of resident memory in the cases that need most of it, and fails if it is above the budget and 128 MiB.
#[derive(Debug, Parser)]
#[command(name = "memory")]
struct Cli {
    /// Only this case; may be given several times. Default: all of them.
    #[arg(long, value_enum)]
    case: Vec<Case>,
    /// Only into this destination; may be given several times. Default: all of them.
    #[arg(long, value_enum)]
    to: Vec<Target>,
    /// How much of each case: at 1, a million tiny batches and a backlog of 10 GB, which take 12 GB of disk for a time.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

fn main() -> ExitCode {
    if let Some(run) = memory::asked_of_this_process() {
        return memory::carry_out(&run);
    }
    let Cli { case, to, scale } = Cli::parse();
    let cases = if case.is_empty() { Case::ALL.to_vec() } else { case };
    let targets = if to.is_empty() { Target::ALL.to_vec() } else { to };
    let mut code = ExitCode::SUCCESS;
    println!(
        "{:20} {:8} {:>9} {:>9} {:>9}  (budget {} MiB, allowed {} MiB)",
        "case",
        "into",
        "records",
        "seconds",
        "peak MiB",
        memory::BUDGET_MIB,
        memory::ALLOWED_MIB
    );
    for (case, to) in cases.iter().flat_map(|case| targets.iter().map(move |to| (*case, *to))) {
        match memory::measure(Run { case, to, scale }) {
            Ok(Measured { records, seconds, peak_mib }) => {
                let verdict = if peak_mib > memory::ALLOWED_MIB { "  TOO MUCH" } else { "" };
                println!("{:20} {:8} {records:>9} {seconds:>9.1} {peak_mib:>9}{verdict}", case.to_string(), to.name());
                if peak_mib > memory::ALLOWED_MIB {
                    code = ExitCode::FAILURE;
                }
            }
            Err(cause) => {
                eprintln!("{case} into {}: {cause}", to.name());
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
