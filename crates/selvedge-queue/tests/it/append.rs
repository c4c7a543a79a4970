//! Appending and reading back.

use std::thread;

use selvedge_core::{IntegrationName, TableName};
use selvedge_queue::{Append, Appended, Cursor, Queue, QueueErrorKind, REPEATS_KEPT_DAYS, Repeats, Stored};

use crate::{append, batch, bounds, check_error, noise, numbers, open, table};

#[test]
fn bodies_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let json = br#"{"table_name":"orders","messages":[]}"#.repeat(10_000);
    for body in [b"".to_vec(), b"{}".to_vec(), json, noise(1, 3_000_000)] {
        let number = append(&queue, batch("orders", &body));
        assert_eq!(queue.body(number).unwrap(), body);
    }
}

#[test]
fn batches_are_read_by_table_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let orders = |received_at, body: &[u8]| Append { received_at, records: 7, ..batch("orders", body) };
    queue.append(vec![orders(5, b"a"), batch("events", b"b"), orders(-3, b"cc"), orders(9, b"ddd")]).unwrap();

    let epoch = queue.read(&table("orders"), 0, 1).unwrap()[0].epoch;
    let stored = |batch, received_at, body_bytes| Stored { batch, epoch, records: 7, received_at, body_bytes };
    let all = [stored(1, 5, 1), stored(3, -3, 2), stored(4, 9, 3)];
    let check = |after, limit, expected: &[Stored]| {
        assert_eq!(queue.read(&table("orders"), after, limit).unwrap(), expected, "after {after}, limit {limit}");
    };
    check(0, 10, &all);
    check(0, 2, &all[..2]);
    check(1, 10, &all[1..]);
    check(2, 1, &all[1..2]);
    check(4, 10, &[]);
    check(u64::MAX, usize::MAX, &[]);
    assert_eq!(queue.read(&table("unknown"), 0, 10).unwrap(), []);
}

#[test]
fn a_table_of_an_integration_is_not_the_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let shop = TableName::new(Some(IntegrationName::new("shop").unwrap()), "orders").unwrap();
    let of_shop = append(&queue, Append { table: shop.clone(), records: 5, ..batch("orders", b"same") });
    let plain = append(&queue, Append { records: 2, ..batch("orders", b"same") });

    assert_eq!(queue.read(&shop, 0, 10).unwrap()[0].batch, of_shop);
    assert_eq!(numbers(&queue, "orders"), [plain]);
    let accepted: Vec<_> = queue.tables().unwrap().into_iter().map(|bounds| (bounds.table, bounds.accepted)).collect();
    assert_eq!(accepted, [(shop, 5), (table("orders"), 2)]);
}

#[test]
fn numbers_and_identity_go_on_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let id = queue.id();
    append(&queue, batch("orders", b"a"));
    append(&queue, batch("events", b"b"));
    drop(queue);

    let queue = open(folder.path());
    assert_eq!(queue.id(), id);
    assert_eq!(append(&queue, batch("orders", b"c")), 3);
    assert_eq!(numbers(&queue, "orders"), [1, 3]);
    assert_eq!(queue.body(1).unwrap(), b"a");

    let other = tempfile::tempdir().unwrap();
    assert_ne!(open(other.path()).id(), id);
}

