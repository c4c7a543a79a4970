//! Loading a keyed table: each row of the load belongs to one file's range of keys, and only files that change are
//! rewritten.

use std::ops::Range;

use arrow_array::RecordBatch;
use selvedge_core::{Key, LoadError, Outcome, TableLoad};

use crate::key::parse_keys;
use crate::manifest::DataFile;
use crate::merge::{Incoming, Plan};
use crate::transition::{Transition, disk_bytes};

/// Writes or keeps the files of the next generation, ascending by key.
pub(crate) fn upsert(
    load: &TableLoad,
    rows: RecordBatch,
    transition: &Transition<'_>,
) -> Result<(Vec<DataFile>, Outcome), LoadError> {
    let key = Key::of(load)?;
    let incoming = Incoming::new(rows, &key)?;
    let mut files = Vec::new();
    let mut outcome = Outcome::default();
    let mut above = 0;
    for (file, share) in transition.stored().iter().zip(route(&incoming, &key, transition)?) {
        above = share.end;
        let (merged, found) = merge(file, share, &incoming, &key, transition)?;
        files.extend(merged);
        outcome.stale_rows += found.stale_rows;
        outcome.new_rows += found.new_rows;
    }
    let above = incoming.rows.slice(above, incoming.rows.num_rows() - above);
    outcome.new_rows += above.num_rows() as u64;
    let mut new = transition.files(above.num_rows() as u64, disk_bytes(&above));
    new.write(&above)?;
    files.extend(new.finish()?);
    Ok((files, outcome))
}

/// The rows of the load that belong to each stored file: those above the file before, up to its own last key. Rows above
/// all files go to the last one while it is small; otherwise they belong to none and make new files.
fn route(incoming: &Incoming, key: &Key, transition: &Transition<'_>) -> Result<Vec<Range<usize>>, LoadError> {
    let stored = transition.stored();
    let last_keys: Vec<_> = stored.iter().filter_map(|file| file.keys.as_ref()).map(|keys| &keys.last).collect();
    let last_keys = key.contestants(&parse_keys(&last_keys, key.names(), incoming.rows.schema_ref())?)?;
    let mut from = 0;
    let share = |file| {
        let to = incoming.first_above(last_keys.key(file), from);
        std::mem::replace(&mut from, to)..to
    };
    let mut shares: Vec<_> = (0..last_keys.len()).map(share).collect();
    if let (Some(share), Some(file)) = (shares.last_mut(), stored.last())
        && transition.is_small(file)
    {
        share.end = incoming.rows.num_rows();
    }
    Ok(shares)
}

/// The files that follow a stored one: itself, unless rows of its share change it.
fn merge(
    file: &DataFile,
    share: Range<usize>,
    incoming: &Incoming,
    key: &Key,
    transition: &Transition<'_>,
) -> Result<(Vec<DataFile>, Outcome), LoadError> {
    let added = disk_bytes(&incoming.rows.slice(share.start, share.len()));
    let plan = if share.is_empty() {
        Plan::default()
    } else {
        Plan::new(transition.read_columns(file, |column| Plan::needs(column, key))?, incoming, share, key)?
    };
    let outcome = plan.outcome;
    if plan.changes_nothing() && !transition.reshapes() {
        return Ok((vec![transition.keep(file)?], outcome));
    }
    let mut files = transition.files(file.rows + outcome.new_rows, file.bytes + added);
    plan.rewrite(transition.read(file)?, &incoming.rows, &mut files)?;
    Ok((files.finish()?, outcome))
}
