//! Behaviour of decoding and preparation, through the crate's public functions.

#![cfg(test)]

mod batch;
mod columns;
mod counts;
mod envelope;
mod grammar;
mod keys;
mod load;
mod model;
mod objects;
mod redaction;
mod scalars;
mod schemas;
mod shown;
mod system_columns;
mod winners;
