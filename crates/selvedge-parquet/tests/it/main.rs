//! What stands on disk after loads, as a reader of the files sees it.

// Clippy lets helpers unwrap only where it sees this.
#![cfg(test)]

mod changes;
mod conformance;
mod deletes;
mod files;
mod inspect;
mod life;
mod model;
mod nested;
mod owner;
mod readers;
mod rejects;
mod removal;
mod rows;
mod subtables;
mod table;
mod versions;
