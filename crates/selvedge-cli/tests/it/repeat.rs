//! The same file again, under the same and other circumstances.

use crate::{Place, batch};

#[test]
fn a_finished_file_is_not_loaded_twice() {
    let place = Place::new();
    place.write("t.jsonl", "{\"v\":1}\n{\"v\":2}\n");
    let load = "load t.jsonl --table t --to sqlite:demo.db --report json";
    assert_eq!(place.run(load).expect_code(0).counts("sqlite:demo.db", "t"), [2, 2, 0, 0]);
    let second = place.run(load).expect_code(0).expect_stderr("t.jsonl was loaded before: nothing to do");
    assert_eq!(second.counts("sqlite:demo.db", "t"), [0, 0, 0, 2]);
    assert_eq!(place.rows("t", "v"), ["1", "2"]);
    // A file is its content: another name changes nothing, another content does.
    place.write("same.jsonl", "{\"v\":1}\n{\"v\":2}\n");
    place.write("other.jsonl", "{\"v\":3}\n");
    let both = place.run("load same.jsonl other.jsonl --table t --to sqlite:demo.db --report json").expect_code(0);
    assert_eq!(both.counts("sqlite:demo.db", "t"), [1, 1, 0, 2]);
    assert_eq!(place.rows("t", "v"), ["1", "2", "3"]);
}

#[test]
fn a_destination_that_was_removed_is_noticed() {
    let place = Place::new();
    place.write("t.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load t.json --to sqlite:demo.db").expect_code(0);
    std::fs::remove_file(place.path("demo.db")).unwrap();
    let run = place.run("load t.json --to sqlite:demo.db").expect_code(1);
    run.expect_stderr("t in sqlite:demo.db: sqlite:demo.db knows nothing of t");
}

#[test]
fn a_file_named_twice_is_loaded_once() {
    let place = Place::new();
    place.write("t.jsonl", "{\"v\":1}\n");
    let run = place.run("load t.jsonl t.jsonl --table t --to sqlite:demo.db --report json").expect_code(0);
    assert_eq!(run.counts("sqlite:demo.db", "t"), [1, 1, 0, 1]);
    assert_eq!(place.rows("t", "v"), ["1"]);
}

#[test]
fn other_options_are_another_load() {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":1}\n");
    for options in ["--table a", "--table b", "--table a --integration i"] {
        let run = place.run(&format!("load t.jsonl {options} --to sqlite:demo.db")).expect_code(0);
        assert_eq!(run.stderr, "", "{options}");
    }
}

#[test]
fn again_leaves_a_keyed_table_as_it_is() {
    let place = Place::new();
    let lines = [batch(1, r#"{"id":1,"v":"a"}"#), batch(2, r#"{"id":1,"v":"b"};{"id":2,"v":"c"}"#)];
    place.write("t.jsonl", lines.join("\n"));
    for again in ["", "--again", "--again"] {
        let run = place.run(&format!("load t.jsonl --to sqlite:demo.db --report json {again}")).expect_code(0);
        assert_eq!(run.counts("sqlite:demo.db", "t")[0], 3, "{again}: {}", run.stdout);
        assert_eq!(place.rows("t", "id, v, _sdc_sequence"), ["1|b|2", "2|c|2"], "{again}");
    }
}

#[test]
fn again_does_not_win_over_what_came_after() {
    let place = Place::new();
    place.write("old.jsonl", r#"{"id":1,"v":"old"}"#);
    place.write("new.jsonl", r#"{"id":1,"v":"new"}"#);
    for load in ["old.jsonl", "new.jsonl", "old.jsonl --again"] {
        place.run(&format!("load {load} --table t --key id --to sqlite:demo.db")).expect_code(0);
    }
    assert_eq!(place.rows("t", "v"), ["new"]);
}

#[test]
fn again_appends_to_a_keyless_table() {
    let place = Place::new();
    place.write("t.jsonl", "{\"v\":1}\n");
    place.run("load t.jsonl --table t --to sqlite:demo.db").expect_code(0);
    place.run("load t.jsonl --table t --to sqlite:demo.db --again").expect_code(0);
    assert_eq!(place.rows("t", "v"), ["1", "1"]);
}

#[test]
fn a_destination_added_later() {
    let place = Place::new();
    place.write("t.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load t.json --to sqlite:demo.db --data q").expect_code(0);
    let both = "load t.json --to sqlite:demo.db --to sqlite:new.db --data q --report json";
    let refused = place.run(both).expect_code(1);
    refused.expect_stderr(
        "t.json was loaded from this queue before sqlite:new.db was added; run again with --again, which leaves keyed tables \
         as they are",
    );
    let run = place.run(&format!("{both} --again")).expect_code(0);
    assert_eq!(run.counts("sqlite:new.db", "t"), [1, 1, 0, 0], "{}", run.stdout);
    assert_eq!(place.rows("t", "id, v"), ["1|a"]);
    assert_eq!(crate::rows(&place.path("new.db"), "t", "id, v"), ["1|a"]);
    // One of them alone knows the file, too.
    place.run("load t.json --to sqlite:new.db --data q").expect_code(0).expect_stderr("loaded before");
}
