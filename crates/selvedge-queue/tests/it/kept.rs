//! Bodies kept for replay: how long they stay, and how one takes the place of another.

use std::path::Path;

use selvedge_queue::{Append, EmbeddedQueue, Kept, Queue, QueueErrorKind, SealedBody};

use crate::trim::{acknowledge, wait_until};
use crate::{append, batch, bounds, check_error, noise, numbers, open, table};

/// Batches 1 to 3 of orders and 4 of events, received at 100, 200, 300 and 400, with a destination for them.
fn four_batches(folder: &Path) -> EmbeddedQueue {
    let queue = open(folder);
    let of = |name, received_at: i64| Append { received_at, ..batch(name, &received_at.to_be_bytes()) };
    queue.append(vec![of("orders", 100), of("orders", 200), of("orders", 300), of("events", 400)]).unwrap();
    queue.register("warehouse", 0).unwrap();
    queue
}

fn kept(name: &str, batch: u64, received_at: i64) -> Kept {
    Kept { table: table(name), batch, records: 1, received_at }
}

#[track_caller]
fn check_body(queue: &EmbeddedQueue, batch: u64, body: Option<i64>) {
    match body {
        Some(body) => assert_eq!(queue.body(batch).unwrap(), body.to_be_bytes()),
        None => check_error(queue.body(batch), QueueErrorKind::Refused, &[&format!("batch {batch} ")]),
    }
}

#[test]
fn their_bodies_outlive_their_batches() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = four_batches(folder.path());
    queue.keep_for_replay(&table("orders"), &[2]).unwrap();
    queue.keep_for_replay(&table("events"), &[4, 77]).unwrap();
    acknowledge(&queue, "warehouse", "orders", 3);
    acknowledge(&queue, "warehouse", "events", 4);
    for _ in 0..2 {
        assert_eq!((numbers(&queue, "orders"), numbers(&queue, "events")), (vec![], vec![]));
        let both = [kept("orders", 2, 200), kept("events", 4, 400)];
        assert_eq!(queue.kept_for_replay(None).unwrap(), both);
        assert_eq!(queue.kept_for_replay(Some(&table("events"))).unwrap(), both[1..]);
        assert_eq!(bounds(&queue, "orders").kept_bytes, 0);
        for (batch, body) in [(1, None), (2, Some(200)), (3, None), (4, Some(400))] {
            check_body(&queue, batch, body);
        }
        drop(queue);
        queue = open(folder.path());
    }
    // What is gone cannot be kept any more, and a batch is kept for its own table.
    queue.keep_for_replay(&table("orders"), &[1]).unwrap();
    let waiting = append(&queue, batch("orders", b"waiting"));
    queue.keep_for_replay(&table("events"), &[waiting]).unwrap();
    assert_eq!(queue.kept_for_replay(None).unwrap().len(), 2);
    check_error(
        queue.keep_for_replay(&table("customers"), &[1]),
        QueueErrorKind::Refused,
        &["customers", "queue.db", "check the names"],
    );
}

#[test]
fn what_is_pruned_stays_only_while_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    queue.keep_for_replay(&table("orders"), &[1, 2, 3]).unwrap();
    acknowledge(&queue, "warehouse", "orders", 1);
    queue.prune_kept(300).unwrap();
    assert_eq!(queue.kept_for_replay(None).unwrap(), [kept("orders", 3, 300)]);
    for (batch, body) in [(1, None), (2, Some(200)), (3, Some(300))] {
        check_body(&queue, batch, body);
    }
    acknowledge(&queue, "warehouse", "orders", 3);
    for (batch, body) in [(2, None), (3, Some(300))] {
        check_body(&queue, batch, body);
    }
}

