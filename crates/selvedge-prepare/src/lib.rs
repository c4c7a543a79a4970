//! Decode, dedupe, plan and shape: pure functions from batches to loads
