//! The words of selvedge and the seam to its destinations
