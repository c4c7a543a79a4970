//! Every check finds a destination that is broken in the way it is about.

use std::io::Write;

use selvedge_conformance::{Twin, Verdict, names, twins};

/// Checks that run a part in another process, which starts this test once more: each has a test of its own, because there
/// the first kit has to be the one that is meant.
const IN_A_PROCESS: [&str; 2] = ["crash", "bounded_memory"];

/// Runs a check on the twins it has to find.
#[track_caller]
fn check(name: &str) -> Vec<Twin> {
    let broken: Vec<Twin> = twins().into_iter().filter(|twin| twin.found_by.contains(&name)).collect();
    assert!(!broken.is_empty(), "no broken destination shows that the check `{name}` can fail");
    for twin in &broken {
        let line = twin.kit().run_one(name).unwrap();
        assert!(matches!(line.verdict, Verdict::Fails(_)), "`{name}` does not find that {} {}", twin.name, twin.says);
    }
    broken
}

#[test]
fn every_check_finds_a_twin() {
    let mut table = String::from("\ncheck                           finds\n");
    for name in names() {
        let found = if IN_A_PROCESS.contains(&name) {
            twins().into_iter().filter(|twin| twin.found_by.contains(&name)).collect()
        } else {
            check(name)
        };
        assert!(!found.is_empty(), "no broken destination shows that the check `{name}` can fail");
        for Twin { name: twin, says, .. } in found {
            table.push_str(&format!("{name:30}  {twin}: {says}\n"));
        }
    }
    writeln!(std::io::stdout(), "{table}").unwrap();
}

#[test]
fn every_twin_is_found_by_checks_there_are() {
    for twin in twins() {
        for check in twin.found_by {
            assert!(names().contains(check), "{} names the check `{check}`, which there is not", twin.name);
        }
    }
}

#[test]
fn kills_find_a_twin() {
    check("crash");
}

#[test]
fn growth_finds_a_twin() {
    check("bounded_memory");
}
