//! The files of the scenarios.

use std::path::Path;

/// A file that nobody plays proves nothing.
#[test]
fn every_file_is_a_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(selvedge_conformance::names().contains(&name), "{} is not played", path.display());
    }
}
