//! The conformance kit.

use std::path::Path;

use selvedge_conformance::Kit;
use selvedge_parquet::{Nesting, Parquet, ParquetReader, Settings};

#[test]
fn conforms() {
    kit(Nesting::Flat).check();
}

#[test]
fn conforms_with_nested_files() {
    kit(Nesting::Native)
        .leave_out(
            "subtables_deep",
            "a list has no element far behind all others, and none without the arrays around it",
        )
        .check();
}

fn kit(nesting: Nesting) -> Kit {
    let settings = Settings { nesting, ..Settings::default() };
    let open = move |folder: &Path| Parquet::open_with(folder.join("lake"), settings.clone());
    Kit::new(open, |folder: &Path| ParquetReader::open(folder.join("lake")))
}
