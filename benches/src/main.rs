//! Writes the workloads to files, for `selvedge load` and for the programs selvedge is compared with.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use selvedge_benches::orders;

/// Workloads to measure selvedge with.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes a workload as batches of the Import API, one JSON object a line.
    #[command(subcommand)]
    Generate(Workload),
}

#[derive(Debug, Subcommand)]
enum Workload {
    /// Flat orders under an integer key: one message in five is a key sent before, one in fifty comes too late.
    Orders(Output),
}

#[derive(Debug, Args)]
struct Output {
    /// Messages in all, about 370 bytes each.
    #[arg(long)]
    messages: u64,
    /// Messages a batch; the Import API takes 20,000 at most.
    #[arg(long, default_value = "10000", value_name = "MESSAGES")]
    batch: NonZeroU64,
    /// The file to write; it is replaced if it is there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let Cli { command: Command::Generate(Workload::Orders(output)) } = Cli::parse();
    match generate_orders(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("error: {} could not be written: {cause}", output.out.display());
            eprintln!("Name a file in a folder that can be written and has room, with --out.");
            ExitCode::FAILURE
        }
    }
}

fn generate_orders(output: &Output) -> io::Result<()> {
    let mut file = File::create(&output.out)?;
    let bar = ProgressBar::new(output.messages).with_style(style());
    let summary = orders::write_batches(&mut file, output.messages, output.batch, |summary| {
        bar.set_position(summary.messages());
    })?;
    bar.finish_and_clear();
    let orders::Summary { batches, bytes, keys, updates, late } = summary;
    writeln!(
        io::stdout(),
        "{}: {} messages in {batches} batches, {} MB: {keys} keys, {updates} updates, {late} late",
        output.out.display(),
        summary.messages(),
        bytes / 1_000_000,
    )
}

// The default style shows neither speed nor the time left; a template that does not parse would fall back to it.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} messages, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
