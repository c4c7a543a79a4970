//! What is done with records that violate the schema they come with.

use std::collections::HashMap;

use selvedge_core::IntegrationName;

use crate::batch::Batch;

/// What becomes of a batch with records that violate its schema or lack a key. One that cannot be read as a batch at all is
/// refused under either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRecords {
    /// All of it is refused, and nothing is queued, so that its sender may mend it.
    #[default]
    RefuseBatch,
    /// Each bad record is kept aside among the rejected records, with what is wrong with it; the others are loaded. The whole
    /// batch is refused only where columns of its table are excluded or hashed and that cannot be done.
    RejectEach,
}

/// Which of the two holds for which batch.
#[derive(Debug, Default)]
pub(crate) struct BadRecordsSettings {
    /// For integrations without a setting of their own, and for tables of no integration.
    pub(crate) general: BadRecords,
    pub(crate) integrations: HashMap<IntegrationName, BadRecords>,
}

impl BadRecordsSettings {
    /// What the batch says itself, else what its integration does.
    pub(crate) fn of(&self, batch: &Batch) -> BadRecords {
        let integration = || batch.integration.as_ref().and_then(|name| self.integrations.get(name)).copied();
        batch.bad_records.or_else(integration).unwrap_or(self.general)
    }
}
