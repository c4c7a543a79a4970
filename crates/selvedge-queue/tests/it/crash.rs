//! Processes that end while they append: killed, or by a disk that refuses to write.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use selvedge_queue::{Cursor, EmbeddedQueue, Queue, QueueError, SealedBody};

use crate::{append, batch, bounds, noise, open, table};

const ROLE: &str = "SELVEDGE_QUEUE_CHILD_ROLE";
const FOLDER: &str = "SELVEDGE_QUEUE_CHILD_FOLDER";

#[test]
fn every_receipt_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut receipts = BTreeMap::new();
    for round in 0..6 {
        let mut child = child("append", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = wait_for_receipt(&mut output);
        thread::sleep(Duration::from_millis(RandomState::new().build_hasher().finish() % 120));
        child.kill().unwrap();
        output.read_to_string(&mut lines).unwrap();
        child.wait().unwrap();
        receipts.extend(receipts_in(&lines));
        check_receipts(folder.path(), &receipts, round);
    }
}

#[test]
fn the_first_failed_write_stops_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let lines = run_child("append", folder.path());
    let (receipts, errors): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.starts_with("receipt"));
    let calls = ["append", "again", "set_cursor", "register", "unregister", "acknowledge", "set_paused"];
    let calls = calls.into_iter().chain(["keep_for_replay", "prune_kept", "restart_table", "drop_table"]);
    let stopped: Vec<_> = calls
        .chain(["forget_repeats", "replace_body", "erase_deleted"])
        .map(|call| format!("{call} Stopped"))
        .collect();
    assert_eq!(errors, stopped.iter().chain([&"reads on".to_owned()]).collect::<Vec<_>>());

    let receipts = receipts.iter().flat_map(|line| receipts_in(&format!("{line}\n"))).collect();
    check_receipts(folder.path(), &receipts, 0);
    append(&open(folder.path()), batch("kept", b"after the restart"));
}

/// What the child prints, when it may not write files beyond some 20 MB, as on a full disk.
pub(crate) fn run_child(role: &str, folder: &Path) -> Vec<String> {
    let output = child(role, folder).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let said = |line: &&str| ["receipt ", "reads on", "opened", "refused "].iter().any(|word| line.starts_with(word));
    lines.lines().filter(|line| said(line) || line.ends_with(" Stopped")).map(str::to_owned).collect()
}

/// This test binary again, as [`in_another_process`]; `sh` sets the limit and lets a write beyond it fail.
fn child(role: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 40000; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["crash::in_another_process", "--exact", "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env(FOLDER, folder);
    command
}

fn wait_for_receipt(output: &mut impl BufRead) -> String {
    let mut lines = String::new();
    while !lines.contains("receipt ") {
        assert_ne!(output.read_line(&mut lines).unwrap(), 0, "the child ended: {lines}");
    }
    lines
}

/// Batch number and body of each receipt; a last line cut short is none.
fn receipts_in(lines: &str) -> Vec<(u64, String)> {
    let whole = lines.rfind('\n').map_or("", |end| &lines[..end]);
    let receipt = |line: &str| {
        let (number, body) = line.strip_prefix("receipt ")?.split_once(' ')?;
        Some((number.parse().unwrap(), body.to_owned()))
    };
    whole.lines().filter_map(receipt).collect()
}

#[track_caller]
fn check_receipts(folder: &Path, receipts: &BTreeMap<u64, String>, round: u64) {
    assert!(!receipts.is_empty());
    let queue = open(folder);
    for (number, seed) in receipts {
        assert!(queue.body(*number).is_ok_and(|body| body == kept_body(seed)), "round {round}: batch {number} is lost");
    }
    let kept = bounds(&queue, "kept");
    let stored = queue.read(&table("kept"), 0, usize::MAX).unwrap();
    assert_eq!((kept.accepted, kept.kept_records), (stored.len() as u64, stored.len() as u64));
}

/// A body that begins with `seed`, one in eight of them long.
fn kept_body(seed: &str) -> Vec<u8> {
    let number: u64 = seed.split(' ').next_back().unwrap().parse().unwrap();
    let length = if number.is_multiple_of(8) { 300_000 } else { 100 };
    [seed.as_bytes(), &noise(number, length)].concat()
}

#[test]
#[ignore = "the other process of the tests here"]
fn in_another_process() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    match role.as_str() {
        "open" => match EmbeddedQueue::open(folder) {
            Ok(_) => say("\nopened"),
            Err(error) => say(&format!("\nrefused {:?}", error.kind())),
        },
        "append" => append_until_it_fails(&open(Path::new(&folder))),
        role => panic!("no such role: {role}"),
    }
}

/// Four threads append and print their receipts; a second table is acknowledged at once, so that deleting goes on too.
fn append_until_it_fails(queue: &EmbeddedQueue) {
    queue.register("warehouse", 0).unwrap();
    append(queue, batch("loaded", &noise(0, 100)));
    say("");
    let process = std::process::id();
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                (0..).try_for_each(|number| append_one(queue, &format!("{process} {thread} {number}"))).unwrap_err()
            });
        }
    });
    let stopped = |call: &str, error: QueueError| say(&format!("{call} {:?}", error.kind()));
    stopped("append", append_one(queue, "0").unwrap_err());
    stopped("again", append_one(queue, "0").unwrap_err());
    stopped("set_cursor", queue.set_cursor(Cursor { source: "s".into(), state: "1".into() }).unwrap_err());
    stopped("register", queue.register("lake", 0).unwrap_err());
    stopped("unregister", queue.unregister("warehouse").unwrap_err());
    stopped("acknowledge", queue.acknowledge("warehouse", &table("loaded"), 1).unwrap_err());
    let loaded = table("loaded");
    stopped("set_paused", queue.set_paused(&loaded, None).unwrap_err());
    stopped("keep_for_replay", queue.keep_for_replay(&loaded, &[1]).unwrap_err());
    stopped("prune_kept", queue.prune_kept(0).unwrap_err());
    stopped("restart_table", queue.restart_table("warehouse", &loaded, 0).unwrap_err());
    stopped("drop_table", queue.drop_table(&loaded, 0).unwrap_err());
    stopped("forget_repeats", queue.forget_repeats(&loaded).unwrap_err());
    stopped("replace_body", queue.replace_body(1, SealedBody::seal(b"")).unwrap_err());
    stopped("erase_deleted", queue.erase_deleted().unwrap_err());
    if !queue.read(&table("kept"), 0, 10).unwrap().is_empty() {
        say("reads on");
    }
}

fn append_one(queue: &EmbeddedQueue, seed: &str) -> Result<(), QueueError> {
    let appended = queue.append(vec![batch("kept", &kept_body(seed)), batch("loaded", seed.as_bytes())])?;
    say(&format!("receipt {} {seed}", appended[0].batch));
    queue.acknowledge("warehouse", &table("loaded"), appended[1].batch)
}

/// Prints a line at once and in one piece.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("{line}\n").as_bytes()).unwrap();
    output.flush().unwrap();
}
