//! For which destinations a queue keeps records.

use crate::{Place, Run, batch};

/// Two records of `t` in `demo.db`, and two in no destination any longer, whose queue is `q`.
fn loaded() -> Place {
    let place = Place::new();
    for (name, sequence) in [("1.json", 1), ("2.json", 2)] {
        place.write(name, batch(sequence, r#"{"id":1,"v":"a"};{"id":2,"v":"a"}"#));
        place.run(&format!("load {name} --to sqlite:demo.db --data q")).expect_code(0);
    }
    place
}

#[track_caller]
fn check_list(place: &Place, expected: &str) {
    let Run { stdout, .. } = place.run("destination list --data q").expect_code(0);
    // The moments differ from run to run.
    let shown: Vec<&str> = stdout.lines().map(|line| line.split(", received since ").next().unwrap()).collect();
    assert_eq!(shown.join("\n"), expected);
}

#[test]
fn added_listed_and_removed() {
    let place = loaded();
    let add = "destination add sqlite:copy.db --data q";
    let run = place.run(add).expect_code(0);
    let run =
        run.expect_stdout("sqlite:copy.db is registered with the queue in q: records are kept until they are loaded");
    run.expect_stdout("\n  t: complete from batch 3 on, received since 20")
        .expect_stdout("Z; 4 records before that are no longer kept\n");
    assert!(!place.path("copy.db").exists(), "nothing is loaded yet");
    place
        .run(add)
        .expect_code(0)
        .expect_stdout("was registered with the queue in q before; nothing has changed\n  t: ");
    place.write("3.json", batch(3, r#"{"id":3,"v":"a"}"#));
    place.run("load 3.json --to sqlite:demo.db --data q").expect_code(0);
    check_list(
        &place,
        "destination     table  waiting  complete\n\
         sqlite:demo.db  t            0  from the beginning\n\
         sqlite:copy.db  t            1  from batch 3 on",
    );
    place.write("4.json", batch(3, r#"{"id":4,"v":"a"}"#));
    place.run("load 4.json --to sqlite:copy.db --data q").expect_code(0);
    assert_eq!(crate::rows(&place.path("copy.db"), "t", "id"), ["3", "4"], "what was kept is loaded");
    let run = place.run("destination remove sqlite:copy.db --data q").expect_code(0);
    assert_eq!(run.stdout, "sqlite:copy.db is removed from the queue in q; what is loaded in it stays as it is\n");
    assert_eq!(crate::rows(&place.path("copy.db"), "t", "id"), ["3", "4"], "its own file is not touched");
    check_list(
        &place,
        "destination     table  waiting  complete\n\
         sqlite:demo.db  t            1  from the beginning",
    );
}

#[test]
fn removed_while_records_wait() {
    let place = loaded();
    place.run("destination add parquet:lake --data q").expect_code(0);
    place.write("3.json", batch(3, r#"{"id":3,"v":"a"};{"id":4,"v":"a"}"#));
    place.write("u.jsonl", "{\"n\":1}\n");
    place.run("load 3.json --to sqlite:demo.db --data q").expect_code(0);
    place.run("load u.jsonl --table u --to sqlite:demo.db --data q").expect_code(0);
    let remove = "destination remove parquet:lake --data q";
    let run = place.run(remove).expect_code(1);
    run.expect_stderr(
        "2 records of t and 1 record of u wait for parquet:lake: load something with --to parquet:lake --data q",
    )
    .expect_stderr("or give them up with --give-up-waiting");
    check_list(
        &place,
        "destination     table  waiting  complete\n\
         sqlite:demo.db  t            0  from the beginning\n\
         sqlite:demo.db  u            0  from the beginning\n\
         parquet:lake    t            2  from batch 3 on\n\
         parquet:lake    u            1  from the beginning",
    );
    let run = place.run(&format!("{remove} --give-up-waiting")).expect_code(0);
    run.expect_stdout("parquet:lake is removed from the queue in q").expect_stdout("2 records of t and 1 record of u");
    assert!(!place.path("lake").exists());
}

#[test]
fn the_last_one_removed() {
    let place = loaded();
    let run = place.run("destination remove sqlite:demo.db --data q").expect_code(0);
    run.expect_stdout("no destination is left: all records are kept until one is added\n");
    let run = place.run("destination list --data q").expect_code(0);
    run.expect_stdout("no destination is registered with the queue in q; a load into one registers it");
}

#[test]
fn one_the_queue_does_not_know() {
    let place = loaded();
    let run = place.run("destination remove sqlite:dmeo.db --data q").expect_code(1);
    run.expect_stderr("sqlite:dmeo.db is not registered").expect_stderr("registered there: sqlite:demo.db");
}

#[test]
fn a_queue_that_is_not_there() {
    for command in ["add sqlite:x.db", "remove sqlite:x.db", "list"] {
        let place = Place::new();
        let run = place.run(&format!("destination {command} --data missing")).expect_code(1);
        run.expect_stderr("there is no queue in missing");
        assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0, "{command}: it made something");
    }
}

#[test]
fn a_load_into_a_later_destination_warns() {
    let place = loaded();
    place.write("3.json", batch(3, r#"{"id":3,"v":"a"}"#));
    let load = "load 3.json --to sqlite:demo.db --to sqlite:late.db --data q";
    let run = place.run(load).expect_code(0);
    run.expect_stderr("sqlite:late.db is new to this queue and gets t from batch 3 on, received since 20")
        .expect_stderr("; 4 records before that are no longer kept\n");
    place.write("4.json", batch(4, r#"{"id":4,"v":"a"}"#));
    let again = place.run(&load.replace("3.json", "4.json")).expect_code(0);
    assert_eq!(again.stderr, "", "it is told once");
}
