//! DuckDB, in a binary built without it: compiling it takes long, so it is a feature.

use super::Kind;

/// How to get a binary that opens DuckDB files.
pub(super) fn kind() -> Result<Kind, String> {
    Err("this selvedge was built without DuckDB; build it with: \
         cargo run --release -p selvedge-cli --features duckdb -- …"
        .to_owned())
}