#[test]
fn more_than_a_portion_is_pruned_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let last = queue.append((0..300).map(|n: i64| batch("orders", &n.to_be_bytes())).collect()).unwrap()[299].batch;
    queue.keep_for_replay(&table("orders"), &numbers(&queue, "orders")).unwrap();
    queue.register("warehouse", 0).unwrap();
    queue.acknowledge("warehouse", &table("orders"), last).unwrap();
    wait_until(|| bounds(&queue, "orders").deleted_to == last);
    assert_eq!(queue.kept_for_replay(None).unwrap().len(), 300);
    queue.prune_kept(1).unwrap();
    assert_eq!(queue.kept_for_replay(None).unwrap(), []);
    drop(queue);
    let file = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    assert_eq!(file.query_row("SELECT count(*) FROM bodies", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn another_body_takes_the_place_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut queue = four_batches(folder.path());
    queue.keep_for_replay(&table("orders"), &[1]).unwrap();
    acknowledge(&queue, "warehouse", "orders", 1);
    for number in [1, 2] {
        queue.replace_body(number, SealedBody::seal(b"another")).unwrap();
    }
    for _ in 0..2 {
        for (number, body) in [(1, &b"another"[..]), (2, b"another"), (3, &300_i64.to_be_bytes())] {
            assert_eq!(queue.body(number).unwrap(), body);
        }
        let lengths: Vec<_> = queue.read(&table("orders"), 0, 9).unwrap().iter().map(|each| each.body_bytes).collect();
        assert_eq!((lengths, bounds(&queue, "orders").kept_bytes), (vec![7, 8], 15));
        drop(queue);
        queue = open(folder.path());
    }
    let repeat = queue.append(vec![batch("orders", &200_i64.to_be_bytes())]).unwrap()[0];
    assert_eq!((repeat.batch, repeat.repeated), (2, true), "the body that first came is known");
    check_error(queue.replace_body(77, SealedBody::seal(b"")), QueueErrorKind::Refused, &["batch 77 "]);
}

/// Small and large bodies, replaced and deleted: the bytes are in no file, while the queue is open and afterwards.
#[test]
fn nothing_that_was_deleted_or_replaced_is_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let holds = |needle: &[u8]| {
        let files =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|file| file.windows(needle.len()).any(|window| window == needle))
    };
    // They do not compress, so their bytes stand in the files as they are.
    let bodies: Vec<Vec<u8>> = [90, 3_000_000, 80, 2_000_000, 100, 70, 400_000]
        .into_iter()
        .enumerate()
        .map(|(seed, bytes)| noise(seed as u64, bytes))
        .collect();
    let needles = || bodies.iter().map(|body| &body[body.len() / 2..body.len() / 2 + 32]);
    let queue = open(folder.path());
    queue.append(bodies.iter().map(|body| batch("orders", body)).collect()).unwrap();
    assert!(needles().all(holds));
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 4);
    let left = || needles().map(holds).collect::<Vec<_>>();
    assert_eq!(numbers(&queue, "orders").len(), 3);
    assert!(left()[..4].contains(&true), "deleting alone leaves something");
    queue.wipe_deleted().unwrap();
    assert_eq!(left(), [false, false, false, false, true, true, true]);
    for number in 5..=7 {
        queue.replace_body(number, SealedBody::seal(b"{}")).unwrap();
    }
    queue.wipe_deleted().unwrap();
    assert_eq!(left(), [false; 7]);
    drop(queue);
    assert_eq!(left(), [false; 7]);
}

#[test]
fn a_log_that_is_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let queue = four_batches(folder.path());
    let reader = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    let reading = reader.unchecked_transaction().unwrap();
    reading.query_row("SELECT count(*) FROM bodies", [], |row| row.get::<_, i64>(0)).unwrap();
    queue.replace_body(1, SealedBody::seal(b"another")).unwrap();
    check_error(queue.wipe_deleted(), QueueErrorKind::Io, &["somebody reads", "queue.db", "once more"]);
    assert_eq!(queue.body(1).unwrap(), b"another");
    drop(reading);
    queue.wipe_deleted().unwrap();
}
