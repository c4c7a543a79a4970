//! DuckDB, in a binary built with it.

use selvedge::duckdb::{DuckDb, DuckDbReader};
use selvedge::{LoadError, LoadErrorKind};

use super::Kind;

/// How DuckDB files are opened.
pub(super) fn kind() -> Result<Kind, String> {
    Ok(Kind {
        open: |path| Ok(Box::new(DuckDb::open(path)?)),
        read: |path| Ok(Box::new(DuckDbReader::open(path)?)),
        create_view: |_, _, _| {
            Err(LoadError::new(LoadErrorKind::Refused, "views of DuckDB tables are not made by this version yet"))
        },
    })
}
