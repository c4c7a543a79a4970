//! Little memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use selvedge_engine::{Batch, Engine, EngineErrorKind};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_error, check_ids, flush, keyless, schema};

/// Everything arrives, in order, though the backlog is many times what may stay in memory.
#[test]
fn a_backlog_larger_than_the_budget_arrives() {
    for budget_bytes in [0, 1, 64 << 10] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let engine = Engine::builder(folder.path())
            .destination("memory", memory.clone())
            .budget_bytes(budget_bytes)
            .start()
            .unwrap();
        let hold = memory.hold();
        let batches = (0..60).map(|batch| keyless("t", batch * 50..(batch + 1) * 50));
        engine.push_many(batches, |_| ()).unwrap();
        drop(hold);
        flush(&engine);
        check_ids(&memory, "t", 0..3_000);
    }
}

/// Elements of arrays take memory as records do: a load has no more of them than the budget allows.
#[test]
fn arrays_count_towards_the_budget() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine =
        Engine::builder(folder.path()).destination("memory", memory.clone()).budget_bytes(1200 << 10).start().unwrap();
    let elements = vec![json!(7); 8_000];
    let batch = |id: i64| Batch::new("t", &["id"], &schema()).upsert(1, &json!({"id": id, "l": elements}));
    let hold = memory.hold();
    engine.push(batch(0)).unwrap();
    hold.wait_for_load();
    (1..=10).for_each(|id| drop(engine.push(batch(id)).unwrap()));
    drop(hold);
    flush(&engine);
    // Five eighths are for a load, half of that for what it is made of; each of these batches takes about a fifth of a million bytes.
    assert_eq!(memory.table("t").loads, 6);
}

#[test]
fn try_push_does_not_wait_for_room() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    // Each batch is larger than all the room, so that it goes alone.
    let engine = Engine::builder(folder.path()).destination("memory", memory.clone()).budget_bytes(4).start().unwrap();
    let found_full = AtomicBool::new(false);
    let (pushed, result) = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut pushed = 0;
            while !found_full.load(Ordering::SeqCst) {
                engine.push(keyless("t", [pushed])).unwrap();
                pushed += 1;
            }
            pushed
        });
        let attempt = |id| engine.try_push(keyless("tried", [id]));
        // The other thread is in a push nearly all the time.
        let result = (0..100_000).map(attempt).find(Result::is_err);
        found_full.store(true, Ordering::SeqCst);
        (sender.join().unwrap(), result)
    });
    check_error(result.unwrap(), EngineErrorKind::Full, &["the budget is used up", "again"]);
    flush(&engine);
    check_ids(&memory, "t", 0..pushed);
}
