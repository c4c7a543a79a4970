//! Loads into SQLite
