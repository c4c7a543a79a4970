//! Parts of checks that run in a process of their own, because it is to be killed or measured.
//!
//! The process is the running test once more: it comes to the same call of the kit, which finds in the environment what is
//! asked of it, does that instead, and ends.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::checks::{crash, memory};
use crate::failure::{Checked, Failure};
use crate::kit::Kit;

/// Where the process finds its task.
const TASK: &str = "SELVEDGE_CONFORMANCE_TASK";
/// Tells glibc to ask the system for every large piece of memory, and to give it back when it is freed. Left alone it keeps
/// such pieces, for each thread its own, and the measure tells how threads took turns: 244 to 342 MiB for one and the same
/// work.
const GIVE_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

/// What the process does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) what: What,
    /// The destination's folder.
    pub(crate) destination: PathBuf,
    /// Where it tells how far it is.
    pub(crate) told: PathBuf,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum What {
    /// Loads until it is killed.
    Load,
    /// Loads and reads, and tells how much memory that took.
    Measure,
}

/// In a process that was started for a task: does it, and does not come back.
#[expect(clippy::exit, reason = "the rest of the test belongs to the process that started this one")]
#[expect(clippy::print_stderr, reason = "the process that started this one shows it")]
pub(crate) fn serve(kit: &Kit) {
    let Ok(task) = env::var(TASK) else { return };
    if let Err(failure) = serde_json::from_str(&task).map_err(Failure::from).and_then(|task| carry_out(kit, &task)) {
        eprintln!("{failure}");
        process::exit(1);
    }
    process::exit(0);
}

fn carry_out(kit: &Kit, task: &Task) -> Checked {
    match task.what {
        What::Load => crash::load_for_ever(kit, task),
        What::Measure => memory::load_and_read(kit, task),
    }
}

/// Starts this test once more, for a task.
pub(crate) fn start(task: &Task) -> Result<Child, Failure> {
    let mut command = Command::new(env::current_exe()?);
    // The test harness names a test's thread after it. A program that is no test is started as it was.
    match thread::current().name() {
        Some(test) if test != "main" => command.args([test, "--exact", "--include-ignored", "--nocapture"]),
        _ => command.args(env::args_os().skip(1)),
    };
    command.envs([(TASK, serde_json::to_string(task)?.as_str()), GIVE_BACK]).stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command.spawn()?)
}

/// What a process has told so far: its lines that are whole.
pub(crate) fn told(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
}
