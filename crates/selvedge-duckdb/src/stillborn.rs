//! Files whose making was cut off: DuckDB never opens them again, and nothing can have been committed in them.

use std::fs;
use std::path::Path;

/// DuckDB begins a file with three headers of this size, before anything can be written to it.
const HEADER_BYTES: usize = 4_096;
/// What stands in the first of them after a checksum of eight bytes.
const MAGIC: [u8; 4] = *b"DUCK";

/// Removes a file that a process was killed while making, or over which the power failed, which holds less than the headers;
/// tells whether it did. Any other file that is as short is somebody else's.
pub(crate) fn remove(path: &Path) -> bool {
    is_stillborn(path) && fs::remove_file(path).is_ok()
}

fn is_stillborn(path: &Path) -> bool {
    let is_short = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= 3 * HEADER_BYTES as u64);
    let mut log = path.as_os_str().to_owned();
    log.push(".wal");
    is_short && !Path::new(&log).exists() && fs::read(path).is_ok_and(|content| is_unfinished(&content))
}

/// Whether a header is missing, or was never written: the file system gives a file its length, and zeros, before its content.
fn is_unfinished(content: &[u8]) -> bool {
    let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let begins_as_ours = content.get(8..12) == Some(&MAGIC) || content.chunks(HEADER_BYTES).next().is_none_or(is_blank);
    let has_all = content.len() == 3 * HEADER_BYTES && !content.chunks(HEADER_BYTES).any(is_blank);
    begins_as_ours && !has_all
}
