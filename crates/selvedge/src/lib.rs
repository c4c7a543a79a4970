//! A replication engine: durable batches, typed and deduplicated, loaded exactly once
