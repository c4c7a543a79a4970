//! The workloads selvedge is measured and tested with.
//!
//! A workload is a pure function of its size: the same messages in every run and on every machine, so that two programs
//! can be compared on it and a test can work out what a destination has to hold. [`orders`] is the one there is.

pub mod orders;
