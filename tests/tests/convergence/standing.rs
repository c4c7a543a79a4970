//! Where a destination stands between two flushes. Which loads it makes of the batches that come is its own affair; what they come to
//! is not.

use proptest::prelude::*;
use selvedge::{Counts, Tally};

use super::model::Model;
use super::records::Sent;

/// What is known of a destination.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) name: &'static str,
    /// The table as it was after the last flush, with the counts it had.
    pub(crate) flushed: Model,
    /// What was committed when the engine was started.
    pub(crate) started: Counts,
}

/// What was accepted since the last flush.
#[derive(Debug)]
pub(crate) struct Since {
    pub(crate) batches: Vec<Sent>,
    pub(crate) loads: Loads,
}

/// Which loads are made of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loads {
    /// Each takes what it finds, one batch at least.
    AsTheyCome,
    /// One takes them all: the table was paused before the first of them came.
    AllAtOnce,
}

impl Standing {
    /// What is committed by now, if this became of records since the engine was started.
    pub(crate) fn committed(&self, Tally { loaded, superseded, rejected, .. }: Tally) -> Counts {
        let Counts { loaded: loaded_before, superseded: superseded_before, rejected: rejected_before, .. } =
            self.started;
        Counts {
            loaded: loaded_before + loaded,
            superseded: superseded_before + superseded,
            rejected: rejected_before + rejected,
            live_rows: 0,
        }
    }

    /// The table as it is where so many records are committed. Fails unless that can be what loads made of some of the batches that
    /// came since the last flush, in their order. How many rows stand is not looked at.
    pub(crate) fn reached(&self, counts: Counts, since: &Since) -> Result<Model, TestCaseError> {
        let loaded = self.loaded(counts, &since.batches)?;
        let mut together = self.flushed.clone();
        together.load(loaded);
        let mut each = self.flushed.clone();
        loaded.chunks(1).for_each(|batch| each.load(batch));
        let most = together.counts.superseded;
        let least = if since.loads == Loads::AllAtOnce { most } else { each.counts.superseded };
        prop_assert_eq!(counts.rejected, together.counts.rejected, "rejected in {}", self.name);
        prop_assert!(
            (least..=most).contains(&counts.superseded),
            "{} superseded in {}, but they are {} to {}",
            counts.superseded,
            self.name,
            least,
            most
        );
        together.counts = Counts { live_rows: together.counts.live_rows, ..counts };
        Ok(together)
    }

    /// The first of `batches`, so many that their records make up the counts.
    fn loaded<'b>(&self, counts: Counts, batches: &'b [Sent]) -> Result<&'b [Sent], TestCaseError> {
        let flushed = self.flushed.counts.records();
        let records = |batches: &[Sent]| flushed + batches.iter().map(Sent::records).sum::<u64>();
        let loaded = (0..=batches.len()).map(|end| &batches[..end]).find(|loaded| records(loaded) == counts.records());
        loaded.ok_or_else(|| {
            let records = counts.records();
            TestCaseError::fail(format!("{records} records in {} are no whole batches: {counts:?}", self.name))
        })
    }
}
