//! How far the writers are, and what has to stand because of that.

use std::path::Path;
use std::time::Duration;

use selvedge::Engine;

use crate::failure::Failure;
use crate::model::{Findings, Model, compare};
use crate::stream::Stream;
use crate::target::Target;
use crate::worker::Told;

/// How long everything may take to be loaded where nothing is in the way.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The writers of a run, each of which sends one batch after the other.
#[derive(Debug)]
pub(crate) struct Writers {
    stream: Stream,
    /// Of each writer how many of its batches were acknowledged: the next may have been sent, none after it.
    acknowledged: Vec<u64>,
}

impl Writers {
    pub(crate) fn new(stream: Stream, writers: usize) -> Self {
        Self { stream, acknowledged: vec![0; writers] }
    }

    /// The batch each has to send next.
    pub(crate) fn next(&self) -> Vec<u64> {
        self.acknowledged.clone()
    }

    /// Takes what a worker told.
    pub(crate) fn take(&mut self, told: &[Told]) -> Result<(), Failure> {
        for told in told {
            match told {
                Told::Acknowledged { writer, number } => {
                    if let Some(acknowledged) = self.acknowledged.get_mut(*writer) {
                        *acknowledged = number + 1;
                    }
                }
                Told::Wrong(what) => return Err(Failure::new(what.clone())),
                Told::Trouble(_) => {}
            }
        }
        Ok(())
    }

    /// What has to stand.
    pub(crate) fn model(&self) -> Model {
        let mut model = Model::default();
        for (writer, acknowledged) in (0..).zip(&self.acknowledged) {
            (0..*acknowledged).for_each(|number| model.take(&self.stream.batch(writer, number)));
        }
        model
    }

    /// Starts an engine where nothing is in the way, sends again what was not acknowledged, as a client would, and something
    /// that was; loads everything, and compares.
    pub(crate) fn recover(&mut self, to: Target, root: &Path) -> Result<Findings, Failure> {
        let engine = to.start(root)?;
        let mut findings = self.send_again(&engine)?;
        flush(&engine)?;
        drop(engine);
        findings += compare(&self.model(), to, root)?;
        Ok(findings)
    }

    fn send_again(&mut self, engine: &Engine) -> Result<Findings, Failure> {
        let mut findings = Findings::default();
        for (writer, acknowledged) in (0..).zip(&mut self.acknowledged) {
            engine.push(self.stream.batch(writer, *acknowledged).batch())?;
            *acknowledged += 1;
            for again in acknowledged.saturating_sub(2)..*acknowledged {
                let receipt = engine.push(self.stream.batch(writer, again).batch())?;
                let note = || format!("batch {again} of writer {writer} was accepted twice");
                findings.double(u64::from(!receipt.repeated()), note);
            }
        }
        Ok(findings)
    }
}

/// Loads everything, and checks that the engine knows what became of each record.
fn flush(engine: &Engine) -> Result<(), Failure> {
    if let Some(waiting) = engine.flush(PATIENCE)?.first() {
        return Err(Failure::new(waiting.to_string()));
    }
    for table in engine.progress().tables {
        let tally = table.tally;
        if tally.accepted != tally.loaded + tally.superseded + tally.rejected {
            return Err(Failure::new(format!("the counts do not add up: {table:?}")));
        }
    }
    Ok(())
}
