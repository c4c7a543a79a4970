//! `selvedge purge`: erases all that is kept of one key.

use std::ops::ControlFlow;

use selvedge::{EmbeddedQueue, Nesting, Part, RecordKey};

use crate::args::{PurgeArgs, whole_name};
use crate::columns::plural;
use crate::destinations::unusable;
use crate::ending::Ending;
use crate::error::Error;
use crate::tables::{registered_addresses, undone};
use crate::tell::tell;

/// Carries the command out and tells about it on standard output.
///
/// # Errors
/// When the queue or a destination cannot be used for it, or records wait in which the key may be.
pub(crate) fn purge(PurgeArgs { table, integration, data, key }: &PurgeArgs) -> Result<Ending, Error> {
    let name = whole_name(integration.as_ref(), table)?;
    let mut key = RecordKey::parse(key).map_err(|cause| Error::usage("the key is not understood").because(cause))?;
    let queue = EmbeddedQueue::open_existing(data).map_err(|cause| unusable(data, cause))?;
    selvedge::check_purgeable(&queue, &name).map_err(|cause| undone(&name, cause))?;
    let mut lines = Vec::new();
    for address in registered_addresses(&queue, data)? {
        // One that nothing was loaded into yet cannot be read until it is made.
        drop(address.open(Nesting::default())?);
        let mut rejects = Vec::new();
        let mut reader = address.read()?;
        if let Some(counted) = reader.count(&name).map_err(|cause| address.unreadable(cause))? {
            key = key.of_table(&name, &counted.state).map_err(|cause| undone(&name, cause))?;
        }
        reader
            .read(&name, Part::Rejects, &mut |_, batch| {
                let found = selvedge::rejected::read(&batch).filter(|rejected| key.is_of(&rejected.record));
                rejects.extend(found.map(|rejected| rejected.id));
                ControlFlow::Continue(())
            })
            .map_err(|cause| address.unreadable(cause))?;
        drop(reader);
        let mut destination = address.open(Nesting::default())?;
        let rows = selvedge::purge(address.as_str(), destination.as_mut(), &name, &key, &rejects)
            .map_err(|cause| undone(&name, cause))?;
        let rejects = plural(rejects.len() as u64, "rejected record");
        lines.push(format!("{address}: {} and {rejects} erased", plural(rows, "row")));
    }
    let kept = selvedge::purge_kept(&queue, &name, &key).map_err(|cause| undone(&name, cause))?;
    lines.push(format!("{}: {} erased", data.display(), plural(kept, "kept record")));
    lines.push("a record of this key that is sent again is accepted like any other".to_owned());
    tell(&lines)?;
    Ok(Ending::Good)
}
