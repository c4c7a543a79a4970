//! What stands on the seam, seen by those who use it.

#![cfg(test)]

mod compare;
// The peak of memory is read as Linux tells it.
#[cfg(target_os = "linux")]
mod compare_memory;
mod nested;
mod nested_any;
mod shelf;
mod view;
