//! Acknowledging and deleting.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use selvedge_queue::{Append, EmbeddedQueue, Queue, QueueErrorKind};

use crate::{append, batch, bounds, check_error, noise, numbers, open, table};

/// Acknowledges, and waits for the commit that brings it by asking for one that comes after.
pub(crate) fn acknowledge(queue: &EmbeddedQueue, destination: &str, name: &str, number: u64) {
    queue.acknowledge(destination, &table(name), number).unwrap();
    queue.register(destination, 0).unwrap();
}

/// Waits for what happens between commits.
#[track_caller]
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened");
        thread::sleep(Duration::from_millis(5));
    }
}

fn three_batches(folder: &Path) -> EmbeddedQueue {
    let queue = open(folder);
    let of = |name, records, body| Append { records, ..batch(name, body) };
    queue.append(vec![of("orders", 10, b"a"), of("events", 1, b"b"), of("orders", 20, b"c")]).unwrap();
    queue
}

#[test]
fn batches_stay_until_every_destination_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let queue = three_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    queue.register("lake", 0).unwrap();

    acknowledge(&queue, "warehouse", "orders", 3);
    assert_eq!(numbers(&queue, "orders"), [1, 3]);
    acknowledge(&queue, "lake", "orders", 2);
    assert_eq!(numbers(&queue, "orders"), [3]);
    let kept = bounds(&queue, "orders");
    assert_eq!((kept.accepted, kept.kept_records, kept.newest, kept.deleted_to), (30, 20, 3, 1));
    check_error(queue.body(1), QueueErrorKind::Refused, &["batch 1 "]);
    assert_eq!(queue.body(3).unwrap(), b"c");

    acknowledge(&queue, "warehouse", "orders", 1);
    acknowledge(&queue, "lake", "orders", 3);
    assert_eq!(numbers(&queue, "orders"), [], "a lesser acknowledgement takes nothing back");
    assert_eq!(numbers(&queue, "events"), [2], "a table holds back only its own batches");
    let kept = bounds(&queue, "orders");
    assert_eq!((kept.accepted, kept.kept_records, kept.newest, kept.deleted_to), (30, 0, 3, 3));
}

#[test]
fn numbers_are_not_used_again_when_everything_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = three_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 3);
    acknowledge(&queue, "warehouse", "events", 2);
    assert_eq!(append(&queue, batch("orders", b"d")), 4);
    acknowledge(&queue, "warehouse", "orders", 4);

    drop(queue);
    assert_eq!(append(&open(folder.path()), batch("orders", b"e")), 5);
}

#[test]
fn what_a_destination_cannot_have_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let queue = three_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    let check = |destination, name, number| {
        let result = queue.acknowledge(destination, &table(name), number);
        check_error(result, QueueErrorKind::Refused, &[destination, name, "queue.db"]);
    };
    check("lake", "orders", 1);
    check("warehouse", "customers", 1);
    check("warehouse", "events", 3);
    check("warehouse", "orders", u64::MAX);

    queue.register("warehouse", 0).unwrap();
    assert_eq!(numbers(&queue, "orders"), [1, 3]);
    assert_eq!(numbers(&queue, "events"), [2]);
}

#[test]
fn a_long_backlog_is_deleted_and_its_room_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let pages = || -> i64 {
        let file = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
        file.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
    };
    let queue = open(folder.path());
    queue.register("warehouse", 0).unwrap();
    // More batches than one commit deletes, more bytes than the file keeps as free room.
    let backlog = (0..100).map(|n| batch("orders", &noise(n, 1 << 20)));
    let last = queue.append(backlog.chain((0..900).map(|n| batch("orders", &noise(n, 100)))).collect()).unwrap();
    let last = last.last().unwrap().batch;
    let full = pages();
    assert!(full > 1600);

    queue.acknowledge("warehouse", &table("orders"), last).unwrap();
    wait_until(|| bounds(&queue, "orders").deleted_to == last);
    assert_eq!(numbers(&queue, "orders"), []);
    assert_eq!(append(&queue, batch("orders", b"after")), last + 1);
    wait_until(|| pages() < full - 500);
    assert_eq!(queue.body(last + 1).unwrap(), b"after");
}
