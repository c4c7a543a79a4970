//! The library that is loaded before a program and spoils its calls, `shim/fault.c`: compiled, and told what to do.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use tempfile::TempDir;

use crate::failure::Failure;
use crate::names::{name_of, named};

const SOURCE: &str = include_str!("../shim/fault.c");

/// The library, for as long as this value is there.
#[derive(Debug)]
pub struct Shim {
    object: PathBuf,
    _folder: TempDir,
}

impl Shim {
    /// Compiles it.
    ///
    /// # Errors
    /// When there is no C compiler, or this is not Linux with glibc.
    pub fn build() -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let (source, object) = (folder.path().join("fault.c"), folder.path().join("fault.so"));
        fs::write(&source, SOURCE)?;
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&object, &source]).output();
        let compiled = compiled.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::new("there is no C compiler: install one that is called `cc`"),
            _ => Failure::from(error).during("the C compiler `cc` could not be started"),
        })?;
        if !compiled.status.success() {
            let told = String::from_utf8_lossy(&compiled.stderr);
            return Err(Failure::new(format!(
                "tests/shim/fault.c could not be compiled; it is for Linux with glibc: {told}"
            )));
        }
        Ok(Self { object, _folder: folder })
    }

    /// Lets it spoil what the command does under `root`. The seed decides how many bytes are the first.
    pub(crate) fn spoil(&self, command: &mut Command, root: &Path, fault: &Fault, seed: u64, record: &Record) {
        command.env("LD_PRELOAD", &self.object).env("SELVEDGE_FAULT_SEED", seed.to_string());
        command.env("SELVEDGE_FAULT_ROOT", root).env("SELVEDGE_FAULT", fault.to_string());
        // The machine runs on, so it does not matter when the disk has what was written; what a power failure leaves is made
        // of the record.
        command.env("SELVEDGE_FAULT_SYNC", "skip").env("SELVEDGE_FAULT_LOG", &record.log);
        command.env("SELVEDGE_FAULT_DATA", &record.data).env("SELVEDGE_FAULT_TOLD", &record.told);
    }
}

/// Where it is told what the program did.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The calls that were made.
    pub(crate) log: PathBuf,
    /// The bytes that were written.
    pub(crate) data: PathBuf,
    /// What the program tells besides; its lines are among the calls.
    pub(crate) told: PathBuf,
}

/// What is to happen, and when: `kill any 17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub action: Action,
    /// The calls that are counted.
    pub class: Class,
    /// At which of them it happens, from 1.
    pub number: u64,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// The process is killed before it.
    Kill,
    /// The process is killed when the first bytes of a write are written.
    Cut,
    /// The first bytes of a write are written, and the program is told so.
    Short,
    /// It fails with EIO.
    Eio,
    /// It fails with EIO, and so do all of its class after it.
    EioOn,
    /// It fails with ENOSPC.
    Enospc,
    /// It fails with ENOSPC, and so do all of its class after it.
    EnospcOn,
}

/// Calls of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the calls")]
pub enum Class {
    /// Every one that may change something.
    Any,
    Open,
    Write,
    Fsync,
    Resize,
    Rename,
    Link,
    Unlink,
    Mkdir,
}

const ACTIONS: [(Action, &str); 8] = [
    (Action::None, "none"),
    (Action::Kill, "kill"),
    (Action::Cut, "cut"),
    (Action::Short, "short"),
    (Action::Eio, "eio"),
    (Action::EioOn, "eio-on"),
    (Action::Enospc, "enospc"),
    (Action::EnospcOn, "enospc-on"),
];

const CLASSES: [(Class, &str); 9] = [
    (Class::Any, "any"),
    (Class::Open, "open"),
    (Class::Write, "write"),
    (Class::Fsync, "fsync"),
    (Class::Resize, "resize"),
    (Class::Rename, "rename"),
    (Class::Link, "link"),
    (Class::Unlink, "unlink"),
    (Class::Mkdir, "mkdir"),
];

impl Fault {
    /// No fault: calls are only counted.
    pub const NONE: Self = Self { action: Action::None, class: Class::Any, number: 1 };

    /// A kill in place of the call of this number.
    pub fn kill(number: u64) -> Self {
        Self { action: Action::Kill, class: Class::Any, number }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, class, number } = self;
        write!(f, "{} {} {number}", name_of(action, &ACTIONS), name_of(class, &CLASSES))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [action, class, number] = words[..] else {
            return Err(format!("{text:?} is no fault; give an action, a class and a number, as in \"kill any 17\""));
        };
        Ok(Self {
            action: named(action, &ACTIONS)?,
            class: named(class, &CLASSES)?,
            number: number.parse().map_err(|_| format!("{number:?} is no number"))?,
        })
    }
}
