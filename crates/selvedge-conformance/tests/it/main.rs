//! The kit on the in-memory destination, and on the broken twins.

#![cfg(test)]

mod memory;
mod scenarios;
mod twins;
