//! A state's way into its row and back.

use std::error::Error;

use selvedge_core::{
    Column, ColumnType, Counts, Epoch, IntegrationName, LoadErrorKind, Path, Position, QueueId, TableName, TableState,
};
use selvedge_sql::{StateRow, integration_key};

fn orders() -> TableName {
    TableName::new(Some(IntegrationName::new("shop").unwrap()), "orders").unwrap()
}

fn state() -> TableState {
    let path = Path(vec!["address".into(), "city".into()]);
    TableState {
        columns: vec![
            Column { name: "address__city".into(), path: Some(path), column_type: ColumnType::Decimal { scale: 2 } },
            Column { name: "_sdc_sequence".into(), path: None, column_type: ColumnType::Integer },
        ],
        keys: vec!["address__city".into()],
        position: Position {
            queue: QueueId::from_bytes([7; 16]),
            epoch: Epoch::from_bytes([9; 16]),
            batch: 3,
            record: 120,
        },
        counts: Counts { loaded: 10, superseded: 2, rejected: 1, live_rows: 8 },
    }
}

#[track_caller]
fn check_refused(row: StateRow, expected: &str, cause: bool) {
    let error = row.into_state(&orders()).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.kind(), LoadErrorKind::Refused);
    assert_eq!(error.source().is_some(), cause);
}

#[test]
fn a_state_comes_back_as_it_was() {
    let row = StateRow::from_state(&orders(), &state()).unwrap();
    assert_eq!(row.into_state(&orders()).unwrap(), state());
}

/// The stored form is a format others read: it changes only with [`TableState::FORMAT`].
#[test]
fn the_stored_form_is_pinned() {
    let expected = StateRow {
        format: 2,
        columns: r#"[{"name":"address__city","path":["address","city"],"type":"decimal(2)"},"#.to_owned()
            + r#"{"name":"_sdc_sequence","type":"integer"}]"#,
        keys: r#"["address__city"]"#.to_owned(),
        queue_id: "07070707-0707-0707-0707-070707070707".to_owned(),
        epoch: "09090909-0909-0909-0909-090909090909".to_owned(),
        batch: 3,
        record: 120,
        loaded: 10,
        superseded: 2,
        rejected: 1,
        live_rows: 8,
    };
    assert_eq!(StateRow::from_state(&orders(), &state()).unwrap(), expected);
    assert_eq!(expected.into_state(&orders()).unwrap(), state());
}

#[test]
fn another_format_is_refused() {
    let row = StateRow { format: 3, ..StateRow::from_state(&orders(), &state()).unwrap() };
    let expected =
        "table shop.orders was written by another version of selvedge (format 3, this one reads 2); use that version";
    check_refused(row, expected, false);
}

#[test]
fn a_damaged_state_is_refused() {
    let good = || StateRow::from_state(&orders(), &state()).unwrap();
    let expected = "the state of table shop.orders in _sdc_tables is damaged; restore the destination from a backup";
    check_refused(StateRow { columns: "[".into(), ..good() }, expected, true);
    check_refused(StateRow { queue_id: "not a queue".into(), ..good() }, expected, true);
    check_refused(StateRow { live_rows: -1, ..good() }, expected, true);
}

#[test]
fn a_count_beyond_sql_is_refused() {
    let counts = Counts { loaded: u64::MAX, ..state().counts };
    let error = StateRow::from_state(&orders(), &TableState { counts, ..state() }).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Refused);
}

#[test]
fn a_table_without_an_integration_has_an_empty_one() {
    assert_eq!(integration_key(&orders()), "shop");
    assert_eq!(integration_key(&TableName::new(None, "orders").unwrap()), "");
}
