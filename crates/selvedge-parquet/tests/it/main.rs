//! What stands on disk after loads, as a reader of the files sees it.

// Clippy lets helpers unwrap only where it sees this.
#![cfg(test)]

mod changes;
mod conformance;
mod files;
mod inspect;
mod model;
mod nested;
mod owner;
mod readers;
mod rejects;
mod rows;
mod subtables;
mod table;
