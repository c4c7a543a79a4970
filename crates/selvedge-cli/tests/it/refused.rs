//! Records and batches that are refused: everything before them is loaded, and the person is told where and why.

use crate::{Place, batch};

#[test]
fn a_bad_record_ends_the_load_there() {
    let place = Place::new();
    let lines = [
        batch(1, r#"{"id":1,"v":"a"}"#),
        batch(1, r#"{"id":2,"v":"b"}"#),
        batch(1, r#"{"id":3,"v":"c"};{"id":4,"v":5}"#),
        batch(1, r#"{"id":6,"v":"d"}"#),
    ];
    place.write("t.jsonl", lines.join("\n"));
    for _ in 0..2 {
        let run = place.run("load t.jsonl --to sqlite:demo.db --report json").expect_code(3);
        let run = run.expect_stderr("t.jsonl, line 3, record 1, at /v: expected type: String, found: Integer");
        let run = run.expect_stderr(
            "what stands before line 3 is loaded, the rest is not. Put it right and run the command again",
        );
        assert_eq!(
            run.report()["refused"].to_string(),
            r#"{"input":"t.jsonl","line":3,"record":1,"pointer":"/v","reason":"expected type: String, found: Integer"}"#
        );
        assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b"]);
    }
    // Put right, the file is loaded whole.
    place.write("t.jsonl", lines.join("\n").replace(r#""v":5"#, r#""v":"5""#));
    place.run("load t.jsonl --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|a", "2|b", "3|c", "4|5", "6|d"]);
}

#[test]
fn other_inputs_before_it_are_loaded() {
    let place = Place::new();
    place.write("good.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.write("bad.json", "[1]");
    let run = place.run("load good.json bad.json --to sqlite:demo.db").expect_code(3);
    run.expect_stderr("bad.json, line 1: expected a JSON object").expect_stderr("nothing of bad.json is loaded");
    assert_eq!(place.rows("t", "id, v"), ["1|a"]);
}

#[test]
fn plain_records_taken_for_batches() {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":1}\n");
    let run = place.run("load t.jsonl --to sqlite:demo.db").expect_code(3);
    run.expect_stderr("extraneous key [id]").expect_stderr("name their table: --table NAME --key COLUMN");
}

#[test]
fn of_plain_records_the_line_is_named() {
    let check = |lines: &str, options: &str, expected: &str| {
        let place = Place::new();
        place.write("t.jsonl", lines);
        let run = place.run(&format!("load t.jsonl --table t {options} --to sqlite:demo.db --report json"));
        let run = run.expect_code(3).expect_stderr(expected);
        assert_eq!(run.report()["refused"]["input"], "t.jsonl");
    };
    check(
        "{\"id\":1}\n\n{\"v\":2}\n",
        "--key id",
        "t.jsonl, line 3, record 1, at /id: Record is missing key property id",
    );
    check(
        "{\"id\":1}\n{\"id\":null}\n",
        "--key id",
        "t.jsonl, line 2, record 1, at /id: Record is missing key property id",
    );
    check(
        "{\"id\":1}\n{\"id\":2}\n",
        "--key other",
        "line 1, record 0, at /other: Record is missing key property other",
    );
    check("{\"id\":1}\n\"x\"\n", "", "t.jsonl, line 2, record 1: expected a JSON object on each line");
    check(
        "{\"id\":1}\n{\"id\":2\n",
        "",
        "line 2, record 1: expected a JSON object on each line; this one ends too early",
    );
    check("{\"id\":1}\n{\"id\":2} {}\n", "", "line 2, record 1: expected one JSON object on each line");
    check("{\"id\":1,\"n\":1}\n{\"id\":2}\n", "--sequence n", "line 2, record 1, at /n: the record has no sequence");
    check(
        "{\"n\":1}\n{\"n\":\"2026-11-23T10:00:00Z\"}\n",
        "--sequence n",
        "line 2, record 1, at /n: the sequence is no integer",
    );
    check("{\"n\":\"1\"}\n", "--sequence n", "line 1, record 0, at /n: the sequence is no date-time with a zone");
    check("{\"id\":1}\n{\"id\":\"x\"}\n", "--key id", "line 1, at /id: a key has one scalar type");
}

#[test]
fn full_batches_before_a_bad_record_are_loaded() {
    let place = Place::new();
    let mut lines: String = (0..12_345).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    lines.push_str("{\"id\":null}\n");
    place.write("t.jsonl", lines);
    // Once more, it goes on at the bad batch: without a key, a second loading of those before it would show.
    for _ in 0..2 {
        let run = place.run("load t.jsonl --table t --sequence id --to sqlite:demo.db").expect_code(3);
        run.expect_stderr("t.jsonl, line 12346, record 12345, at /id").expect_stderr("before line 10001 is loaded");
        assert_eq!(place.rows("t", "count(*), max(id)"), ["10000|9999"]);
    }
}

#[test]
fn beyond_the_sample_of_standard_input() {
    let place = Place::new();
    let mut lines: String = (0..10_500).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    lines.push_str("{\"id\":0.5}\n");
    let run = place.run_with_input("load - --table t --key id --to sqlite:demo.db", lines).expect_code(3);
    run.expect_stderr("standard input, line 10501, record 10500, at /id: expected type: Integer, found: Double")
        .expect_stderr("The schema came from the first 10,000 lines; save standard input to a file");
    assert_eq!(place.rows("t", "count(*)"), ["10000"]);
}

#[test]
fn what_is_told_never_holds_the_record() {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":1,\"v\":\"secret\"} \"secret\"\n");
    let run = place.run("load t.jsonl --table t --sequence v --to sqlite:demo.db --report json").expect_code(3);
    assert!(!run.stderr.contains("secret") && !run.stdout.contains("secret"), "{}{}", run.stderr, run.stdout);
}
