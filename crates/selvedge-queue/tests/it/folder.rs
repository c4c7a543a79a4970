//! Opening a folder: the lock, the format, damage.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use selvedge_queue::{EmbeddedQueue, Queue, QueueErrorKind};

use crate::{append, batch, check_error, crash, noise, open};

#[test]
fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("made/on/the/way");
    let queue = open(&inner);
    check_error(EmbeddedQueue::open(&inner), QueueErrorKind::InUse, &["made/on/the/way", "stop it"]);
    assert_eq!(crash::run_child("open", &inner), ["refused InUse"]);
    drop(queue);
    assert_eq!(crash::run_child("open", &inner), ["opened"]);
    open(&inner);
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    check_error(EmbeddedQueue::open(folder.path().join("file/queue")), QueueErrorKind::Io, &["file/queue"]);
}

#[test]
fn a_queue_that_exists_is_opened_without_making_one() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("mistaken");
    let check = |folder: &Path, words: &[&str]| {
        check_error(EmbeddedQueue::open_existing(folder), QueueErrorKind::Format, words);
    };
    check(&missing, &["no queue in", "mistaken", "check the path"]);
    assert!(!missing.exists());
    check(folder.path(), &["no queue in", "check the path"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");

    fs::create_dir(&missing).unwrap();
    fs::write(missing.join("queue.db"), "").unwrap();
    check(&missing, &["not a queue", "mistaken"]);

    let queue = open(folder.path());
    check_error(EmbeddedQueue::open_existing(folder.path()), QueueErrorKind::InUse, &["stop it"]);
    let (id, number) = (queue.id(), append(&queue, batch("orders", b"a")));
    drop(queue);
    let queue = EmbeddedQueue::open_existing(folder.path()).unwrap();
    assert_eq!((queue.id(), queue.body(number).unwrap()), (id, b"a".to_vec()));
}

#[test]
fn an_empty_file_becomes_a_queue() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queue.db"), "").unwrap();
    assert_eq!(append(&open(folder.path()), batch("orders", b"a")), 1);
}

#[test]
fn what_is_not_a_queue_of_this_version_is_refused() {
    let check = |change: &dyn Fn(&Path), words: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("queue.db");
        drop(open(folder.path()));
        change(&file);
        check_error(EmbeddedQueue::open(folder.path()), QueueErrorKind::Format, words);
    };
    let sql = |statements: &'static str| {
        move |file: &Path| Connection::open(file).unwrap().execute_batch(statements).unwrap()
    };
    check(&|file| fs::write(file, "something else, long enough to be read. ".repeat(9)).unwrap(), &["not a queue"]);
    check(&sql("PRAGMA application_id = 7"), &["not a queue"]);
    check(&sql("PRAGMA user_version = 2"), &["format 2", "format 3"]);
    check(&sql("PRAGMA user_version = 1"), &["format 1", "format 3"]);
    check(&sql("PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM"), &["page_size", "4096", "65536"]);
    check(&sql("PRAGMA auto_vacuum = NONE; VACUUM"), &["auto_vacuum"]);
    let foreign = |file: &Path| {
        fs::remove_file(file).unwrap();
        sql("CREATE TABLE customers (id)")(file);
    };
    check(&foreign, &["not a queue"]);
}

#[test]
fn a_damaged_body_is_told_by_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = open(folder.path());
    let body = noise(1, 200_000);
    append(&queue, batch("orders", b"sound"));
    append(&queue, batch("orders", &body));
    drop(queue);

    // The body does not compress, so its bytes stand in the file as they are.
    let mut bytes = fs::read(&file).unwrap();
    let needle = &body[100_000..100_016];
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();

    let queue = open(folder.path());
    check_error(queue.body(2), QueueErrorKind::Corrupt, &["batch 2 ", "queue.db", "restore"]);
    assert_eq!(queue.body(1).unwrap(), b"sound");
}

#[test]
fn a_damaged_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    drop(open(folder.path()));
    let mut bytes = fs::read(&file).unwrap();
    bytes[65_536..].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    check_error(EmbeddedQueue::open(folder.path()), QueueErrorKind::Corrupt, &["queue.db", "restore"]);
}
