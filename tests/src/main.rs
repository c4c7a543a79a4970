//! The command `crash`: kills and spoils selvedge in every way there is, and looks whether anything was lost or doubled.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use selvedge_tests::{Case, Fault, Loss, Run, Stage, Target, Task, sweep, work};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays one case.
    Case {
        #[arg(long)]
        to: Target,
        #[arg(long)]
        seed: u64,
        #[arg(long)]
        run: Vec<Run>,
    },
    /// Kills at every call.
    Matrix {
        #[arg(long)]
        to: Target,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long)]
        loss: Option<Loss>,
        #[arg(long, default_value = "kill any 1")]
        fault: Fault,
    },
    #[command(hide = true)]
    Worker(Task),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Worker(task) => work(&task),
        Command::Matrix { to, seed, loss, fault } => {
            let stage = Stage::new(std::env::current_exe().unwrap()).unwrap();
            let sweep =
                sweep(&stage, |n| Case { to, seed, runs: vec![Run { fault: Fault { number: n, ..fault }, loss }] });
            println!("{} played, {} acknowledged", sweep.played, sweep.acknowledged);
            for (case, what) in sweep.wrong {
                println!("{case}: {what}");
            }
            Ok(())
        }
        Command::Case { to, seed, run } => {
            let stage = Stage::new(std::env::current_exe().unwrap()).unwrap();
            println!("{:?}", stage.play(&Case { to, seed, runs: run }));
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
