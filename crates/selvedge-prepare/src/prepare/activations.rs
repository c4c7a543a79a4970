//! Which version of a table is active once what is pending is loaded.

use selvedge_core::TableState;

use crate::prepare::Pending;
use crate::records::Action;

/// What the messages that activate versions come to.
pub(crate) struct Activations {
    /// The version that is active in the end, if any was ever activated.
    pub(crate) active_version: Option<i64>,
    /// How many messages named the version active by then, or a greater one.
    pub(crate) effective: u64,
    /// The versions that the others name, one for each of them.
    pub(crate) ignored: Vec<i64>,
}

pub(crate) fn activations(planned_on: Option<&TableState>, pending: &[Pending]) -> Activations {
    let active_version = planned_on.and_then(|state| state.active_version);
    let mut found = Activations { active_version, effective: 0, ignored: Vec::new() };
    for batch in pending {
        let Some(version) = batch.records.table_version else { continue };
        let actions = batch.records.actions.iter().flat_map(|actions| actions.get(batch.range()).unwrap_or_default());
        for _ in actions.filter(|action| **action == Action::ActivateVersion) {
            if found.active_version <= Some(version) {
                found.active_version = Some(version);
                found.effective += 1;
            } else {
                found.ignored.push(version);
            }
        }
    }
    found
}
