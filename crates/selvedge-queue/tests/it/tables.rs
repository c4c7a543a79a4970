//! What is done to one table by hand: paused, begun anew in a destination, dropped.

use std::collections::BTreeMap;
use std::path::Path;

use selvedge_queue::{Append, Appended, EmbeddedQueue, Queue, QueueErrorKind, Registration, Since, TableBounds};

use crate::trim::acknowledge;
use crate::{append, batch, bounds, check_error, numbers, open, table};

/// Batches 1 to 3 of orders with 10, 20 and 30 records, received at 100, 200 and 300, and one event; two destinations, which
/// have the first batch.
fn four_batches(folder: &Path) -> EmbeddedQueue {
    let queue = open(folder);
    let of =
        |name, records, received_at: i64| Append { records, received_at, ..batch(name, &received_at.to_be_bytes()) };
    queue
        .append(vec![of("orders", 10, 100), of("orders", 20, 200), of("orders", 30, 300), of("events", 1, 400)])
        .unwrap();
    for destination in ["warehouse", "lake"] {
        queue.register(destination, 0).unwrap();
        acknowledge(&queue, destination, "orders", 1);
    }
    queue
}

/// Since when the destinations have everything of orders.
fn since(queue: &EmbeddedQueue) -> BTreeMap<String, Registration> {
    queue.destinations().unwrap().into_iter().map(|each| (each.name, each.registration)).collect()
}

fn registration(batch: u64, records: u64, received_at: i64) -> Registration {
    Registration { since: [(table("orders"), Since { batch, records, received_at })].into() }
}

#[test]
fn a_pause_lasts_until_it_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    drop(four_batches(folder.path()));
    let check = |reason: Option<&str>| {
        let queue = open(folder.path());
        queue.set_paused(&table("orders"), reason).unwrap();
        assert_eq!(bounds(&queue, "orders").paused.as_deref(), reason);
        drop(queue);
        let queue = open(folder.path());
        assert_eq!((bounds(&queue, "orders").paused.as_deref(), bounds(&queue, "events").paused), (reason, None));
    };
    check(Some("by hand"));
    check(Some("for another reason"));
    check(None);
}

#[test]
fn a_table_that_never_was_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    let customers = table("customers");
    for refused in [
        queue.set_paused(&customers, Some("by hand")),
        queue.restart_table("lake", &customers, 0),
        queue.drop_table(&customers, 0),
        queue.forget_repeats(&customers),
    ] {
        check_error(refused, QueueErrorKind::Refused, &["customers", "queue.db", "check the names"]);
    }
    let unknown = queue.restart_table("archive", &table("orders"), 0);
    check_error(unknown, QueueErrorKind::Refused, &["archive is not registered", "warehouse, lake"]);
    assert_eq!(queue.tables().unwrap().len(), 2);
}

#[test]
fn a_table_begun_anew_is_kept_from_the_oldest_batch() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    acknowledge(&queue, "lake", "orders", 3);
    queue.restart_table("lake", &table("orders"), 7_000).unwrap();
    assert_eq!(since(&queue)["lake"], registration(1, 10, 200));
    assert_eq!(since(&queue)["warehouse"], Registration::default());
    assert_eq!(queue.acknowledged("lake", &table("orders")).unwrap(), 0);
    acknowledge(&queue, "warehouse", "orders", 3);
    assert_eq!(numbers(&queue, "orders"), [2, 3], "what it acknowledged before is forgotten");
    acknowledge(&queue, "lake", "orders", 3);
    assert_eq!(numbers(&queue, "orders"), []);
    queue.restart_table("lake", &table("orders"), 7_000).unwrap();
    assert_eq!(since(&queue)["lake"], registration(3, 60, 7_000));
    // Nothing of the events was deleted, so there is nothing to tell of them.
    queue.restart_table("lake", &table("events"), 7_000).unwrap();
    assert_eq!(since(&queue)["lake"], registration(3, 60, 7_000));
}

#[test]
fn nothing_is_left_of_a_dropped_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = four_batches(folder.path());
    let orders = table("orders");
    queue.keep_for_replay(&orders, &[2, 3]).unwrap();
    queue.set_paused(&orders, Some("by hand")).unwrap();
    acknowledge(&queue, "lake", "orders", 2);
    let events = (bounds(&queue, "events"), queue.body(4).unwrap());
    queue.drop_table(&orders, 7_000).unwrap();
    for _ in 0..2 {
        let nothing = TableBounds {
            table: orders.clone(),
            accepted: 0,
            kept_records: 0,
            newest: 3,
            deleted_to: 3,
            kept_bytes: 0,
            paused: None,
        };
        assert_eq!((bounds(&queue, "orders"), numbers(&queue, "orders")), (nothing, vec![]));
        assert_eq!(queue.kept_for_replay(None).unwrap(), []);
        (1..=3).for_each(|number| check_error(queue.body(number), QueueErrorKind::Refused, &["is not in"]));
        for destination in ["warehouse", "lake"] {
            assert_eq!(since(&queue)[destination], registration(3, 0, 7_000));
            assert_eq!(queue.acknowledged(destination, &orders).unwrap(), 0);
        }
        assert_eq!((bounds(&queue, "events"), queue.body(4).unwrap()), events);
        drop(queue);
        queue = open(folder.path());
    }
    // The same bodies are new ones, and their numbers are.
    let again = queue.append(vec![batch("orders", &100_i64.to_be_bytes())]).unwrap();
    assert_eq!(again, [Appended { batch: 5, repeated: false }]);
    assert_eq!((bounds(&queue, "orders").accepted, queue.register("archive", 0).unwrap()), (1, registration(3, 0, 0)));
}

#[test]
fn forgotten_repeats_are_taken_for_new() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    append(&queue, batch("orders", b"a"));
    append(&queue, batch("events", b"a"));
    queue.forget_repeats(&table("orders")).unwrap();
    let again = queue.append(vec![batch("orders", b"a"), batch("events", b"a")]).unwrap();
    assert_eq!(again, [Appended { batch: 3, repeated: false }, Appended { batch: 2, repeated: true }]);
}

#[test]
fn the_bytes_that_wait_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    append(&queue, batch("orders", &[7; 1_000]));
    append(&queue, batch("orders", &[8; 500]));
    assert_eq!(bounds(&queue, "orders").kept_bytes, 1_500);
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 1);
    assert_eq!(bounds(&queue, "orders").kept_bytes, 500);
}
