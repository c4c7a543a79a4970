//! What stands on the seam, seen by those who use it.

#![cfg(test)]

mod compare;
mod nested;
mod nested_shapes;
mod shelf;
mod view;
