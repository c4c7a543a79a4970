//! The batches of all inputs, one after the other, each with the cursor that is committed with it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec;

use selvedge::{Batch, EngineError, EngineErrorKind, IntegrationName, Receipt, Repeats};

use crate::error::Error;
use crate::input::lines::Lines;
use crate::input::piece::{Origin, Piece, Trouble};
use crate::input::{Input, batches};
use crate::plan::{Course, Job};
use crate::refused::Refused;
use crate::resume::{Layout, Stage, State};
use crate::stop::Stop;

/// How far the load is, for those who watch it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Bytes read from the inputs.
    pub(crate) read_bytes: AtomicU64,
    /// Batches in the queue, of those made here.
    pub(crate) durable_batches: AtomicU64,
    /// Records in the queue.
    pub(crate) durable_records: AtomicU64,
}

/// Makes the batches. It ends at the first trouble; [`Feed::end`] tells which.
pub(crate) struct Feed<'c> {
    jobs: vec::IntoIter<Job>,
    current: Option<Source>,
    integration: Option<IntegrationName>,
    counters: &'c Counters,
    stop: &'c Stop,
    /// The batches handed out, but for the first `forgotten`, which are durable.
    made: VecDeque<Made>,
    forgotten: u64,
    /// The sequence of the next plain record that is numbered by its arrival.
    next_arrival: i64,
    trouble: Option<Ended>,
}

/// An input being read.
struct Source {
    input: Input,
    name: Option<String>,
    lines: Lines,
    /// Where a file ended when the command began; a stream ends where it ends.
    bytes: Option<u64>,
    state: State,
}

/// A batch that was handed out.
struct Made {
    input: Input,
    origin: Origin,
}

/// Why there are no further batches.
enum Ended {
    Refused(Refused),
    Failed(Error),
}

impl Counters {
    /// Counts a batch that became durable.
    pub(crate) fn confirm(&self, receipt: &Receipt) {
        self.durable_records.fetch_add(receipt.records(), Ordering::Relaxed);
        self.durable_batches.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'c> Feed<'c> {
    /// The batches of `jobs`, until somebody stops it. Plain records are numbered from `first_arrival` on.
    pub(crate) fn new(
        jobs: Vec<Job>,
        integration: Option<IntegrationName>,
        first_arrival: i64,
        counters: &'c Counters,
        stop: &'c Stop,
    ) -> Self {
        Self {
            jobs: jobs.into_iter(),
            current: None,
            integration,
            counters,
            stop,
            made: VecDeque::new(),
            forgotten: 0,
            next_arrival: first_arrival,
            trouble: None,
        }
    }

    /// How it ended: `pushed` is what the engine said to the batches.
    pub(crate) fn end(mut self, pushed: Result<(), EngineError>) -> Result<Option<Refused>, Error> {
        self.forget_durable();
        match (pushed, self.trouble, self.made.front()) {
            (Err(error), _, Some(Made { input, origin })) if error.kind() == EngineErrorKind::Refused => {
                Ok(Some(Refused::batch(input, origin, &error)))
            }
            (Err(error), ..) => Err(error.into()),
            (Ok(()), Some(Ended::Refused(refused)), _) => Ok(Some(refused)),
            (Ok(()), Some(Ended::Failed(error)), _) => Err(error),
            (Ok(()), None, _) => Ok(None),
        }
    }

    fn forget_durable(&mut self) {
        let durable = self.counters.durable_batches.load(Ordering::Relaxed);
        while self.forgotten < durable && self.made.pop_front().is_some() {
            self.forgotten += 1;
        }
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, Ended> {
        loop {
            if let Some(source) = &mut self.current
                && let Some(piece) = source.next_piece()?
            {
                return self.hand_out(piece);
            }
            let Some(job) = self.jobs.next() else { return Ok(None) };
            self.current = self.open(job)?;
        }
    }

    fn open(&self, job: Job) -> Result<Option<Source>, Ended> {
        let Job { input, source: name, course } = job;
        let Course::Read(material, mut state) = course else { return Ok(None) };
        if state.records == 0 {
            state.number_from(self.next_arrival);
        }
        let bytes = material.bytes();
        let lines = material.into_lines(state.next).map_err(|cause| Ended::Failed(input.unreadable(cause)))?;
        Ok(Some(Source { input, name, lines, bytes, state }))
    }

    fn hand_out(&mut self, piece: Piece) -> Result<Option<Batch>, Ended> {
        let Some(source) = &mut self.current else { return Ok(None) };
        let Piece { body, origin } = piece;
        let before = source.state.next.byte;
        source.pass(&origin);
        self.counters.read_bytes.fetch_add(source.state.next.byte - before, Ordering::Relaxed);
        self.next_arrival = self.next_arrival.max(source.state.next_arrival());
        let mut batch = Batch::from_json(body).repeats(Repeats::Append);
        if let Some(name) = &source.name {
            batch = batch.cursor(source.state.cursor(name).map_err(Ended::Failed)?);
        }
        if let Some(integration) = &self.integration {
            batch = batch.integration(integration.clone());
        }
        self.made.push_back(Made { input: source.input.clone(), origin });
        Ok(Some(batch))
    }
}

impl Iterator for Feed<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.trouble.is_some() || self.stop.signal().is_some() {
            return None;
        }
        self.forget_durable();
        self.next_batch().unwrap_or_else(|ended| {
            self.trouble = Some(ended);
            None
        })
    }
}

impl Source {
    fn next_piece(&mut self) -> Result<Option<Piece>, Ended> {
        let piece = match &self.state.layout {
            Layout::Batches => batches::next_piece(&mut self.lines),
            Layout::Records(format) => format.next_piece(&mut self.lines, self.state.records),
        };
        let piece = piece.map_err(|trouble| match trouble {
            Trouble::Unreadable(cause) => Ended::Failed(self.input.unreadable(cause)),
            Trouble::Bad(bad) => Ended::Refused(Refused::piece(&self.input, bad)),
        })?;
        if piece.is_none() && !self.is_at_its_end() {
            let input = &self.input;
            return Err(Ended::Failed(Error::failed(format!(
                "{input} became shorter while it was read; what was read of it is in the queue. Run the command again when \
                 nobody writes to it"
            ))));
        }
        Ok(piece)
    }

    fn is_at_its_end(&self) -> bool {
        self.lines.peek().is_none() && self.bytes.is_none_or(|bytes| self.lines.place().byte >= bytes)
    }

    /// Brings the state to where the lines are, after a piece.
    fn pass(&mut self, origin: &Origin) {
        self.state.next = self.lines.place();
        self.state.records += origin.plain_records();
        if self.is_at_its_end() {
            self.state.stage = Stage::Accepted;
        }
    }
}
