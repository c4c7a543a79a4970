//! The conformance kit.

use selvedge_conformance::Kit;
use selvedge_parquet::{Parquet, ParquetReader};

#[test]
fn conforms() {
    Kit::new(|folder| Parquet::open(folder.join("lake")), |folder| ParquetReader::open(folder.join("lake"))).check();
}
