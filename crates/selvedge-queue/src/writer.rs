//! The one thread that writes: it takes everything that arrived during the last commit into the next.
//!
//! There is no artificial delay: a lone append is committed at once, and while its fsync runs, others gather. The first
//! failure ends the thread, because after a failed write or fsync nobody knows what the disk has; whoever waits, and whoever
//! comes later, is told what failed.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, unbounded};
use rusqlite::{Connection, TransactionBehavior};
use selvedge_core::TableName;

use crate::body::SealedBody;
use crate::destinations::{self, Acknowledgement};
use crate::error::{QueueError, QueueErrorKind};
use crate::kept;
use crate::queue::{Append, Appended, Cursor, Registration};
use crate::tables::{self, TableChange};
use crate::trim;
use crate::write;

/// Something to write, and whom to tell when it is durable.
#[derive(Debug)]
pub(crate) enum Request {
    Append {
        appends: Vec<Append>,
        reply: Sender<Vec<Appended>>,
    },
    SetCursor {
        cursor: Cursor,
        reply: Sender<()>,
    },
    Register {
        destination: String,
        registered_at: i64,
        reply: Sender<Registration>,
    },
    /// Answered with whether the destination was registered.
    Unregister {
        destination: String,
        reply: Sender<bool>,
    },
    Acknowledge(Acknowledgement),
    /// Answered with whether the queue knows the table, and the destination that the change names.
    ChangeTable {
        table: TableName,
        change: TableChange,
        reply: Sender<bool>,
    },
    /// Prunes a portion; answered with how many batches it was.
    PruneKept {
        received_before: i64,
        reply: Sender<usize>,
    },
    /// Answered with whether there is such a body.
    ReplaceBody {
        batch: u64,
        body: SealedBody,
        reply: Sender<bool>,
    },
    /// Answered with whether the log could be emptied.
    EraseDeleted {
        reply: Sender<bool>,
    },
}

/// The way to the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Present until the writer is dropped: the end of the channel is what ends the thread.
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    failure: Failure,
}

/// What ended the thread early.
type Failure = Arc<OnceLock<Arc<rusqlite::Error>>>;

impl Writer {
    /// Starts the thread on the connection that only it uses from now on.
    pub(crate) fn start(connection: Connection) -> rusqlite::Result<Self> {
        let (requests, arriving) = unbounded();
        let failure = Failure::default();
        let state = State { newest: write::newest(&connection)?, trimming: trim::candidates(&connection)?, connection };
        let ended_by = Arc::clone(&failure);
        let thread = thread::spawn(move || state.run(&arriving, &ended_by));
        Ok(Self { requests: Some(requests), thread: Some(thread), failure })
    }

    /// Hands over a request and waits until it is durable.
    pub(crate) fn ask<T>(&self, request: impl FnOnce(Sender<T>) -> Request) -> Result<T, QueueError> {
        let (reply, answer) = bounded(1);
        self.tell(request(reply))?;
        answer.recv().map_err(|_| self.stopped())
    }

    /// Hands over a request without waiting.
    pub(crate) fn tell(&self, request: Request) -> Result<(), QueueError> {
        self.requests.as_ref().and_then(|requests| requests.send(request).ok()).ok_or_else(|| self.stopped())
    }

    fn stopped(&self) -> QueueError {
        let message = "the queue stopped after a failed write, and accepts nothing more: make sure that its disk has room and \
                       works, then restart this process; what was not acknowledged must be sent again";
        let error = QueueError::new(QueueErrorKind::Stopped, message);
        match self.failure.get() {
            Some(cause) => error.with_source(Arc::clone(cause)),
            None => error,
        }
    }
}

/// Waits until everything handed over is written and the file is closed.
impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already said so, and there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

/// Tells one caller that its request is durable.
type Answer = Box<dyn FnOnce(&Connection)>;

/// What the thread works on.
struct State {
    connection: Connection,
    /// The greatest batch number given.
    newest: i64,
    /// Tables that may hold batches every destination has.
    trimming: BTreeSet<i64>,
}

impl State {
    fn run(mut self, arriving: &Receiver<Request>, failure: &OnceLock<Arc<rusqlite::Error>>) {
        while let Some(requests) = self.next(arriving) {
            match self.commit(&requests) {
                Ok(answers) => answers.into_iter().for_each(|answer| answer(&self.connection)),
                Err(error) => {
                    // The cause is there before the requests are dropped and those who wait for them look for it.
                    let _ = failure.set(Arc::new(error));
                    return;
                }
            }
        }
    }

    /// Everything that has arrived; nothing if there is deleting to do meanwhile; `None` when the queue is closed.
    fn next(&self, arriving: &Receiver<Request>) -> Option<Vec<Request>> {
        let first = if self.trimming.is_empty() {
            Some(arriving.recv().ok()?)
        } else {
            match arriving.try_recv() {
                Ok(request) => Some(request),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return None,
            }
        };
        Some(first.into_iter().chain(arriving.try_iter()).collect())
    }

    /// One transaction, one fsync.
    fn commit(&mut self, requests: &[Request]) -> rusqlite::Result<Vec<Answer>> {
        let Self { connection, newest, trimming } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answers = requests
            .iter()
            .map(|request| apply(&transaction, request, newest, trimming))
            .collect::<rusqlite::Result<_>>()?;
        trim::step(&transaction, trimming)?;
        transaction.commit()?;
        Ok(answers)
    }
}

fn apply(
    connection: &Connection,
    request: &Request,
    newest: &mut i64,
    trimming: &mut BTreeSet<i64>,
) -> rusqlite::Result<Answer> {
    Ok(match request {
        Request::Append { appends, reply } => {
            let appended = appends.iter().map(|append| write::append(connection, append, newest));
            answer(reply, appended.collect::<rusqlite::Result<_>>()?)
        }
        Request::SetCursor { cursor, reply } => answer(reply, write::set_cursor(connection, cursor)?),
        Request::Register { destination, registered_at, reply } => {
            answer(reply, destinations::register(connection, destination, *registered_at)?)
        }
        Request::Unregister { destination, reply } => {
            let removed = destinations::unregister(connection, destination)?;
            trimming.extend(trim::candidates(connection)?);
            answer(reply, removed)
        }
        Request::Acknowledge(acknowledgement) => {
            destinations::acknowledge(connection, *acknowledgement)?;
            trimming.insert(acknowledgement.table);
            Box::new(|_| ())
        }
        Request::ChangeTable { table, change, reply } => {
            let changed = tables::change(connection, table, change)?;
            trimming.extend(changed);
            answer(reply, changed.is_some())
        }
        Request::PruneKept { received_before, reply } => {
            answer(reply, kept::prune_portion(connection, *received_before)?)
        }
        Request::ReplaceBody { batch, body, reply } => answer(reply, kept::replace(connection, *batch, body)?),
        Request::EraseDeleted { reply } => {
            trim::give_back(connection)?;
            let reply = reply.clone();
            Box::new(move |connection| {
                // The log can be emptied only once all of it is committed.
                let _ = reply.send(trim::empty_log(connection));
            })
        }
    })
}

fn answer<T: 'static>(reply: &Sender<T>, value: T) -> Answer {
    let reply = reply.clone();
    Box::new(move |_| {
        // The caller waits for as long as the channel is there.
        let _ = reply.send(value);
    })
}
