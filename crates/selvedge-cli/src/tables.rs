//! `selvedge table`: what is done to one table by hand.

use std::path::Path;

use selvedge::{Destination, EmbeddedQueue, EngineError, Nesting, Queue, QueueReader, TableBounds, TableName};

use crate::args::{DropArgs, PauseArgs, RekeyArgs, TableArgs, TableCommand, TableListArgs};
use crate::columns::{Align, align, plural};
use crate::destination::Address;
use crate::destinations::unusable;
use crate::ending::Ending;
use crate::error::Error;
use crate::tell::tell;

/// Carries the command out and tells about it on standard output.
///
/// # Errors
/// When the queue or a destination cannot be used for it.
pub(crate) fn manage(command: &TableCommand) -> Result<Ending, Error> {
    let lines = match command {
        TableCommand::List(args) => list(args),
        TableCommand::Pause(args) => pause(args),
        TableCommand::Resume(args) => resume(args),
        TableCommand::Rekey(args) => rekey(args),
        TableCommand::Reset(args) => reset(args),
        TableCommand::Drop(args) => drop_table(args),
    }?;
    tell(&lines)?;
    Ok(Ending::Good)
}

fn list(TableListArgs { data }: &TableListArgs) -> Result<Vec<String>, Error> {
    let looked = QueueReader::open(data).and_then(|queue| Ok((queue.destinations()?, queue.tables()?)));
    let (destinations, tables) = looked.map_err(|cause| unusable(data, cause))?;
    if tables.is_empty() {
        return Ok(vec![format!("the queue in {} never had a record", data.display())]);
    }
    let mut rows = vec![["table", "destination", "keys", "version", "rows", "waiting", "state"].map(str::to_owned)];
    for TableBounds { table, paused, .. } in &tables {
        let state = paused.as_ref().map_or_else(|| "active".to_owned(), |reason| format!("paused: {reason}"));
        for destination in &destinations {
            let waiting = destination.waiting.get(table).copied().unwrap_or_default().to_string();
            let [keys, version, live_rows] = standing(&destination.name, table);
            rows.push([table.to_string(), destination.name.clone(), keys, version, live_rows, waiting, state.clone()]);
        }
    }
    let columns = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Right, Align::Right, Align::Left];
    Ok(align(columns, &rows))
}

/// Keys, active version and rows of a table as it stands, as far as the destination can be read now.
fn standing(destination: &str, table: &TableName) -> [String; 3] {
    let address: Result<Address, _> = destination.parse();
    let counted = address.ok().and_then(|address| address.read().ok()).map(|mut reader| reader.count(table));
    match counted {
        Some(Ok(Some(counted))) => {
            let version = counted.state.active_version.map(|version| version.to_string()).unwrap_or_default();
            let keys = if counted.state.keys.is_empty() { "none".to_owned() } else { counted.state.keys.join(",") };
            [keys, version, counted.rows.to_string()]
        }
        Some(Ok(None)) => ["", "", "not loaded"].map(str::to_owned),
        _ => ["", "", "unreadable"].map(str::to_owned),
    }
}

fn pause(PauseArgs { table, reason }: &PauseArgs) -> Result<Vec<String>, Error> {
    let (queue, name) = opened(table)?;
    let reason = reason.as_deref().unwrap_or("somebody paused it");
    queue.set_paused(&name, Some(reason)).map_err(|cause| unusable(&table.data, cause))?;
    Ok(vec![format!("{name} is paused: its records are accepted and wait in the queue until it is resumed")])
}

fn resume(table: &TableArgs) -> Result<Vec<String>, Error> {
    let (queue, name) = opened(table)?;
    queue.set_paused(&name, None).map_err(|cause| unusable(&table.data, cause))?;
    Ok(vec![format!("{name} is resumed: the next load or server on this queue loads what waits")])
}

fn reset(table: &TableArgs) -> Result<Vec<String>, Error> {
    let (queue, name) = opened(table)?;
    let mut lines = Vec::new();
    for (address, mut destination) in registered(&queue, &table.data)? {
        selvedge::reset_table(&queue, &address, destination.as_mut(), &name).map_err(|cause| undone(&name, cause))?;
        lines.push(format!("{name} is removed from {address}, which gets it anew"));
    }
    lines.push(format!("{} of it wait in the queue", plural(kept(&queue, table, &name)?, "record")));
    lines.push("what was loaded before and is to be there again has to be sent again".to_owned());
    Ok(lines)
}

