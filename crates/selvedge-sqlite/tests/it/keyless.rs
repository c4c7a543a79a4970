//! Rows without a key are appended.

use selvedge_core::Counts;

use crate::database::{Database, table, texts};

#[test]
fn the_same_rows_are_appended_again() {
    let mut database = Database::new();
    let rows = [texts("__sdc_primary_key", ["x", "y"]), texts("note", [Some("a"), None])];
    database.load(&table("events"), &[], &rows);
    let state = database.load(&table("events"), &[], &rows);
    assert_eq!(
        database.rows(&["__sdc_primary_key", "note"], "events"),
        ["'x' | 'a'", "'y' | NULL", "'x' | 'a'", "'y' | NULL"]
    );
    assert_eq!(state.counts, Counts { loaded: 4, superseded: 0, rejected: 0, live_rows: 4 });
}
