//! `selvedge view`: properties of several types as one column.

use std::fs;

use crate::{Place, batch};

fn loaded() -> Place {
    let place = Place::new();
    place.write("t.jsonl", "{\"id\":1,\"odd\":1}\n{\"id\":2,\"odd\":\"x\"}\n{\"id\":3}\n");
    place.run("load t.jsonl --table t --key id --to sqlite:demo.db").expect_code(0);
    place
}

#[test]
fn a_property_of_several_types_is_one_column() {
    let place = loaded();
    for _ in 0..2 {
        let run = place.run("view sqlite:demo.db --of t --as t_whole").expect_code(0);
        assert_eq!(run.stdout, "the view t_whole of t stands in sqlite:demo.db\n");
        assert_eq!(place.rows("t_whole", "id, odd"), ["1|1", "2|x", "3|null"]);
    }
}

#[test]
fn of_an_integration() {
    let place = Place::new();
    place.write("t.json", batch(1, r#"{"id":1,"v":"a"}"#));
    place.run("load t.json --integration shop --to sqlite:demo.db").expect_code(0);
    place
        .run("view sqlite:demo.db --of t --integration shop --as v")
        .expect_code(0)
        .expect_stdout("the view v of shop.t");
    assert_eq!(place.rows("shop__v", "id, v"), ["1|a"]);
}

#[test]
fn views_that_cannot_be_made() {
    let check = |arguments: &str, code: i32, expected: &str| {
        let place = loaded();
        place.write("other.jsonl", "{\"id\":1}");
        place.run("load other.jsonl --table other --key id --to sqlite:demo.db --to parquet:lake").expect_code(0);
        place.run(&format!("view {arguments}")).expect_code(code).expect_stderr(expected);
    };
    check("sqlite:demo.db --as v", 2, "--of <TABLE>");
    check("sqlite:demo.db --of t", 2, "--as <NAME>");
    check("sqlite:demo.db --of t --as _sdc_v", 2, "selvedge's own");
    check("sqlite:demo.db --of u --as v", 1, "there is no table u; name one there is: sqlite:demo.db has other, t");
    check("sqlite:demo.db --of t --as other", 1, "the view other cannot be made in sqlite:demo.db: ");
    check("parquet:lake --of other --as v", 1, "Parquet files have no views; make one where they are read");
    check("sqlite:none.db --of t --as v", 1, "the destination sqlite:none.db cannot be read");
}

#[test]
fn nothing_is_made_where_nothing_is() {
    let place = Place::new();
    place.run("view sqlite:none.db --of t --as v").expect_code(1);
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
}
