//! How an engine is put together.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use selvedge_core::{Destination, IntegrationName, TableName};
use selvedge_prepare::{ColumnRules, Policy, Redaction, Schemas, Secret};
use selvedge_queue::{EmbeddedQueue, Queue, Registration, TableBounds};

use crate::backlog::Backlog;
use crate::bad_records::{BadRecords, BadRecordsSettings};
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::intake::{Intake, now};
use crate::loader::Loader;
use crate::meeting::OfOtherQueues;
use crate::policies::Policies;
use crate::retention::Retention;
use crate::shares::Shares;
use crate::source::Source;

/// The memory for records on their way and for the destinations, unless told otherwise: 256 MiB.
pub const DEFAULT_BUDGET_BYTES: usize = 256 << 20;

/// The most bytes of bodies that wait for a paused table, unless told otherwise: 1 GiB.
pub const DEFAULT_PAUSED_LIMIT_BYTES: u64 = 1 << 30;

/// How long rejected records are kept, unless told otherwise: 30 days.
pub const DEFAULT_REJECTED_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// An engine to be.
#[must_use]
pub struct EngineBuilder {
    folder: PathBuf,
    destinations: Vec<(String, Box<dyn Destination>)>,
    budget_bytes: usize,
    of_other_queues: OfOtherQueues,
    policies: Policies,
    columns: HashMap<TableName, ColumnRules>,
    hash_secrets: HashMap<Option<IntegrationName>, Secret>,
    bad_records: BadRecordsSettings,
    paused_limit_bytes: u64,
    rejected_kept: Duration,
}

