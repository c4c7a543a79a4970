//! DuckDB, in a binary built with it.

use selvedge::duckdb::DuckDb;

use super::Open;

/// How DuckDB files are opened.
pub(super) fn open() -> Result<Open, String> {
    Ok(|path| Ok(Box::new(DuckDb::open(path)?)))
}
