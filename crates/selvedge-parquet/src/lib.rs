//! Loads into local Parquet files
