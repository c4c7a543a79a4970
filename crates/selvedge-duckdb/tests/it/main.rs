//! What the destination does to a DuckDB file, seen through DuckDB itself.

// Clippy lets helpers unwrap only where it sees this.
#![cfg(test)]

mod changes;
mod columns;
mod conformance;
mod deletes;
mod fixture;
mod life;
mod nested;
mod reader;
mod rejects;
mod removal;
mod safety;
mod subtables;
mod tables;
mod types;
mod upserts;
mod versions;
mod views;
