//! Versions of tables, as far as the engine has a part in them.

use selvedge_engine::{Batch, Repeats, Tally};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_ids, check_words, flush, start, tally};

/// A batch of one version: one record, if there is an id, then the activation, if it is wanted.
fn of_version(version: i64, id: Option<i64>, activation: Option<&str>) -> Batch {
    let upsert = id.map(|id| json!({"action": "upsert", "sequence": id, "data": {"id": id}}));
    let activate = activation.map(|action| json!({"action": action, "sequence": 1}));
    let messages: Vec<_> = upsert.into_iter().chain(activate).collect();
    let batch = json!({
        "table_name": "t",
        "table_version": version,
        "schema": {"properties": {"id": {"type": "integer"}}},
        "key_names": ["id"],
        "messages": messages,
    });
    Batch::from_json(batch.to_string())
}

#[test]
fn an_older_activation_is_a_warning() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let engine = start(folder.path(), &[("memory", &memory)]);
    let push = |batch: Batch, expected: Tally| {
        engine.push(batch).unwrap();
        flush(&engine);
        assert_eq!(tally(&engine, "memory", "t"), expected);
        engine.progress().tables.remove(0).warnings
    };
    let of = |loaded, superseded| Tally { accepted: loaded + superseded, loaded, superseded, ..Tally::default() };
    let activate = Some("activate_version");
    assert_eq!(push(of_version(1, Some(1), None), of(1, 0)), Vec::<String>::new());
    assert_eq!(push(of_version(2, Some(2), activate), of(3, 0)), Vec::<String>::new());
    check_ids(&memory, "t", [2]);
    let warnings = push(of_version(1, Some(3), Some("switch_view")), of(3, 2));
    check_words(&warnings.join("\n"), &["version 1 of t was not activated", "version 2 is active"]);
    check_ids(&memory, "t", [2]);
    check_words(&engine.progress().to_string(), &["version 1 of t was not activated"]);
    // Each is told once, and the last few of them stay.
    for older in [-1, -2, -3, -4, -5, -5] {
        engine.push(of_version(older, None, activate).repeats(Repeats::Append)).unwrap();
        flush(&engine);
    }
    let warnings = engine.progress().tables.remove(0).warnings;
    assert_eq!(warnings.len(), 5);
    (1..=5).zip(&warnings).for_each(|(older, warning)| check_words(warning, &[&format!("version -{older} of t")]));
    assert_eq!(tally(&engine, "memory", "t"), of(3, 8));
}
