//! The command `crash`: kills and spoils selvedge in every way there is, and looks whether anything was lost or doubled.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use selvedge_tests::{Case, Failure, Family, Kills, Plan, Run, Stage, Target, Task, kill_at_random, sweep, work};

/// Kills selvedge in every way there is, and looks whether anything was lost or doubled.
///
/// Without a command, a process that loads is killed (SIGKILL) at random moments and started again, as often as --kills says.
/// Every ten kills, everything that was acknowledged has to be in the destination, once, and a new one is begun. Exits with 0
/// only if nothing was lost and nothing doubled.
///
/// Each failure is told with the options that play it again. For Linux with a C compiler.
#[derive(Debug, Parser)]
#[command(name = "crash", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    kills: KillArgs,
}

#[derive(Debug, Args)]
struct KillArgs {
    /// How many times a process is killed.
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// Decides what is sent and when a process is killed. The moment is one of real time: the same seed comes close to the
    /// same kill, and not to the very call.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The destination; all three in turn, unless said.
    #[arg(long)]
    to: Option<Target>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays a fault at every call to the disk.
    ///
    /// A small load is played once for each call it makes (some 230), each time with a fault at that call: the process is
    /// killed, or the power fails, or the call fails. Then everything acknowledged has to be there, once. A line tells of each
    /// kind of fault. All of it takes an hour and a half on two cores; --every 10 takes a tenth.
    Matrix(MatrixArgs),
    /// Plays one case, and tells what came of it.
    ///
    /// A failure of the matrix is told with the options of this command.
    Case(CaseArgs),
    #[command(hide = true)]
    Worker(Task),
}

#[derive(Debug, Args)]
struct MatrixArgs {
    /// The destination; all three, unless said.
    #[arg(long)]
    to: Option<Target>,
    /// Decides what is sent, what a power failure leaves, and where the second fault of a case comes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plays only every so many-th call.
    #[arg(long, default_value_t = 1, value_name = "CALLS")]
    every: u64,
    /// Plays only the kinds of fault whose names hold this text, as in "eio" or "+ torn".
    #[arg(long, default_value = "", value_name = "TEXT")]
    only: String,
}

#[derive(Debug, Args)]
struct CaseArgs {
    /// The destination.
    #[arg(long)]
    to: Target,
    /// Decides what is sent, and what a power failure leaves.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What befalls a run: an action (kill, cut, short, eio, eio-on, enospc, enospc-on), the calls that are counted (any, write,
    /// fsync, open, rename, resize, link, unlink, mkdir), and the number of the call; and what a power failure leaves of
    /// what was not synced, if there is one (dropped, torn, reordered): "kill any 17", "kill any 17 + torn". Several runs come
    /// one after the other.
    #[arg(long = "run", required = true)]
    runs: Vec<Run>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        None => kills(&cli.kills),
        Some(Command::Matrix(args)) => matrix(args),
        Some(Command::Case(args)) => case(args),
        Some(Command::Worker(task)) => work(task).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What is told of a command; whoever does not listen any more is no reason to end.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn stage() -> Result<Stage, Failure> {
    Stage::new(env::current_exe()?)
}

fn targets(to: Option<Target>) -> Vec<Target> {
    to.map_or(Target::ALL.to_vec(), |to| vec![to])
}

fn kills(args: &KillArgs) -> Result<bool, Failure> {
    const BETWEEN_LINES: Duration = Duration::from_secs(10);
    let last = Mutex::new(Instant::now());
    let plan = Plan { kills: args.kills, seed: args.seed, to: targets(args.to) };
    let all = kill_at_random(&stage()?, &plan, |so_far: &Kills| {
        let Ok(mut last) = last.lock() else { return };
        if last.elapsed() > BETWEEN_LINES {
            *last = Instant::now();
            say(&format!("{so_far}, of {} kills", args.kills));
        }
    });
    all.wrong.iter().for_each(|wrong| say(&format!("wrong: crash {wrong}")));
    say(&all.to_string());
    Ok(all.wrong.is_empty())
}

fn matrix(args: &MatrixArgs) -> Result<bool, Failure> {
    let stage = stage()?;
    let (mut played, mut wrong) = (0, 0);
    for to in targets(args.to) {
        for family in Family::all().iter().filter(|family| family.to_string().contains(&args.only)) {
            let began = Instant::now();
            let sweep = sweep(&stage, args.every, |number| family.case(to, args.seed, number));
            let known =
                if sweep.known > 0 { format!(", {} as is known of DuckDB", sweep.known) } else { String::new() };
            say(&format!(
                "{} {family}: {} cases, {} records acknowledged, {} wrong{known} ({:.0} s)",
                to.name(),
                sweep.played,
                sweep.acknowledged,
                sweep.wrong.len(),
                began.elapsed().as_secs_f64(),
            ));
            sweep.wrong.iter().for_each(|(case, what)| say(&format!("wrong: crash case {case}: {what}")));
            played += sweep.played;
            wrong += sweep.wrong.len();
        }
    }
    say(&format!("cases {played}, wrong {wrong}"));
    Ok(wrong == 0)
}

fn case(args: &CaseArgs) -> Result<bool, Failure> {
    let case = Case { to: args.to, seed: args.seed, runs: args.runs.clone() };
    let outcome = stage()?.play(&case);
    if !outcome.fired {
        say("the fault did not come about: the first run makes fewer such calls");
    }
    outcome.troubles.iter().for_each(|why| say(&format!("a worker said: {why}")));
    let wrong = outcome.wrong();
    let verdict = wrong.as_deref().unwrap_or("nothing lost, nothing doubled");
    say(&format!("{} records acknowledged: {verdict}", outcome.acknowledged));
    Ok(wrong.is_none())
}
