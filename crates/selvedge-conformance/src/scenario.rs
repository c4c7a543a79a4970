//! Scenarios: batches in, expected tables out, as data.
//!
//! `scenarios/README.md` describes the files. A real engine plays each of them twice on a real queue: once with all batches
//! that stand one after the other in as few loads as it makes of them, and once with a load and a new engine for every batch.
//! What is expected has to hold both times.

mod by_hand;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use selvedge_core::{IntegrationName, TableName};
use selvedge_engine::{
    BadRecords, Batch, ColumnRules, EmbeddedQueue, Engine, EngineBuilder, EngineErrorKind, Policy, Queue, Secret,
    TableBounds, TableProgress, Tally, Waiting,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::by_hand::{Purge, Rekey, Replay};
use crate::expected::{self, Expected};
use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::place::{Place, Thing};

/// Longer than any load takes; a destination that needs as long has stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// A scenario as its file holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What has to hold, in a sentence.
    pub(crate) says: String,
    steps: Vec<Step>,
}

/// What the queue calls the destination.
const DESTINATION: &str = "destination";

/// What happens next.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    /// A batch of the Import API is accepted.
    Push(Box<RawValue>),
    /// The same, of a named integration.
    PushFor { integration: IntegrationName, batch: Box<RawValue> },
    /// A batch is refused at the door, and nothing of it is queued.
    Refused(Refused),
    /// How tables may change, for engines started from here on.
    Policy(Policy),
    /// What becomes of records that violate their schema, for engines started from here on.
    BadRecords(#[serde(with = "BadRecordsName")] BadRecords),
    /// What of a table's records is excluded or hashed by engines started from here on.
    Redact(Redacted),
    /// Everything is loaded, and the destination holds these tables and no other.
    Expect(BTreeMap<String, Expected>),
    /// These tables are not loaded until somebody acts: of each, what the reason says.
    Paused(BTreeMap<String, Vec<String>>),
    /// The queue or the destination is copied, while nobody has it open.
    Copy(Thing),
    /// The copy takes the place of what it was made of.
    Restore(Thing),
    /// Nothing is left of it.
    Lose(Thing),
    /// An engine takes over the tables that another queue loaded, and loads them.
    Adopt,
    /// Somebody pauses a table.
    Pause(String),
    /// Somebody lets a table go on.
    Resume(String),
    /// Somebody gives a table other keys.
    Rekey(Rekey),
    /// Somebody begins a table anew, of what the queue still holds.
    Reset(String),
    /// Somebody drops a table.
    Drop(String),
    /// Somebody sends the rejected records of a table again.
    Replay(Replay),
    /// Somebody erases a key.
    Purge(Purge),
}

/// A batch that is not accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    batch: Box<RawValue>,
    /// What the refusal says, word by word.
    says: Vec<String>,
}

/// [`BadRecords`] as a scenario names it.
#[derive(Deserialize)]
#[serde(remote = "BadRecords", rename_all = "snake_case")]
enum BadRecordsName {
    RefuseBatch,
    RejectEach,
}

/// The properties of a table's records that are excluded or hashed, as JSON pointers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redacted {
    table: String,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    hash: Vec<String>,
    /// With which values are hashed.
    secret: String,
}

/// How batches come to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Those that stand one after the other together.
    Together,
    /// Each by itself, with a new engine after it.
    Apart,
}

/// A scenario while it is played.
struct Stage<'p> {
    place: &'p Place<'p>,
    pace: Pace,
    engine: Option<Engine>,
    pushed: Vec<Batch>,
    /// The tables known not to be loaded.
    paused: BTreeSet<String>,
    /// What engines are told.
    policy: Policy,
    bad_records: BadRecords,
    redacted: Vec<Redacted>,
}

impl Scenario {
    /// Plays the scenario at both paces, the second time in a place of its own.
    pub(crate) fn run(&self, place: &Place<'_>) -> Checked {
        self.play(place, Pace::Together).map_err(|failure| failure.during("loaded together"))?;
        self.play(&Place::new(place.kit)?, Pace::Apart).map_err(|failure| failure.during("loaded batch by batch"))
    }

