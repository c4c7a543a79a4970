//! Looking at a queue that somebody has open.

use std::ffi::OsString;

use selvedge_queue::{Queue, QueueErrorKind, QueueReader};

use crate::{append, batch, check_error, open, table};

#[test]
fn a_reader_sees_what_is_committed_beside_the_one_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let reader = QueueReader::open(folder.path()).unwrap();
    assert_eq!((reader.tables().unwrap(), reader.destinations().unwrap()), (vec![], vec![]));
    queue.register("warehouse", 1).unwrap();
    append(&queue, batch("orders", b"1"));
    assert_eq!(reader.tables().unwrap(), queue.tables().unwrap());
    assert_eq!(reader.destinations().unwrap(), queue.destinations().unwrap());
    queue.set_paused(&table("orders"), Some("by hand")).unwrap();
    queue.keep_for_replay(&table("orders"), &[1]).unwrap();
    assert_eq!(reader.tables().unwrap()[0].paused.as_deref(), Some("by hand"));
    assert_eq!(reader.kept_for_replay(None).unwrap(), queue.kept_for_replay(None).unwrap());
    assert_eq!(reader.kept_for_replay(None).unwrap().len(), 1);
    drop(queue);
    assert_eq!(reader.destinations().unwrap().len(), 1, "after the one who writes is gone");
}

/// Opening a queue begins an epoch; looking at it does not.
#[test]
fn a_reader_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let files = || -> Vec<(OsString, Vec<u8>)> {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    };
    let before = files();
    drop(QueueReader::open(folder.path()).unwrap().tables().unwrap());
    assert_eq!(files(), before);
}

#[test]
fn what_is_no_queue_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    check_error(QueueReader::open(folder.path()), QueueErrorKind::Format, &["there is no queue in", "check the path"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(folder.path().join("queue.db"), "not a database".repeat(100)).unwrap();
    check_error(QueueReader::open(folder.path()), QueueErrorKind::Format, &["is not a queue of selvedge"]);
}
