//! A state's way into its row and back, and the statements that carry it.

use std::error::Error;

use selvedge_core::{
    ArrayPath, Column, ColumnType, Counts, Epoch, LoadError, LoadErrorKind, Path, Position, QueueId, Subtable,
    TableName, TableState,
};
use selvedge_sql::{Field, StateRow, state_key, table_name};

use crate::dialect::{PREFIXES, SCHEMAS, table};

fn orders() -> TableName {
    table(Some("shop"), "orders")
}

fn state() -> TableState {
    let path = Path(vec!["address".into(), "city".into()]);
    TableState {
        columns: vec![
            Column::new("address__city", Some(path), ColumnType::Decimal { scale: 2 }),
            Column::new("_sdc_sequence", None, ColumnType::Integer),
        ],
        keys: vec!["address__city".into()],
        subtables: vec![Subtable {
            name: "orders__items".into(),
            source: ArrayPath(vec![Path(vec!["items".into()]), Path(Vec::new())]),
            columns: vec![Column::new("value", Some(Path(Vec::new())), ColumnType::String)],
        }],
        active_version: Some(4),
        position: Position {
            queue: QueueId::from_bytes([7; 16]),
            epoch: Epoch::from_bytes([9; 16]),
            batch: 3,
            record: 120,
        },
        counts: Counts { loaded: 10, superseded: 2, rejected: 1, live_rows: 8 },
    }
}

/// The stored form is a format others read: it changes only with [`TableState::FORMAT`].
const STORED: [Field<'static>; 15] = [
    Field::Text("shop"),
    Field::Text("orders"),
    Field::Integer(4),
    Field::Text(concat!(
        r#"[{"name":"address__city","path":["address","city"],"type":"decimal(2)"},"#,
        r#"{"name":"_sdc_sequence","type":"integer"}]"#
    )),
    Field::Text(r#"["address__city"]"#),
    Field::Text(concat!(
        r#"[{"name":"orders__items","source":[["items"],[]],"#,
        r#""columns":[{"name":"value","path":[],"type":"string"}]}]"#
    )),
    Field::Text("07070707-0707-0707-0707-070707070707"),
    Field::Text("09090909-0909-0909-0909-090909090909"),
    Field::Integer(4),
    Field::Integer(3),
    Field::Integer(120),
    Field::Integer(10),
    Field::Integer(2),
    Field::Integer(1),
    Field::Integer(8),
];

/// The columns of the stored form, after the two of the key.
const COLUMNS: [&str; 13] = [
    "format",
    "columns",
    "keys",
    "subtables",
    "queue_id",
    "epoch",
    "active_version",
    "batch",
    "record",
    "loaded",
    "superseded",
    "rejected",
    "live_rows",
];

/// The state read from what is stored, with one field replaced.
fn read_with(replaced: usize, field: Field<'static>) -> Result<TableState, LoadError> {
    let mut stored = STORED;
    stored[replaced] = field;
    let field = |column: &str| stored[COLUMNS.iter().position(|known| *known == column).unwrap() + 2];
    let text = |column: &'static str| match field(column) {
        Field::Text(text) => Ok(text.to_owned()),
        Field::Integer(_) | Field::Null => Err(column),
    };
    let number = |column: &'static str| match field(column) {
        Field::Integer(number) => Ok(Some(number)),
        Field::Null => Ok(None),
        Field::Text(_) => Err(column),
    };
    StateRow::read(text, number).unwrap().into_state(&orders())
}

#[track_caller]
fn check_refused(replaced: usize, field: Field<'static>, expected: &str, cause: bool) {
    let error = read_with(replaced, field).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(error.source().is_some(), cause);
}

#[test]
fn the_stored_form_is_pinned() {
    assert_eq!(StateRow::from_state(&orders(), &state()).unwrap().parameters(&orders()), STORED);
    assert_eq!(read_with(2, STORED[2]).unwrap(), state());
}

#[test]
fn a_state_comes_back_as_it_was() {
    let row = StateRow::from_state(&orders(), &state()).unwrap();
    assert_eq!(row.into_state(&orders()).unwrap(), state());
}

#[test]
fn another_format_is_refused() {
    let expected =
        "table shop.orders was written by another version of selvedge (format 5, this one reads 4); use that version";
    check_refused(2, Field::Integer(5), expected, false);
}

/// Another version may lack a column that this one has.
#[test]
fn of_another_format_only_the_number_is_read() {
    let number = |column: &'static str| if column == "format" { Ok(Some(1)) } else { Err(column) };
    let error = StateRow::read(Err, number).unwrap().into_state(&orders()).unwrap_err();
    assert!(error.to_string().contains("(format 1, this one reads 4)"), "{error}");
}

#[test]
fn a_damaged_state_is_refused() {
    let expected = "the state of table shop.orders in _sdc_tables is damaged; restore the destination from a backup";
    check_refused(3, Field::Text("["), expected, true);
    check_refused(5, Field::Text("not a queue"), expected, true);
    check_refused(13, Field::Integer(-1), expected, true);
    check_refused(13, Field::Null, expected, true);
}

#[test]
fn a_count_beyond_sql_is_refused() {
    let counts = Counts { loaded: u64::MAX, ..state().counts };
    let error = StateRow::from_state(&orders(), &TableState { counts, ..state() }).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
}

#[test]
fn a_key_is_that_of_its_table() {
    let check = |name: TableName, key: [&str; 2]| {
        assert_eq!(state_key(&name), key);
        assert_eq!(table_name(key[0], key[1]).unwrap(), name);
    };
    check(orders(), ["shop", "orders"]);
    check(table(None, "orders"), ["", "orders"]);
}

#[test]
fn a_key_of_no_table_is_refused() {
    let check = |integration, table| {
        let error = table_name(integration, table).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Refused);
        assert!(error.to_string().starts_with("_sdc_tables names a table"), "{error}");
    };
    check("shop", "");
    check("a__b", "orders");
    check("", "_sdc_tables");
}

#[test]
fn the_statements_name_the_table_as_the_dialect_does() {
    assert_eq!(SCHEMAS.state_table(), r#""main"."_sdc_tables""#);
    assert_eq!(PREFIXES.state_table(), r#""_sdc_tables""#);
    for dialect in [SCHEMAS, PREFIXES] {
        let statements = [
            dialect.create_state_table(),
            dialect.select_tables(),
            dialect.select_state(),
            dialect.upsert_state(),
            dialect.delete_state(),
        ];
        for statement in statements {
            assert!(statement.contains(&format!(" {} ", dialect.state_table())), "{statement}");
        }
    }
}

#[test]
fn the_table_of_states_is_pinned() {
    assert_eq!(
        PREFIXES.create_state_table(),
        concat!(
            r#"CREATE TABLE IF NOT EXISTS "_sdc_tables" ("integration" TEXT NOT NULL, "table_name" TEXT NOT NULL, "#,
            r#""format" BIGINT NOT NULL, "columns" TEXT NOT NULL, "keys" TEXT NOT NULL, "subtables" TEXT NOT NULL, "#,
            r#""queue_id" TEXT NOT NULL, "epoch" TEXT NOT NULL, "active_version" BIGINT, "batch" BIGINT NOT NULL, "#,
            r#""record" BIGINT NOT NULL, "loaded" BIGINT NOT NULL, "superseded" BIGINT NOT NULL, "#,
            r#""rejected" BIGINT NOT NULL, "live_rows" BIGINT NOT NULL, PRIMARY KEY ("integration", "table_name"))"#
        )
    );
}
