//! The command `selvedge`, run as people run it; what it loaded is read back by other programs' libraries.

#![cfg(test)]

mod columns;
mod destinations;
mod kill;
mod lost_queue;
mod quick_start;
mod records;
mod refused;
mod registered;
mod rejected;
mod repeat;
mod tables;
mod usage;
mod verify;
mod view;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::Value;
use tempfile::TempDir;

/// A folder the command is run in.
struct Place {
    folder: TempDir,
}

/// What a run of the command left behind.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &str) -> Run {
        self.command(arguments).stdin(Stdio::null()).output().unwrap().into()
    }

    fn run_with_input(&self, arguments: &str, input: impl AsRef<[u8]>) -> Run {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_ref()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Changes `demo.db` behind selvedge's back.
    fn meddle(&self, statement: &str) {
        Connection::open(self.path("demo.db")).unwrap().execute_batch(statement).unwrap();
    }

    /// The rows of a table in `demo.db`, as text: the columns named, ordered by them.
    fn rows(&self, table: &str, columns: &str) -> Vec<String> {
        rows(&self.path("demo.db"), table, columns)
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn expect_stderr(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "expected: {part}\nstderr: {}", self.stderr);
        self
    }

    #[track_caller]
    fn expect_stdout(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "expected: {part}\nstdout: {}", self.stdout);
        self
    }

    /// The report, which is all there is on standard output.
    #[track_caller]
    fn report(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// How many records of a table were accepted, loaded, superseded and repeated.
    #[track_caller]
    fn counts(&self, destination: &str, table: &str) -> [u64; 4] {
        let report = self.report();
        let counts = &report["destinations"][destination]["tables"][table];
        ["accepted", "loaded", "superseded", "repeated"].map(|name| counts[name].as_u64().unwrap_or_default())
    }
}

fn rows(database: &Path, table: &str, columns: &str) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY {columns}")).unwrap();
    let width = statement.column_count();
    let row = |row: &rusqlite::Row| {
        let cells: Vec<String> =
            (0..width).map(|index| row.get(index).map(|cell| text(&cell))).collect::<Result<_, _>>()?;
        Ok(cells.join("|"))
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Real(value) => format!("{value:?}"),
        Cell::Text(value) => value.clone(),
        Cell::Blob(value) => format!("{value:?}"),
    }
}

/// A batch for the table `t` with an integer key, as one line.
fn batch(sequence: u64, records: &str) -> String {
    let messages: Vec<String> = records
        .split(';')
        .map(|record| format!(r#"{{"action":"upsert","sequence":{sequence},"data":{record}}}"#))
        .collect();
    format!(
        r#"{{"table_name":"t","schema":{{"properties":{{"id":{{"type":"integer"}},"v":{{"type":"string"}}}}}},"key_names":["id"],"messages":[{}]}}"#,
        messages.join(",")
    )
}
