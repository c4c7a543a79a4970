//! Records that cannot be loaded are kept aside, with their text.

use selvedge_engine::{Batch, Tally};
use serde_json::json;
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_names, flush, schema, start, tally};

const BAD: &str = r#"{"id":2,"name":"b","NAME":"B"}"#;

fn with_a_bad_record() -> Batch {
    let bad = serde_json::from_str(BAD).unwrap();
    Batch::new("t", &["id"], &schema()).upsert(1, &json!({"id": 1, "name": "a"})).upsert(1, &bad)
}

/// The text comes from the queue, whether the batch is still in memory or was decoded again.
#[test]
fn their_text_comes_from_the_queue() {
    for restarts in [false, true] {
        let (folder, memory) = (tempdir().unwrap(), Memory::default());
        let mut engine = start(folder.path(), &[("memory", &memory)]);
        memory.go_away("t");
        engine.push(with_a_bad_record()).unwrap();
        if restarts {
            drop(engine);
            engine = start(folder.path(), &[("memory", &memory)]);
        }
        memory.come_back("t");
        flush(&engine);
        check_names(&memory, "t", &["a"]);
        let [reject] = memory.table("t").rejects.try_into().unwrap();
        assert_eq!((reject["record"].as_str(), reject["pointer"].as_str()), (BAD, "/name"));
        assert_eq!(reject["reason"], "Field collision on NAME");
        assert_eq!((reject["_sdc_batch"].as_str(), reject["_sdc_batch_record"].as_str()), ("1", "1"));
        let expected = Tally { accepted: 2, loaded: 1, rejected: 1, ..Tally::default() };
        assert_eq!(tally(&engine, "memory", "t"), expected);
    }
}
