//! Processes killed at random moments and at calls to their disk lose nothing and double nothing: a sample of what the program
//! `crash` plays in full.

use std::process::Command;

/// Fails with what the program told, which names the case and how to play it again.
#[track_caller]
fn check(arguments: &str, ends: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_crash")).args(arguments.split_whitespace()).output().unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.trim_end().ends_with(ends), "crash {arguments}\n{told}{failed}");
}

#[test]
fn random_kills() {
    check("--kills 200", "lost 0, doubled 0");
}

/// Also with what was not synced dropped, torn or reordered, and a second time while it recovers.
#[test]
fn kills_in_the_place_of_calls() {
    check("matrix --only kill --every 5", "wrong 0");
}
