//! A destination that does not belong to the queue, or no longer: a clear error, and nothing is skipped.

use std::path::Path;

use selvedge_core::{Epoch, QueueId};
use selvedge_engine::{Engine, EngineBuilder};
use selvedge_queue::{EmbeddedQueue, Queue};
use tempfile::tempdir;

use crate::memory::{Memory, Table};
use crate::{LONG, check_ids, check_paused, check_words, flush, keyless, start};

/// Adopting is for tables of another queue, and makes no difference to the rest.
const ADOPTING_OR_NOT: [fn(EngineBuilder) -> EngineBuilder; 2] = [std::convert::identity, EngineBuilder::adopt];

/// Loads batches 1 to 3, changes the destination behind the engine's back, and checks that the next engine says so with
/// these words at once, and does not load batch 4. Adopting is mentioned only where it is among the words.
#[track_caller]
fn check(change: impl Fn(&mut Table), words: &[&str]) {
    for adopting_or_not in ADOPTING_OR_NOT {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = start(folder.path(), &[("memory", &memory)]);
        (1..=3).for_each(|id| drop(engine.push(keyless("t", [id])).unwrap()));
        flush(&engine);
        drop(engine);
        memory.edit("t", &change);
        let changed = memory.table("t");
        let queue = EmbeddedQueue::open(folder.path()).unwrap();
        assert_eq!(queue.tables().unwrap()[0].deleted_to, 3, "the batches are deleted");
        let queue_id = queue.id().to_string();
        drop(queue);

        let builder = Engine::builder(folder.path()).destination("memory", memory.clone());
        let engine = adopting_or_not(builder).start().unwrap();
        let left = engine.flush(LONG).unwrap();
        assert_eq!((left.len(), left[0].records), (1, 0), "{left:?}");
        check_words(&left[0].to_string(), words);
        assert_eq!(left[0].to_string().contains("--adopt"), words.contains(&ADOPT), "{left:?}");
        engine.push(keyless("t", [4])).unwrap();
        check_paused(&engine, "memory", "t", &[&[queue_id.as_str(), "memory"], words].concat());
        let found = memory.table("t");
        assert_eq!((found.state, found.rows), (changed.state, changed.rows));
    }
}

const ADOPT: &str = "adopt the table (`--adopt`)";

#[test]
fn loaded_from_another_queue() {
    let other = QueueId::random();
    let change = |table: &mut Table| table.state.as_mut().unwrap().position.queue = other;
    check(change, &[&other.to_string(), "up to batch 3", "Use the folder of that queue", "remove memory", ADOPT]);
}

#[test]
fn ahead_of_the_queue() {
    let change = |table: &mut Table| table.state.as_mut().unwrap().position.batch = 9;
    check(change, &["t in memory is at batch 9", "ended at batch 3", "older copy of the queue", "new queue folder"]);
}

#[test]
fn of_another_epoch() {
    let change = |table: &mut Table| table.state.as_mut().unwrap().position.epoch = Epoch::random();
    check(change, &["t in memory is at batch 3", "gave number 3 to another batch", "older copy of the queue"]);
}

#[test]
fn behind_the_oldest_batch_kept() {
    let change = |table: &mut Table| table.state.as_mut().unwrap().position.batch = 1;
    check(change, &["t in memory is at batch 1", "up to 3", "older copy of the destination", "new queue folder"]);
}

#[test]
fn lost() {
    check(
        |table| *table = Table::default(),
        &["memory knows nothing of t", "up to batch 3", "Bring it back", "remove memory"],
    );
}

