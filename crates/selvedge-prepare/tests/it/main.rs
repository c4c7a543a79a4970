//! Behaviour of decoding and preparation, through the crate's public functions.

#![cfg(test)]

mod actions;
mod agreement;
mod batch;
mod bodies;
mod columns;
mod combinations;
mod counts;
mod deletes;
mod envelope;
mod extra;
mod grammar;
mod keys;
mod load;
mod loading;
mod model;
mod names;
mod objects;
mod placement;
mod policies;
mod redaction;
mod references;
mod rejecting;
mod rejects;
mod rules;
mod scalars;
mod schemas;
mod shown;
mod splits;
mod subtables;
mod system_columns;
mod versions;
mod winners;
