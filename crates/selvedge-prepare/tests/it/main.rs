//! Behaviour of decoding and preparation, through the crate's public functions.

#![cfg(test)]

mod agreement;
mod batch;
mod columns;
mod combinations;
mod counts;
mod envelope;
mod grammar;
mod keys;
mod load;
mod model;
mod objects;
mod references;
mod rules;
mod scalars;
mod schemas;
mod shown;
mod system_columns;
mod winners;
