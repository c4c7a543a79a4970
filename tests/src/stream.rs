//! What the writers send: a function of the seed, so that whoever knows how far each came knows everything that was sent.

use selvedge::Batch;
use serde_json::{Value, json};

use crate::random::Random;

/// More writers than there ever are: a sequence tells its writer.
const WRITERS_MAX: u64 = 64;

/// The batches of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) seed: u64,
    pub(crate) shape: Shape,
}

/// How much a stream brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Records of a batch.
    pub(crate) records: u64,
    /// Keys of the keyed table: few, so that rows are replaced.
    pub(crate) keys: u64,
    /// Bytes of a text in each record of the keyed table.
    pub(crate) text_bytes: usize,
    pub(crate) tables: Tables,
}

/// Where batches go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Every third to the keyless table, with bad records in both.
    Both,
    /// All to the keyed table, and no bad records: what stands does not grow.
    KeyedAlone,
}

impl Shape {
    /// So little that a run can be played once for every call it makes.
    pub(crate) const SMALL: Self = Self { records: 6, keys: 9, text_bytes: 0, tables: Tables::Both };
    /// So much that loads take a while, and rows still come again.
    pub(crate) const MEDIUM: Self = Self { records: 40, keys: 400, text_bytes: 40, tables: Tables::Both };
    /// A megabyte a batch, in a table of some fifty.
    pub(crate) const LARGE: Self = Self { records: 2_000, keys: 100_000, text_bytes: 420, tables: Tables::KeyedAlone };
}

/// A table that is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Keyed,
    Keyless,
}

impl Table {
    pub(crate) const ALL: [Self; 2] = [Self::Keyed, Self::Keyless];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keyed => "keyed",
            Self::Keyless => "keyless",
        }
    }
}

/// A batch.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) table: Table,
    pub(crate) messages: Vec<Message>,
}

/// A message of a batch.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) sequence: i64,
    /// In the keyed table its key.
    pub(crate) id: i64,
    pub(crate) what: What,
}

/// What a message says of its record.
#[derive(Debug)]
pub(crate) enum What {
    Upsert {
        text: String,
        items: Vec<i64>,
    },
    Delete,
    /// A record that violates its schema.
    Bad,
}

impl Stream {
    /// The batch of a writer with this number, from 0.
    pub(crate) fn batch(&self, writer: u64, number: u64) -> Sent {
        let Shape { records, keys, text_bytes, tables } = self.shape;
        let mut random = Random::of([self.seed, writer, number]);
        let table = if tables == Tables::Both && number % 3 == 2 { Table::Keyless } else { Table::Keyed };
        let message = |index: u64| {
            let sequence = (number * records + index) * WRITERS_MAX + writer;
            let id = if table == Table::Keyed { random.below(keys) } else { sequence };
            let what = match random.below(8) {
                0 if table == Table::Keyed => What::Delete,
                1 if tables == Tables::Both => What::Bad,
                _ => {
                    let items = (0..random.below(3)).map(|_| random.below(100).cast_signed()).collect();
                    What::Upsert { text: text(&mut random, text_bytes), items }
                }
            };
            Message { sequence: sequence.cast_signed(), id: id.cast_signed(), what }
        };
        Sent { table, messages: (0..records).map(message).collect() }
    }
}

/// A text that does not compress to nothing.
fn text(random: &mut Random, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        text.push_str(&format!("{:016x}", random.next()));
    }
    text.truncate(bytes);
    text
}

impl Sent {
    /// As it is pushed: of the same bytes each time.
    pub(crate) fn batch(&self) -> Batch {
        let item = json!({"properties": {"n": {"type": "integer"}}});
        let schema = json!({"properties": {
            "id": {"type": "integer"},
            "text": {"type": "string"},
            "items": {"type": "array", "items": item},
        }});
        let keys: &[&str] = if self.table == Table::Keyed { &["id"] } else { &[] };
        let batch = Batch::new(self.table.name(), keys, &schema);
        self.messages.iter().fold(batch, |batch, message| match message.what {
            What::Delete => batch.delete(message.sequence, &message.data()),
            What::Upsert { .. } | What::Bad => batch.upsert(message.sequence, &message.data()),
        })
    }
}

impl Message {
    /// The record.
    pub(crate) fn data(&self) -> Value {
        let Self { id, sequence, what } = self;
        match what {
            What::Upsert { text, items } => {
                let items: Vec<Value> = items.iter().map(|n| json!({"n": n})).collect();
                json!({"id": id, "text": text, "items": items})
            }
            What::Delete => json!({"id": id}),
            What::Bad => json!({"id": id, "text": sequence}),
        }
    }
}
