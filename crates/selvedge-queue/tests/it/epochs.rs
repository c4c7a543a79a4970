//! Epochs: a number given by one copy of a queue is told from the same number given by another.

use std::fs;
use std::path::Path;

use selvedge_core::Epoch;
use selvedge_queue::{Append, EmbeddedQueue, Queue, Repeats};

use crate::trim::acknowledge;
use crate::{append, batch, numbers, open, table};

/// Opens the queue and appends so many batches.
fn open_and_append(folder: &Path, batches: u8) -> EmbeddedQueue {
    let queue = open(folder);
    for body in 0..batches {
        append(&queue, Append { repeats: Repeats::Append, ..batch("orders", &[body]) });
    }
    queue
}

/// The epochs of the numbers 0 to 5.
fn epochs(queue: &EmbeddedQueue) -> [Option<Epoch>; 6] {
    std::array::from_fn(|number| queue.epoch(number as u64).unwrap())
}

#[test]
fn an_epoch_lasts_as_long_as_the_queue_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let [none, first, second, ..] = epochs(&open_and_append(folder.path(), 2));
    assert!(none.is_none() && first.is_some());
    assert_eq!(first, second);
    let queue = open_and_append(folder.path(), 3);
    let [_, still, same, third, fourth, fifth] = epochs(&queue);
    assert_eq!([still, same], [first, second]);
    assert!(third.is_some() && third != first && [fourth, fifth] == [third, third]);
    assert_eq!([queue.epoch(6).unwrap(), queue.epoch(u64::MAX).unwrap()], [None, None]);
    let stored = queue.read(&table("orders"), 0, 10).unwrap();
    let of_batches: Vec<_> = stored.iter().map(|stored| Some(stored.epoch)).collect();
    assert_eq!(of_batches, [first, second, third, fourth, fifth]);
}

#[test]
fn a_number_keeps_its_epoch_when_its_batch_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open_and_append(folder.path(), 2);
    let before = epochs(&queue);
    queue.register("warehouse", 0).unwrap();
    acknowledge(&queue, "warehouse", "orders", 2);
    assert_eq!(numbers(&queue, "orders"), []);
    assert_eq!(epochs(&queue), before);
    drop(queue);
    assert_eq!(epochs(&open(folder.path())), before);
}

#[test]
fn only_openings_that_appended_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for batches in [0, 0, 1, 0, 0, 0, 2, 0] {
        drop(open_and_append(folder.path(), batches));
    }
    let file = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    let mut firsts = file.prepare("SELECT first FROM epochs ORDER BY first").unwrap();
    let firsts = firsts.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<i64>, _>>().unwrap();
    // The last is the one of the next batch.
    assert_eq!(firsts, [1, 2, 4]);
}

/// A copy is made after so many openings and batches; then both go on. They agree about the numbers given before, and about
/// none given after.
#[test]
fn a_restored_copy_gives_its_numbers_in_epochs_of_its_own() {
    for (before, idle_openings) in [(0, 0), (0, 2), (2, 0), (2, 2)] {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(open_and_append(folder.path(), before));
        (0..idle_openings).for_each(|_| drop(open(folder.path())));
        copy_files(folder.path(), copy.path());

        let lost = epochs(&open_and_append(folder.path(), 3));
        restore(copy.path(), folder.path());
        let shared = usize::from(before);
        let restored = open(folder.path());
        assert_eq!(epochs(&restored)[..=shared], lost[..=shared]);
        assert_eq!(epochs(&restored)[shared + 1..], [None; 6][shared + 1..]);
        drop(restored);
        let gone_on = epochs(&open_and_append(folder.path(), 3));
        assert_eq!(gone_on[..=shared], lost[..=shared]);
        for number in shared + 1..=shared + 3 {
            assert!(gone_on[number].is_some() && gone_on[number] != lost[number], "number {number}");
        }
    }
}

/// A copy made of a queue that is open has its epoch, but does not go on in it.
#[test]
fn a_copy_of_an_open_queue_begins_its_own_epoch() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let queue = open_and_append(folder.path(), 1);
    copy_files(folder.path(), copy.path());
    append(&queue, batch("orders", b"of the original"));
    let copied = open_and_append(copy.path(), 1);
    let ([_, first, second, ..], [_, same, other, ..]) = (epochs(&queue), epochs(&copied));
    assert_eq!((first, same), (second, first));
    assert!(other.is_some() && other != second);
}

fn restore(copy: &Path, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
    copy_files(copy, folder);
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