#[test]
fn a_body_seen_before_is_acknowledged_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = open(folder.path());
    let check = |queue: &selvedge_queue::EmbeddedQueue, appends: Vec<Append>, expected: &[(u64, bool)]| {
        let expected: Vec<_> = expected.iter().map(|&(batch, repeated)| Appended { batch, repeated }).collect();
        assert_eq!(queue.append(appends).unwrap(), expected);
    };
    let again = |append| Append { repeats: Repeats::Append, ..append };

    check(
        &queue,
        vec![batch("orders", b"a"), batch("orders", b"b"), batch("orders", b"a")],
        &[(1, false), (2, false), (1, true)],
    );
    check(&queue, vec![batch("orders", b"b")], &[(2, true)]);
    check(&queue, vec![batch("events", b"a")], &[(3, false)]);
    check(&queue, vec![again(batch("orders", b"a"))], &[(4, false)]);
    check(&queue, vec![batch("orders", b"a")], &[(1, true)]);
    check(&queue, vec![again(batch("orders", b"new")), batch("orders", b"new")], &[(5, false), (5, true)]);

    queue.register("warehouse", 0).unwrap();
    queue.acknowledge("warehouse", &table("orders"), 5).unwrap();
    queue.register("warehouse", 0).unwrap();
    assert_eq!(numbers(&queue, "orders"), []);
    check(&queue, vec![batch("orders", b"a")], &[(1, true)]);

    drop(queue);
    queue = open(folder.path());
    check(&queue, vec![batch("orders", b"b"), batch("orders", b"c")], &[(2, true), (6, false)]);
    assert_eq!(bounds(&queue, "orders").accepted, 5, "repeats are not accepted again");
}

#[test]
fn repeats_are_remembered_for_their_days() {
    const DAY: i64 = 86_400_000_000;
    let check = |days_later, expected| {
        let folder = tempfile::tempdir().unwrap();
        let queue = open(folder.path());
        append(&queue, batch("orders", b"a"));
        append(&queue, Append { received_at: days_later, ..batch("orders", b"another") });
        let again = queue.append(vec![Append { received_at: days_later, ..batch("orders", b"a") }]).unwrap();
        assert_eq!(again[0].repeated, expected, "{days_later} µs later");
    };
    check(REPEATS_KEPT_DAYS * DAY, true);
    check(REPEATS_KEPT_DAYS * DAY + 1, false);
}

#[test]
fn cursors_are_committed_with_their_batch() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let cursor = |state: &str| Cursor { source: "orders.csv".into(), state: state.into() };
    let with = |body, state| Append { cursor: Some(cursor(state)), ..batch("orders", body) };

    assert_eq!(queue.cursor("orders.csv").unwrap(), None);
    queue.append(vec![with(b"a", "1"), with(b"b", "2")]).unwrap();
    assert_eq!(queue.cursor("orders.csv").unwrap().as_deref(), Some("2"));
    append(&queue, with(b"a", "3"));
    assert_eq!(queue.cursor("orders.csv").unwrap().as_deref(), Some("3"), "also with a repeat");
    append(&queue, batch("orders", b"c"));
    queue.set_cursor(Cursor { source: "events.csv".into(), state: "end".into() }).unwrap();

    drop(queue);
    let queue = open(folder.path());
    assert_eq!(queue.cursor("orders.csv").unwrap().as_deref(), Some("3"));
    assert_eq!(queue.cursor("events.csv").unwrap().as_deref(), Some("end"));
}

#[test]
fn threads_share_commits_and_each_gets_its_own_receipts() {
    const THREADS: usize = 16;
    const EACH: usize = 50;
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let appended = |thread: usize, n: usize| {
        let body = format!("{thread} {n}").into_bytes();
        (append(&queue, batch("orders", &body)), body)
    };
    let mut receipts: Vec<(u64, Vec<u8>)> = thread::scope(|scope| {
        let appended = &appended;
        let spawn = |thread| scope.spawn(move || (0..EACH).map(|n| appended(thread, n)).collect::<Vec<_>>());
        let threads: Vec<_> = (0..THREADS).map(spawn).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    receipts.sort();

    drop(queue);
    let queue = open(folder.path());
    let dense: Vec<u64> = (1..=(THREADS * EACH) as u64).collect();
    assert_eq!(numbers(&queue, "orders"), dense);
    assert_eq!(receipts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), dense);
    for (number, body) in receipts {
        assert_eq!(queue.body(number).unwrap(), body);
    }
}

#[test]
fn a_batch_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    check_error(queue.body(1), QueueErrorKind::Refused, &["batch 1 "]);
    check_error(queue.body(u64::MAX), QueueErrorKind::Refused, &["queue.db"]);
}
