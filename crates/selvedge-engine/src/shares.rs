//! What each part of the engine may use of the budget.

use selvedge_core::Destination;

/// The shares, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Batches on their way into the queue.
    pub(crate) arriving: usize,
    /// Decoded batches that wait to be loaded.
    pub(crate) waiting: usize,
    /// A load of each destination: the batches it is made of, and what is made of them.
    pub(crate) load: usize,
}

impl Shares {
    /// Divides the budget. What the destinations need for themselves comes first, but a third of the budget at least is for what
    /// is on its way.
    pub(crate) fn of<'d>(budget_bytes: usize, destinations: impl Iterator<Item = &'d dyn Destination>) -> Self {
        let needs: Vec<usize> = destinations.map(|destination| destination.capabilities().memory_bytes).collect();
        let theirs = needs.iter().fold(0_usize, |sum, need| sum.saturating_add(*need));
        let ours = budget_bytes.saturating_sub(theirs).max(budget_bytes / 3);
        let (arriving, waiting) = (ours / 8, ours / 4);
        Self { arriving, waiting, load: (ours - arriving - waiting) / needs.len().max(1) }
    }
}
