//! Killed at any moment and run again, a load ends as if it had never been killed.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

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
