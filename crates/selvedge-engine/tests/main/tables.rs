//! Tables begun anew or dropped by hand, between two engines.

use selvedge_engine::{EmbeddedQueue, Queue, Tally};
use tempfile::tempdir;

use crate::memory::{Memory, Table};
use crate::{check_ids, check_paused, flush, keyless, start, table, tally};

/// Begun anew in one destination, a table is loaded there from the oldest batch that is kept, and the other goes on.
#[test]
fn a_table_is_begun_anew_in_one_destination() {
    let (folder, left, right, third) = (tempdir().unwrap(), Memory::default(), Memory::default(), Memory::default());
    let both = [("left", &left), ("right", &right), ("third", &third)];
    let engine = start(folder.path(), &both);
    engine.push(keyless("t", [1])).unwrap();
    engine.push(keyless("other", [1])).unwrap();
    flush(&engine);
    // Two batches stay, because of a destination that lacks them.
    third.go_away("t");
    for id in [2, 3] {
        engine.push(keyless("t", [id])).unwrap();
        left.wait_for("t", |table| table.rows.len() == id as usize);
        right.wait_for("t", |table| table.rows.len() == id as usize);
    }
    drop(engine);
    right.edit("t", |table| *table = Table::default());
    third.come_back("t");

    let engine = start(folder.path(), &both[1..2]);
    check_paused(&engine, "right", "t", &["right knows nothing of t"]);
    drop(engine);
    let queue = EmbeddedQueue::open(folder.path()).unwrap();
    queue.restart_table("right", &table("t"), 7).unwrap();
    drop(queue);
    for (id, ids) in [(4, vec![2, 3, 4]), (5, vec![2, 3, 4, 5])] {
        let engine = start(folder.path(), &both);
        engine.push(keyless("t", [id])).unwrap();
        flush(&engine);
        check_ids(&right, "t", ids);
        check_ids(&left, "t", 1..=id);
        check_ids(&third, "t", 1..=id);
        let accepted = if id == 4 { 3 } else { 1 };
        assert_eq!(tally(&engine, "right", "t"), Tally { accepted, loaded: accepted, ..Tally::default() });
    }
}

/// Of a dropped table nothing comes back, and what is pushed afterwards is loaded, also what was pushed before.
#[test]
fn a_dropped_table_begins_again() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    engine.pause(&table("t"), "to be dropped").unwrap();
    engine.push(keyless("t", [2])).unwrap();
    drop(engine);
    memory.edit("t", |table| *table = Table::default());
    EmbeddedQueue::open(folder.path()).unwrap().drop_table(&table("t"), 7).unwrap();

    let engine = start(folder.path(), &[("memory", &memory)]);
    flush(&engine);
    assert_eq!((memory.table("t").state, tally(&engine, "memory", "t")), (None, Tally::default()));
    for id in [3, 1] {
        assert!(!engine.push(keyless("t", [id])).unwrap().repeated());
        flush(&engine);
    }
    check_ids(&memory, "t", [3, 1]);
    assert_eq!(tally(&engine, "memory", "t"), Tally { accepted: 2, loaded: 2, ..Tally::default() });
}