#[test]
fn restored_while_the_queue_deletes() {
    const BATCHES: i64 = 1_000;
    const RESTORED: i64 = 500;
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    // One load acknowledges more than the queue deletes with one commit, and the engine ends before the rest is deleted.
    let hold = memory.hold();
    engine.push_many((1..=BATCHES).map(|id| keyless("t", [id])), |_| ()).unwrap();
    drop(hold);
    flush(&engine);
    drop(engine);
    memory.edit("t", |table| {
        let state = table.state.as_mut().unwrap();
        let restored = RESTORED.unsigned_abs();
        (state.position.batch, state.counts.loaded, state.counts.live_rows) = (restored, restored, restored);
        table.rows.retain(|_, row| row["id"].parse::<i64>().unwrap() <= RESTORED);
    });

    // The batches after the copy are being deleted now. What is there may be loaded, but not past a gap.
    let engine = start(folder.path(), &[("memory", &memory)]);
    let left = engine.flush(LONG).unwrap();
    let loaded = memory.table("t").rows.len() as i64;
    check_ids(&memory, "t", 1..=loaded);
    assert_eq!(left.is_empty(), loaded == BATCHES, "{left:?}");
    for waiting in left {
        check_words(
            waiting.reason.as_deref().unwrap(),
            &["older copy of the destination", &format!("batch {loaded} of")],
        );
    }
}

/// An older copy of a queue gives the numbers again that lost batches had. What it accepts waits, through restarts and further
/// batches, because the destination is not at a batch of this copy.
#[test]
fn restored_queue_gives_numbers_again() {
    for adopting_or_not in ADOPTING_OR_NOT {
        let (folder, copy, memory) = (tempdir().unwrap(), tempdir().unwrap(), Memory::default());
        let run = |ids: &[i64]| {
            let builder = Engine::builder(folder.path()).destination("memory", memory.clone());
            let engine = adopting_or_not(builder).start().unwrap();
            engine.flush(LONG).unwrap();
            ids.iter().for_each(|id| drop(engine.push(keyless("t", [*id])).unwrap()));
            engine.flush(LONG).unwrap()
        };
        assert_eq!(run(&[1]), []);
        copy_folder(folder.path(), copy.path());
        assert_eq!(run(&[2, 3]), []);
        let reached = memory.table("t");
        let queue_id = EmbeddedQueue::open(folder.path()).unwrap().id();
        copy_folder(copy.path(), folder.path());

        let at = format!("t in memory is at batch 3 of queue {queue_id}, but this copy of the queue");
        let check = |ids: &[i64], records: u64, word: &str| {
            let left = run(ids);
            assert_eq!((left.len(), left[0].records), (1, records), "{left:?}");
            let words = [&at, word, "older copy of the queue", "Bring the newer one back", "remove memory"];
            check_words(&left[0].to_string(), &words);
            assert!(!left[0].to_string().contains("--adopt"), "{left:?}");
            let found = memory.table("t");
            assert_eq!((&found.state, &found.rows), (&reached.state, &reached.rows));
        };
        check(&[], 0, "ended at batch 1");
        check(&[12], 1, "ended at batch 1");
        check(&[], 1, "ended at batch 2");
        check(&[13, 14], 3, "ended at batch 2");
        check(&[], 3, "gave number 3 to another batch");
        check(&[15], 4, "gave number 3 to another batch");
        check(&[], 4, "gave number 3 to another batch");
    }
}

/// A destination that an older copy of the queue is not behind goes on with it.
#[test]
fn restored_queue_and_a_destination_behind_it() {
    let (folder, copy) = (tempdir().unwrap(), tempdir().unwrap());
    let (ahead, behind) = (Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("ahead", &ahead), ("behind", &behind)]);
    engine.push(keyless("t", [1])).unwrap();
    flush(&engine);
    behind.go_away("t");
    engine.push(keyless("t", [2])).unwrap();
    ahead.wait_for("t", |table| table.rows.len() == 2);
    drop(engine);
    copy_folder(folder.path(), copy.path());
    let engine = start(folder.path(), &[("ahead", &ahead), ("behind", &behind)]);
    engine.push(keyless("t", [3])).unwrap();
    ahead.wait_for("t", |table| table.rows.len() == 3);
    drop(engine);
    copy_folder(copy.path(), folder.path());
    behind.come_back("t");

    for id in [4, 5] {
        let engine = start(folder.path(), &[("ahead", &ahead), ("behind", &behind)]);
        engine.push(keyless("t", [id])).unwrap();
        check_paused(&engine, "ahead", "t", &["at batch 3", "this copy of the queue", "older copy of the queue"]);
        check_ids(&ahead, "t", 1..=3);
    }
    check_ids(&behind, "t", [1, 2, 4, 5]);
}

/// Puts the files of one folder in the place of those of another.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let file = entry.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
