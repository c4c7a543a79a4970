//! The keys that selvedge generates.

use selvedge_core::QueueId;
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

/// The key of a record that has none, or is rejected: made from where it stands in the queue, so that it is the same in every
/// destination and on every retry.
pub fn generated_key(queue: QueueId, batch: u64, record: u64) -> String {
    let mut place = [0; 32];
    let numbers = [batch.to_le_bytes(), record.to_le_bytes()];
    for (byte, value) in place.iter_mut().zip(queue.as_bytes().iter().chain(numbers.as_flattened())) {
        *byte = *value;
    }
    Uuid::new_v8(xxh3_128(&place).to_le_bytes()).to_string()
}
