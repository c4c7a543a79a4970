//! Random loads of rows, deletes and activated versions, against the rule they follow.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::database::Database;
use crate::life::{Load, Record, check_stands, load};

/// What one load is made of, in the order it came.
#[derive(Debug, Clone)]
enum Message {
    Upsert(Record),
    Delete(Record),
    Activate(i64),
}

/// The rule: of each key the message of the greatest (version, sequence) counts, of equals the last, unless it is below the
/// greatest version that was activated.
#[derive(Default)]
struct Model {
    newest: BTreeMap<i64, Newest>,
    active_version: Option<i64>,
}

#[derive(Clone, Copy)]
struct Newest {
    record: Record,
    is_deleted: bool,
}

impl Model {
    fn take(&mut self, message: &Message) {
        let (record, is_deleted) = match message {
            Message::Upsert(record) => (*record, false),
            Message::Delete(record) => (*record, true),
            Message::Activate(version) => {
                self.active_version = self.active_version.max(Some(*version));
                return;
            }
        };
        let newest = self.newest.entry(record.0).or_insert(Newest { record, is_deleted });
        if age(&newest.record) <= age(&record) {
            *newest = Newest { record, is_deleted };
        }
    }

    fn stand(&self, is_deleted: bool) -> Vec<Record> {
        let stands = |newest: &&Newest| newest.is_deleted == is_deleted && newest.record.2 >= self.active_version;
        self.newest.values().filter(stands).map(|newest| newest.record).collect()
    }
}

fn age(record: &Record) -> (Option<i64>, i64) {
    (record.2, record.1)
}

fn message() -> impl Strategy<Value = Message> {
    let record = || (0..4_i64, 0..4_i64, prop_oneof![Just(None), (1..3_i64).prop_map(Some)]);
    prop_oneof![
        6 => record().prop_map(Message::Upsert),
        4 => record().prop_map(Message::Delete),
        1 => (0..3_i64).prop_map(Message::Activate),
    ]
}

/// Makes a load as preparation does: of each key the newest message alone, and none below the active version.
fn apply(database: &mut Database, active_version: Option<i64>, messages: &[Message]) -> u64 {
    let mut model = Model { active_version, ..Model::default() };
    messages.iter().for_each(|message| model.take(message));
    let activates = messages.iter().any(|message| matches!(message, Message::Activate(_)));
    let (rows, deletes) = (model.stand(false), model.stand(true));
    let activates = model.active_version.filter(|_| activates);
    load(database, &Load { rows: &rows, deletes: &deletes, activates }).counts.live_rows
}

#[track_caller]
fn check(loads: &[Vec<Message>]) {
    let mut database = Database::new();
    let mut model = Model::default();
    for messages in loads {
        let live_rows = apply(&mut database, model.active_version, messages);
        messages.iter().for_each(|message| model.take(message));
        check_stands(&database, &model.stand(false), &model.stand(true));
        assert_eq!(live_rows, model.stand(false).len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_is_what_the_rule_says(
        loads in prop::collection::vec(prop::collection::vec(message(), 0..8), 1..8)
    ) {
        check(&loads);
    }
}
