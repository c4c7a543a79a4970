//! The conformance kit.

use selvedge_conformance::Kit;
use selvedge_sqlite::{Sqlite, SqliteReader};

#[test]
fn conforms() {
    Kit::new(|folder| Sqlite::open(folder.join("w.db")), |folder| SqliteReader::open(folder.join("w.db"))).check();
}
