//! Who batches are kept for: registering, removing, listing.

use std::collections::BTreeMap;
use std::path::Path;

use selvedge_core::TableName;
use selvedge_queue::{Append, EmbeddedQueue, Queue, QueueErrorKind, Registered, Registration, Since};

use crate::trim::{acknowledge, wait_until};
use crate::{append, batch, bounds, check_error, numbers, open, table};

/// Batches 1 to 4: orders of 10, 20 and 30 records, received at 100, 300 and 400, and between them one event at 200.
fn four_batches(folder: &Path) -> EmbeddedQueue {
    let queue = open(folder);
    let of =
        |name, records, received_at: i64| Append { records, received_at, ..batch(name, &received_at.to_be_bytes()) };
    queue
        .append(vec![of("orders", 10, 100), of("events", 1, 200), of("orders", 20, 300), of("orders", 30, 400)])
        .unwrap();
    queue
}

fn since(entries: &[(&str, Since)]) -> Registration {
    Registration { since: entries.iter().map(|(name, since)| (table(name), *since)).collect() }
}

/// Since when a destination is complete that was registered at this moment, when the one event was deleted.
fn events_at(registered_at: i64) -> Since {
    Since { batch: 2, records: 1, received_at: registered_at }
}

fn waiting(entries: &[(&str, u64)]) -> BTreeMap<TableName, u64> {
    entries.iter().map(|(name, records)| (table(name), *records)).collect()
}

#[test]
fn a_registration_tells_since_when() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = four_batches(folder.path());
    let orders = Since { batch: 3, records: 30, received_at: 400 };
    let check = |queue: &EmbeddedQueue, destination: &str, registered_at, expected: &[(&str, Since)]| {
        assert_eq!(queue.register(destination, registered_at).unwrap(), since(expected), "{destination}");
    };
    check(&queue, "warehouse", 5_000, &[]);
    acknowledge(&queue, "warehouse", "events", 2);
    check(&queue, "lake", 7_000, &[("events", events_at(7_000))]);
    acknowledge(&queue, "warehouse", "orders", 4);
    assert_eq!(numbers(&queue, "orders"), [1, 3, 4], "kept for the lake, which came before");
    acknowledge(&queue, "lake", "orders", 3);
    check(&queue, "archive", 9_000, &[("events", events_at(9_000)), ("orders", orders)]);

    // Later registrations tell the same, whatever happened since.
    acknowledge(&queue, "lake", "orders", 4);
    acknowledge(&queue, "archive", "orders", 4);
    for _ in 0..2 {
        check(&queue, "warehouse", 10_000, &[]);
        check(&queue, "lake", 10_000, &[("events", events_at(7_000))]);
        check(&queue, "archive", 10_000, &[("events", events_at(9_000)), ("orders", orders)]);
        drop(queue);
        queue = open(folder.path());
    }
}

#[test]
fn destinations_are_listed_with_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    assert_eq!(queue.destinations().unwrap(), []);
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "events", 2);
    queue.register("archive", 500).unwrap();
    acknowledge(&queue, "warehouse", "orders", 3);
    acknowledge(&queue, "archive", "orders", 2);

    let warehouse = Registered {
        name: "warehouse".to_owned(),
        registration: Registration::default(),
        waiting: waiting(&[("orders", 30)]),
    };
    let archive = Registered {
        name: "archive".to_owned(),
        registration: since(&[("events", events_at(500))]),
        waiting: waiting(&[("orders", 50)]),
    };
    assert_eq!(queue.destinations().unwrap(), [warehouse.clone(), archive.clone()]);
    drop(queue);
    let queue = open(folder.path());
    assert_eq!(queue.destinations().unwrap(), [warehouse, archive]);
    acknowledge(&queue, "warehouse", "orders", 4);
    assert_eq!(queue.destinations().unwrap()[0].waiting, waiting(&[]));
}

#[test]
fn what_only_a_removed_destination_lacked_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    queue.register("lake", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 3);
    acknowledge(&queue, "warehouse", "events", 2);
    assert_eq!(numbers(&queue, "orders"), [1, 3, 4]);

    queue.unregister("lake").unwrap();
    wait_until(|| numbers(&queue, "orders") == [4] && numbers(&queue, "events").is_empty());
    assert_eq!(queue.destinations().unwrap().len(), 1);
    check_error(
        queue.acknowledge("lake", &table("orders"), 4),
        QueueErrorKind::Refused,
        &["lake", "orders", "queue.db", "not registered"],
    );
}

#[test]
fn without_a_destination_nothing_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = four_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 1);
    queue.unregister("warehouse").unwrap();
    for _ in 0..2 {
        append(&queue, batch("orders", b"more"));
        assert_eq!(bounds(&queue, "orders").deleted_to, 1);
        assert_eq!(queue.destinations().unwrap(), []);
        drop(queue);
        queue = open(folder.path());
    }
}

/// Nothing of the first registration is left, and what the queue kept meanwhile is there for the second.
#[test]
fn registered_anew_it_begins_at_the_oldest_kept() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    queue.register("lake", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 1);
    acknowledge(&queue, "lake", "orders", 4);
    queue.unregister("lake").unwrap();

    let orders = Since { batch: 1, records: 10, received_at: 300 };
    assert_eq!(queue.register("lake", 8_000).unwrap(), since(&[("orders", orders)]));
    let lake = queue.destinations().unwrap().pop().unwrap();
    assert_eq!((lake.name.as_str(), lake.waiting), ("lake", waiting(&[("orders", 50), ("events", 1)])));
    acknowledge(&queue, "warehouse", "orders", 4);
    assert_eq!(numbers(&queue, "orders"), [3, 4], "the acknowledgement of the first registration is forgotten");
}

#[test]
fn nothing_is_left_of_a_removed_destination() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 4);
    queue.register("lake", 0).unwrap();
    acknowledge(&queue, "lake", "orders", 4);
    queue.unregister("warehouse").unwrap();
    queue.unregister("lake").unwrap();
    drop(queue);
    let file = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    for table in ["destinations", "registered", "acknowledged"] {
        let rows = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
        assert_eq!(rows.unwrap(), 0, "{table}");
    }
}

#[test]
fn a_destination_that_is_not_registered_cannot_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    let check = |words: &[&str]| {
        check_error(queue.unregister("lake"), QueueErrorKind::Refused, &[&["lake ", "queue.db"], words].concat());
    };
    check(&["no destination is"]);
    queue.register("warehouse", 0).unwrap();
    queue.register("archive", 0).unwrap();
    check(&["warehouse, archive"]);
    queue.register("lake", 0).unwrap();
    queue.unregister("lake").unwrap();
    check(&["warehouse, archive"]);
    append(&queue, batch("orders", b"the queue is unharmed"));
}
