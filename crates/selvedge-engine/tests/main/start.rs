//! Engines that cannot start.

use selvedge_engine::{Engine, EngineErrorKind};
use tempfile::tempdir;

use crate::memory::Memory;
use crate::{check_error, start};

#[test]
fn a_folder_has_one_engine() {
    let (folder, memory) = (tempdir().unwrap(), Memory::default());
    let first = start(folder.path(), &[("memory", &memory)]);
    let second = || Engine::builder(folder.path()).destination("memory", memory.clone()).start();
    let name = folder.path().display().to_string();
    check_error(second(), EngineErrorKind::Unusable, &[&name, "in use by another"]);
    drop(first);
    second().unwrap();
}

#[test]
fn every_destination_has_a_name_of_its_own() {
    let folder = tempdir().unwrap();
    let twins = Engine::builder(folder.path())
        .destination("twin", Memory::default())
        .destination("other", Memory::default())
        .destination("twin", Memory::default());
    check_error(
        twins.start(),
        EngineErrorKind::Unusable,
        &["two destinations are called \"twin\"", "a name of its own"],
    );
}

#[test]
fn an_engine_needs_a_destination() {
    let folder = tempdir().unwrap();
    check_error(Engine::builder(folder.path()).start(), EngineErrorKind::Unusable, &["at least one destination"]);
}
