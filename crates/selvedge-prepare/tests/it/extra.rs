//! What a table has no room for.

use selvedge_core::{ColumnType, RowOrder, TableLoad, TableState};
use selvedge_prepare::{Loading, Pending, Policy, Schemas, decode};

use crate::load::{applied, pending, prepared, prepared_of, queue, values, waiting};

/// Members `p<from>` to `p<to>` of a record, each holding its number.
fn members(from: usize, to: usize) -> String {
    (from..to).map(|index| format!(r#""p{index}":{index}"#)).collect::<Vec<_>>().join(",")
}

fn load(state: Option<&TableState>, pending: &[Pending]) -> TableLoad {
    prepared(state, pending, RowOrder::Any).unwrap()
}

fn extra(load: &TableLoad) -> Vec<Option<String>> {
    let column = load.columns.iter().find(|column| column.name == "_sdc_extra").unwrap();
    assert_eq!((column.path.as_ref(), column.column_type), (None, ColumnType::Json));
    values(load, "_sdc_extra")
}

/// A table of 990 columns; two more are all it takes beside its own.
fn wide() -> TableState {
    applied(&load(None, &[waiting(1, "{}", &[], &[&format!("{{{}}}", members(0, 990))])]))
}

#[test]
fn past_a_thousand_columns_values_are_kept_together() {
    let record = format!(r#"{{{},"p0":1}}"#, members(988, 996));
    let load = load(Some(&wide()), &[waiting(2, "{}", &[], &[&record, r#"{"p1":2}"#])]);
    assert_eq!(load.columns.iter().filter(|column| column.path.is_some()).count(), 992);
    assert_eq!(values(&load, "p991"), [Some("991".to_owned()), None]);
    let expected = r#"{"p992":992,"p993":993,"p994":994,"p995":995}"#;
    assert_eq!(extra(&load), [Some(expected.to_owned()), None]);
    // With all of selvedge's own there are a thousand.
    let next = applied(&load);
    let body = r#"{"table_name":"t","schema":{"properties":{"p0":{"type":"integer"}}},"key_names":["p0"],"table_version":1,
        "messages":[{"action":"upsert","sequence":1,"data":{"p0":1,"q":1},"time_extracted":"2026-11-23T10:00:00Z"},
        {"action":"delete","sequence":2,"data":{"p0":1}}]}"#;
    let records = decode(body.as_bytes(), &Schemas::new()).unwrap();
    let append = Policy { loading: Loading::Append, ..Policy::default() };
    let pending = [pending(3, records)];
    let load = prepared_of(queue(), Some(&next), &pending, RowOrder::Any, append, &[]).unwrap();
    assert_eq!(load.columns.len(), 1_000);
    assert_eq!(extra(&load), [Some(r#"{"q":1}"#.to_owned()), None]);
}

/// A second type of a path gets no column either, and what has one already keeps it.
#[test]
fn every_type_is_written_exactly() {
    let full = applied(&load(Some(&wide()), &[waiting(2, "{}", &[], &[&format!("{{{}}}", members(990, 992))])]));
    let schema = r#"{"properties":{
        "i":{"type":"integer"},"d":{"type":"number"},"c":{"type":"number","multipleOf":0.001},
        "e":{"type":"string","format":"singer.decimal"},"b":{"type":"boolean"},"s\"":{"type":"string"},
        "t":{"type":"string","format":"date-time"},"y":{"type":"string","format":"date"},
        "h":{"type":"string","format":"time"},"n":{"type":["null","string"]}}}"#;
    let record = r#"{"i":-9223372036854775808,"d":1e-7,"c":-12345678901234567890123456789012345.120,"e":"-1.50e-30",
        "b":false,"s\"":"a\"\u0000ü","t":"1969-12-31T23:59:59.999999Z","y":"0001-02-28","h":"23:59:59.5","n":null,
        "p0":"x","p1":7}"#;
    let load = load(Some(&full), &[waiting(3, schema, &[], &[record])]);
    assert!(load.changes.len() == 1 && values(&load, "p1") == [Some("7".to_owned())]);
    let expected = r#"{"i":-9223372036854775808,"d":1e-7,"c":-12345678901234567890123456789012345.12,"e":-0.0000000000000000000000000000015,"b":false,"s\"":"a\"\u0000ü","t":"1969-12-31T23:59:59.999999Z","y":"0001-02-28","h":"23:59:59.500000","p0":"x"}"#;
    assert_eq!(extra(&load), [Some(expected.to_owned())]);
}

/// A batch that is too wide by itself brings what has no column as text.
#[test]
fn batches_that_are_too_wide() {
    let record = format!("{{{}}}", members(0, 1_000));
    let load = load(None, &[waiting(1, "{}", &[], &[&record, "{}"])]);
    let expected: Vec<String> = (990..1_000).map(|index| format!(r#""p{index}":{index}"#)).collect();
    assert_eq!(extra(&load), [Some(format!("{{{}}}", expected.join(","))), None]);
    // Together with what the table has no room for.
    let record = format!(r#"{{{},{}}}"#, members(1_000, 1_004), members(0, 988));
    let load = self::load(Some(&applied(&load)), &[waiting(2, "{}", &[], &[&record])]);
    assert_eq!(extra(&load), [Some(r#"{"p986":986,"p987":987,"p1002":1002,"p1003":1003}"#.to_owned())]);
}

/// Names are those that columns would have.
#[test]
fn names_of_values_without_a_column() {
    let record = format!(r#"{{{},"a\u202eb":{{"c":1}},"{}":2}}"#, members(0, 990), "x".repeat(300));
    let load = load(None, &[waiting(1, "{}", &[], &[&record])]);
    let expected = format!(r#"{{"a_b__c":1,"{}__a5d1b4607dc83554":2}}"#, "x".repeat(82));
    assert_eq!(extra(&load), [Some(expected)]);
}

/// Subtables have room for as many columns as the root, their own included.
#[test]
fn wide_elements() {
    let element = |from, to| format!(r#"{{"l":[{{{}}},{{"p0":1}}]}}"#, members(from, to));
    let first = load(None, &[waiting(1, "{}", &[], &[&element(0, 990)])]);
    let load = load(Some(&applied(&first)), &[waiting(2, "{}", &[], &[&element(990, 996)])]);
    let [subtable] = load.subtables.as_slice() else { panic!("one subtable") };
    // Source key, level id, four columns of the record's and the extra one.
    assert_eq!(subtable.subtable.columns.iter().filter(|column| column.path.is_some()).count(), 993);
    let extra = subtable.rows.column_by_name("_sdc_extra").unwrap();
    let extra: Vec<_> = (0..2).map(|row| crate::shown::value(extra, row)).collect();
    assert_eq!(extra, [Some(r#"{"p993":993,"p994":994,"p995":995}"#.to_owned()), None]);
}
