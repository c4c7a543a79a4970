//! Loads into DuckDB
