//! Behaviour of decoding and preparation, through the crate's public functions.

#![cfg(test)]

mod batch;
mod columns;
mod counts;
mod envelope;
mod extra;
mod grammar;
mod keys;
mod load;
mod model;
mod names;
mod objects;
mod placement;
mod policies;
mod redaction;
mod rejects;
mod scalars;
mod schemas;
mod shown;
mod subtables;
mod system_columns;
mod winners;
