//! Columns left out or hashed, and what tables do about new ones.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::{Place, Run, batch};

/// What must not be stored.
const CANARY: &str = "canary-7f3a";
/// The file that is loaded, which holds it.
const INPUT: &str = "input";
/// The canary's HMAC-SHA-256 with the key `secret`.
const HASH: &str = "b56c30082e4a3e156edb13cab5dd0d2c991f5bb216357dcef03fdc15d8c8894a";

fn run_with_secret(place: &Place, secret: &str, arguments: &str) -> Run {
    let mut command = place.command(arguments);
    command.env("SELVEDGE_HASH_SECRET", secret).stdin(Stdio::null()).output().unwrap().into()
}

/// Whether a file of the queue or the destination holds the canary.
fn is_stored(place: &Place) -> bool {
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let written = files(place.path("")).filter(|path| path.is_file() && !path.ends_with(INPUT));
    let holds = |path: PathBuf| fs::read(path).unwrap().windows(CANARY.len()).any(|found| found == CANARY.as_bytes());
    written.chain(files(place.path("demo.db.queue"))).any(holds)
}

#[test]
fn of_plain_records() {
    let place = Place::new();
    let record = format!(r#"{{"id":1,"email":"{CANARY}","phone":{{"home":"{CANARY}","n":1}}}}"#);
    place.write(INPUT, record);
    let run = run_with_secret(
        &place,
        "secret",
        "load input --table t --key id --to sqlite:demo.db --exclude t:/email --hash t:/phone/home",
    );
    let Run { stdout, stderr, .. } = run.expect_code(0);
    assert!(!format!("{stdout}{stderr}").contains("secret"));
    assert_eq!(place.rows("t", "id, phone__home, phone__n"), [format!("1|{HASH}|1")]);
    assert_eq!(place.rows("pragma_table_info('t')", "name").iter().filter(|name| name.contains("email")).count(), 0);
    assert!(!is_stored(&place));
}

#[test]
fn of_batches() {
    let place = Place::new();
    place.write(INPUT, batch(1, &format!(r#"{{"id":1,"v":"{CANARY}"}}"#)));
    place.run("load input --to sqlite:demo.db").expect_code(0);
    assert!(is_stored(&place), "the test would not see it");

    let place = Place::new();
    place.write(INPUT, batch(1, &format!(r#"{{"id":1,"v":"{CANARY}"}}"#)));
    run_with_secret(&place, "secret", "load input --integration shop --to sqlite:demo.db --hash t:/v").expect_code(0);
    assert_eq!(place.rows("shop__t", "id, v"), [format!("1|{HASH}")]);
    assert!(!is_stored(&place));
}

#[test]
fn of_a_record_that_is_rejected() {
    let place = Place::new();
    place.write(INPUT, format!("{{\"id\":1,\"v\":\"{CANARY}\"}}\n{{\"id\":2,\"v\":\"{CANARY}\",\"n\":1e400}}"));
    place.run("load input --table t --key id --to sqlite:demo.db --exclude t:/v").expect_code(3);
    assert_eq!(place.rows("_sdc_rejected", "record"), [r#"{"id":2,"n":1e400}"#]);
    assert!(!is_stored(&place));
}

#[test]
fn new_columns_and_changed_types() {
    let check = |policies: &str, code: i32, columns: &str, rows: &[&str]| {
        let place = Place::new();
        place.write("1.jsonl", "{\"id\":1,\"n\":1}");
        place.write("2.jsonl", "{\"id\":2,\"n\":2.5,\"late\":true}");
        place.run("load 1.jsonl --table t --key id --to sqlite:demo.db").expect_code(0);
        place.run(&format!("load 2.jsonl --table t --key id --to sqlite:demo.db {policies}")).expect_code(code);
        assert_eq!(place.rows("t", columns), rows, "{policies}");
    };
    check("", 0, "id, n, n__do, late", &["1|1|null|null", "2|null|2.5|1"]);
    check("--changed-types widen --new-columns discard_column", 0, "id, n", &["1|1.0", "2|2.5"]);
    check("--new-columns discard_record", 3, "id, n", &["1|1"]);
    check("--changed-types reject", 3, "id, n", &["1|1"]);
    check("--new-columns freeze", 1, "id, n", &["1|1"]);
}

#[test]
fn a_key_that_is_left_out() {
    let place = Place::new();
    place.write("t.json", batch(1, r#"{"id":1}"#));
    place.run("load t.json --to sqlite:demo.db --exclude t:/id").expect_code(3).expect_stderr("have it hashed instead");
}

#[test]
fn rules_that_cannot_be_used() {
    let check = |secret: &str, arguments: &str, expected: &str| {
        let place = Place::new();
        place.write("a.json", batch(1, r#"{"id":1}"#));
        let arguments = format!("load a.json --to sqlite:demo.db {arguments}");
        run_with_secret(&place, secret, &arguments).expect_code(2).expect_stderr(expected);
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1, "{arguments}: it made something");
    };
    check("", "--hash t:/v", "--hash needs a secret; put at least 32 random bytes into the environment variable");
    check("", "--exclude email", "write TABLE:/POINTER, as in users:/email");
    check("", "--exclude t:email", "t:email cannot be excluded or hashed: `email` is no pointer to a property");
    check("", "--exclude _sdc_t:/v", "_sdc_t:/v cannot be excluded or hashed: the name `_sdc_t` begins with `_sdc`");
    check("s", "--exclude t:/v --hash t:/v/w", "t:/v/w cannot be excluded or hashed: `/v/w` lies within a property");
    check("", "--table t --exclude T:/v", "T:/v cannot be excluded or hashed: the table that is loaded is t");
    check("", "--new-columns never", "[possible values: evolve, freeze, discard_column, discard_record]");
    check("", "--changed-types never", "[possible values: split, widen, reject]");
}
