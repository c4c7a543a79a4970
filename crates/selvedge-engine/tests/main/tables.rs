//! Tables begun anew or dropped by hand, between two engines.

use selvedge_core::Destination;
use selvedge_engine::{EmbeddedQueue, EngineError, EngineErrorKind, Queue, Tally, drop_table, reset_table};
use tempfile::tempdir;

use crate::cut::{Cut, at_every_step};
use crate::memory::{Memory, Table};
use crate::place::Place;
use crate::{LONG, batch, check_error, check_ids, check_paused, flush, keyless, refused, start, table, tally};

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

fn reset(place: &Place, cut: &Cut, destinations: &[&str]) -> Result<(), EngineError> {
    let queue = cut.queue(place.queue());
    let reset = |name: &&str| reset_table(&queue, name, cut.destination(place.destination(name)).as_mut(), &table("t"));
    destinations.iter().try_for_each(reset)
}

fn drop_all(place: &Place, cut: &Cut, destinations: &[&str]) -> Result<(), EngineError> {
    let destination = |name: &&str| ((*name).to_owned(), cut.destination(place.destination(name)));
    let mut destinations: Vec<_> = destinations.iter().map(destination).collect();
    drop_table(&cut.queue(place.queue()), &mut destinations, &table("t"))
}

/// The ids 1 to 3, a batch each: `a` has all of them, and the queue keeps the last two for `b`, which lacks them.
fn with_one_behind() -> Place {
    let place = Place::new();
    place.load(&["a", "b"], [keyless("t", [1])]);
    place.load(&["a"], [keyless("t", [2]), keyless("t", [3])]);
    place
}

#[track_caller]
fn check_rows(place: &Place, destination: &str, ids: &[&str]) {
    let mut found = place.rows(destination, &["/id"]);
    found.sort();
    assert_eq!(found, ids, "{destination}");
    place.check_counted(destination);
}

/// Cut at any of its steps and done again, a reset leaves what the queue held when the table was removed, each record once,
/// also when an engine ran in between; and what was loaded before can be sent again.
#[test]
fn a_reset_may_be_cut_anywhere() {
    let behind = with_one_behind();
    for engine_runs_meanwhile in [false, true] {
        at_every_step(|cut| {
            let place = behind.copied();
            let done = reset(&place, cut, &["a"]);
            assert_eq!(done.is_err(), cut.fell());
            let is_removed = place.destination("a").state(&table("t")).unwrap().is_none();
            if engine_runs_meanwhile {
                place.load(&["a", "b"], []);
                check_rows(&place, "a", if is_removed { &["2", "3"] } else { &["1", "2", "3"] });
            }
            if done.is_err() {
                reset(&place, &Cut::never(), &["a"]).unwrap();
            }
            place.load(&["a", "b"], []);
            // What every destination had by then is deleted.
            let is_kept = !engine_runs_meanwhile || done.is_ok();
            check_rows(&place, "a", if is_kept { &["2", "3"] } else { &[] });
            check_rows(&place, "b", &["1", "2", "3"]);
            place.load(&["a", "b"], [keyless("t", [1])]);
            check_rows(&place, "a", if is_kept { &["1", "2", "3"] } else { &["1"] });
            check_rows(&place, "b", &["1", "1", "2", "3"]);
        });
    }
}

/// What is mistaken is told before anything is removed.
#[test]
fn a_reset_of_what_the_queue_does_not_know_removes_nothing() {
    let place = with_one_behind();
    let other = Place::new();
    other.load(&["a"], [keyless("other", [1])]);
    let reset = |queue: &EmbeddedQueue, name: &str| reset_table(queue, name, &mut place.destination("a"), &table("t"));
    check_error(reset(&other.queue(), "a"), EngineErrorKind::Refused, &["never was a batch of t"]);
    check_error(reset(&place.queue(), "c"), EngineErrorKind::Refused, &["c is not registered", "a, b"]);
    check_rows(&place, "a", &["1", "2", "3"]);
}

/// Cut at any of its steps and done again, nothing is left of a dropped table, and what is sent again is loaded once.
#[test]
fn a_drop_may_be_cut_anywhere() {
    let behind = with_one_behind();
    let with_rejects = refused("t");
    let engine = behind.builder(&["a"]).start().unwrap();
    engine.push(keyless("other", [1])).unwrap();
    flush(&engine);
    drop(engine);
    for engine_runs_meanwhile in [false, true] {
        at_every_step(|cut| {
            let place = behind.copied();
            let done = drop_all(&place, cut, &["a", "b"]);
            assert_eq!(done.is_err(), cut.fell());
            if engine_runs_meanwhile {
                place.builder(&["a", "b"]).start().unwrap().flush(LONG).unwrap();
            }
            if done.is_err() {
                drop_all(&place, &Cut::never(), &["a", "b"]).unwrap();
            }
            for name in ["a", "b"] {
                assert_eq!(place.destination(name).state(&table("t")).unwrap(), None);
            }
            let queue = place.queue();
            assert!(
                queue.read(&table("t"), 0, 9).unwrap().is_empty() && queue.kept_for_replay(None).unwrap().is_empty()
            );
            drop(queue);
            let repeated = [keyless("t", [1]), keyless("t", [3])];
            place.load(&["a", "b"], repeated.into_iter().chain([keyless("other", [2])]));
            check_rows(&place, "a", &["1", "3"]);
            check_rows(&place, "b", &["1", "3"]);
            drop_all(&place, &Cut::never(), &["a", "b"]).unwrap();
            // The keys are whichever come first.
            place.load(&["a", "b"], [with_rejects.clone(), batch("t", &[(2, 1, "b")])]);
            check_rows(&place, "a", &["1", "2"]);
        });
    }
}
