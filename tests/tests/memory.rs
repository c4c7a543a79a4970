//! However large the batches, the table and the backlog are, memory is bounded: each case in small, with the measuring program.

use std::process::Command;

#[test]
fn the_budget_holds() {
    let output = Command::new(env!("CARGO_BIN_EXE_memory")).args(["--scale", "0.02"]).output().unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{failed}");
    // A line for the heading, and one for each of five cases and three destinations.
    assert_eq!(told.lines().count(), 1 + 5 * 3, "{told}");
}
