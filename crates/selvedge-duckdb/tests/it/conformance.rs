//! The conformance kit.

use selvedge_conformance::Kit;
use selvedge_duckdb::{DuckDb, DuckDbReader};

#[test]
fn conforms() {
    Kit::new(|folder| DuckDb::open(folder.join("w.duckdb")), |folder| DuckDbReader::open(folder.join("w.duckdb")))
        .check();
}
