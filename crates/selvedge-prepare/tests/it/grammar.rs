//! The grammar of JSON: what is accepted is what another parser accepts.

use selvedge_prepare::{Schemas, decode};
use serde_json::Value;

use crate::batch::body;

/// Whether this text is taken as the value of a property. It must not leave a second property behind.
fn accepts(value: &str, schemas: &Schemas) -> bool {
    let body = body(r#"{"properties":{"v":{}}}"#, &[], &[&format!(r#"{{"v":{value}}}"#)]);
    decode(body.as_bytes(), schemas).is_ok_and(|records| {
        let paths = records.columns.iter().map(|column| &column.path);
        let arrays = records.arrays.iter().filter_map(|array| array.source.0.first());
        paths.chain(arrays).all(|path| path.0.first().is_none_or(|name| name == "v"))
    })
}

/// All texts of these pieces, up to a number of them.
fn texts(pieces: &[&str], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = all.clone();
    for _ in 0..most {
        longest = longest.iter().flat_map(|text| pieces.iter().map(move |piece| format!("{text}{piece}"))).collect();
        all.extend(longest.iter().cloned());
    }
    all
}

#[track_caller]
fn check_same(values: &[String]) {
    let schemas = Schemas::new();
    let mut accepted = 0;
    for value in values {
        let expected = serde_json::from_str::<Value>(value).is_ok();
        assert_eq!(accepts(value, &schemas), expected, "{value:?}");
        accepted += usize::from(expected);
    }
    assert!(accepted > 0 && accepted < values.len());
}

#[test]
fn numbers() {
    check_same(&texts(&["0", "1", "-", "+", ".", "e", "E"], 5));
}

#[test]
fn strings() {
    let inner = texts(&["\\", "u", "\"", "0041", "\\ud83e", "\\uddf5", "n", "é", "\u{1f}", "\t", "\u{7f}"], 4);
    let quoted: Vec<String> = inner.iter().map(|inner| format!("\"{inner}\"")).collect();
    check_same(&quoted);
}

/// One piece for each name, so that no object holds a key twice: selvedge refuses that, the other parser does not.
#[test]
fn structure() {
    check_same(&texts(&["[", "]", "{", "}", ",", ":", "\"a\"", "1"], 5));
}

#[test]
fn literals_and_white_space() {
    let words = [
        "true",
        "True",
        "tru",
        "truee",
        "false",
        "fals",
        "null",
        "nul",
        "NaN",
        "Infinity",
        "undefined",
        "'a'",
        "//",
        "",
    ];
    let spaces = ["", " ", "\t", "\n", "\r", "\u{b}", "\u{a0}", "\u{feff}", "\0"];
    let mut values = Vec::new();
    for word in words {
        for space in spaces {
            values.extend([
                format!("{space}{word}"),
                format!("{word}{space}"),
                format!("[{word}{space},{space}{word}]"),
            ]);
        }
    }
    check_same(&values);
}

/// Deeper than 128 levels is refused, by either kind of container, before the stack is exhausted.
#[test]
fn depth() {
    let schemas = Schemas::new();
    let arrays = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    for (levels, accepted) in [(127, true), (128, true), (129, false), (1_000, false), (1_000_000, false)] {
        assert_eq!(accepts(&arrays(levels), &schemas), accepted, "{levels}");
        assert_eq!(accepts(&objects(levels), &schemas), accepted, "{levels}");
    }
    assert!(!accepts(&"[".repeat(1_000_000), &schemas));
}
