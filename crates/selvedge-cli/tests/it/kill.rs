//! Killed or stopped at any moment and run again, a load ends as if that had never been.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Place;

const RECORDS: u64 = 200_000;

/// Records of which every third key comes again, with another value; wide enough for several commits of the queue.
fn lines() -> String {
    let pad = "x".repeat(200);
    let line = |n: u64| format!("{{\"id\":{},\"v\":{n},\"pad\":\"{pad}\"}}\n", n % (RECORDS * 3 / 4));
    (0..RECORDS).map(line).collect()
}

/// Kills the command after ever longer times, until it ends by itself, and checks the table.
fn check(arguments: &str, first_delay: Duration, rows: &str) {
    let place = Place::new();
    place.write("t.jsonl", lines());
    let mut delay = first_delay;
    let mut kills = 0;
    loop {
        let mut command = place.command(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(delay);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        delay = delay * 3 / 2;
    }
    assert!(kills > 0, "it was done within {first_delay:?}: nothing was tested");
    let run = place.run(&format!("{arguments} --report json")).expect_code(0);
    assert_eq!(run.counts("sqlite:demo.db", "t"), [0, 0, 0, RECORDS], "{}", run.stdout);
    assert_eq!(place.rows("t", "count(*), count(DISTINCT v), sum(v), sum(id)"), [rows], "{arguments}, {kills} kills");
}

/// Who is asked to end does so soon, says so by the code, and leaves nothing for the next run to clear away.
#[test]
fn stopped_by_a_signal() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let place = Place::new();
        place.write("t.jsonl", lines());
        let arguments = "load t.jsonl --table t --to sqlite:demo.db --data q";
        let mut command = place.command(arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until(|| place.path("q/queue.db").exists());
        thread::sleep(Duration::from_millis(50));
        let asked = Instant::now();
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let run = crate::Run::from(child.wait_with_output().unwrap()).expect_code(code);
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert!(run.stderr.contains("what was accepted is in the queue"), "{}", run.stderr);
        assert!(!place.path("q/queue.db-wal").exists(), "the queue was closed");
        place.run(arguments).expect_code(0);
        assert_eq!(place.rows("t", "count(*), count(DISTINCT v)"), [format!("{RECORDS}|{RECORDS}")]);
    }
}

/// The standard input may say nothing for as long as it likes.
#[test]
fn stopped_twice_it_ends_at_once() {
    let place = Place::new();
    let mut command = place.command("load - --to sqlite:demo.db --data q");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    wait_until(|| place.path("q").exists() || child.try_wait().unwrap().is_some());
    for _ in 0..100 {
        assert!(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap().success());
        thread::sleep(Duration::from_millis(50));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(!status.success());
            drop(input);
            return;
        }
    }
    panic!("it does not end");
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "what the test waits for does not come");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_keyed_table() {
    // The last value of each key: of the first third of them the one that came again.
    let (keys, again) = (RECORDS * 3 / 4, RECORDS / 4);
    let values: u64 = (again..RECORDS).sum();
    let ids: u64 = (0..keys).sum();
    let rows = format!("{keys}|{keys}|{values}|{ids}");
    check("load t.jsonl --table t --key id --to sqlite:demo.db", Duration::from_millis(70), &rows);
}

#[test]
fn a_keyless_table() {
    let values: u64 = (0..RECORDS).sum();
    let ids: u64 = (0..RECORDS).map(|n| n % (RECORDS * 3 / 4)).sum();
    let rows = format!("{RECORDS}|{RECORDS}|{values}|{ids}");
    check("load t.jsonl --table t --to sqlite:demo.db", Duration::from_millis(50), &rows);
}

#[test]
fn other_destinations_after_a_kill() {
    let place = Place::new();
    // Refused in the middle, the file is as unfinished as after a kill.
    place.write("bad.jsonl", lines().replace("\"v\":150000,", "x"));
    place.run("load bad.jsonl --table t --key id --data q --to sqlite:demo.db").expect_code(3);
    let other = "load bad.jsonl --table t --key id --data q --to sqlite:other.db";
    place.run(other).expect_code(1).expect_stderr(
        "an earlier load of bad.jsonl into sqlite:demo.db was stopped halfway; run again with the same --to, so that it is \
         finished",
    );
}