    fn play(&self, place: &Place<'_>, pace: Pace) -> Checked {
        let mut stage = Stage {
            place,
            pace,
            engine: None,
            pushed: Vec::new(),
            paused: BTreeSet::new(),
            policy: Policy::default(),
            bad_records: BadRecords::default(),
            redacted: Vec::new(),
        };
        for (step, number) in self.steps.iter().zip(1..) {
            stage.play(step).map_err(|failure| failure.during(format!("step {number}")))?;
        }
        Ok(())
    }
}

impl Stage<'_> {
    fn play(&mut self, step: &Step) -> Checked {
        match step {
            Step::Push(body) => self.push(Batch::from_json(body.get())),
            Step::PushFor { integration, batch } => {
                self.push(Batch::from_json(batch.get()).integration(integration.clone()))
            }
            Step::Refused(refused) => self.expect_refused(refused),
            Step::Policy(policy) => {
                self.at_rest()?;
                self.paused.clear();
                self.policy = *policy;
                Ok(())
            }
            Step::BadRecords(bad_records) => {
                self.at_rest()?;
                self.bad_records = *bad_records;
                Ok(())
            }
            Step::Redact(redacted) => {
                self.at_rest()?;
                self.redacted.push(redacted.clone());
                Ok(())
            }
            Step::Expect(tables) => {
                self.settle()?;
                self.check_ledger()?;
                self.stop();
                expected::check(&mut *self.place.look()?, tables)
            }
            Step::Paused(tables) => tables.iter().try_for_each(|(table, words)| self.expect_paused(table, words)),
            Step::Copy(thing) => Ok(self.at_rest()?.copy(*thing)?),
            Step::Restore(thing) => Ok(self.at_rest()?.restore(*thing)?),
            Step::Lose(thing) => Ok(self.at_rest()?.lose(*thing)?),
            Step::Adopt => {
                self.at_rest()?;
                self.paused.clear();
                self.start(Engine::builder(self.place.folder(Thing::Queue)).adopt())?;
                self.settle()
            }
            Step::Pause(table) => self.pause(table),
            Step::Resume(table) => self.resume(table),
            Step::Rekey(rekey) => self.rekey(rekey),
            Step::Reset(table) => self.reset(table),
            Step::Drop(table) => self.drop_table(table),
            Step::Replay(replay) => self.replay(replay),
            Step::Purge(purge) => self.purge(purge),
        }
    }

    fn push(&mut self, batch: Batch) -> Checked {
        self.pushed.push(batch);
        match self.pace {
            Pace::Together => Ok(()),
            Pace::Apart => {
                self.send()?;
                // A table may be paused from here on; whether it should be, a later step says.
                self.engine()?.flush(PATIENCE)?;
                self.stop();
                Ok(())
            }
        }
    }

    /// Pushes what was put off, so that it is loaded together.
    fn send(&mut self) -> Checked {
        let pushed = std::mem::take(&mut self.pushed);
        Ok(self.engine()?.push_many(pushed, |_| ())?)
    }

    /// Pushes a batch that has to be refused. What was put off still is.
    fn expect_refused(&mut self, Refused { batch, says }: &Refused) -> Checked {
        let engine = self.engine()?;
        let accepted = |engine: &Engine| engine.progress().tables.iter().map(|table| table.tally.accepted).sum::<u64>();
        let before = accepted(engine);
        let Err(error) = engine.push(Batch::from_json(batch.get())) else {
            return Err(Failure::new("the batch is accepted, and should be refused"));
        };
        ensure_equal(&error.kind(), &EngineErrorKind::Refused, "the kind of the error")?;
        ensure_equal(&accepted(engine), &before, "the accepted records after a batch was refused")?;
        let told = Failure::from(error).to_string();
        says.iter()
            .try_for_each(|words| ensure(told.contains(words), || format!("the refusal lacks `{words}`: {told}")))
    }

    /// Waits until everything is loaded but what is known to be paused.
    fn settle(&mut self) -> Checked {
        let left = self.flush()?;
        let unexpected = left.iter().find(|waiting| !self.paused.contains(&waiting.table.to_string()));
        unexpected.map_or(Ok(()), |waiting| Err(Failure::new(waiting.to_string())))
    }

    /// Checks that the engine knows of every record what became of it.
    fn check_ledger(&mut self) -> Checked {
        for TableProgress { table, tally, .. } in self.engine()?.progress().tables {
            let Tally { accepted, loaded, superseded, rejected, waiting, .. } = tally;
            let found = loaded + superseded + rejected + waiting;
            ensure_equal(&found, &accepted, format!("loaded + superseded + rejected + waiting of {table}"))?;
        }
        Ok(())
    }

    fn expect_paused(&mut self, table: &str, words: &[String]) -> Checked {
        let left = self.flush()?;
        let waiting = left.iter().find(|waiting| waiting.table.to_string() == table);
        let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
        let reason = reason.ok_or_else(|| Failure::new(format!("{table} is loaded, and should be paused")))?;
        for word in words {
            ensure(reason.contains(word), || format!("the reason why {table} is paused lacks `{word}`: {reason}"))?;
        }
        self.paused.insert(table.to_owned());
        Ok(())
    }

    fn flush(&mut self) -> Result<Vec<Waiting>, Failure> {
        self.send()?;
        Ok(self.engine()?.flush(PATIENCE)?)
    }

    /// The place, with everything loaded and nobody at work.
    fn at_rest(&mut self) -> Result<&Place<'_>, Failure> {
        if self.engine.is_some() || !self.pushed.is_empty() {
            self.settle()?;
            self.stop();
        }
        if self.place.folder(Thing::Queue).exists() {
            trim(&self.place.folder(Thing::Queue))?;
        }
        Ok(self.place)
    }

    fn stop(&mut self) {
        self.engine = None;
    }

    fn engine(&mut self) -> Result<&Engine, Failure> {
        if self.engine.is_none() {
            self.start(Engine::builder(self.place.folder(Thing::Queue)))?;
        }
        self.engine.as_ref().ok_or_else(|| Failure::new("the engine did not start"))
    }

    fn start(&mut self, builder: EngineBuilder) -> Checked {
        let builder = builder.policy(self.policy).bad_records(self.bad_records);
        let builder = self.redacted.iter().try_fold(builder, |builder, it| it.tell(builder))?;
        self.engine = Some(builder.destination(DESTINATION, self.place.open()?).start()?);
        Ok(())
    }
}

impl Redacted {
    fn tell(&self, builder: EngineBuilder) -> Result<EngineBuilder, Failure> {
        let rules = self.exclude.iter().try_fold(ColumnRules::new(), |rules, pointer| rules.exclude(pointer))?;
        let rules = self.hash.iter().try_fold(rules, |rules, pointer| rules.hash(pointer))?;
        let builder = builder.hash_secret(None, Secret::new(&self.secret)?);
        Ok(builder.columns(TableName::new(None, self.table.as_str())?, rules))
    }
}

/// Waits until the queue has deleted the batches that are loaded, which it does in time: some checks are about batches that
/// are gone.
fn trim(folder: &Path) -> Checked {
    let queue = EmbeddedQueue::open(folder)?;
    let begun = Instant::now();
    let waiting: BTreeMap<TableName, u64> = queue.destinations()?.into_iter().flat_map(|it| it.waiting).collect();
    let is_trimmed = |bounds: &TableBounds| bounds.kept_records <= waiting.get(&bounds.table).copied().unwrap_or(0);
    while !queue.tables()?.iter().all(is_trimmed) {
        ensure(begun.elapsed() < PATIENCE, || "the queue does not delete what is loaded".to_owned())?;
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
