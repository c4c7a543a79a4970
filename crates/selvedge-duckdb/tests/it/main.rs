//! What the destination does to a DuckDB file, seen through DuckDB itself.

// Clippy lets helpers unwrap only where it sees this.
#![cfg(test)]

mod changes;
mod columns;
mod conformance;
mod fixture;
mod nested;
mod reader;
mod rejects;
mod safety;
mod subtables;
mod tables;
mod types;
mod upserts;
mod views;
