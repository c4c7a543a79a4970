//! Wrong usage and failures: their codes, and what to do next.

use std::fs;

use crate::{Place, batch};

#[test]
fn wrong_usage() {
    let check = |arguments: &str, expected: &str| {
        let place = Place::new();
        place.write("a.json", batch(1, r#"{"id":1}"#));
        let run = place.run(arguments).expect_code(2).expect_stderr(expected);
        assert_eq!(run.stdout, "", "{arguments}");
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1, "{arguments}: it made something");
    };
    check("load a.json", "--to <DESTINATION>");
    check("load --to sqlite:demo.db", "<INPUT>");
    check("load a.json --to demo.db", "write sqlite:FILE, duckdb:FILE or parquet:FOLDER");
    check("load a.json --to sqlite:x --to sqlite:x", "sqlite:x stands in the command twice; write it once");
    check("load - - --to sqlite:x", "write `-` once");
    check("load a.json --to sqlite:x --key id", "--table");
    check("load a.json --to sqlite:x --sequence id", "--table");
    check("load a.json --to sqlite:x --table _sdc_x", "selvedge's own");
    check("load a.json --to sqlite:x --integration a__b", "holds `__`");
    check("load a.json --to sqlite:x --report xml", "json");
    check("load a.json --to sqlite:x --rejected-kept 30", "write a whole number and its unit: 30d, 12h, 15m or 10s");
    check("load a.json --to sqlite:x --paused-limit 1GB", "write a whole number and its unit: 1GiB, 512MiB or 64KiB");
    check("verify", "<DESTINATION>");
    check("verify demo.db", "write sqlite:FILE, duckdb:FILE or parquet:FOLDER");
    check("verify sqlite:x sqlite:x", "sqlite:x stands in the command twice; write it once");
    check("destination list", "--data <FOLDER>");
    check("destination add demo.db --data q", "write sqlite:FILE, duckdb:FILE or parquet:FOLDER");
    check("view sqlite:x", "--of <TABLE>");
    check("unload a.json", "unload");
}

#[cfg(not(feature = "duckdb"))]
#[test]
fn duckdb_in_a_build_without_it() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1}"#));
    place.run("load a.json --to duckdb:x.duckdb").expect_code(2).expect_stderr(
        "this selvedge was built without DuckDB; build it with: cargo run --release -p selvedge-cli --features duckdb -- …",
    );
}

#[test]
fn help_teaches() {
    let check = |command: &str, parts: &[&str]| {
        let help = Place::new().run(&format!("{command} --help")).expect_code(0).stdout;
        for part in parts.iter().chain(&["Exit codes:"]) {
            assert!(help.contains(part), "{part}: {help}");
        }
    };
    check("load", &["selvedge load customers.json --to sqlite:demo.db", "Standard input cannot be read again"]);
    check("verify", &["selvedge verify sqlite:demo.db parquet:lake", "two destinations cannot be compared"]);
    check("view", &["selvedge view sqlite:demo.db --of orders", "whichever"]);
    check("destination", &["selvedge destination add parquet:lake", "stays as it is"]);
}

#[test]
fn failures() {
    let check = |arguments: &str, expected: &str| {
        let place = Place::new();
        place.write("a.json", batch(1, r#"{"id":1}"#));
        fs::create_dir(place.path("folder")).unwrap();
        place.run(arguments).expect_code(1).expect_stderr(expected);
        assert!(!place.path("q").exists(), "{arguments}: it made a queue");
    };
    check("load missing.json --to sqlite:x --data q", "missing.json cannot be read; check its name");
    check("load folder --to sqlite:x --data q", "folder is not a file; name the files in it");
    check("load a.json --to sqlite:folder --data q", "the destination sqlite:folder cannot be opened: ");
    check("load a.json --to parquet:a.json --data q", "the destination parquet:a.json cannot be opened: ");
}

#[test]
fn a_table_that_cannot_be_loaded() {
    let place = Place::new();
    place.write("a.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load a.json --to sqlite:demo.db").expect_code(0);
    // Another queue does not know how far the table is.
    let run = place.run("load a.json --to sqlite:demo.db --data other --report json").expect_code(1);
    let run = run.expect_stderr("1 record of t waits for sqlite:demo.db");
    let run = run.expect_stderr("Put right what is in the way and run the same command again");
    assert_eq!(run.report()["destinations"]["sqlite:demo.db"]["tables"]["t"]["waiting"], 1);
}