impl EngineBuilder {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            destinations: Vec::new(),
            budget_bytes: DEFAULT_BUDGET_BYTES,
            of_other_queues: OfOtherQueues::Refused,
            policies: Policies::default(),
            columns: HashMap::new(),
            hash_secrets: HashMap::new(),
            bad_records: BadRecordsSettings::default(),
            paused_limit_bytes: DEFAULT_PAUSED_LIMIT_BYTES,
            rejected_kept: DEFAULT_REJECTED_KEPT,
        }
    }

    /// Adds a destination. `name` is how the queue remembers it: the same destination must come back under the same name.
    pub fn destination(mut self, name: impl Into<String>, destination: impl Destination + 'static) -> Self {
        self.destinations.push((name.into(), Box::new(destination)));
        self
    }

    /// The memory for records on their way and for what the destinations need for themselves
    /// ([`memory_bytes`](selvedge_core::Capabilities::memory_bytes)), in bytes. However much waits, and however slow a destination
    /// is, the process takes little more. Default: [`DEFAULT_BUDGET_BYTES`].
    pub fn budget_bytes(mut self, bytes: usize) -> Self {
        self.budget_bytes = bytes;
        self
    }

    /// Takes over the tables that another queue loaded, as when its folder was lost. Without it they are paused.
    ///
    /// The rows of such a table stay. Loading begins at the oldest batch this queue keeps of it, and what became of records is
    /// counted anew. With its first load the table belongs to this queue, and the other one can no longer load it. A record
    /// that was loaded from the other queue and is sent again competes by its sequence like any other; in a table without
    /// keys it is appended again.
    ///
    /// Nothing else is overlooked: a table stays paused when an older copy of this queue or of the destination was restored,
    /// when it is lost, when its keys are others, and when this queue had loaded it before the other one did,
    /// as far as it has noted that: a crash may lose the note of the last load.
    pub fn adopt(mut self) -> Self {
        self.of_other_queues = OfOtherQueues::Adopted;
        self
    }

    /// How tables may change once they stand: those of every integration without a policy of its own, and those of none.
    /// Default: [`Policy::default`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.general = policy;
        self
    }

    /// How the tables of an integration may change once they stand.
    pub fn policy_for(mut self, integration: IntegrationName, policy: Policy) -> Self {
        self.policies.integrations.insert(integration, policy);
        self
    }

    /// How one table may change once it stands, whatever its integration's policy is.
    pub fn policy_for_table(mut self, table: TableName, policy: Policy) -> Self {
        self.policies.tables.insert(table, policy);
        self
    }

    /// What becomes of batches with records that violate their schema: those of every integration without a setting of its own,
    /// and those of none. A [batch](crate::Batch::bad_records) may say otherwise. Default: [`BadRecords::RefuseBatch`].
    pub fn bad_records(mut self, bad_records: BadRecords) -> Self {
        self.bad_records.general = bad_records;
        self
    }

    /// What becomes of an integration's batches with records that violate their schema.
    pub fn bad_records_for(mut self, integration: IntegrationName, bad_records: BadRecords) -> Self {
        self.bad_records.integrations.insert(integration, bad_records);
        self
    }

    /// About how many bytes of bodies may wait in the queue for a table that is paused, by hand or because it cannot be loaded.
    /// Beyond that, batches for it are [not taken](crate::EngineErrorKind::Paused); from four fifths of it on, the progress
    /// holds an [alarm](crate::TableProgress::alarm). Default: [`DEFAULT_PAUSED_LIMIT_BYTES`].
    pub fn paused_limit_bytes(mut self, bytes: u64) -> Self {
        self.paused_limit_bytes = bytes;
        self
    }

    /// How long rejected records are kept: in the destinations from the moment they were rejected, and in the queue, for
    /// replay, from that at which their batch was received. They stay counted as rejected. What is older is removed when the
    /// engine is started and, while it runs, once an hour; more often if they are kept for less, but at most once a second.
    /// Tables that are paused, and those that another queue loaded, are left alone. Default: [`DEFAULT_REJECTED_KEPT`].
    pub fn rejected_kept(mut self, kept: Duration) -> Self {
        self.rejected_kept = kept;
        self
    }

    /// Which columns of a table are excluded or hashed. What is excluded, and the value of what is hashed, is in no file of the
    /// queue and in no destination; records that were pushed before stay as they are, but that they are
    /// [replayed](Engine::replay) without what is excluded now. What is to be hashed is replayed as it was stored.
    ///
    /// The rules hold for batches pushed to this engine: give them again to the next one. Two batches that differ in nothing
    /// but excluded columns are one and the same batch for [`Repeats`](crate::Repeats).
    pub fn columns(mut self, table: TableName, rules: ColumnRules) -> Self {
        self.columns.insert(table, rules);
        self
    }

    /// With which secret the columns of an integration's tables are hashed; `None` is for tables of no integration.
    pub fn hash_secret(mut self, integration: Option<IntegrationName>, secret: Secret) -> Self {
        self.hash_secrets.insert(integration, secret);
        self
    }

    /// Opens the queue and begins to load what is left in it.
    ///
    /// # Errors
    /// [`Unusable`](EngineErrorKind::Unusable) when there is no destination, two have one name, columns are to be hashed
    /// without a secret, or the queue cannot be opened, as when another process has it.
    pub fn start(self) -> Result<Engine, EngineError> {
        self.check_names()?;
        let redactions = self.redactions()?;
        let queue: Arc<dyn Queue> = Arc::new(EmbeddedQueue::open(&self.folder)?);
        let names = || self.destinations.iter().map(|(name, _)| name.clone());
        // All are registered before one loads, or what the first has would be deleted before the last is known.
        let register = |name: String| queue.register(&name, now());
        let registrations: Vec<Registration> = names().map(register).collect::<Result<_, _>>()?;
        let policies = Arc::new(self.policies);
        let bounds: Arc<[TableBounds]> = queue.tables()?.into();
        let shares = Shares::of(self.budget_bytes, self.destinations.iter().map(|(_, destination)| &**destination));
        let backlog = Arc::new(Backlog::new(names(), shares, self.paused_limit_bytes));
        bounds.iter().for_each(|bounds| backlog.inherit(bounds));
        let retention = Retention::new(self.rejected_kept);
        queue.prune_kept(retention.begins())?;
        let schemas = Arc::new(Schemas::new());
        let intake = Intake { schemas, redactions, bad_records: self.bad_records, backlog: Arc::clone(&backlog) };
        let mut engine = Engine {
            registrations: names().zip(registrations.iter().cloned()).collect(),
            queue,
            intake,
            backlog,
            replaying: Mutex::new(()),
            loaders: Vec::new(),
        };
        for (follower, ((name, destination), registration)) in
            self.destinations.into_iter().zip(registrations).enumerate()
        {
            let thread = thread::Builder::new().name(format!("load {name}"));
            let loader = Loader {
                follower,
                name,
                destination,
                source: Source {
                    queue: Arc::clone(&engine.queue),
                    schemas: Arc::clone(&engine.intake.schemas),
                    backlog: Arc::clone(&engine.backlog),
                    load_bytes: shares.load,
                },
                registration,
                of_other_queues: self.of_other_queues,
                policies: Arc::clone(&policies),
                retention,
                bounds: Arc::clone(&bounds),
                standing: HashMap::new(),
                isolations: HashMap::new(),
            };
            let unusable =
                |_| EngineError::new(EngineErrorKind::Unusable, "a thread could not be started; check the limits");
            engine.loaders.push(thread.spawn(move || loader.run()).map_err(unusable)?);
        }
        Ok(engine)
    }

    fn redactions(&self) -> Result<HashMap<TableName, Redaction>, EngineError> {
        let redaction = |(table, rules): (&TableName, &ColumnRules)| {
            let secret = self.hash_secrets.get(&table.integration().cloned());
            match Redaction::new(rules, secret) {
                Ok(redaction) => Ok((table.clone(), redaction)),
                Err(missing) => {
                    Err(EngineError::new(EngineErrorKind::Unusable, format!("{table}: {missing} (`hash_secret`)")))
                }
            }
        };
        self.columns.iter().map(redaction).collect()
    }

    fn check_names(&self) -> Result<(), EngineError> {
        let unusable = |message: String| Err(EngineError::new(EngineErrorKind::Unusable, message));
        if self.destinations.is_empty() {
            return unusable("an engine needs at least one destination; add it with `destination`".to_owned());
        }
        let mut names: Vec<&str> = self.destinations.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some([name, ..]) => unusable(format!("two destinations are called {name:?}; give each a name of its own")),
            _ => Ok(()),
        }
    }
}
