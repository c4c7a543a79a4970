//! Which policy holds for which table.

use std::collections::HashMap;

use selvedge_core::{IntegrationName, TableName};
use selvedge_prepare::Policy;

/// The policies of tables and integrations.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    /// For integrations without one of their own, and for tables of no integration.
    pub(crate) general: Policy,
    pub(crate) integrations: HashMap<IntegrationName, Policy>,
    pub(crate) tables: HashMap<TableName, Policy>,
}

impl Policies {
    pub(crate) fn of(&self, table: &TableName) -> Policy {
        let integration = || table.integration().and_then(|integration| self.integrations.get(integration));
        self.tables.get(table).or_else(integration).copied().unwrap_or(self.general)
    }
}
