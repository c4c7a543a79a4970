//! What the counts of a load go on from.

use selvedge_core::{Counts, QueueId, RowOrder, TableState};

use crate::load::{applied, prepared, waiting};

const COUNTS: Counts = Counts { loaded: 7, superseded: 5, rejected: 3, live_rows: 2 };

/// Loads a record of the key 1 on a table of these counts that belongs to `queue`, if there is one.
#[track_caller]
fn check(queue: Option<QueueId>, expected: Counts) {
    let schema = r#"{"properties":{"id":{"type":"integer"}}}"#;
    let batch = |number| waiting(number, schema, &["id"], &[r#"{"id":1}"#]);
    let standing = queue.map(|queue| {
        let mut state: TableState = applied(&prepared(None, &[batch(1)], RowOrder::Any).unwrap());
        (state.position.queue, state.counts) = (queue, COUNTS);
        state
    });
    let load = prepared(standing.as_ref(), &[batch(2)], RowOrder::Any).unwrap();
    assert_eq!(load.counts, expected);
    assert_eq!((load.planned_on.as_ref(), load.to.queue), (standing.as_ref(), crate::load::queue()));
}

#[test]
fn counts_go_on_from_those_of_the_same_queue() {
    check(None, Counts::default());
    check(Some(crate::load::queue()), COUNTS);
    check(Some(QueueId::from_bytes([7; 16])), Counts { live_rows: 2, ..Counts::default() });
}
