//! Defects in what an activated version removes.

use selvedge_core::{Age, LoadError, TableLoad, TableState, tombstone};

use super::Broken;
use crate::memory::{Content, Contest, activated, merge};

pub(super) fn activation_keeps_old(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_onto(broken, load, |_, stored| Ok(stored.clone()))
}

pub(super) fn activation_keeps_unversioned(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    let has_version = |age: Age| !age.is_below(Some(i64::MIN));
    load_onto(broken, load, |load, stored| {
        activated(load, stored, |age| has_version(age) && age.is_below(load.active_version))
    })
}

pub(super) fn activation_leaves_subrows(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_onto(broken, load, |load, stored| {
        let left = activated(load, stored, |age| age.is_below(load.active_version))?;
        Ok(Content { subrows: stored.subrows.clone(), ..left })
    })
}

pub(super) fn activation_forgets_tombstones(broken: &mut Broken, load: &TableLoad) -> Result<TableState, LoadError> {
    load_onto(broken, load, |load, stored| {
        let left = activated(load, stored, |age| age.is_below(load.active_version))?;
        let none = tombstone::none(&load.columns, &load.keys);
        Ok(if load.activates() { Content { tombstones: none, ..left } } else { left })
    })
}

/// Applies a load onto what is `left` by its activation.
fn load_onto(
    broken: &mut Broken,
    load: &TableLoad,
    left: impl Fn(&TableLoad, &Content) -> Result<Content, LoadError>,
) -> Result<TableState, LoadError> {
    broken.memory.load_by(load, |load, stored| {
        let left = left(load, stored)?;
        let removed = stored.rows.num_rows() - left.rows.num_rows();
        Ok(merge(load, &left, &Contest::NEWEST)?.after(removed as u64))
    })
}
