//! Which crate of the workspace may know which: the arrows the architecture allows, and no other.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// What each crate may use: `?` marks what only a feature brings in. Every crate of the workspace has a row.
const ARROWS: &[(&str, &str)] = &[
    ("selvedge-cli", "selvedge"),
    ("selvedge", "selvedge-core selvedge-engine selvedge-sqlite? selvedge-duckdb? selvedge-parquet?"),
    ("selvedge-engine", "selvedge-core selvedge-queue selvedge-prepare"),
    ("selvedge-queue", "selvedge-core"),
    ("selvedge-prepare", "selvedge-core"),
    ("selvedge-sqlite", "selvedge-core selvedge-sql"),
    ("selvedge-duckdb", "selvedge-core selvedge-sql"),
    ("selvedge-parquet", "selvedge-core"),
    ("selvedge-conformance", "selvedge-core selvedge-engine"),
    ("selvedge-sql", "selvedge-core"),
    ("selvedge-core", ""),
    ("selvedge-benches", ""),
    ("selvedge-tests", "selvedge"),
];

/// What the tests and benches of a crate may use besides.
const DEV_ARROWS: &[(&str, &str)] = &[
    ("selvedge-sqlite", "selvedge-conformance"),
    ("selvedge-duckdb", "selvedge-conformance"),
    ("selvedge-parquet", "selvedge-conformance"),
    // Its tests load into the destination in memory.
    ("selvedge-engine", "selvedge-conformance"),
    // Its example is a destination of one's own.
    ("selvedge", "selvedge-conformance"),
    ("selvedge-benches", "selvedge-prepare"),
    ("selvedge-tests", "selvedge-benches selvedge-conformance"),
];

#[test]
fn crates_use_only_what_the_architecture_allows() {
    let packages = packages();
    let crates: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let rows: BTreeSet<&str> = ARROWS.iter().map(|(from, _)| *from).collect();
    assert_eq!(crates, rows, "crates of the workspace (left), rows of the table (right)");
    check(ARROWS, &crates, &arrows(&packages, &crates, |kind| kind != "dev"));
    check(DEV_ARROWS, &crates, &arrows(&packages, &crates, |kind| kind == "dev"));
}

/// Fails on an arrow the table lacks, and on a table that names a crate there is not.
#[track_caller]
fn check(table: &[(&str, &str)], crates: &BTreeSet<&str>, found: &BTreeSet<String>) {
    let mut allowed = BTreeSet::new();
    for (from, uses) in table {
        for to in uses.split_whitespace() {
            let known = crates.contains(from) && crates.contains(to.trim_end_matches('?'));
            assert!(known, "no such crate: {from} -> {to}");
            allowed.insert(format!("{from} -> {to}"));
        }
    }
    let others: Vec<_> = found.difference(&allowed).collect();
    assert!(others.is_empty(), "not in the table of arrows: {others:?}");
}

/// The arrows between crates of the workspace whose kind is wanted, written as the table has them.
fn arrows(packages: &[Value], crates: &BTreeSet<&str>, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut arrows = BTreeSet::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            if crates.contains(to) && wanted(dependency["kind"].as_str().unwrap_or("normal")) {
                let mark = if dependency["optional"] == true { "?" } else { "" };
                arrows.insert(format!("{} -> {to}{mark}", package["name"].as_str().unwrap()));
            }
        }
    }
    arrows
}

/// The manifests of the workspace as cargo reads them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("cargo metadata names no packages: {other}"),
    }
}
