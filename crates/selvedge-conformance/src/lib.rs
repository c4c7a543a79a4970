//! The in-memory destination and the checks a destination's author runs
