//! Which policy holds for which table.

use std::collections::HashMap;

use selvedge_core::{IntegrationName, TableName};
use selvedge_prepare::Policy;

/// The policy of each integration.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// For those without one of their own, and for tables of no integration.
    pub(crate) general: Policy,
    pub(crate) integrations: HashMap<IntegrationName, Policy>,
}

impl Policies {
    pub(crate) fn of(&self, table: &TableName) -> Policy {
        let own = table.integration().and_then(|integration| self.integrations.get(integration));
        own.copied().unwrap_or(self.general)
    }
}
