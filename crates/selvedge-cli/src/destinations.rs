//! `selvedge destination`: for which destinations a queue keeps records.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use selvedge::{EmbeddedQueue, Queue, QueueError, QueueReader, Registered, TableName};

use crate::args::{AddArgs, DestinationCommand, ListArgs, RemoveArgs};
use crate::columns::{Align, align, plural};
use crate::ending::Ending;
use crate::error::Error;
use crate::since::since;
use crate::tell::tell;

/// Carries the command out and tells about it on standard output.
///
/// # Errors
/// When the queue cannot be used, or a destination is not to be removed.
pub(crate) fn manage(command: &DestinationCommand) -> Result<Ending, Error> {
    let lines = match command {
        DestinationCommand::Add(args) => add(args),
        DestinationCommand::Remove(args) => remove(args),
        DestinationCommand::List(args) => list(args),
    }?;
    tell(&lines)?;
    Ok(Ending::Good)
}

/// The names of the destinations that the queue in a folder has; none if there is no queue yet. What keeps a queue from being
/// read is not told here: whoever opens it next is told.
pub(crate) fn registered_in(folder: &Path) -> Vec<String> {
    let registered = QueueReader::open(folder).and_then(|queue| queue.destinations());
    registered.unwrap_or_default().into_iter().map(|registered| registered.name).collect()
}

fn add(AddArgs { destination, data }: &AddArgs) -> Result<Vec<String>, Error> {
    let queue = Opened::open(data)?;
    let name = destination.as_str();
    let is_known = queue.find(name)?.is_some();
    let registration = queue.ask(|queue| queue.register(name, microseconds_since_1970()))?;
    let shown = data.display();
    let mut lines = vec![if is_known {
        format!("{name} was registered with the queue in {shown} before; nothing has changed")
    } else {
        format!("{name} is registered with the queue in {shown}: records are kept until they are loaded into it")
    }];
    let line = |table: TableName| format!("  {table}: complete {}", since(registration.since.get(&table)));
    lines.extend(queue.tables()?.into_iter().map(line));
    Ok(lines)
}

fn remove(RemoveArgs { destination: name, data, give_up_waiting }: &RemoveArgs) -> Result<Vec<String>, Error> {
    let queue = Opened::open(data)?;
    let waiting = queue.find(name)?.map(|registered| registered.waiting).unwrap_or_default();
    let shown = data.display();
    if !waiting.is_empty() && !give_up_waiting {
        return Err(Error::failed(format!(
            "{} for {name}: load something with --to {name} --data {shown}, which loads them, too; or give them up with \
             --give-up-waiting",
            wait(&waiting)
        )));
    }
    queue.ask(|queue| queue.unregister(name))?;
    let mut lines = vec![format!("{name} is removed from the queue in {shown}; what is loaded in it stays as it is")];
    if !waiting.is_empty() {
        lines.push(format!("{} for it no longer", wait(&waiting)));
    }
    if queue.destinations()?.is_empty() {
        lines.push("no destination is left: all records are kept until one is added".to_owned());
    }
    Ok(lines)
}

/// `1 record of orders and 2 records of users wait`.
fn wait(waiting: &BTreeMap<TableName, u64>) -> String {
    let counts: Vec<String> =
        waiting.iter().map(|(table, records)| format!("{} of {table}", plural(*records, "record"))).collect();
    let verb = if waiting.values().sum::<u64>() == 1 { "waits" } else { "wait" };
    format!("{} {verb}", counts.join(" and "))
}

fn list(ListArgs { data }: &ListArgs) -> Result<Vec<String>, Error> {
    let looked = QueueReader::open(data).and_then(|queue| Ok((queue.destinations()?, queue.tables()?)));
    let (destinations, tables) = looked.map_err(|cause| unusable(data, cause))?;
    if destinations.is_empty() {
        let shown = data.display();
        return Ok(vec![format!(
            "no destination is registered with the queue in {shown}; a load into one registers it, or \
             `selvedge destination add`"
        )]);
    }
    let mut rows = vec![["destination", "table", "waiting", "complete"].map(str::to_owned)];
    for registered in &destinations {
        rows.extend(tables.iter().map(|bounds| row(registered, &bounds.table)));
        if tables.is_empty() {
            rows.push([&registered.name, "", "", "from the beginning"].map(str::to_owned));
        }
    }
    Ok(align([Align::Left, Align::Left, Align::Right, Align::Left], &rows))
}

fn row(Registered { name, registration, waiting }: &Registered, table: &TableName) -> [String; 4] {
    let waiting = waiting.get(table).copied().unwrap_or_default();
    [name.clone(), table.to_string(), waiting.to_string(), since(registration.since.get(table))]
}

/// The queue of a command.
struct Opened<'a> {
    folder: &'a Path,
    queue: EmbeddedQueue,
}

impl<'a> Opened<'a> {
    fn open(folder: &'a Path) -> Result<Self, Error> {
        let queue = EmbeddedQueue::open_existing(folder).map_err(|cause| unusable(folder, cause))?;
        Ok(Self { folder, queue })
    }

    fn ask<T>(&self, question: impl FnOnce(&EmbeddedQueue) -> Result<T, QueueError>) -> Result<T, Error> {
        question(&self.queue).map_err(|cause| unusable(self.folder, cause))
    }

    fn destinations(&self) -> Result<Vec<Registered>, Error> {
        self.ask(EmbeddedQueue::destinations)
    }

    fn find(&self, name: &str) -> Result<Option<Registered>, Error> {
        Ok(self.destinations()?.into_iter().find(|registered| registered.name == name))
    }

    /// The tables it ever saw.
    fn tables(&self) -> Result<Vec<TableName>, Error> {
        let bounds = self.ask(EmbeddedQueue::tables)?;
        Ok(bounds.into_iter().map(|bounds| bounds.table).collect())
    }
}

pub(crate) fn unusable(folder: &Path, cause: QueueError) -> Error {
    Error::failed(format!("the queue in {} cannot be used for this", folder.display())).because(cause)
}

fn microseconds_since_1970() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}
