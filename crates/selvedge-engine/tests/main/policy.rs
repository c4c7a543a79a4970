//! How tables may change.

use std::path::Path;

use selvedge_core::IntegrationName;
use selvedge_engine::{Batch, Engine, NewColumns, Policy};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{batch, check_paused, flush, schema, table};

fn start(folder: &Path, memory: &Memory, policy: Policy) -> Engine {
    Engine::builder(folder).destination("memory", memory.clone()).policy(policy).start().unwrap()
}

fn wider(table: &str) -> Batch {
    Batch::new(table, &["id"], &schema()).upsert(2, &json!({"id": 2, "name": "b", "more": "x"}))
}

/// A frozen table waits; the others go on, and with another policy so does it.
#[test]
fn a_frozen_table_waits_for_another_policy() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let freeze = Policy { new_columns: NewColumns::Freeze, ..Policy::default() };
    let engine = start(folder.path(), &memory, freeze);
    engine.push(batch("t", &[(1, 1, "a")])).unwrap();
    engine.push(wider("other")).unwrap();
    flush(&engine);
    engine.push(wider("t")).unwrap();
    engine.push(batch("other", &[(1, 1, "c")])).unwrap();
    check_paused(&engine, "memory", "t", &["new column `more` of t", "`freeze`", "start again with `evolve`"]);
    assert_eq!(memory.column("t", "name"), ["a"]);
    assert_eq!(memory.column("other", "name"), ["c", "b"]);
    drop(engine);

    let engine = start(folder.path(), &memory, Policy::default());
    flush(&engine);
    assert_eq!(memory.column("t", "more"), ["x"]);
}

/// A table's own policy wins over its integration's.
#[test]
fn a_table_has_its_own() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let discard = Policy { new_columns: NewColumns::DiscardColumn, ..Policy::default() };
    let engine = Engine::builder(folder.path())
        .destination("memory", memory.clone())
        .policy(discard)
        .policy_for_table(table("own"), Policy::default())
        .start()
        .unwrap();
    for name in ["own", "other"] {
        for batch in [batch(name, &[(1, 1, "a")]), wider(name)] {
            engine.push(batch).unwrap();
            flush(&engine);
        }
    }
    assert_eq!((memory.column("own", "more"), memory.column("other", "more")), (vec!["x".to_owned()], vec![]));
}

/// An integration's own policy holds for its tables, and for no others.
#[test]
fn integrations_have_their_own() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let strict = IntegrationName::new("strict").unwrap();
    let discard = Policy { new_columns: NewColumns::DiscardColumn, ..Policy::default() };
    let engine = Engine::builder(folder.path())
        .destination("memory", memory.clone())
        .policy_for(strict.clone(), discard)
        .start()
        .unwrap();
    for integration in [Some(&strict), None] {
        for batch in [batch("t", &[(1, 1, "a")]), wider("t")] {
            let batch = integration.into_iter().fold(batch, |batch, name| batch.integration(name.clone()));
            engine.push(batch).unwrap();
            flush(&engine);
        }
    }
    assert_eq!(memory.column("t", "more"), ["x"]);
    let names = memory.columns_of(Some(&strict), "t");
    assert!(names.contains(&"name".to_owned()) && !names.contains(&"more".to_owned()), "{names:?}");
}
