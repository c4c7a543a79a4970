//! DuckDB, in a binary built with it.

use selvedge::duckdb::{DuckDb, DuckDbReader, Settings};

use super::Kind;

/// How DuckDB files are opened.
pub(super) fn kind() -> Result<Kind, String> {
    Ok(Kind {
        open: |path, nesting| Ok(Box::new(DuckDb::open_with(path, Settings { nesting })?)),
        read: |path| Ok(Box::new(DuckDbReader::open(path)?)),
        create_view: |path, table, view| DuckDb::open(path)?.create_coalescing_view(table, view),
    })
}
