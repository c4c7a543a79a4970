//! Checks that make loads by hand, because the engine would never make such, or not at such a moment.

pub(crate) mod changes;
pub(crate) mod crash;
pub(crate) mod limits;
pub(crate) mod loads;
pub(crate) mod memory;
pub(crate) mod positions;
pub(crate) mod readers;
pub(crate) mod rejects;
pub(crate) mod removals;
pub(crate) mod subtables;
pub(crate) mod writers;
