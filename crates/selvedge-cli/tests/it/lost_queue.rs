//! A queue's folder that was deleted, replaced, or restored from an older copy.

use std::fs;

use crate::{Place, batch};

/// A record loaded into `demo.db` through its queue.
fn loaded() -> Place {
    let place = Place::new();
    place.write("1.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.write("2.json", batch(2, r#"{"id":2,"v":"b"}"#));
    place.run("load 1.json --to sqlite:demo.db").expect_code(0);
    place
}

/// The queue that the table `t` in `demo.db` was loaded from.
fn queue_of_table(place: &Place) -> String {
    place.rows("_sdc_tables", "queue_id").remove(0)
}

#[test]
fn a_deleted_queue() {
    let place = loaded();
    let lost = queue_of_table(&place);
    fs::remove_dir_all(place.path("demo.db.queue")).unwrap();
    let refused = place.run("load 2.json --to sqlite:demo.db").expect_code(1);
    let refused =
        refused.expect_stderr(&format!("t in sqlite:demo.db was loaded from queue {lost}, and this is queue "));
    refused.expect_stderr("(`--adopt`)");
    assert_eq!(place.rows("t", "id, v"), ["1|a"]);

    place.run("load 2.json --to sqlite:demo.db --adopt").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
    assert_ne!(queue_of_table(&place), lost);
    // From now on the table is the new queue's.
    place.run("load 1.json --to sqlite:demo.db").expect_code(0);
    place.run("verify sqlite:demo.db").expect_code(0).expect_stdout("     2        2  holds\n");
}

#[test]
fn a_table_without_a_key_gets_records_again() {
    let place = Place::new();
    place.write("t.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    let load = "load t.jsonl --table t --to sqlite:demo.db";
    place.run(load).expect_code(0);
    fs::remove_dir_all(place.path("demo.db.queue")).unwrap();
    place.run(&format!("{load} --adopt")).expect_code(0);
    assert_eq!(place.rows("t", "n"), ["1", "1", "2", "2"]);
    place.run("verify sqlite:demo.db").expect_code(0).expect_stdout("     4        4  holds\n");
}

#[test]
fn a_queue_restored_from_an_older_copy() {
    let place = loaded();
    fs::create_dir(place.path("older")).unwrap();
    for entry in fs::read_dir(place.path("demo.db.queue")).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), place.path("older").join(entry.file_name())).unwrap();
    }
    place.run("load 2.json --to sqlite:demo.db").expect_code(0);
    fs::remove_dir_all(place.path("demo.db.queue")).unwrap();
    fs::rename(place.path("older"), place.path("demo.db.queue")).unwrap();

    place.write("3.json", batch(3, r#"{"id":3,"v":"c"}"#));
    let queue = queue_of_table(&place);
    for options in ["", "--adopt"] {
        let refused = place.run(&format!("load 3.json --to sqlite:demo.db {options}")).expect_code(1);
        refused
            .expect_stderr(&format!("t in sqlite:demo.db is at batch 2 of queue {queue}, but this copy of the queue "))
            .expect_stderr(": an older copy of the queue was restored");
        assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"], "{options}");
    }
}