fn rekey(RekeyArgs { table, key }: &RekeyArgs) -> Result<Vec<String>, Error> {
    let (queue, name) = opened(table)?;
    // One that nothing was loaded into yet cannot be read until it is made, and who is busy is to be told before anything is
    // done.
    drop(registered(&queue, &table.data)?);
    let read = |address: Address| Ok((address.to_string(), address.read()?));
    let addresses = registered_addresses(&queue, &table.data)?;
    let mut sources = addresses.into_iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let rows = selvedge::requeue(&queue, &mut sources, &name, key).map_err(|cause| undone(&name, cause))?;
    drop(sources);
    for (address, mut destination) in registered(&queue, &table.data)? {
        selvedge::reset_table(&queue, &address, destination.as_mut(), &name).map_err(|cause| undone(&name, cause))?;
    }
    selvedge::requeued(&queue, &name).map_err(|cause| undone(&name, cause))?;
    let key = key.join(", ");
    Ok(vec![
        format!("{} of {name} are in the queue under the key ({key})", plural(rows, "row")),
        "the next load or server on this queue makes the table anew of them and of what waits".to_owned(),
    ])
}

fn drop_table(DropArgs { table, give_up_waiting }: &DropArgs) -> Result<Vec<String>, Error> {
    let (queue, name) = opened(table)?;
    let waiting = kept(&queue, table, &name)?;
    if waiting > 0 && !give_up_waiting {
        return Err(Error::failed(format!(
            "{} of {name} are in the queue: load them first, or give them up with --give-up-waiting",
            plural(waiting, "record")
        )));
    }
    let mut destinations = registered(&queue, &table.data)?;
    selvedge::drop_table(&queue, &mut destinations, &name).map_err(|cause| undone(&name, cause))?;
    let names: Vec<&str> = destinations.iter().map(|(name, _)| name.as_str()).collect();
    Ok(vec![format!("{name} is dropped from the queue and from {}", names.join(", "))])
}

/// How many records of a table the queue holds.
fn kept(queue: &EmbeddedQueue, table: &TableArgs, name: &TableName) -> Result<u64, Error> {
    let tables = queue.tables().map_err(|cause| unusable(&table.data, cause))?;
    Ok(tables.iter().find(|bounds| bounds.table == *name).map_or(0, |bounds| bounds.kept_records))
}

/// The queue, for nobody else meanwhile, and the table.
fn opened(table: &TableArgs) -> Result<(EmbeddedQueue, TableName), Error> {
    let queue = EmbeddedQueue::open_existing(&table.data).map_err(|cause| unusable(&table.data, cause))?;
    let name = table.name()?;
    let tables = queue.tables().map_err(|cause| unusable(&table.data, cause))?;
    if tables.iter().any(|bounds| bounds.table == name) {
        return Ok((queue, name));
    }
    let names: Vec<String> = tables.iter().map(|bounds| bounds.table.to_string()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Error::failed(format!("the queue in {} has no table {name}; it has {names}", table.data.display())))
}

/// A destination by its name in the queue.
type Named = (String, Box<dyn Destination>);

/// The destinations that the queue has, to be written to.
fn registered(queue: &EmbeddedQueue, data: &Path) -> Result<Vec<Named>, Error> {
    let open = |address: Address| Ok((address.to_string(), address.open(Nesting::default())?));
    registered_addresses(queue, data)?.into_iter().map(open).collect()
}

pub(crate) fn registered_addresses(queue: &EmbeddedQueue, data: &Path) -> Result<Vec<Address>, Error> {
    let registered = queue.destinations().map_err(|cause| unusable(data, cause))?;
    let address = |name: &str| {
        name.parse::<Address>().map_err(|cause| {
            let message = format!("the queue has a destination {name}, which this command cannot open");
            Error::failed(message).because(cause)
        })
    };
    registered.iter().map(|registered| address(&registered.name)).collect()
}

pub(crate) fn undone(table: &TableName, cause: EngineError) -> Error {
    Error::failed(format!("{table} is not as it should be; put right what is named, and do the same again"))
        .because(cause)
}
