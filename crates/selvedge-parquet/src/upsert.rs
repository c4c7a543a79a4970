//! Loading what has keys: each key of the load belongs to one file's range of keys, and only files that change are
//! rewritten.
//!
//! The rows of a subtable are matched by the key of the row they belong to, which several of them share. What stands of
//! one key may reach from one file into the next, and then it is removed from each of them; what comes of it goes into the
//! first.

use selvedge_core::LoadError;

use crate::incoming::Incoming;
use crate::manifest::DataFile;
use crate::merge::{Plan, Share};
use crate::transition::{Transition, disk_bytes};

/// What was found of the keys of a load.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those of which the stored row is newer and stays.
    pub(crate) stale: Vec<usize>,
    /// How many rows came of keys that were not there.
    pub(crate) new_rows: u64,
    /// How many stored rows went without another in their place.
    pub(crate) removed_rows: u64,
}

/// Writes or keeps the files of the next generation, ascending by key.
pub(crate) fn upsert(
    incoming: &Incoming<'_>,
    transition: &Transition<'_>,
) -> Result<(Vec<DataFile>, Found), LoadError> {
    let mut files = Vec::new();
    let mut found = Found::default();
    let mut run = Run::default();
    let mut above = 0;
    for (file, share) in transition.stored().iter().zip(route(incoming, transition)?) {
        above = share.keys.end;
        let next = Planned::new(file, share, incoming, transition)?;
        found.stale.extend(&next.plan.stale);
        found.new_rows += next.plan.new_rows;
        found.removed_rows += next.plan.removed_rows;
        if !run.takes(&next, transition) {
            files.extend(std::mem::take(&mut run).write(incoming, transition)?);
        }
        run.push(next);
    }
    files.extend(run.write(incoming, transition)?);
    let rows = incoming.rows_of(above..incoming.len());
    let rows = incoming.rows.slice(rows.start, rows.len());
    found.new_rows += rows.num_rows() as u64;
    let mut new = transition.files(rows.num_rows() as u64, disk_bytes(&rows));
    new.write(&rows)?;
    files.extend(new.finish()?);
    Ok((files, found))
}

/// The keys of a load that are beaten by what is stored. Nothing is written.
pub(crate) fn beaten(incoming: &Incoming<'_>, transition: &Transition<'_>) -> Result<Vec<usize>, LoadError> {
    let mut beaten = Vec::new();
    for (file, share) in transition.stored().iter().zip(route(incoming, transition)?) {
        beaten.extend(Planned::new(file, share, incoming, transition)?.plan.stale);
    }
    Ok(beaten)
}

/// The keys of the load that concern each stored file: those above the file before, up to its own last key, and the last
/// key of the file before if that reaches into this one. Keys above all files go to the last one while it is small;
/// otherwise they belong to none and make new files.
fn route(incoming: &Incoming<'_>, transition: &Transition<'_>) -> Result<Vec<Share>, LoadError> {
    let stored = transition.stored();
    let (first_keys, last_keys) = incoming.ranges(stored)?;
    let mut from = 0;
    let share = |file| {
        let reaches_in = from > 0 && incoming.key(from - 1) == first_keys.key(file);
        let start = if reaches_in { from - 1 } else { from };
        let inserted_from = from;
        from = incoming.first_above(last_keys.key(file), from);
        Share { keys: start..from, inserted_from }
    };
    let mut shares: Vec<_> = (0..last_keys.len()).map(share).collect();
    if let (Some(share), Some(file)) = (shares.last_mut(), stored.last())
        && transition.is_small(file.rows, file.bytes)
    {
        share.keys.end = incoming.len();
    }
    Ok(shares)
}

/// A stored file and what becomes of it.
struct Planned<'a> {
    file: &'a DataFile,
    plan: Plan,
    /// What it will have.
    rows: u64,
    bytes: u64,
}

impl<'a> Planned<'a> {
    fn new(
        file: &'a DataFile,
        share: Share,
        incoming: &Incoming<'_>,
        transition: &Transition<'_>,
    ) -> Result<Self, LoadError> {
        let added = incoming.rows_of(share.inserted_from..share.keys.end);
        let added = disk_bytes(&incoming.rows.slice(added.start, added.len()));
        let leaving = transition.leaving(file)?;
        let plan = if share.keys.is_empty() && leaving.column().is_none() {
            Plan::default()
        } else {
            let telling = |column: &str| incoming.is_telling(column) || leaving.column() == Some(column);
            Plan::new(transition.read_columns(file, telling)?, incoming, share, leaving)?
        };
        let kept = file.rows - plan.removed();
        let rows = kept + plan.added();
        Ok(Self { file, plan, rows, bytes: file.bytes / file.rows.max(1) * kept + added })
    }
}

/// Neighbours that become one: of two small files, neither is kept when the other is rewritten. So what shrinks leaves no
/// crowd of little files.
#[derive(Default)]
struct Run<'a>(Vec<Planned<'a>>);

impl<'a> Run<'a> {
    fn takes(&self, next: &Planned<'a>, transition: &Transition<'_>) -> bool {
        let changes = |planned: &Planned<'_>| !planned.plan.changes_nothing() || transition.reshapes();
        transition.is_small(self.rows(), self.bytes())
            && transition.is_small(next.rows, next.bytes)
            && (changes(next) || self.0.iter().any(changes))
    }

    fn push(&mut self, next: Planned<'a>) {
        self.0.push(next);
    }

    fn rows(&self) -> u64 {
        self.0.iter().map(|planned| planned.rows).sum()
    }

    fn bytes(&self) -> u64 {
        self.0.iter().map(|planned| planned.bytes).sum()
    }

    /// The files that follow these.
    fn write(self, incoming: &Incoming<'_>, transition: &Transition<'_>) -> Result<Vec<DataFile>, LoadError> {
        if let [Planned { file, plan, .. }] = self.0.as_slice()
            && plan.changes_nothing()
            && !transition.reshapes()
        {
            return Ok(vec![transition.keep(file)?]);
        }
        let mut files = transition.files(self.rows(), self.bytes());
        for Planned { file, plan, .. } in self.0 {
            plan.rewrite(transition.read(file)?, &incoming.rows, &mut files)?;
        }
        files.finish()
    }
}
