//! The conformance kit.

use selvedge_conformance::Kit;
use selvedge_duckdb::{DuckDb, DuckDbReader, Nesting, Settings};

#[test]
fn conforms() {
    Kit::new(|folder| DuckDb::open(folder.join("w.duckdb")), |folder| DuckDbReader::open(folder.join("w.duckdb")))
        .check();
}

/// Structs and lists hold the same to whoever looks.
#[test]
fn conforms_with_native_nesting() {
    Kit::new(
        |folder| DuckDb::open_with(folder.join("w.duckdb"), Settings { nesting: Nesting::Native }),
        |folder| DuckDbReader::open(folder.join("w.duckdb")),
    )
    .leave_out(
        "subtables_deep",
        "it brings elements of arrays within elements that are not there, and no list holds those",
    )
    .check();
}
