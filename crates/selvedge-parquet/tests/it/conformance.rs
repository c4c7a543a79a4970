//! The conformance kit.

use selvedge_conformance::Kit;
use selvedge_parquet::{Nesting, Parquet, ParquetReader, Settings};

#[test]
fn conforms() {
    check(Nesting::Flat);
}

#[test]
fn conforms_with_nested_files() {
    check(Nesting::Native);
}

fn check(nesting: Nesting) {
    let settings = Settings { nesting, ..Settings::default() };
    let open = move |folder: &std::path::Path| Parquet::open_with(folder.join("lake"), settings.clone());
    Kit::new(open, |folder| ParquetReader::open(folder.join("lake"))).check();
}
