//! Bodies as the queue stores them: compressed, with the hash of their content.

use xxhash_rust::xxh3::xxh3_128;

/// The longest compressed body a queue takes, in bytes.
pub const MAX_STORED_BYTES: usize = 512 << 20;

/// Negative levels trade ratio for speed: -5 compresses JSON to about 30 % at more than 700 MB/s a thread.
const COMPRESSION_LEVEL: i32 = -5;

/// A body, compressed and hashed, ready to be written.
///
/// Sealing is the costly part of an append, and happens on the caller's thread, so several bodies are sealed at once while
/// the one writer only writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBody {
    pub(crate) compressed: Vec<u8>,
    pub(crate) bytes: usize,
    pub(crate) hash: ContentHash,
}

/// xxh3 (128 bits) of a body before compression, big-endian. It tells repeats apart and proves that a body read is the one
/// that was appended.
pub(crate) type ContentHash = [u8; 16];

impl SealedBody {
    /// Compresses and hashes a body.
    #[expect(
        clippy::expect_used,
        reason = "zstd sizes its own output, so only a lack of memory is left, as in any Vec"
    )]
    pub fn seal(body: &[u8]) -> Self {
        let compressed = zstd::bulk::compress(body, COMPRESSION_LEVEL).expect("memory for a compressed body");
        Self { compressed, bytes: body.len(), hash: content_hash(body) }
    }

    /// The body, or `None` if it is not what was sealed.
    pub(crate) fn open(&self) -> Option<Vec<u8>> {
        // The claimed length sizes an allocation, so it is believed only if zstd's own header says the same.
        let claimed = zstd::zstd_safe::get_frame_content_size(&self.compressed).ok().flatten();
        if claimed != Some(self.bytes as u64) {
            return None;
        }
        let body = zstd::bulk::decompress(&self.compressed, self.bytes).ok()?;
        (body.len() == self.bytes && content_hash(&body) == self.hash).then_some(body)
    }

    /// The length of the body before compression, in bytes.
    pub fn body_bytes(&self) -> usize {
        self.bytes
    }

    /// The length of the compressed body, in bytes.
    pub fn stored_bytes(&self) -> usize {
        self.compressed.len()
    }
}

fn content_hash(body: &[u8]) -> ContentHash {
    xxh3_128(body).to_be_bytes()
}
