//! What the destination does to a DuckDB file, seen through DuckDB itself.

// Clippy lets helpers unwrap only where it sees this.
#![cfg(test)]

mod conformance;
mod fixture;
mod reader;
mod rejects;
mod safety;
mod tables;
mod types;
mod upserts;
