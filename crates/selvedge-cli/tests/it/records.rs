//! Plain records: their schema is inferred, their sequence comes from their order or from a column.

use crate::Place;

#[test]
fn types_come_from_all_records() {
    let place = Place::new();
    let records = [
        r#"{"id":1,"name":"Finn","score":1,"address":{"city":"Tree Fort","zip":7},"tags":["a",{"b":1}],"odd":1}"#,
        r#"{"id":2,"name":null,"score":2.5,"address":{"city":"Ice","zip":null},"odd":"x","late":true}"#,
    ];
    place.write("people.jsonl", records.join("\n"));
    place.run("load people.jsonl --table people --key id --to sqlite:demo.db").expect_code(0);
    assert_eq!(
        place.rows("people", "id, name, score, address__city, address__zip, late"),
        ["1|Finn|1.0|Tree Fort|7|null", "2|null|2.5|Ice|null|1"]
    );
    // An array is a table of its own.
    let tags = place.rows("people__tags", "_sdc_source_key_id, _sdc_level_0_id, value, b");
    assert_eq!(tags, ["1|0|a|null", "1|1|null|1"]);
    // A property of two types stands in two columns; which of them bears the plain name is not promised.
    let columns = place.rows("pragma_table_info('people')", "name");
    let odd: Vec<&String> = columns.iter().filter(|name| name.starts_with("odd")).collect();
    assert_eq!(odd.len(), 2, "{columns:?}");
    let found = place.rows("people", &format!("id, coalesce({}, {})", odd[0], odd[1]));
    assert_eq!(found, ["1|1", "2|x"]);
}

#[test]
fn a_number_no_double_holds_rejects_its_record() {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":1}\n{\"id\":2,\"huge\":1e400}\n{\"id\":3,\"late\":7}\n");
    place
        .run("load t.jsonl --table t --key id --to sqlite:demo.db")
        .expect_code(3)
        .expect_stdout("t: 2 loaded, 1 rejected");
    assert_eq!(place.rows("t", "id, late, typeof(late)"), ["1|null|null", "3|7|integer"]);
    let rejected = place.rows("_sdc_rejected", "reason, pointer, record");
    assert_eq!(rejected, [r#"number out of range for selvedge on 1e400|/huge|{"id":2,"huge":1e400}"#]);
}

#[test]
fn all_files_share_one_schema() {
    let place = Place::new();
    place.write("1.jsonl", r#"{"id":1,"score":1}"#);
    place.write("2.jsonl", r#"{"id":2,"score":2.5}"#);
    place.run("load 1.jsonl 2.jsonl --table t --key id --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, score"), ["1|1.0", "2|2.5"]);
}

#[test]
fn the_later_record_is_the_newer_one() {
    let place = Place::new();
    place.write("1.jsonl", "{\"id\":1,\"v\":\"a\"}\n{\"id\":1,\"v\":\"b\"}\n");
    place.write("2.jsonl", "{\"id\":1,\"v\":\"c\"}\n");
    place.run("load 1.jsonl --table t --key id --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|b"]);
    place.run("load 1.jsonl 2.jsonl --again --table t --key id --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id, v"), ["1|c"]);
}

#[test]
fn without_a_key_every_record_is_a_row() {
    let place = Place::new();
    place.write("t.jsonl", "{\"v\":1}\n{\"v\":1}\n\n{\"v\":2}\n");
    place.run("load t.jsonl --table t --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "v"), ["1", "1", "2"]);
}

#[test]
fn a_column_may_be_the_sequence() {
    let check = |records: &str, winner: &str, sequence: &str| {
        let place = Place::new();
        place.write("t.jsonl", records);
        place.run("load t.jsonl --table t --key a,b --sequence at --to sqlite:demo.db").expect_code(0);
        assert_eq!(place.rows("t", "a, b, v, _sdc_sequence"), [format!("1|x|{winner}|{sequence}")], "{records}");
    };
    check("{\"a\":1,\"b\":\"x\",\"v\":1,\"at\":7}\n{\"a\":1,\"b\":\"x\",\"v\":2,\"at\":5}", "1", "7");
    check(
        "{\"a\":1,\"b\":\"x\",\"v\":1,\"at\":\"2026-11-23T10:00:00Z\"}\n\
         {\"a\":1,\"b\":\"x\",\"v\":2,\"at\":\"2026-11-23T11:00:00.000001+01:00\"}",
        "2",
        "1795428000000001",
    );
}

#[test]
fn records_from_standard_input() {
    let place = Place::new();
    let input: String = (0..25_000).map(|id| format!("{{\"id\":{id},\"v\":\"x{id}\"}}\n")).collect();
    let run = place.run_with_input("load - --table t --key id --to sqlite:demo.db --report json", &input);
    assert_eq!(run.expect_code(0).counts("sqlite:demo.db", "t"), [25_000, 25_000, 0, 0]);
    assert_eq!(place.rows("t", "count(*), count(DISTINCT id), sum(id)"), ["25000|25000|312487500"]);
}

#[test]
fn numbers_keep_their_digits() {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":9007199254740993,\"list\":[1.10,-9007199254740993]}");
    place.run("load t.jsonl --table t --key id --to sqlite:demo.db").expect_code(0);
    assert_eq!(place.rows("t", "id"), ["9007199254740993"]);
    assert_eq!(place.rows("t__list", "_sdc_level_0_id, value, value__bi"), ["0|1.1|null", "1|null|-9007199254740993"]);
}
