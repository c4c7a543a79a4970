//! What the destination does to a DuckDB file, seen through DuckDB itself.

mod fixture;
mod safety;
mod tables;
mod types;
mod upserts;
