//! Rows without a key get one that does not depend on who loads them, or when.

use std::collections::BTreeSet;

use selvedge_core::system;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_ids, flush, keyless, start};

#[test]
fn generated_keys_are_the_same_everywhere() {
    let (folder, early, late) = (tempdir().unwrap(), Memory::default(), Memory::default());
    let engine = start(folder.path(), &[("early", &early), ("late", &late)]);
    late.go_away("t");
    for first in [0, 10, 20] {
        engine.push(keyless("t", first..first + 10)).unwrap();
        early.wait_for("t", |table| table.rows.len() as i64 == first + 10);
    }
    drop(engine);
    late.come_back("t");
    let engine = start(folder.path(), &[("early", &early), ("late", &late)]);
    flush(&engine);

    check_ids(&early, "t", 0..30);
    check_ids(&late, "t", 0..30);
    let keys = early.column("t", system::PRIMARY_KEY);
    assert_eq!(keys, late.column("t", system::PRIMARY_KEY));
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 30, "each row has its own");
    assert_ne!(early.table("t").loads, late.table("t").loads, "they were not loaded alike");
}
