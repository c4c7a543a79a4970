//! What a database is like once it was opened.

use crate::database::{Database, integers, table};

#[test]
fn a_new_database_has_large_pages_and_a_write_ahead_log() {
    let database = Database::new();
    let connection = database.connection();
    let pages: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!((pages, journal.as_str()), (16_384, "wal"));
}

#[test]
fn reopened_it_has_the_same_state_and_goes_on() {
    let mut database = Database::new();
    let rows = |sequence| [integers("id", [1, 2]), integers("_sdc_sequence", [sequence; 2])];
    let state = database.load(&table("orders"), &["id"], &rows(1));
    let mut database = database.reopen();
    assert_eq!(database.state(&table("orders")), Some(state));
    let state = database.load(&table("orders"), &["id"], &rows(2));
    assert_eq!((state.counts.loaded, state.counts.live_rows), (4, 2));
    assert_eq!(database.rows(&["id", "_sdc_sequence"], "orders ORDER BY id"), ["1 | 2", "2 | 2"]);
}
